//! Where connector and task configurations are kept.

use std::sync::Arc;

use volley_api::Result;

use super::{ClusterConfigState, ConfigRecord};

/// Keeps the config records, as Kafka Connect's config topic does. What is written counts once it has been read back.
pub trait ConfigBackingStore: Send + Sync {
    /// Everything as of now.
    fn snapshot(&self) -> Arc<ClusterConfigState>;

    /// Writes records in order, all or none where the store can; they show in [`ConfigBackingStore::snapshot`] when it
    /// returns. Blocks on I/O.
    fn write(&self, records: &[ConfigRecord]) -> Result<()>;
}
