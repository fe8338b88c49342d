//! `TopicNameMatches`: whether the topic's name matches a regular expression as a whole.

use arrow::array::BooleanArray;
use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Error, Importance, KAFKA_VERSION, Plugin, PluginFactory,
    Predicate, Records, Result, Validator,
};
use volley_java::{JavaRegex, validate_java_regex};

const PATTERN: &str = "pattern";

/// Matches records whose topic name matches the pattern from its first to its last character.
#[derive(Clone, Debug)]
pub struct TopicNameMatches {
    pattern: JavaRegex,
}

impl TopicNameMatches {
    /// The keys of this predicate.
    pub fn config_def() -> ConfigDef {
        let doc = "Java regular expression that the whole name of the topic must match.";
        ConfigDef::new().key(
            ConfigKey::required(PATTERN, ConfigType::String, Importance::Medium, doc)
                .validated(Validator::custom(non_empty_regex)),
        )
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if the pattern is missing, empty or no regular expression.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let pattern = config.string(PATTERN).unwrap_or_default();
        let pattern = JavaRegex::compile(pattern)
            .map_err(|error| Error::config(format!("`{PATTERN}` is not a regular expression")).with_source(error))?;
        Ok(Self { pattern })
    }
}

fn non_empty_regex(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::String(text) if text.is_empty() => Err("String must be non-empty".to_owned()),
        value => validate_java_regex(value),
    }
}

impl Predicate for TopicNameMatches {
    fn test(&mut self, records: &Records) -> Result<BooleanArray> {
        let matches = self.pattern.matches(&records.topic).map_err(|error| {
            Error::data(format!("could not match topic `{}` against `{PATTERN}`", records.topic)).with_source(error)
        })?;
        Ok(BooleanArray::from(vec![matches; records.len()]))
    }
}

pub(crate) fn plugin() -> Plugin {
    Plugin::new(
        "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        KAFKA_VERSION,
        "Matches records of topics whose whole name matches a regular expression.",
        TopicNameMatches::config_def(),
        PluginFactory::predicate(TopicNameMatches::new),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use volley_api::testing::{config_map, records, texts};

    #[test]
    fn the_whole_name_must_match() {
        let mut predicate = TopicNameMatches::new(&config_map(&[("pattern", "my-prefix-.*")])).unwrap();
        let yes = predicate.test(&records("my-prefix-orders", texts([Some("a"), None]))).unwrap();
        assert_eq!(yes, BooleanArray::from(vec![true, true]));
        let no = predicate.test(&records("x-my-prefix-orders", texts([Some("a")]))).unwrap();
        assert_eq!(no, BooleanArray::from(vec![false]));
    }

    #[test]
    fn bad_patterns_are_config_errors_that_name_the_key() {
        for (pattern, reason) in [("", "String must be non-empty"), ("[a-", "Invalid regex:")] {
            let error = TopicNameMatches::new(&config_map(&[("pattern", pattern)])).unwrap_err();
            assert_eq!(error.kind(), volley_api::ErrorKind::Config);
            assert!(error.to_string().contains("for configuration pattern: "), "{error}");
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
