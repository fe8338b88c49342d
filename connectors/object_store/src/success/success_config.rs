//! The key that asks for `_SUCCESS`.

use volley_api::{Config, ConfigIssue, ConfigKey, ConfigMap, ConfigType, Importance, Validator};

use crate::config::SinkConfig;

const SUCCESS_FILE: &str = "success.file";
/// A key of the worker.
const MODE: &str = "volley.mode";

/// Where `_SUCCESS` is written at the end of a bounded run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SuccessFiles {
    /// Nowhere.
    None,
    /// In the directory of each topic.
    Topic,
    /// In each directory with files.
    Directory,
}

impl SuccessFiles {
    /// From a key that has been checked.
    pub(crate) fn from_config(config: &Config) -> Self {
        match config.string(SUCCESS_FILE).unwrap_or_default().to_ascii_lowercase().as_str() {
            "topic" => Self::Topic,
            "directory" => Self::Directory,
            _ => Self::None,
        }
    }
}

/// The key.
pub(crate) fn success_key() -> ConfigKey {
    ConfigKey::with_default(
        SUCCESS_FILE,
        ConfigType::String,
        "none",
        Importance::Low,
        "Where a file `_SUCCESS` is written when a bounded run has ended, with what it has done: `topic` (in the directory of \
         each topic that has files of this connector), `directory` (in each directory that has some), or `none`.",
    )
    .validated(Validator::one_of_ignore_case(["none", "topic", "directory"]))
}

/// What is wrong with the key in the configuration `config` of a user, which means `sink`.
pub(crate) fn success_issues(config: &ConfigMap, sink: &SinkConfig) -> Vec<ConfigIssue> {
    let issue = |message: &str| vec![ConfigIssue::new(SUCCESS_FILE, message)];
    if sink.success == SuccessFiles::None {
        return Vec::new();
    }
    if config.get(MODE).is_none_or(|mode| !mode.trim().eq_ignore_ascii_case("bounded")) {
        return issue("`success.file` tells the end of a run, and this one has none: set `volley.mode=bounded`");
    }
    if sink.naming.topics_dir().is_none() {
        return issue(
            "`success.file`: with `file.name.template` there are no directories of topics: leave one of them out",
        );
    }
    Vec::new()
}
