//! What the config topic tells the herder's loop, from the topic's own thread.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tracing::info;

use crate::rest::Loggers;
use crate::storage::{ConfigUpdate, RestartRequest};

/// Updates that wait for the loop. It compares configurations by position, so that all but restart requests need no
/// more than a nudge.
#[derive(Debug)]
pub(crate) struct ConfigUpdates {
    restarts: Mutex<Vec<RestartRequest>>,
    wake: Notify,
    log_levels: Arc<Loggers>,
}

impl ConfigUpdates {
    pub(crate) fn new(log_levels: Arc<Loggers>) -> Self {
        Self { restarts: Mutex::default(), wake: Notify::new(), log_levels }
    }

    /// Takes an update. Never blocks.
    pub(crate) fn add(&self, update: ConfigUpdate) {
        match update {
            ConfigUpdate::LoggerLevel(namespace, level) => {
                info!(namespace, level, "log level set for the whole group");
                self.log_levels.set(&namespace, &level.to_uppercase());
                return;
            }
            ConfigUpdate::RestartRequested(request) => {
                let mut restarts = self.restarts.lock();
                // The later of two requests for the same connector overrides, as in Kafka Connect, unless it asks for less.
                match restarts.iter_mut().find(|waiting| waiting.connector == request.connector) {
                    Some(waiting) => {
                        waiting.only_failed &= request.only_failed;
                        waiting.include_tasks |= request.include_tasks;
                    }
                    None => restarts.push(request),
                }
            }
            _ => {}
        }
        self.wake.notify_one();
    }

    /// Waits for an update.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(super) async fn changed(&self) {
        self.wake.notified().await;
    }

    /// Takes the restart requests.
    pub(super) fn take_restarts(&self) -> Vec<RestartRequest> {
        std::mem::take(&mut *self.restarts.lock())
    }
}
