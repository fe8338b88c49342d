//! The stored offsets of one connector, as its tasks and itself see them.

use std::sync::Arc;

use parking_lot::Mutex;
use volley_api::{ConfigMap, OffsetReader, Result, SourceOffset, SourcePartition};

use crate::storage::{ConnectorOffsetStores, OffsetBackingStore};

/// Reads the offsets of a connector from a store.
pub(crate) struct StoredOffsetReader {
    store: Arc<dyn OffsetBackingStore>,
    connector: String,
}

impl StoredOffsetReader {
    /// The offsets of `connector` in `store`.
    pub(crate) fn new(store: Arc<dyn OffsetBackingStore>, connector: &str) -> Self {
        Self { store, connector: connector.to_owned() }
    }
}

impl OffsetReader for StoredOffsetReader {
    fn offsets(&self, partitions: &[SourcePartition]) -> Result<Vec<Option<SourceOffset>>> {
        self.store.get_many(&self.connector, partitions)
    }
}

/// The same where the store is opened only when it is first asked: most connectors never do. Blocks on I/O.
pub(crate) struct LazyOffsetReader {
    stores: Arc<ConnectorOffsetStores>,
    connector: String,
    config: ConfigMap,
    opened: Mutex<Option<Arc<dyn OffsetBackingStore>>>,
}

impl LazyOffsetReader {
    /// The offsets of `connector`, whose configuration has its variables resolved.
    pub(crate) fn new(stores: Arc<ConnectorOffsetStores>, connector: &str, config: &ConfigMap) -> Self {
        Self { stores, connector: connector.to_owned(), config: config.clone(), opened: Mutex::default() }
    }

    fn store(&self) -> Result<Arc<dyn OffsetBackingStore>> {
        let mut opened = self.opened.lock();
        match &*opened {
            Some(store) => Ok(Arc::clone(store)),
            None => Ok(Arc::clone(opened.insert(self.stores.of(&self.connector, &self.config)?))),
        }
    }
}

impl OffsetReader for LazyOffsetReader {
    fn offsets(&self, partitions: &[SourcePartition]) -> Result<Vec<Option<SourceOffset>>> {
        self.store()?.get_many(&self.connector, partitions)
    }
}
