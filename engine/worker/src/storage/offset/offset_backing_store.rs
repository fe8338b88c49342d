//! The store of source connectors' offsets.

use tracing::warn;
use volley_api::{Error, Result, SourceOffset, SourcePartition};

/// A source partition and its offset to store; `None` deletes it.
pub type OffsetEntry = (SourcePartition, Option<SourceOffset>);

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

    /// Closes the store. Blocks on I/O.
    fn stop(&self) {}
}

/// Logs that offsets were not stored, for callers that do not wait.
pub(super) fn was_not_set(connector: &str, error: &Error) {
    warn!(connector, %error, "could not write offsets to the secondary store");
}
