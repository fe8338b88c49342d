//! Where the offsets of source connectors are kept.

use tracing::warn;
use volley_api::{Error, Result, SourceOffset, SourcePartition};

/// A source partition and the offset to be stored for it; `None` forgets it.
pub type OffsetEntry = (SourcePartition, Option<SourceOffset>);

/// Keeps the offsets of all source connectors. Offsets outlive their connector: one of the same name resumes.
///
/// Partitions are the same if their serialised JSON is, byte by byte, as in Kafka Connect; one with the same members in
/// another order is found too, and keeps the key that it was first stored under. Calls block on I/O: never make them on
/// the control runtime.
pub trait OffsetBackingStore: Send + Sync {
    /// The stored offset of a partition.
    fn get(&self, connector: &str, partition: &SourcePartition) -> Result<Option<SourceOffset>>;

    /// Stores offsets, all or none. They are durable when it returns.
    fn set(&self, connector: &str, offsets: &[OffsetEntry]) -> Result<()>;

    /// All partitions of a connector that have an offset.
    fn list(&self, connector: &str) -> Result<Vec<(SourcePartition, SourceOffset)>>;

    /// Stores offsets without waiting until they are durable. That they were not is only logged.
    fn set_later(&self, connector: &str, offsets: &[OffsetEntry]) {
        if let Err(error) = self.set(connector, offsets) {
            was_not_set(connector, &error);
        }
    }

    /// Ends it. Blocks on I/O.
    fn stop(&self) {}
}

/// Offsets that nobody waits for were not stored.
pub(super) fn was_not_set(connector: &str, error: &Error) {
    warn!(connector, %error, "could not write offsets to the secondary store");
}
