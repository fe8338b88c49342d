//! Positions: of a sink in Kafka, of a source in its own system.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A partition of a Kafka topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// Topic name.
    pub topic: Arc<str>,
    /// Partition number, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// The partition `partition` of `topic`.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    /// As Kafka prints it: `topic-0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// Per partition the offset of the next record to consume.
pub type Offsets = BTreeMap<TopicPartition, i64>;

/// Kafka offsets `[first, end)`; there may be gaps between them (compaction, transactions).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetRange {
    /// First offset covered.
    pub first: i64,
    /// One past the last offset covered.
    pub end: i64,
}

/// A source partition: what a source connector calls its shards, files, tables. Member order is kept, since Kafka Connect
/// compares the serialised JSON byte by byte.
pub type SourcePartition = serde_json::Map<String, serde_json::Value>;

/// A position within a [`SourcePartition`].
pub type SourceOffset = serde_json::Map<String, serde_json::Value>;
