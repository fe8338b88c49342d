//! Where connector and task configurations are kept.

use std::sync::Arc;
use std::time::Duration;

use volley_api::Result;

use crate::storage::{ClusterConfigState, ConfigRecord};

/// Keeps the config records, as Kafka Connect's config topic does. What is written counts once it has been read back.
pub trait ConfigBackingStore: Send + Sync {
    /// Everything as of now.
    fn snapshot(&self) -> Arc<ClusterConfigState>;

    /// Writes records in order, all or none where the store can; they show in [`ConfigBackingStore::snapshot`] when it
    /// returns. Blocks on I/O.
    fn write(&self, records: &[ConfigRecord]) -> Result<()>;

    /// Reads to the end of what others have written, too. Blocks on I/O.
    ///
    /// # Errors
    /// `Retriable` if that takes longer than `timeout`.
    fn refresh(&self, _timeout: Duration) -> Result<()> {
        Ok(())
    }

    /// This worker has become the group's leader, or is so no longer: a store that fences other writers does so now.
    /// Blocks on I/O.
    fn set_leader(&self, _is_leader: bool) -> Result<()> {
        Ok(())
    }

    /// Ends it: what is under way is flushed, nothing is read any more. Blocks on I/O.
    fn stop(&self) {}
}
