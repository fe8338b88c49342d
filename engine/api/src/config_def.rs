//! The definition of a plug-in's configuration, as data: it drives parsing, validation over REST, and the reference pages.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Config, ConfigMap, ConfigValue, Error, Result, Secret};

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

/// A check of one parsed value. `Err` carries the reason only; the definition adds key and value.
#[derive(Clone, Debug)]
pub enum Validator {
    /// Integer or double of at least this.
    AtLeast(i64),
    /// Integer within both bounds.
    Between(i64, i64),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// One of these texts, any case.
    OneOfIgnoreCase(&'static [&'static str]),
    /// Not the empty text.
    NonEmpty,
    /// Anything else.
    Custom(fn(&ConfigValue) -> std::result::Result<(), String>),
}

impl Validator {
    fn check(&self, value: &ConfigValue) -> std::result::Result<(), String> {
        match (self, value) {
            (Self::Custom(check), value) => check(value),
            (Self::AtLeast(_) | Self::Between(..), ConfigValue::Null) => Err("Value must be non-null".into()),
            (Self::AtLeast(min) | Self::Between(min, _), ConfigValue::Long(number)) if number < min => {
                Err(format!("Value must be at least {min}"))
            }
            (Self::Between(_, max), ConfigValue::Long(number)) if number > max => {
                Err(format!("Value must be no more than {max}"))
            }
            (Self::AtLeast(min), ConfigValue::Double(number)) if *number < *min as f64 => {
                Err(format!("Value must be at least {min}"))
            }
            (Self::OneOf(allowed), ConfigValue::String(text)) if !allowed.contains(&text.as_str()) => {
                Err(format!("String must be one of: {}", allowed.join(", ")))
            }
            (Self::OneOfIgnoreCase(allowed), ConfigValue::String(text))
                if !allowed.iter().any(|item| item.eq_ignore_ascii_case(text)) =>
            {
                Err(format!("String must be one of (case insensitive): {}", allowed.join(", ")))
            }
            (Self::NonEmpty, ConfigValue::String(text)) if text.is_empty() => Err("String must be non-empty".into()),
            _ => Ok(()),
        }
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
        let given = match (text, &self.default) {
            (Some(text), _) => Some(text),
            (None, DefaultValue::Text(default)) => Some(default.as_str()),
            (None, DefaultValue::Null) => None,
            (None, DefaultValue::Required) => {
                let message = format!("Missing required configuration \"{}\" which has no default value.", self.name);
                return (ConfigValue::Null, vec![message]);
            }
        };
        let mut errors = Vec::new();
        let value = match given.map(|text| self.parse_text(text)) {
            None => ConfigValue::Null,
            Some(Ok(value)) => value,
            Some(Err(reason)) => {
                errors.push(self.invalid(given, &reason));
                ConfigValue::Null
            }
        };
        if let Some(validator) = &self.validator
            && !(value == ConfigValue::Null && errors.is_empty())
            && let Err(reason) = validator.check(&value)
        {
            let shown = if value == ConfigValue::Null { None } else { given };
            errors.push(self.invalid(shown, &reason));
        }
        (value, errors)
    }

    fn invalid(&self, text: Option<&str>, reason: &str) -> String {
        let shown = match (self.config_type, text) {
            (ConfigType::Password, Some(_)) => "[hidden]",
            (_, Some(text)) => text.trim(),
            (_, None) => "null",
        };
        format!("Invalid value {shown} for configuration {}: {reason}", self.name)
    }

    fn parse_text(&self, text: &str) -> std::result::Result<ConfigValue, String> {
        let trimmed = text.trim();
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
            ConfigType::List => Ok(ConfigValue::List(trimmed.split(',').map(|item| item.trim().to_owned()).collect())),
            ConfigType::Password => Ok(ConfigValue::Password(Secret::new(trimmed))),
        }
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
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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

    fn map(entries: &[(&str, &str)]) -> ConfigMap {
        entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_unparsable_value_with_a_validator_counts_twice_as_in_kafka() {
        let (_, issues) = def().validate(&map(&[("tasks.max", "many"), ("topic", "t")]));
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
    fn a_missing_required_key_is_named() {
        let error = def().parse(&map(&[])).unwrap_err();
        assert_eq!(error.to_string(), "Missing required configuration \"topic\" which has no default value.");
    }

    #[test]
    fn lists_are_split_and_trimmed_and_passwords_hidden() {
        let config = def().parse(&map(&[("topic", " t "), ("topics", "a , b"), ("password", "hunter2")])).unwrap();
        assert_eq!(config.list("topics"), ["a", "b"]);
        assert_eq!(config.string("topic"), Some("t"));
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
