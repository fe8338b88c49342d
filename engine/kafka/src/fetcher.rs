//! Consuming in batches.

use std::sync::Arc;
use std::time::Duration;

use volley_api::{ConfigMap, Error, RawBatch, Result, TopicPartition};

use crate::{Committer, RebalanceListener};

/// Which topics to consume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicSelection {
    /// These.
    Topics(Vec<String>),
    /// All whose whole name matches this Java regular expression, now and later; never Kafka's internal ones.
    Pattern(String),
}

/// When a batch is closed: at the first limit that it reaches.
#[derive(Clone, Debug)]
pub struct FetchSettings {
    /// Which topics to consume.
    pub topics: TopicSelection,
    /// Most rows of a batch.
    pub max_rows: usize,
    /// Bytes of keys and values at which a batch is closed; it may exceed them by one message.
    pub max_bytes: usize,
    /// How long the first row of a batch may wait for others.
    pub linger: Duration,
}

/// A consumer that yields messages in batches, each of one partition, each partition in offset order.
///
/// A member of a consumer group where `group.id` is set, as it is for every sink. Used by one thread.
#[derive(Debug)]
pub struct Fetcher {}

impl Fetcher {
    /// Makes the consumer and subscribes. Does not wait for the broker.
    ///
    /// # Errors
    /// `Config` when a property has a bad value.
    pub fn connect(
        _properties: &ConfigMap,
        _settings: FetchSettings,
        _listener: Arc<dyn RebalanceListener>,
    ) -> Result<Self> {
        Err(Error::fatal("not built yet"))
    }

    /// The next batches: returns as soon as one is closed, or empty-handed after about `max_wait`. Rebalances are carried
    /// out in here. An unreachable broker and a topic that does not exist are warned of and waited for.
    ///
    /// # Errors
    /// `Config` when the broker refuses authentication or authorization; `Fatal` when the client cannot go on.
    pub fn poll(&mut self, _max_wait: Duration) -> Result<Vec<RawBatch>> {
        Err(Error::fatal("not built yet"))
    }

    /// Stops yielding batches; what is buffered is kept. Rebalances are still served by [`Fetcher::poll`].
    pub fn pause_all(&mut self) {}

    /// Undoes [`Fetcher::pause_all`]; partitions paused one by one stay so.
    pub fn resume_all(&mut self) {}

    /// Stops yielding batches of these partitions.
    ///
    /// # Errors
    /// `Fatal` when the client refuses.
    pub fn pause(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        Err(Error::fatal("not built yet"))
    }

    /// Undoes [`Fetcher::pause`].
    ///
    /// # Errors
    /// `Fatal` when the client refuses.
    pub fn resume(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        Err(Error::fatal("not built yet"))
    }

    /// The next batch of `partition` begins at `offset`, or after it where there is no such message. What is buffered of
    /// the partition is dropped.
    ///
    /// # Errors
    /// `Retriable` when it could not be done in time; `Fatal` when the partition is not assigned.
    pub fn seek(&mut self, _partition: &TopicPartition, _offset: i64) -> Result<()> {
        Err(Error::fatal("not built yet"))
    }

    /// The partitions assigned, in order.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        Vec::new()
    }

    /// Bytes of keys and values in batches that are not closed yet.
    pub fn buffered_bytes(&self) -> usize {
        0
    }

    /// Commits and reads offsets for this consumer.
    pub fn committer(&self) -> Committer {
        Committer {}
    }

    /// Leaves the group: the listener's `revoked` is called for what is assigned, then the partitions are given up. A
    /// fetcher that is dropped without it leaves the group too, but without a word to the listener.
    pub fn close(self) {}
}
