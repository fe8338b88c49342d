//! `ByLogicalTableRouter`: the events of tables that are parts of one, in one topic.
//!
//! ```text
//! transforms.route.type=io.debezium.transforms.ByLogicalTableRouter
//! transforms.route.topic.regex=(.*)orders_[0-9]+
//! transforms.route.topic.replacement=$1orders
//! ```
//!
//! Keys get a field with the topic that they come from, since two tables may have rows of one key, and schemas are named
//! after the new topic.

use volley_api::{
    Config, ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Importance, Records, Result,
    Transformation, Transformed, Validator,
};
use volley_java::validate_java_regex;

use super::renamed_schemas::{renamed_events, renamed_key};
use super::schema_names::SchemaNames;
use crate::columns::{Failure, Outcome, SharedFields};
use crate::debezium::envelope::{is_envelope, refused};
use crate::debezium::events::{Events, with_shared_schemas};
use crate::debezium::rewriting::Rewriting;

const CLASS: &str = "io.debezium.transforms.ByLogicalTableRouter";
const TOPIC_REGEX: &str = "topic.regex";
const TOPIC_REPLACEMENT: &str = "topic.replacement";
const KEY_REGEX: &str = "key.field.regex";
const KEY_REPLACEMENT: &str = "key.field.replacement";
const KEY_FIELD: &str = "key.field.name";
const UNIQUE_KEYS: &str = "key.enforce.uniqueness";
const NAME_MODE: &str = "schema.name.adjustment.mode";
const CACHE_SIZE: &str = "logical.table.cache.size";

/// Renames the topics that match, and the schemas of their keys and events with them.
#[derive(Clone, Debug)]
pub struct ByLogicalTableRouter {
    topics: Rewriting,
    keys: Option<KeyField>,
    names: SchemaNames,
    schemas: SharedFields,
}

/// The field that tells the tables apart.
#[derive(Clone, Debug)]
struct KeyField {
    name: String,
    tables: Option<Rewriting>,
}

impl ByLogicalTableRouter {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let text = |name, doc| ConfigKey::required(name, ConfigType::String, Importance::Low, doc);
        let default =
            |name, config_type, default, doc| ConfigKey::with_default(name, config_type, default, Importance::Low, doc);
        let key_name = "Name of the field that keys get.";
        let unique = "Whether keys get a field with the topic that they come from.";
        let key_regex =
            "Java regular expression for the topic, which makes the value of the field. Without one it is the topic.";
        let names = "How names of schemas are made fit for Avro: none, avro, or avro_unicode.";
        ConfigDef::new()
            .key(
                text(TOPIC_REGEX, "Java regular expression for whole names of topics.")
                    .validated(Validator::custom(validate_java_regex)),
            )
            .key(
                text(TOPIC_REPLACEMENT, "New name of the topic, with $1 and so on.")
                    .validated(Validator::custom(no_blank)),
            )
            .key(default(UNIQUE_KEYS, ConfigType::Boolean, "true", unique))
            .key(default(KEY_FIELD, ConfigType::String, "__dbz__physicalTableIdentifier", key_name))
            .key(
                ConfigKey::optional(KEY_REGEX, ConfigType::String, Importance::Low, key_regex)
                    .validated(Validator::custom(validate_java_regex)),
            )
            .key(ConfigKey::optional(
                KEY_REPLACEMENT,
                ConfigType::String,
                Importance::Low,
                "What replaces the match of `key.field.regex`.",
            ))
            .key(
                default(NAME_MODE, ConfigType::String, "none", names)
                    .validated(Validator::one_of_ignore_case(SchemaNames::MODES)),
            )
            .key(default(CACHE_SIZE, ConfigType::Int, "16", "Of no effect; there is no such cache."))
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if a key is missing, or a value is none that its key may have.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(config).map_err(refused)?;
        let text = |key| config.string(key).unwrap_or_default();
        let keys = match config.boolean(UNIQUE_KEYS) {
            true => Some(KeyField { name: text(KEY_FIELD).to_owned(), tables: tables(&config)? }),
            false => tables(&config).map(|_| None)?,
        };
        let topics = Rewriting::new(text(TOPIC_REGEX), text(TOPIC_REPLACEMENT)).map_err(refused)?;
        Ok(Self { topics, keys, names: SchemaNames::of(text(NAME_MODE)), schemas: SharedFields::default() })
    }

    /// The records in their new topic. Rows that fail are told.
    fn routed(&self, records: &Records, topic: &str) -> Outcome<Records> {
        let mut routed = Records { topic: topic.into(), ..records.clone() };
        if (0..records.len()).any(|row| !records.key.is_null(row)) {
            let failed = |error| Failure::of_values(&records.key, &error);
            let table = match &self.keys {
                Some(key) => Some((key.name.as_str(), key.table(&records.topic).map_err(failed)?)),
                None => None,
            };
            let table = table.as_ref().map(|(name, table)| (*name, table.as_str()));
            routed.key = renamed_key(&records.key, &self.names.adjust(&format!("{topic}.Key")), table)?;
        }
        if is_envelope(&records.value.field) {
            let name = |suffix| self.names.adjust(&format!("{topic}.{suffix}"));
            routed.value = renamed_events(&records.value, &name("Envelope"), &name("Value"))?;
        }
        Ok(routed)
    }
}

impl KeyField {
    fn table(&self, topic: &str) -> Result<String> {
        let rewritten = self.tables.as_ref().map(|tables| tables.rewrite(topic)).transpose()?.flatten();
        Ok(rewritten.unwrap_or_else(|| topic.to_owned()))
    }
}

fn tables(config: &Config) -> Result<Option<Rewriting>> {
    let regex = config.string(KEY_REGEX).filter(|regex| !regex.is_empty());
    match (regex, config.string(KEY_REPLACEMENT).filter(|replacement| !replacement.is_empty())) {
        (None, _) => Ok(None),
        (Some(regex), Some(replacement)) => Rewriting::new(regex, replacement).map(Some).map_err(refused),
        (Some(_), None) => {
            Err(refused(Error::config(format!("{KEY_REPLACEMENT} must be non-empty if {KEY_REGEX} is set."))))
        }
    }
}

fn no_blank(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::String(text) if text.trim().is_empty() => Err("A value is required".to_owned()),
        _ => Ok(()),
    }
}

impl Transformation for ByLogicalTableRouter {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let mut events = Events::of(&records, CLASS);
        let topic = match self.topics.rewrite(&records.topic) {
            Ok(topic) => topic.filter(|topic| !topic.is_empty()),
            Err(error) => {
                (0..records.len()).for_each(|row| events.reject_row(row, error.clone()));
                return Ok(Transformed { records: Vec::new(), rejected: events.rejected });
            }
        };
        let Some(topic) = topic else { return Ok(Transformed::of(records)) };
        let transformed = events.transform(|_, records| self.routed(records, &topic), &records)?;
        Ok(with_shared_schemas(&mut self.schemas, transformed))
    }
}
