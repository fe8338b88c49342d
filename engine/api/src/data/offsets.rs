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

/// Text that stands beside committed offsets in Kafka, for whoever committed them.
pub type OffsetMetadata = BTreeMap<TopicPartition, String>;

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

/// The one member of what stands for null: no source has a member of that name.
const NULL: &str = "\u{0}null";

/// Stands for null in place of a [`SourcePartition`] or a [`SourceOffset`]: a source in Java may have records without either. The
/// worker stores it as Kafka Connect stores null: a key with `null` in it, and an offset that is none.
pub fn null_map() -> SourcePartition {
    std::iter::once((NULL.to_owned(), serde_json::Value::Null)).collect()
}

/// Whether it is [`null_map`].
pub fn is_null_map(map: &SourcePartition) -> bool {
    map.len() == 1 && map.contains_key(NULL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_no_empty_map() {
        assert!(is_null_map(&null_map()) && !is_null_map(&SourcePartition::new()));
    }
}
