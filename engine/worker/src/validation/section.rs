//! Keys of one origin (framework, a transformation, the connector, …) with their values, while they are validated.

use indexmap::IndexMap;
use volley_api::{ConfigDef, ConfigKey, ConfigMap, ConfigValue};

use super::config_infos::{ConfigInfo, ConfigKeyInfo, ConfigValueInfo, shown};

/// A key under validation.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: ConfigKey,
    pub(super) parsed: ConfigValue,
    pub(super) errors: Vec<String>,
    pub(super) recommended: Vec<String>,
}

/// Keys by full name, in the order in which they are shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    pub(super) entries: IndexMap<String, Entry>,
    /// Errors about keys without definition.
    pub(super) strays: IndexMap<String, Vec<String>>,
}

impl Section {
    /// The keys of `def` with what `config` has for them.
    pub(super) fn of(def: &ConfigDef, config: &ConfigMap) -> Self {
        let mut section = Self::default();
        for key in def.keys() {
            section.add(key.clone(), config);
        }
        section
    }

    /// Adds a key, unless there is one of that name.
    pub(super) fn add(&mut self, key: ConfigKey, config: &ConfigMap) {
        if self.entries.contains_key(&key.name) {
            return;
        }
        let (parsed, errors) = key.parse(config.get(&key.name).map(String::as_str));
        let recommended = key.recommended_values.clone();
        self.entries.insert(key.name.clone(), Entry { key, parsed, errors, recommended });
    }

    pub(super) fn error(&mut self, key: &str, message: impl Into<String>) {
        match self.entries.get_mut(key) {
            Some(entry) => entry.errors.push(message.into()),
            None => self.strays.entry(key.to_owned()).or_default().push(message.into()),
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

    /// Entries as REST shows them: those without definition first.
    pub(super) fn into_infos(self) -> Vec<ConfigInfo> {
        let strays = self.strays.into_iter().map(|(name, errors)| ConfigInfo {
            definition: None,
            value: ConfigValueInfo { name, errors, visible: true, ..ConfigValueInfo::default() },
        });
        strays.chain(self.entries.into_values().map(Entry::into_info)).collect()
    }
}

impl Entry {
    fn into_info(self) -> ConfigInfo {
        ConfigInfo {
            definition: Some(ConfigKeyInfo::from(&self.key)),
            value: ConfigValueInfo {
                name: self.key.name,
                value: shown(&self.parsed),
                recommended_values: self.recommended,
                errors: self.errors,
                visible: true,
            },
        }
    }
}
