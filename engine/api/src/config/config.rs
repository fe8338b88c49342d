//! Configurations: as text, and parsed by a [`ConfigDef`](crate::ConfigDef).

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::Secret;

/// A configuration as the user wrote it, after config providers have resolved its variables. Order is the user's.
pub type ConfigMap = IndexMap<String, String>;

/// A parsed value.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigValue {
    /// No value and no default.
    Null,
    /// BOOLEAN
    Boolean(bool),
    /// STRING, and CLASS by name
    String(String),
    /// INT, SHORT and LONG
    Long(i64),
    /// DOUBLE
    Double(f64),
    /// LIST
    List(Vec<String>),
    /// PASSWORD
    Password(Secret),
}

/// The parsed values of all keys of a [`ConfigDef`](crate::ConfigDef), defaults filled in.
#[derive(Clone, Debug, Default)]
pub struct Config {
    values: BTreeMap<String, ConfigValue>,
}

impl Config {
    pub(crate) fn from_values(values: BTreeMap<String, ConfigValue>) -> Self {
        Self { values }
    }

    /// The value of a key; `Null` for a key that is not defined.
    pub fn get(&self, key: &str) -> &ConfigValue {
        self.values.get(key).unwrap_or(&ConfigValue::Null)
    }

    /// A STRING or CLASS; `None` if it has no value.
    pub fn string(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            ConfigValue::String(text) => Some(text),
            _ => None,
        }
    }

    /// An INT, SHORT or LONG; `None` if it has no value.
    pub fn long(&self, key: &str) -> Option<i64> {
        match self.get(key) {
            ConfigValue::Long(number) => Some(*number),
            _ => None,
        }
    }

    /// A DOUBLE; `None` if it has no value.
    pub fn double(&self, key: &str) -> Option<f64> {
        match self.get(key) {
            ConfigValue::Double(number) => Some(*number),
            _ => None,
        }
    }

    /// A BOOLEAN; `false` if it has no value.
    pub fn boolean(&self, key: &str) -> bool {
        matches!(self.get(key), ConfigValue::Boolean(true))
    }

    /// A LIST; empty if it has no value.
    pub fn list(&self, key: &str) -> &[String] {
        match self.get(key) {
            ConfigValue::List(items) => items,
            _ => &[],
        }
    }

    /// A PASSWORD; `None` if it has no value.
    pub fn password(&self, key: &str) -> Option<&Secret> {
        match self.get(key) {
            ConfigValue::Password(secret) => Some(secret),
            _ => None,
        }
    }
}
