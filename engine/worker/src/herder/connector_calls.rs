//! Calls that are made one after the other for each connector, and do not wait for those of other connectors.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, oneshot};

use crate::error::{HerderError, HerderResult};
use crate::spawned_task::SpawnedTask;

/// The calls under way.
#[derive(Debug, Default)]
pub(super) struct ConnectorCalls {
    turns: Mutex<HashMap<String, Weak<AsyncMutex<()>>>>,
    running: Mutex<Vec<SpawnedTask>>,
}

impl ConnectorCalls {
    /// Makes a call once those of the same connector before it have ended.
    ///
    /// # Cancellation
    /// Once begun, the call goes on, and the next of the same connector waits for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        connector: &str,
        call: impl Future<Output = HerderResult<T>> + Send + 'static,
    ) -> HerderResult<T> {
        let turn = self.turn_of(connector).await;
        let (reply, outcome) = oneshot::channel();
        let task = SpawnedTask::start_here(format!("a call about connector `{connector}`"), async move {
            let outcome = call.await;
            drop(turn);
            // Whoever made the call may have gone.
            let _ = reply.send(outcome);
        });
        {
            let mut running = self.running.lock();
            running.retain(|task| !task.is_finished());
            running.push(task);
        }
        outcome.await.unwrap_or_else(|_| Err(HerderError::shutting_down()))
    }

    /// Waits until no call of `connector` is under way, and keeps others from beginning.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(super) async fn turn_of(&self, connector: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock();
            turns.retain(|_, turn| turn.strong_count() > 0);
            let known = turns.get(connector).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let turn = Arc::default();
                turns.insert(connector.to_owned(), Arc::downgrade(&turn));
                turn
            })
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(50);

    #[tokio::test(start_paused = true)]
    async fn a_change_that_hangs_holds_up_its_own_connector_and_no_other() {
        let calls = Arc::new(ConnectorCalls::default());
        let (open, gate) = oneshot::channel::<()>();
        let hanging = calls.run("a", async move {
            gate.await.unwrap();
            Ok(())
        });
        // Whoever made the call has gone.
        assert!(timeout(MOMENT, hanging).await.is_err());
        assert!(timeout(MOMENT, calls.run("b", async { Ok(()) })).await.is_ok());
        assert!(timeout(MOMENT, calls.run("a", async { Ok(()) })).await.is_err());
        assert!(timeout(MOMENT, calls.turn_of("a")).await.is_err());
        open.send(()).unwrap();
        assert!(timeout(MOMENT, calls.run("a", async { Ok(()) })).await.is_ok());
        assert!(calls.turns.lock().len() <= 1);
    }
}
