//! `topic.creation.*`: with what settings a source connector's topics are created (KIP-158).
//!
//! ```text
//! topic.creation.groups=compacted
//! topic.creation.default.replication.factor=3
//! topic.creation.default.partitions=10
//! topic.creation.compacted.include=table-.*, view-.*
//! topic.creation.compacted.exclude=.*-log
//! topic.creation.compacted.cleanup.policy=compact
//! ```
//!
//! The first group in the order of `topic.creation.groups` that includes a topic's whole name and does not exclude it
//! applies, else `default`. Kafka Connect checks these keys when a connector or a task starts, and not before; so does this.

use std::collections::{BTreeMap, BTreeSet};

use tracing::warn;
use volley_api::{Config, ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Result};
use volley_java::{JavaRegex, JavaRegexError};
use volley_kafka::NewTopic;

const PREFIX: &str = "topic.creation.";
const GROUPS: &str = "topic.creation.groups";
const DEFAULT: &str = "default";
const INCLUDE: &str = "include";
const EXCLUDE: &str = "exclude";
const REPLICATION_FACTOR: &str = "replication.factor";
const PARTITIONS: &str = "partitions";

/// The groups of one connector.
#[derive(Clone, Debug)]
pub struct TopicCreation {
    groups: Vec<Group>,
    default: Settings,
}

#[derive(Clone, Debug)]
struct Group {
    name: String,
    include: Vec<JavaRegex>,
    exclude: Vec<JavaRegex>,
    settings: Settings,
}

#[derive(Clone, Debug)]
struct Settings {
    replication_factor: i32,
    partitions: i32,
    configs: BTreeMap<String, String>,
}

impl TopicCreation {
    /// The groups in a connector's configuration; `None` if no key of it begins with `topic.creation.`.
    ///
    /// # Errors
    /// `Config`, in Kafka Connect's words.
    pub fn parse(connector: &ConfigMap) -> Result<Option<Self>> {
        if !connector.keys().any(|key| key.starts_with(PREFIX)) {
            return Ok(None);
        }
        let default = Settings::parse(connector, DEFAULT, None)?;
        let list = ConfigKey::with_default(GROUPS, ConfigType::List, "", Importance::Low, "");
        let parsed = ConfigDef::new().key(list).parse(connector)?;
        let mut groups = Vec::new();
        for name in parsed.list(GROUPS).iter().filter(|name| !name.is_empty()) {
            if name == DEFAULT {
                warn!("the topic creation group `default` always exists and need not be listed in `{GROUPS}`");
                continue;
            }
            groups.push(Group::parse(connector, name, &default)?);
        }
        Ok(Some(Self { groups, default }))
    }

    /// The name of the group that applies to a topic, and the topic as it is to be created.
    pub fn new_topic(&self, topic: &str) -> (&str, NewTopic) {
        let group = self.groups.iter().find(|group| group.matches(topic));
        let (name, settings) = group.map_or((DEFAULT, &self.default), |group| (&group.name, &group.settings));
        let topic = NewTopic {
            name: topic.to_owned(),
            partitions: settings.partitions,
            replication_factor: settings.replication_factor,
            configs: settings.configs.clone(),
        };
        (name, topic)
    }
}

impl Group {
    fn parse(connector: &ConfigMap, name: &str, default: &Settings) -> Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            include: patterns(connector, name, INCLUDE)?,
            exclude: patterns(connector, name, EXCLUDE)?,
            settings: Settings::parse(connector, name, Some(default))?,
        })
    }

    /// A pattern that backtracks without end matches nothing.
    fn matches(&self, topic: &str) -> bool {
        let any = |patterns: &[JavaRegex]| patterns.iter().any(|pattern| pattern.matches(topic).unwrap_or(false));
        any(&self.include) && !any(&self.exclude)
    }
}

impl Settings {
    fn parse(connector: &ConfigMap, group: &str, default: Option<&Self>) -> Result<Self> {
        let name = |suffix: &str| format!("{PREFIX}{group}.{suffix}");
        let (replication_factor, partitions) = (name(REPLICATION_FACTOR), name(PARTITIONS));
        let key = |name: &str, kind| match default {
            None => ConfigKey::required(name, kind, Importance::Low, ""),
            Some(_) => ConfigKey::optional(name, kind, Importance::Low, ""),
        };
        let def =
            ConfigDef::new().key(key(&replication_factor, ConfigType::Short)).key(key(&partitions, ConfigType::Int));
        let parsed = def.parse(connector)?;
        Ok(Self {
            replication_factor: count(
                &parsed,
                &replication_factor,
                default.map(|default| default.replication_factor),
                "replication.factor: Replication factor must be positive and not larger than the number of brokers in the \
                 Kafka cluster, or -1 to use the broker's default",
            )?,
            partitions: count(
                &parsed,
                &partitions,
                default.map(|default| default.partitions),
                "partitions: Number of partitions must be positive, or -1 to use the broker's default",
            )?,
            configs: topic_configs(connector, &name("")),
        })
    }
}

/// A number of at least 1, or -1. `complaint` is the key as Kafka Connect names it there, and what is asked of it.
fn count(config: &Config, key: &str, default: Option<i32>, complaint: &str) -> Result<i32> {
    let given = config.long(key).and_then(|count| i32::try_from(count).ok()).or(default);
    match given {
        Some(count) if count >= 1 || count == -1 => Ok(count),
        Some(count) => Err(Error::config(format!("Invalid value {count} for configuration {complaint}"))),
        None => Err(Error::config(format!("Invalid value null for configuration {complaint}"))),
    }
}

/// The keys of a group that are none of its own settings: configuration of the topic.
fn topic_configs(connector: &ConfigMap, prefix: &str) -> BTreeMap<String, String> {
    let own = BTreeSet::from([INCLUDE, EXCLUDE, REPLICATION_FACTOR, PARTITIONS]);
    let with_prefix = connector.iter().filter_map(|(key, value)| Some((key.strip_prefix(prefix)?, value)));
    let configs = with_prefix.filter(|(key, _)| !key.is_empty() && !own.contains(key));
    configs.map(|(key, value)| (key.to_owned(), value.clone())).collect()
}

fn patterns(connector: &ConfigMap, group: &str, suffix: &str) -> Result<Vec<JavaRegex>> {
    let name = format!("{PREFIX}{group}.{suffix}");
    let def = ConfigDef::new().key(ConfigKey::with_default(&name, ConfigType::List, "", Importance::Low, ""));
    let parsed = def.parse(connector)?;
    let list = parsed.list(&name);
    let malformed = |error: JavaRegexError| {
        let list = list.join(", ");
        let message =
            format!("Invalid value [{list}] for configuration {suffix}: Syntax error in regular expression: {error}");
        Error::config(message)
    };
    list.iter().map(|pattern| JavaRegex::compile(pattern).map_err(malformed)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use volley_api::testing::config_map;

    use super::*;

    fn defaults(more: &[(&str, &str)]) -> ConfigMap {
        let default = [("topic.creation.default.replication.factor", "3"), ("topic.creation.default.partitions", "10")];
        config_map(&[&default[..], more].concat())
    }

    fn group_of(config: &ConfigMap, topic: &str) -> (String, NewTopic) {
        let creation = TopicCreation::parse(config).unwrap().unwrap();
        let (name, topic) = creation.new_topic(topic);
        (name.to_owned(), topic)
    }

    fn message(config: &[(&str, &str)]) -> String {
        TopicCreation::parse(&config_map(config)).unwrap_err().to_string()
    }

    #[test]
    fn without_any_key_topics_are_not_created() {
        assert!(TopicCreation::parse(&config_map(&[("topic", "t")])).unwrap().is_none());
    }

    #[test]
    fn the_first_group_that_includes_and_does_not_exclude_a_topic_applies() {
        let config = defaults(&[
            ("topic.creation.groups", "logs, tables"),
            ("topic.creation.logs.include", "log-.*,.*-audit"),
            ("topic.creation.logs.exclude", "log-secret"),
            ("topic.creation.logs.partitions", "1"),
            ("topic.creation.logs.retention.ms", "1000"),
            ("topic.creation.tables.include", "log.*|table-\\d+"),
            ("topic.creation.tables.replication.factor", "-1"),
        ]);
        let (group, topic) = group_of(&config, "log-a");
        assert_eq!((group.as_str(), topic.partitions, topic.replication_factor), ("logs", 1, 3));
        assert_eq!(topic.configs, BTreeMap::from([("retention.ms".to_owned(), "1000".to_owned())]));
        for (topic, group) in
            [("x-audit", "logs"), ("log-secret", "tables"), ("table-7", "tables"), ("table-", DEFAULT)]
        {
            assert_eq!(group_of(&config, topic).0, group, "{topic}");
        }
        assert_eq!(group_of(&config, "table-7").1.replication_factor, -1);
        assert_eq!(group_of(&config, "table-7").1.configs, BTreeMap::new());
    }

    #[test]
    fn a_group_without_include_applies_to_no_topic_and_default_to_all() {
        let config = defaults(&[
            ("topic.creation.groups", "default,none"),
            ("topic.creation.none.partitions", "7"),
            ("topic.creation.default.include", "nothing"),
            ("topic.creation.default.cleanup.policy", "compact"),
        ]);
        let (group, topic) = group_of(&config, "anything");
        assert_eq!((group.as_str(), topic.partitions), (DEFAULT, 10));
        assert_eq!(topic.configs["cleanup.policy"], "compact");
    }

    #[test]
    fn errors_have_kafka_connect_s_words() {
        let factor = ("topic.creation.default.replication.factor", "1");
        let missing = |key: &str| format!("Missing required configuration \"{key}\" which has no default value.");
        assert_eq!(message(&[("topic.creation.groups", "a")]), missing("topic.creation.default.replication.factor"));
        assert_eq!(message(&[factor]), missing("topic.creation.default.partitions"));
        assert_eq!(
            message(&[factor, ("topic.creation.default.partitions", "0")]),
            "Invalid value 0 for configuration partitions: Number of partitions must be positive, or -1 to use the \
             broker's default"
        );
        assert_eq!(
            message(&[("topic.creation.default.replication.factor", "x"), ("topic.creation.default.partitions", "1")]),
            "Invalid value x for configuration topic.creation.default.replication.factor: Not a number of type SHORT"
        );
        let one = ("topic.creation.default.partitions", "1");
        let groups = ("topic.creation.groups", "a");
        let message = message(&[factor, one, groups, ("topic.creation.a.exclude", "a(b")]);
        assert!(
            message.starts_with("Invalid value [a(b] for configuration exclude: Syntax error in regular expression: "),
            "{message}"
        );
    }

    proptest! {
        #[test]
        fn no_configuration_and_no_topic_panics(
            entries in prop::collection::vec(("(topic\\.creation\\.)?(groups|default|a|\\PC{0,3})(\\.(include|exclude|partitions|replication\\.factor|\\PC{0,3}))?", "(-1|1|a|a,b|\\PC{0,6})"), 0..8),
            topic in "\\PC{0,8}",
        ) {
            let config: ConfigMap = entries.into_iter().collect();
            if let Ok(Some(creation)) = TopicCreation::parse(&config) {
                let (_, created) = creation.new_topic(&topic);
                prop_assert!(created.partitions == -1 || created.partitions >= 1);
                prop_assert!(created.replication_factor == -1 || created.replication_factor >= 1);
            }
        }
    }
}
