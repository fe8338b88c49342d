//! Writes to the config store, one after the other, off the control runtime.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use volley_api::{Error, Result};

use crate::storage::{ConfigBackingStore, ConfigRecord};

/// The one door to the config store for writing.
pub(super) struct ConfigWriter {
    configs: Arc<dyn ConfigBackingStore>,
    turn: Arc<Mutex<()>>,
}

/// The right to write. While it is held, no other request of this worker writes. It lasts until the write that was begun
/// with it has ended, also if its holder was dropped.
pub(super) struct WriteTurn<'a> {
    configs: &'a Arc<dyn ConfigBackingStore>,
    turn: Arc<OwnedMutexGuard<()>>,
}

impl ConfigWriter {
    pub(super) fn new(configs: Arc<dyn ConfigBackingStore>) -> Self {
        Self { configs, turn: Arc::default() }
    }

    /// Waits for its turn.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(super) async fn turn(&self) -> WriteTurn<'_> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        WriteTurn { configs: &self.configs, turn: Arc::new(turn) }
    }

    /// Reads to the end of the config topic.
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
    /// They are written all the same, and the turn lasts until they are.
    pub(super) async fn write(&self, records: Vec<ConfigRecord>) -> Result<()> {
        let turn = Arc::clone(&self.turn);
        off_runtime(self.configs, move |configs| {
            let written = configs.write(&records);
            drop(turn);
            written
        })
        .await
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

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;
    use crate::storage::ClusterConfigState;
    use crate::testing::Gate;

    const MOMENT: Duration = Duration::from_millis(50);

    /// Writes when its gate is open.
    #[derive(Debug)]
    struct SlowStore(Arc<Gate>);

    impl ConfigBackingStore for SlowStore {
        fn snapshot(&self) -> Arc<ClusterConfigState> {
            Arc::default()
        }

        fn write(&self, _records: &[ConfigRecord]) -> Result<()> {
            self.0.pass();
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_write_that_nobody_waits_for_any_more_keeps_its_turn_until_it_is_done() {
        let gate = Gate::named("a write that nobody waits for");
        let writer = ConfigWriter::new(Arc::new(SlowStore(Arc::clone(&gate))));
        let write = async { writer.turn().await.write(Vec::new()).await };
        assert!(timeout(MOMENT, write).await.is_err());
        assert!(timeout(MOMENT, writer.turn()).await.is_err());
        gate.open();
        timeout(Duration::from_secs(20), writer.turn()).await.unwrap();
    }
}
