//! `RegexRouter`: renames the topic of records.
//!
//! ```text
//! transforms.route.type=org.apache.kafka.connect.transforms.RegexRouter
//! transforms.route.regex=prod-(.*)
//! transforms.route.replacement=lake.$1
//! ```

use volley_api::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, KAFKA_VERSION, Plugin, PluginFactory, Records,
    Result, Transformation, Transformed, Validator,
};
use volley_java::{JavaRegex, Replacement, validate_java_regex};

const REGEX: &str = "regex";
const REPLACEMENT: &str = "replacement";

/// Where the whole topic name matches, its first occurrence of the expression is replaced.
#[derive(Clone, Debug)]
pub struct RegexRouter {
    regex: JavaRegex,
    replacement: Replacement,
}

impl RegexRouter {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        let regex = "Java regular expression. The topic of a record is replaced if its whole name matches.";
        let replacement = "New name of the topic; $1, $2 … or ${name} stand for the groups of the regular expression.";
        ConfigDef::new()
            .key(
                ConfigKey::required(REGEX, ConfigType::String, Importance::High, regex)
                    .validated(Validator::custom(validate_java_regex)),
            )
            .key(ConfigKey::required(REPLACEMENT, ConfigType::String, Importance::High, replacement))
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if a key is missing, `regex` is no regular expression, or `replacement` names a group that it lacks.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        let config = Self::config_def().parse(config)?;
        let regex = JavaRegex::compile(config.string(REGEX).unwrap_or_default())
            .map_err(|error| Error::config(format!("`{REGEX}` is not a regular expression")).with_source(error))?;
        let text = config.string(REPLACEMENT).unwrap_or_default();
        let replacement = Replacement::parse(text, &regex).map_err(|reason| {
            Error::config(format!("Invalid value {text} for configuration {REPLACEMENT}: {reason}"))
        })?;
        Ok(Self { regex, replacement })
    }

    fn route(&self, topic: &str) -> Result<Option<String>> {
        let failed =
            |error| Error::data(format!("could not match topic `{topic}` against `{REGEX}`")).with_source(error);
        if !self.regex.matches(topic).map_err(failed)? {
            return Ok(None);
        }
        let captures = self.regex.first(topic).map_err(failed)?;
        let routed = captures.map(|captures| self.replacement.apply(topic, &captures));
        if routed.as_ref().is_some_and(String::is_empty) {
            return Err(Error::data(format!("`{REPLACEMENT}` gives an empty name for topic `{topic}`")));
        }
        Ok(routed)
    }
}

impl Transformation for RegexRouter {
    fn apply(&mut self, mut records: Records) -> Result<Transformed> {
        if let Some(topic) = self.route(&records.topic)? {
            records.topic = topic.into();
        }
        Ok(Transformed::of(records))
    }
}

pub(crate) fn plugin() -> Plugin {
    Plugin::new(
        "org.apache.kafka.connect.transforms.RegexRouter",
        KAFKA_VERSION,
        "Renames the topic of records whose topic name matches a regular expression.",
        RegexRouter::config_def(),
        PluginFactory::transformation(RegexRouter::new),
    )
    .alias("io.confluent.connect.cloud.transforms.TopicRegexRouter")
}

#[cfg(test)]
mod tests {
    use super::*;
    use volley_api::testing::{config_map, records, texts};

    fn routed(regex: &str, replacement: &str, topic: &str) -> String {
        let mut router = RegexRouter::new(&config_map(&[("regex", regex), ("replacement", replacement)])).unwrap();
        let transformed = router.apply(records(topic, texts([Some("a"), None]))).unwrap();
        assert_eq!(transformed.records[0].len(), 2);
        transformed.records[0].topic.to_string()
    }

    #[test]
    fn topics_are_renamed_as_in_kafka() {
        assert_eq!(routed("orig", "dest", "orig"), "dest");
        assert_eq!(routed("(.*)", "copy-$1", "orders"), "copy-orders");
        assert_eq!(routed("(.*)-(\\d\\d\\d\\d\\d\\d\\d\\d)", "$1", "index-20160117"), "index");
        assert_eq!(routed("(?<db>[a-z]+)\\.(?<table>[a-z]+)", "${table}_$1", "shop.orders"), "orders_shop");
        assert_eq!(routed("\\Qa.b\\E(.*)", "x$1", "a.bcd"), "xcd");
    }

    #[test]
    fn a_partial_match_is_no_match() {
        assert_eq!(routed("orig", "dest", "original"), "original");
        assert_eq!(routed("orig", "dest", "my-orig"), "my-orig");
    }

    #[test]
    fn the_first_occurrence_is_replaced_even_where_it_is_shorter_than_the_whole() {
        assert_eq!(routed("a|ab", "X", "ab"), "Xb");
    }

    #[test]
    fn dollars_and_backslashes_are_escaped_as_in_java() {
        assert_eq!(routed("(a)(b)?c", "\\$1-$2-$1$10", "ac"), "$1--aa0");
    }

    #[test]
    fn bad_configs_are_config_errors_that_name_the_key() {
        for (regex, replacement, key) in [
            ("(", "x", "configuration regex: Invalid regex: "),
            ("(a)", "$2", "configuration replacement: No group 2"),
            ("(a)", "$", "configuration replacement: Illegal group reference"),
            ("(a)", "${b}", "configuration replacement: No group with name {b}"),
            ("(a)", "x\\", "configuration replacement: character to be escaped is missing"),
        ] {
            let error = RegexRouter::new(&config_map(&[("regex", regex), ("replacement", replacement)])).unwrap_err();
            assert_eq!(error.kind(), volley_api::ErrorKind::Config);
            assert!(error.to_string().contains(key), "{error}");
        }
        let error = RegexRouter::new(&config_map(&[("regex", "a")])).unwrap_err();
        assert_eq!(error.to_string(), "Missing required configuration \"replacement\" which has no default value.");
    }

    #[test]
    fn an_empty_topic_name_is_an_error_and_no_panic() {
        let mut router = RegexRouter::new(&config_map(&[("regex", "a"), ("replacement", "")])).unwrap();
        assert!(router.apply(records("a", texts([Some("x")]))).is_err());
    }
}
