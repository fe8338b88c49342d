//! The definition of a plug-in's configuration, as data: it drives parsing, validation over REST, and the reference pages.

use std::collections::BTreeMap;
use std::fmt;

use super::validator::Objection;
use crate::{Config, ConfigMap, ConfigValue, Error, Result, Secret, Validator};

/// Type of a key; `Display` gives Kafka's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigType {
    /// `true` or `false`, any case.
    Boolean,
    /// Text, trimmed.
    String,
    /// 32-bit integer.
    Int,
    /// 16-bit integer.
    Short,
    /// 64-bit integer.
    Long,
    /// 64-bit float.
    Double,
    /// Comma separated, items trimmed; the empty text is the empty list.
    List,
    /// Name of a plug-in.
    Class,
    /// Text that is never shown.
    Password,
}

impl fmt::Display for ConfigType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Int => "INT",
            Self::Short => "SHORT",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::List => "LIST",
            Self::Class => "CLASS",
            Self::Password => "PASSWORD",
        })
    }
}

/// How much a user should care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    /// Most users set it.
    High,
    /// Some users set it.
    Medium,
    /// Few users set it.
    Low,
}

impl fmt::Display for Importance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
            Self::Low => "LOW",
        })
    }
}

/// How wide a UI draws the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Not said.
    None,
    /// Short.
    Short,
    /// Medium.
    Medium,
    /// Long.
    Long,
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "NONE",
            Self::Short => "SHORT",
            Self::Medium => "MEDIUM",
            Self::Long => "LONG",
        })
    }
}

/// What a configuration has for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given<'a> {
    /// The key is not there.
    Nothing,
    /// JSON null.
    Null,
    /// A text.
    Text(&'a str),
}

impl<'a> Given<'a> {
    /// The text of `key` in a configuration without nulls.
    pub fn of(config: &'a ConfigMap, key: &str) -> Self {
        config.get(key).map_or(Self::Nothing, |text| Self::Text(text))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum DefaultValue {
    Required,
    Null,
    Text(String),
}

/// One key of a [`ConfigDef`]. Keys are Connect's dotted names.
#[derive(Clone, Debug)]
pub struct ConfigKey {
    /// Dotted name.
    pub name: String,
    /// Type.
    pub config_type: ConfigType,
    default: DefaultValue,
    /// Importance.
    pub importance: Importance,
    /// What it means, with units.
    pub documentation: String,
    /// Group in a UI.
    pub group: Option<String>,
    /// Place within the group; -1 = none.
    pub order_in_group: i32,
    /// Width in a UI.
    pub width: Width,
    /// Name in a UI.
    pub display_name: String,
    /// Keys whose meaning depends on this one.
    pub dependents: Vec<String>,
    /// Values a UI should offer.
    pub recommended_values: Vec<String>,
    /// Check of the parsed value.
    pub validator: Option<Validator>,
    /// Whether it is shown only where a configuration has it: a key of Volley's own, of a plug-in under a Java name.
    pub is_unlisted: bool,
    /// Whether the worker supplies it, so that it is shown as required and may yet be left out.
    pub is_supplied: bool,
}

impl ConfigKey {
    /// A key that must be given.
    pub fn required(name: &str, config_type: ConfigType, importance: Importance, documentation: &str) -> Self {
        Self {
            name: name.to_owned(),
            config_type,
            default: DefaultValue::Required,
            importance,
            documentation: documentation.to_owned(),
            group: None,
            order_in_group: -1,
            width: Width::None,
            display_name: name.to_owned(),
            dependents: Vec::new(),
            recommended_values: Vec::new(),
            validator: None,
            is_unlisted: false,
            is_supplied: false,
        }
    }

    /// A key with a default, written as the user would write it.
    pub fn with_default(
        name: &str,
        config_type: ConfigType,
        default: &str,
        importance: Importance,
        documentation: &str,
    ) -> Self {
        Self {
            default: DefaultValue::Text(default.to_owned()),
            ..Self::required(name, config_type, importance, documentation)
        }
    }

    /// A key that may be left out and has no value then.
    pub fn optional(name: &str, config_type: ConfigType, importance: Importance, documentation: &str) -> Self {
        Self { default: DefaultValue::Null, ..Self::required(name, config_type, importance, documentation) }
    }

    /// The same key with a check.
    #[must_use]
    pub fn validated(mut self, validator: Validator) -> Self {
        self.validator = Some(validator);
        self
    }

    /// The same key in a group of a UI.
    #[must_use]
    pub fn grouped(mut self, group: &str, order_in_group: i32, width: Width, display_name: &str) -> Self {
        self.group = Some(group.to_owned());
        self.order_in_group = order_in_group;
        self.width = width;
        self.display_name = display_name.to_owned();
        self
    }

    /// The same key, shown only where a configuration has it.
    #[must_use]
    pub fn unlisted(mut self) -> Self {
        self.is_unlisted = true;
        self
    }

    /// The same key, supplied by the worker.
    #[must_use]
    pub fn supplied(mut self) -> Self {
        self.is_supplied = true;
        self
    }

    /// The same key with another default; `None`: no value.
    #[must_use]
    pub fn defaulting_to(mut self, default: Option<&str>) -> Self {
        self.default = default.map_or(DefaultValue::Null, |text| DefaultValue::Text(text.to_owned()));
        self
    }

    /// Whether it must be given.
    pub fn is_required(&self) -> bool {
        self.default == DefaultValue::Required
    }

    /// The default, as the user would write it.
    pub fn default_value(&self) -> Option<&str> {
        match &self.default {
            DefaultValue::Text(text) => Some(text),
            DefaultValue::Required | DefaultValue::Null => None,
        }
    }

    /// Parses `text` (`None`: not given) and checks it.
    ///
    /// Returns the value (`Null` where it cannot be parsed) and the messages of all that is wrong with it.
    pub fn parse(&self, text: Option<&str>) -> (ConfigValue, Vec<String>) {
        self.check(text.map_or(Given::Nothing, Given::Text), &self.name)
    }

    /// Parses and checks what is given; see [`ConfigKey::parse`]. `shown_as` is the name of the key with its prefix:
    /// messages name it, but for those of validators, which know the key as it is defined.
    pub fn check(&self, given: Given<'_>, shown_as: &str) -> (ConfigValue, Vec<String>) {
        let mut errors = Vec::new();
        let text = match (given, &self.default) {
            (Given::Text(text), _) => Some(text),
            (Given::Nothing, DefaultValue::Text(default)) => Some(default.as_str()),
            (Given::Null, _) | (Given::Nothing, DefaultValue::Null) => None,
            (Given::Nothing, DefaultValue::Required) => {
                errors.push(format!("Missing required configuration \"{shown_as}\" which has no default value."));
                None
            }
        };
        let value = match text.map(|text| self.parse_text(text)) {
            None => ConfigValue::Null,
            Some(Ok(value)) => value,
            Some(Err(reason)) => {
                errors.push(invalid(text.unwrap_or_default(), shown_as, &reason));
                ConfigValue::Null
            }
        };
        // a key that has no value by default may as well have none by mistake
        let may_be_null = self.default == DefaultValue::Null;
        if let Some(validator) = self.validator.as_ref().filter(|_| !(may_be_null && value == ConfigValue::Null)) {
            match validator.check(&value) {
                Ok(()) => {}
                Err(Objection::Reason(reason)) => errors.push(invalid(&as_java_shows(&value), &self.name, &reason)),
                Err(Objection::Items(what)) => errors.push(format!("Configuration '{}' values {what}.", self.name)),
            }
        }
        (value, errors)
    }

    fn parse_text(&self, text: &str) -> std::result::Result<ConfigValue, String> {
        let trimmed = trim(text);
        let integer = |min: i64, max: i64| {
            let parsed = trimmed.parse::<i64>().ok().filter(|number| (min..=max).contains(number));
            parsed.map(ConfigValue::Long).ok_or_else(|| format!("Not a number of type {}", self.config_type))
        };
        match self.config_type {
            ConfigType::Boolean if trimmed.eq_ignore_ascii_case("true") => Ok(ConfigValue::Boolean(true)),
            ConfigType::Boolean if trimmed.eq_ignore_ascii_case("false") => Ok(ConfigValue::Boolean(false)),
            ConfigType::Boolean => Err("Expected value to be either true or false".into()),
            ConfigType::String | ConfigType::Class => Ok(ConfigValue::String(trimmed.to_owned())),
            ConfigType::Int => integer(i64::from(i32::MIN), i64::from(i32::MAX)),
            ConfigType::Short => integer(i64::from(i16::MIN), i64::from(i16::MAX)),
            ConfigType::Long => integer(i64::MIN, i64::MAX),
            ConfigType::Double => {
                trimmed.parse().map(ConfigValue::Double).map_err(|_| "Not a number of type DOUBLE".to_owned())
            }
            ConfigType::List if trimmed.is_empty() => Ok(ConfigValue::List(Vec::new())),
            ConfigType::List => Ok(ConfigValue::List(trimmed.split(',').map(|item| trim(item).to_owned()).collect())),
            ConfigType::Password => Ok(ConfigValue::Password(Secret::new(trimmed))),
        }
    }
}

fn invalid(value: &str, key: &str, reason: &str) -> String {
    format!("Invalid value {value} for configuration {key}: {reason}")
}

/// Without the characters up to the space at both ends, which are what Java trims.
fn trim(text: &str) -> &str {
    text.trim_matches(|character| character <= ' ')
}

fn as_java_shows(value: &ConfigValue) -> String {
    match value {
        ConfigValue::Null => "null".to_owned(),
        ConfigValue::Boolean(flag) => flag.to_string(),
        ConfigValue::String(text) => text.clone(),
        ConfigValue::Long(number) => number.to_string(),
        ConfigValue::Double(number) => format!("{number:?}"),
        ConfigValue::List(items) => format!("[{}]", items.join(", ")),
        ConfigValue::Password(secret) => secret.to_string(),
    }
}

/// Something wrong with one key of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigIssue {
    /// The key.
    pub key: String,
    /// What is wrong with it.
    pub message: String,
}

impl ConfigIssue {
    /// `message` about `key`.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }
}

/// The keys of a plug-in, in the order in which they are shown.
#[derive(Clone, Debug, Default)]
pub struct ConfigDef {
    keys: Vec<ConfigKey>,
}

impl ConfigDef {
    /// A definition without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same definition with one more key; a key of the same name is replaced.
    #[must_use]
    pub fn key(mut self, key: ConfigKey) -> Self {
        match self.keys.iter_mut().find(|existing| existing.name == key.name) {
            Some(existing) => *existing = key,
            None => self.keys.push(key),
        }
        self
    }

    /// All keys.
    pub fn keys(&self) -> &[ConfigKey] {
        &self.keys
    }

    /// The key `name`.
    pub fn find(&self, name: &str) -> Option<&ConfigKey> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Parses and checks every key. Unknown entries of `config` are ignored.
    pub fn validate(&self, config: &ConfigMap) -> (Config, Vec<ConfigIssue>) {
        let mut values = BTreeMap::new();
        let mut issues = Vec::new();
        for key in &self.keys {
            let (value, errors) = key.parse(config.get(&key.name).map(String::as_str));
            values.insert(key.name.clone(), value);
            issues.extend(errors.into_iter().map(|message| ConfigIssue::new(&key.name, message)));
        }
        (Config::from_values(values), issues)
    }

    /// Parses every key; the first thing wrong is the error.
    pub fn parse(&self, config: &ConfigMap) -> Result<Config> {
        let (parsed, issues) = self.validate(config);
        match issues.into_iter().next() {
            None => Ok(parsed),
            Some(issue) => Err(Error::config(issue.message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::config_map;

    fn def() -> ConfigDef {
        ConfigDef::new()
            .key(
                ConfigKey::with_default("tasks.max", ConfigType::Int, "1", Importance::High, "")
                    .validated(Validator::AtLeast(1)),
            )
            .key(ConfigKey::required("topic", ConfigType::String, Importance::High, ""))
            .key(ConfigKey::optional("password", ConfigType::Password, Importance::High, ""))
            .key(ConfigKey::with_default("topics", ConfigType::List, "", Importance::High, ""))
    }

    #[test]
    fn an_unparsable_value_with_a_validator_counts_twice_as_in_kafka() {
        let (_, issues) = def().validate(&config_map(&[("tasks.max", "many"), ("topic", "t")]));
        let messages: Vec<_> = issues.iter().map(|issue| issue.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "Invalid value many for configuration tasks.max: Not a number of type INT",
                "Invalid value null for configuration tasks.max: Value must be non-null"
            ]
        );
    }

    #[test]
    fn a_null_is_checked_but_where_having_no_value_is_the_default() {
        let def = def();
        let check = |key: &str| def.find(key).unwrap().check(Given::Null, "prefix").1;
        assert_eq!(check("tasks.max"), ["Invalid value null for configuration tasks.max: Value must be non-null"]);
        assert!(check("topic").is_empty() && check("password").is_empty());
        let interval = ConfigKey::optional("interval", ConfigType::Long, Importance::Low, "");
        let interval = interval.validated(Validator::AtLeast(0));
        assert!(interval.check(Given::Null, "interval").1.is_empty());
        assert_eq!(interval.parse(Some("x")).1.len(), 1);
    }

    #[test]
    fn messages_name_the_key_with_its_prefix_and_validators_without() {
        let key = ConfigKey::required("size", ConfigType::Int, Importance::Low, "").validated(Validator::AtLeast(1));
        let (_, errors) = key.check(Given::Text(" x "), "transforms.t.size");
        assert_eq!(errors[0], "Invalid value  x  for configuration transforms.t.size: Not a number of type INT");
        assert_eq!(errors[1], "Invalid value null for configuration size: Value must be non-null");
        let (_, errors) = key.check(Given::Nothing, "transforms.t.size");
        assert_eq!(errors[0], "Missing required configuration \"transforms.t.size\" which has no default value.");
    }

    #[test]
    fn items_of_a_list_may_have_to_differ() {
        let topics = ConfigKey::with_default("topics", ConfigType::List, "", Importance::High, "");
        let topics = topics.validated(Validator::DistinctItems);
        let errors = |given| topics.check(given, "topics").1;
        assert_eq!(errors(Given::Text("a, ,b,")), ["Configuration 'topics' values must not be duplicated."]);
        assert_eq!(errors(Given::Text("a,,b")), ["Configuration 'topics' values must not be empty."]);
        assert_eq!(errors(Given::Null), ["Configuration 'topics' values must not be null."]);
        assert!(errors(Given::Text(" a , b ")).is_empty() && errors(Given::Text("")).is_empty());
    }

    #[test]
    fn only_what_java_trims_is_trimmed() {
        let name = ConfigKey::required("name", ConfigType::String, Importance::Low, "");
        assert_eq!(name.parse(Some(" \ta\u{85}\n")).0, ConfigValue::String("a\u{85}".into()));
    }

    #[test]
    fn a_missing_required_key_is_named() {
        let error = def().parse(&config_map(&[])).unwrap_err();
        assert_eq!(error.to_string(), "Missing required configuration \"topic\" which has no default value.");
    }

    #[test]
    fn lists_are_split_and_trimmed_and_passwords_hidden() {
        let config =
            def().parse(&config_map(&[("topic", " t "), ("topics", "a , b"), ("password", "hunter2")])).unwrap();
        assert_eq!(config.list("topics"), ["a", "b"]);
        assert_eq!(config.string("topic"), Some("t"));
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
