//! A configuration of a Java sink on its way to one of `ObjectStoreSink`.

use std::fmt;

use volley_api::{Config, ConfigIssue, ConfigMap, ConfigValue};

/// What has been translated so far.
///
/// `config` and `given` are the same configuration: parsed by the Java class's definition, and as the user wrote it.
pub(crate) struct Translation<'a> {
    config: &'a Config,
    given: &'a ConfigMap,
    target: ConfigMap,
    issues: Vec<ConfigIssue>,
    remarks: Vec<String>,
}

impl<'a> Translation<'a> {
    /// Nothing translated yet.
    pub(crate) fn new(config: &'a Config, given: &'a ConfigMap) -> Self {
        Self { config, given, target: ConfigMap::new(), issues: Vec::new(), remarks: Vec::new() }
    }

    /// The text of a key of the Java class; `None` if it is empty or not given.
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        self.config.string(key).filter(|text| !text.is_empty())
    }

    /// The number of a key of the Java class.
    pub(crate) fn long(&self, key: &str) -> Option<i64> {
        self.config.long(key)
    }

    /// The flag of a key of the Java class.
    pub(crate) fn boolean(&self, key: &str) -> bool {
        self.config.boolean(key)
    }

    /// What the user wrote for a key, in the definition or not; `None` if it is empty or not given.
    pub(crate) fn given(&self, key: &str) -> Option<&'a str> {
        self.given.get(key).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// Sets a key of ours.
    pub(crate) fn set(&mut self, target: &str, value: impl Into<String>) {
        self.target.insert(target.to_owned(), value.into());
    }

    /// Sets a key of ours to the value of a key of the Java class, if that has one and it is not empty.
    pub(crate) fn copy(&mut self, key: &str, target: &str) {
        if let Some(text) = written(self.config.get(key)).filter(|text| !text.is_empty()) {
            self.set(target, text);
        }
    }

    /// Hands keys on that mean the same here, empty values too.
    pub(crate) fn same(&mut self, keys: &[&str]) {
        for key in keys {
            if let Some(text) = written(self.config.get(key)) {
                self.set(key, text);
            }
        }
    }

    /// Notes that a value of `key` cannot be had here.
    pub(crate) fn refuse(&mut self, key: &str, message: impl Into<String>) {
        self.issues.push(ConfigIssue::new(key, message));
    }

    /// Notes something that the user is told when the connector starts.
    pub(crate) fn remark(&mut self, text: impl Into<String>) {
        self.remarks.push(text.into());
    }

    /// The configuration for `ObjectStoreSink`, what is wrong, and what is to be said.
    pub(crate) fn finish(self) -> (ConfigMap, Vec<ConfigIssue>, Vec<String>) {
        (self.target, self.issues, self.remarks)
    }
}

impl fmt::Debug for Translation<'_> {
    /// Keys only: there are secrets among the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.target.keys().collect();
        f.debug_struct("Translation").field("keys", &keys).field("issues", &self.issues).finish_non_exhaustive()
    }
}

/// A value as the user would write it.
fn written(value: &ConfigValue) -> Option<String> {
    Some(match value {
        ConfigValue::Null => return None,
        ConfigValue::Boolean(flag) => flag.to_string(),
        ConfigValue::String(text) => text.clone(),
        ConfigValue::Long(number) => number.to_string(),
        ConfigValue::Double(number) => number.to_string(),
        ConfigValue::List(items) => items.join(","),
        ConfigValue::Password(secret) => secret.reveal().to_owned(),
    })
}
