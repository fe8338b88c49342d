//! Config records in memory, for standalone workers and tests.

use std::sync::Arc;

use parking_lot::Mutex;
use volley_api::Result;

use crate::storage::{ClusterConfigState, ConfigBackingStore, ConfigRecord};

/// Keeps the state that the records produce. Every record passes through its key and JSON value, as in Kafka.
#[derive(Debug, Default)]
pub struct MemoryConfigBackingStore {
    state: Mutex<Arc<ClusterConfigState>>,
}

impl MemoryConfigBackingStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

impl ConfigBackingStore for MemoryConfigBackingStore {
    fn snapshot(&self) -> Arc<ClusterConfigState> {
        Arc::clone(&self.state.lock())
    }

    fn write(&self, records: &[ConfigRecord]) -> Result<()> {
        let mut state = self.state.lock();
        let state = Arc::make_mut(&mut state);
        for record in records {
            state.apply(state.offset().max(0), &record.key(), record.value().as_ref());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::config::config_conformance::assert_config_store_conforms;

    #[test]
    fn conforms() {
        assert_config_store_conforms(&MemoryConfigBackingStore::new());
    }
}
