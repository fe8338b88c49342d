//! The store of source connectors' offsets.

use tracing::warn;
use volley_api::{Error, Result, SourceOffset, SourcePartition, is_null_map};

/// A source partition and its offset to store; `None` deletes it.
pub type OffsetEntry = (SourcePartition, Option<SourceOffset>);

/// What stores the offset of a source partition; one that is null is none, as in Kafka Connect.
pub(crate) fn offset_entry(partition: &SourcePartition, offset: &SourceOffset) -> OffsetEntry {
    (partition.clone(), Some(offset).filter(|offset| !is_null_map(offset)).cloned())
}

/// Records that store offsets, for who writes them in a transaction of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetRecords {
    /// The topic that they go to.
    pub topic: String,
    /// Key and value of each; without a value the offset is deleted.
    pub entries: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

/// Stores the offsets of all source connectors. Offsets outlive their connector: a new connector of the same name
/// resumes.
///
/// As in Kafka Connect, partitions are equal if their serialised JSON is equal byte by byte. A partition with the same
/// members in another order is found, too, and keeps its first key. Calls block on I/O: never make them on the control
/// runtime.
pub trait OffsetBackingStore: Send + Sync {
    /// The stored offset of a partition.
    fn get(&self, connector: &str, partition: &SourcePartition) -> Result<Option<SourceOffset>>;

    /// The stored offsets of many partitions, in their order.
    fn get_many(&self, connector: &str, partitions: &[SourcePartition]) -> Result<Vec<Option<SourceOffset>>> {
        partitions.iter().map(|partition| self.get(connector, partition)).collect()
    }

    /// Stores all of these offsets or none. They are durable when it returns.
    fn set(&self, connector: &str, offsets: &[OffsetEntry]) -> Result<()>;

    /// All partitions of a connector that have an offset.
    fn list(&self, connector: &str) -> Result<Vec<(SourcePartition, SourceOffset)>>;

    /// Stores offsets without waiting until they are durable. A failure is only logged.
    fn set_later(&self, connector: &str, offsets: &[OffsetEntry]) {
        if let Err(error) = self.set(connector, offsets) {
            was_not_set(connector, &error);
        }
    }

    /// The topic that the offsets are kept in; `None` where it is no topic.
    fn topic(&self) -> Option<&str> {
        None
    }

    /// The records that store these offsets once they are in [`OffsetBackingStore::topic`]. What has to be done before they are, is
    /// done now.
    ///
    /// # Errors
    /// If the offsets are not what can be stored, or the store is no topic.
    fn records(&self, connector: &str, _offsets: &[OffsetEntry]) -> Result<OffsetRecords> {
        Err(Error::fatal(format!(
            "the offsets of connector {connector} are not kept in a topic, as exactly-once requires"
        )))
    }

    /// The records of these offsets have been committed.
    fn records_are_committed(&self, _connector: &str, _offsets: &[OffsetEntry]) {}

    /// Closes the store. Blocks on I/O.
    fn stop(&self) {}
}

/// Logs that offsets were not stored, for callers that do not wait.
pub(super) fn was_not_set(connector: &str, error: &Error) {
    warn!(connector, %error, "could not write offsets to the secondary store");
}
