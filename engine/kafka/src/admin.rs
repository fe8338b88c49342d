//! Administration of a Kafka cluster.

use std::collections::BTreeMap;

use volley_api::{ConfigMap, Error, Offsets, Result};

/// A topic to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Name.
    pub name: String,
    /// Number of partitions; -1 = the broker's default.
    pub partitions: i32,
    /// Replicas of each partition; -1 = the broker's default.
    pub replication_factor: i32,
    /// Topic configuration.
    pub configs: BTreeMap<String, String>,
}

/// What the cluster says of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDescription {
    /// Number of partitions.
    pub partitions: i32,
    /// Whether it is one of Kafka's own.
    pub internal: bool,
}

/// Asks and changes the cluster. Every call blocks, up to `request.timeout.ms` or `default.api.timeout.ms`.
#[derive(Debug)]
pub struct Admin {}

impl Admin {
    /// Makes the client. Does not wait for the broker.
    ///
    /// # Errors
    /// `Config` when a property has a bad value.
    pub fn connect(_properties: &ConfigMap) -> Result<Self> {
        Err(Error::fatal("not built yet"))
    }

    /// The cluster's id.
    ///
    /// # Errors
    /// `Retriable` when the broker does not answer in time, as with all calls of this client.
    pub fn cluster_id(&self) -> Result<String> {
        Err(Error::fatal("not built yet"))
    }

    /// All topics.
    ///
    /// # Errors
    /// See [`Admin::cluster_id`].
    pub fn topics(&self) -> Result<BTreeMap<String, TopicDescription>> {
        Err(Error::fatal("not built yet"))
    }

    /// One topic; `None` if there is none of that name. Never creates it.
    ///
    /// # Errors
    /// See [`Admin::cluster_id`].
    pub fn topic(&self, _name: &str) -> Result<Option<TopicDescription>> {
        Err(Error::fatal("not built yet"))
    }

    /// Creates a topic; `false` if it exists already.
    ///
    /// # Errors
    /// `Config` when the cluster refuses it (name, replication factor, configuration, authorization); see also
    /// [`Admin::cluster_id`].
    pub fn create_topic(&self, _topic: &NewTopic) -> Result<bool> {
        Err(Error::fatal("not built yet"))
    }

    /// Deletes a topic; `false` if there was none.
    ///
    /// # Errors
    /// See [`Admin::create_topic`].
    pub fn delete_topic(&self, _name: &str) -> Result<bool> {
        Err(Error::fatal("not built yet"))
    }

    /// The configuration of a topic, all keys.
    ///
    /// # Errors
    /// See [`Admin::create_topic`].
    pub fn topic_config(&self, _name: &str) -> Result<BTreeMap<String, String>> {
        Err(Error::fatal("not built yet"))
    }

    /// All committed offsets of a consumer group.
    ///
    /// # Errors
    /// See [`Admin::cluster_id`].
    pub fn group_offsets(&self, _group: &str) -> Result<Offsets> {
        Err(Error::fatal("not built yet"))
    }

    /// Sets committed offsets of a consumer group without members.
    ///
    /// # Errors
    /// `Retriable` when the group has members; see also [`Admin::cluster_id`].
    pub fn alter_group_offsets(&self, _group: &str, _offsets: &Offsets) -> Result<()> {
        Err(Error::fatal("not built yet"))
    }

    /// Deletes a consumer group and its offsets; `false` if there was none.
    ///
    /// # Errors
    /// `Retriable` when the group has members; see also [`Admin::cluster_id`].
    pub fn delete_group(&self, _group: &str) -> Result<bool> {
        Err(Error::fatal("not built yet"))
    }
}
