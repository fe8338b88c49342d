//! Changes of the offsets of connectors: one after the other for each connector, and none waits for that of another.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::error::{HerderError, HerderResult};

/// The changes under way, by connector.
#[derive(Debug, Default)]
pub(super) struct OffsetCalls(Mutex<HashMap<String, Weak<AsyncMutex<()>>>>);

impl OffsetCalls {
    /// Makes a change once those of the same connector before it have ended.
    ///
    /// # Cancellation
    /// Once begun, the change goes on, and the next of the same connector waits for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        connector: &str,
        change: impl Future<Output = HerderResult<T>> + Send + 'static,
    ) -> HerderResult<T> {
        let turn = self.turn_of(connector).await;
        let running = tokio::spawn(async move {
            let outcome = change.await;
            drop(turn);
            outcome
        });
        running.await.unwrap_or_else(|_| Err(HerderError::shutting_down()))
    }

    /// Waits until no change of the offsets of `connector` is under way, and keeps others from beginning.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(super) async fn turn_of(&self, connector: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock();
            locks.retain(|_, lock| lock.strong_count() > 0);
            let known = locks.get(connector).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let lock = Arc::default();
                locks.insert(connector.to_owned(), Arc::downgrade(&lock));
                lock
            })
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(50);

    #[tokio::test(start_paused = true)]
    async fn a_change_that_hangs_holds_up_its_own_connector_and_no_other() {
        let calls = Arc::new(OffsetCalls::default());
        let (open, gate) = oneshot::channel::<()>();
        let hanging = calls.run("a", async move {
            gate.await.unwrap();
            Ok(())
        });
        // whoever asked has gone
        assert!(timeout(MOMENT, hanging).await.is_err());
        assert!(timeout(MOMENT, calls.run("b", async { Ok(()) })).await.is_ok());
        assert!(timeout(MOMENT, calls.run("a", async { Ok(()) })).await.is_err());
        assert!(timeout(MOMENT, calls.turn_of("a")).await.is_err());
        open.send(()).unwrap();
        assert!(timeout(MOMENT, calls.run("a", async { Ok(()) })).await.is_ok());
        assert!(calls.0.lock().len() <= 1);
    }
}
