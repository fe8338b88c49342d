//! The store of connector and task configurations.

use std::sync::Arc;
use std::time::Duration;

use volley_api::Result;

use crate::storage::{ClusterConfigState, ConfigRecord};

/// Stores the config records, as Kafka Connect's config topic does. A written record counts once it has been read back.
pub trait ConfigBackingStore: Send + Sync {
    /// The current state.
    fn snapshot(&self) -> Arc<ClusterConfigState>;

    /// Writes records in order; all or none if the store supports it. When this returns,
    /// [`ConfigBackingStore::snapshot`] includes them. Blocks on I/O.
    fn write(&self, records: &[ConfigRecord]) -> Result<()>;

    /// Reads to the end, including the records of other writers. Blocks on I/O.
    ///
    /// # Errors
    /// `Retriable` if that takes longer than `timeout`.
    fn refresh(&self, _timeout: Duration) -> Result<()> {
        Ok(())
    }

    /// Called when this worker becomes the group's leader or stops being it. A store that fences other writers does so
    /// now. Blocks on I/O.
    fn set_leader(&self, _is_leader: bool) -> Result<()> {
        Ok(())
    }

    /// Closes the store: flushes pending writes and stops reading. Blocks on I/O.
    fn stop(&self) {}
}
