//! A sink under the name of a Java class: its keys, and what they are in ours.

use volley_api::{Config, ConfigDef, ConfigIssue, ConfigKey, ConfigMap, Error, Result};

use super::key_names::KeyNames;
use super::translation::Translation;
use crate::config::{config_def, config_issues};

/// A sink as existing configurations name it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JavaSink {
    /// Name of the Java class.
    pub(crate) class: &'static str,
    /// Another name of it.
    pub(crate) alias: Option<&'static str>,
    /// One or two sentences for users.
    pub(crate) documentation: &'static str,
    /// The keys of the Java class, with its defaults.
    pub(crate) keys: fn() -> Vec<ConfigKey>,
    /// Which of our keys come from which of the class's.
    pub(crate) names: KeyNames,
    /// Translates keys that have been checked one by one.
    pub(crate) translate: fn(&mut Translation<'_>),
    /// Keys that may be given and change nothing here.
    pub(crate) without_effect: &'static [&'static [&'static str]],
    /// How keys begin that only such a connector knows.
    pub(crate) prefixes: &'static [&'static str],
    /// How keys begin that are translated though they are not in `keys`.
    pub(crate) translated_prefixes: &'static [&'static str],
}

/// A configuration for `ObjectStoreSink`. It has no `Debug`, since there are secrets in it.
pub(crate) struct Translated {
    /// What `ObjectStoreSink` is to be started with.
    pub(crate) config: ConfigMap,
    /// What the user is to be told, as one sentence for each matter.
    pub(crate) remarks: Vec<String>,
}

impl JavaSink {
    /// The keys of the Java class, and those of ours that it does not have: these are shown where they are given.
    pub(crate) fn config_def(&self) -> ConfigDef {
        let theirs = (self.keys)().into_iter().fold(ConfigDef::new(), ConfigDef::key);
        let ours = config_def();
        let ours = ours.keys().iter().filter(|key| theirs.find(&key.name).is_none());
        // what is not given comes from the translation
        let ours: Vec<_> = ours.map(|key| key.clone().defaulting_to(None).unlisted()).collect();
        ours.into_iter().fold(theirs, ConfigDef::key)
    }

    /// The configuration for `ObjectStoreSink`, or all that is wrong with the user's, beyond single keys.
    pub(crate) fn translate(&self, given: &ConfigMap) -> std::result::Result<Translated, Vec<ConfigIssue>> {
        let (config, issues) = self.config_def().validate(given);
        if !issues.is_empty() {
            return Err(issues);
        }
        let (mut target, mut issues, mut remarks) = self.translate_keys(&config, given);
        let theirs = (self.keys)();
        let is_theirs = |key: &str| theirs.iter().any(|known| known.name == key) || self.is_without_effect(key);
        // keys of ours count as they are written
        target.extend(given.iter().filter(|(key, _)| !is_theirs(key)).map(|(key, value)| (key.clone(), value.clone())));
        let (parsed, mut ours) = config_def().validate(&target);
        if ours.is_empty() {
            ours = config_issues(&parsed);
        }
        for issue in ours.iter().map(|issue| self.names.in_issue(issue)) {
            if issues.iter().all(|known: &ConfigIssue| known.key != issue.key) {
                issues.push(issue);
            }
        }
        if !issues.is_empty() {
            return Err(issues);
        }
        let idle = self.keys_without_effect(given);
        if !idle.is_empty() {
            remarks.push(format!("these keys have no effect here: {}", idle.join(", ")));
        }
        Ok(Translated { config: target, remarks })
    }

    /// The same, as an error where something is wrong.
    pub(crate) fn translated(&self, given: &ConfigMap) -> Result<Translated> {
        self.translate(given).map_err(|issues| match issues.into_iter().next() {
            Some(issue) if issue.message.contains(&issue.key) => Error::config(issue.message),
            Some(issue) => Error::config(format!("invalid `{}`: {}", issue.key, issue.message)),
            None => Error::config("the configuration cannot be used"),
        })
    }

    fn translate_keys(&self, config: &Config, given: &ConfigMap) -> (ConfigMap, Vec<ConfigIssue>, Vec<String>) {
        let mut translation = Translation::new(config, given);
        (self.translate)(&mut translation);
        translation.finish()
    }

    fn is_without_effect(&self, key: &str) -> bool {
        self.without_effect.iter().any(|keys| keys.contains(&key))
    }

    fn keys_without_effect<'a>(&self, given: &'a ConfigMap) -> Vec<&'a str> {
        let known = self.config_def();
        let begins = |key: &str, prefixes: &[&str]| prefixes.iter().any(|prefix| key.starts_with(prefix));
        let is_idle = |key: &&str| {
            self.is_without_effect(key)
                || known.find(key).is_none() && begins(key, self.prefixes) && !begins(key, self.translated_prefixes)
        };
        given.keys().map(String::as_str).filter(is_idle).collect()
    }
}
