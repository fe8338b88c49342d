//! Keys of one origin (framework, a transformation, the connector, …) with their values, during validation.

use indexmap::IndexMap;
use volley_api::{ConfigDef, ConfigKey, ConfigValue};

use super::config_infos::{ConfigInfo, ConfigKeyInfo, ConfigValueInfo, shown};
use crate::json_config::GivenConfig;

/// A key under validation.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: ConfigKey,
    pub(super) parsed: ConfigValue,
    pub(super) errors: Vec<String>,
    /// Whether a UI should show it.
    pub(super) is_visible: bool,
}

/// The value and errors of a key without definition.
#[derive(Clone, Debug, Default)]
pub(super) struct Stray {
    pub(super) value: Option<String>,
    pub(super) errors: Vec<String>,
}

/// Keys by full name, in the order in which they are shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    pub(super) entries: IndexMap<String, Entry>,
    pub(super) strays: IndexMap<String, Stray>,
}

impl Section {
    /// The keys of `def` with their values in `config`.
    pub(super) fn of(def: &ConfigDef, config: &GivenConfig) -> Self {
        let mut section = Self::default();
        for key in def.keys() {
            section.add(key.clone(), config);
        }
        section
    }

    /// Adds a key, unless the section has one of that name.
    pub(super) fn add(&mut self, key: ConfigKey, config: &GivenConfig) {
        let name = key.name.clone();
        self.add_as(&name, key, config);
    }

    /// Adds a key under its name with a prefix; see [`ConfigKey::check`]. An unlisted key that the configuration does
    /// not contain is left out.
    pub(super) fn add_as(&mut self, name: &str, mut key: ConfigKey, config: &GivenConfig) {
        if self.entries.contains_key(name) || key.is_unlisted && !config.has(name) {
            return;
        }
        let (parsed, errors) = key.check(config.given(name), name);
        name.clone_into(&mut key.name);
        self.entries.insert(name.to_owned(), Entry { key, parsed, errors, is_visible: true });
    }

    pub(super) fn error(&mut self, key: &str, message: impl Into<String>) {
        match self.entries.get_mut(key) {
            Some(entry) => entry.errors.push(message.into()),
            None => self.strays.entry(key.to_owned()).or_default().errors.push(message.into()),
        }
    }

    /// Replaces the value that is shown.
    pub(super) fn set_value(&mut self, key: &str, value: ConfigValue) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.parsed = value;
        }
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match &self.entries.get(key)?.parsed {
            ConfigValue::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn list(&self, key: &str) -> &[String] {
        match self.entries.get(key).map(|entry| &entry.parsed) {
            Some(ConfigValue::List(items)) => items,
            _ => &[],
        }
    }

    pub(super) fn groups(&self) -> Vec<String> {
        let mut groups: Vec<String> = Vec::new();
        for group in self.entries.values().filter_map(|entry| entry.key.group.as_ref()) {
            if !groups.contains(group) {
                groups.push(group.clone());
            }
        }
        groups
    }

    /// Entries as REST shows them: those without definition come first.
    pub(super) fn into_infos(self) -> Vec<ConfigInfo> {
        let strays = self.strays.into_iter().map(|(name, Stray { value, errors })| ConfigInfo {
            definition: None,
            value: ConfigValueInfo { name, value, errors, visible: true, ..ConfigValueInfo::default() },
        });
        strays.chain(self.entries.into_values().map(Entry::into_info)).collect()
    }
}

impl Entry {
    pub(super) fn into_info(self) -> ConfigInfo {
        ConfigInfo {
            definition: Some(ConfigKeyInfo::from(&self.key)),
            value: ConfigValueInfo {
                name: self.key.name,
                value: shown(&self.parsed),
                recommended_values: self.key.recommended_values,
                errors: self.errors,
                visible: self.is_visible,
            },
        }
    }
}
