//! Writes to the config store, one after the other, off the control runtime.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use volley_api::{Error, Result};

use crate::storage::{ConfigBackingStore, ConfigRecord};

/// The one door to the config store for writing.
pub(super) struct ConfigWriter {
    configs: Arc<dyn ConfigBackingStore>,
    turn: Mutex<()>,
}

/// The right to write: what was read while it is held still holds when it is written, as far as this worker goes.
pub(super) struct WriteTurn<'a> {
    configs: &'a Arc<dyn ConfigBackingStore>,
    _turn: MutexGuard<'a, ()>,
}

impl ConfigWriter {
    pub(super) fn new(configs: Arc<dyn ConfigBackingStore>) -> Self {
        Self { configs, turn: Mutex::new(()) }
    }

    /// Waits for its turn.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(super) async fn turn(&self) -> WriteTurn<'_> {
        WriteTurn { configs: &self.configs, _turn: self.turn.lock().await }
    }

    /// Reads to the end of what others have written.
    ///
    /// # Cancellation
    /// Reading goes on.
    pub(super) async fn refresh(&self, timeout: Duration) -> Result<()> {
        off_runtime(&self.configs, move |configs| configs.refresh(timeout)).await
    }

    /// See [`ConfigBackingStore::set_leader`].
    ///
    /// # Cancellation
    /// It is done all the same.
    pub(super) async fn set_leader(&self, is_leader: bool) -> Result<()> {
        off_runtime(&self.configs, move |configs| configs.set_leader(is_leader)).await
    }
}

impl WriteTurn<'_> {
    /// Writes records; they show in snapshots when it returns.
    ///
    /// # Cancellation
    /// They are written all the same.
    pub(super) async fn write(&self, records: Vec<ConfigRecord>) -> Result<()> {
        off_runtime(self.configs, move |configs| configs.write(&records)).await
    }
}

async fn off_runtime<T: Send + 'static>(
    configs: &Arc<dyn ConfigBackingStore>,
    call: impl FnOnce(&dyn ConfigBackingStore) -> Result<T> + Send + 'static,
) -> Result<T> {
    let configs = Arc::clone(configs);
    match tokio::task::spawn_blocking(move || call(&*configs)).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Error::fatal("the config store ended early").with_source(error)),
    }
}
