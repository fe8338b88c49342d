//! The settings of a distributed worker's internal topics.

use std::collections::BTreeMap;

use tracing::warn;

use super::{WorkerConfig, without_prefix};

/// A topic in which a group of workers stores its state. Always compacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalTopic {
    /// Name.
    pub name: String,
    /// The key of its name, for example `config.storage.topic`.
    pub key: &'static str,
    /// Prefix of the worker's keys for creating it, for example `config.storage.`.
    pub settings: &'static str,
    /// Its content, for example `connector configurations`, for messages.
    pub purpose: &'static str,
    /// Partitions when it is created; -1 = the broker's default.
    pub partitions: i32,
    /// Replicas when it is created; -1 = the broker's default.
    pub replication_factor: i32,
    /// Further topic configuration when it is created.
    pub configs: BTreeMap<String, String>,
}

impl WorkerConfig {
    /// The topic of the connector and task configurations.
    pub fn config_topic(&self) -> InternalTopic {
        self.internal_topic("config.storage.", "config.storage.topic", "connector configurations")
    }

    /// The topic of the source offsets.
    pub fn offset_topic(&self) -> InternalTopic {
        self.internal_topic("offset.storage.", "offset.storage.topic", "source connector offsets")
    }

    /// The topic of the states.
    pub fn status_topic(&self) -> InternalTopic {
        self.internal_topic("status.storage.", "status.storage.topic", "connector and task statuses")
    }

    /// Warns of topic settings that are ignored.
    pub(super) fn warn_of_topic_settings(&self) {
        if let Some(value) = self.originals().get("config.storage.partitions") {
            warn!("Ignoring 'config.storage.partitions={value}' setting, since config topic partitions is always 1");
        }
        for prefix in ["config", "offset", "status"] {
            if let Some(value) = self.originals().get(&format!("{prefix}.storage.cleanup.policy")) {
                warn!("Ignoring '{prefix}.storage.cleanup.policy={value}' setting, since compaction is always used");
            }
        }
    }

    fn internal_topic(&self, prefix: &'static str, key: &'static str, purpose: &'static str) -> InternalTopic {
        let number = |name: &str| self.parsed().long(&format!("{prefix}{name}"));
        let number = |name: &str| number(name).and_then(|number| i32::try_from(number).ok());
        let mut configs: BTreeMap<_, _> = without_prefix(self.originals(), prefix).into_iter().collect();
        configs.remove("topic");
        configs.remove("replication.factor");
        let is_config_topic = prefix == "config.storage.";
        configs.remove("partitions");
        configs.remove("cleanup.policy");
        InternalTopic {
            name: self.parsed().string(key).unwrap_or_default().to_owned(),
            key,
            settings: prefix,
            purpose,
            partitions: if is_config_topic { 1 } else { number("partitions").unwrap_or(-1) },
            replication_factor: number("replication.factor").unwrap_or(-1),
            configs,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::distributed_config;

    #[test]
    fn other_keys_of_a_topic_are_its_configuration_but_never_the_policy() {
        let config = distributed_config(&[
            ("config.storage.cleanup.policy", "delete"),
            ("config.storage.partitions", "7"),
            ("config.storage.min.insync.replicas", "2"),
            ("offset.storage.partitions", "-1"),
            ("offset.storage.replication.factor", "1"),
            ("status.storage.segment.bytes", "5"),
        ])
        .unwrap();
        let topic = config.config_topic();
        assert_eq!((topic.name.as_str(), topic.partitions, topic.replication_factor), ("configs", 1, 3));
        assert_eq!(Vec::from_iter(topic.configs), [("min.insync.replicas".to_owned(), "2".to_owned())]);
        let topic = config.offset_topic();
        assert_eq!((topic.partitions, topic.replication_factor, topic.configs.len()), (-1, 1, 0));
        let topic = config.status_topic();
        assert_eq!((topic.partitions, topic.replication_factor), (5, 3));
        assert_eq!(Vec::from_iter(topic.configs), [("segment.bytes".to_owned(), "5".to_owned())]);
    }
}
