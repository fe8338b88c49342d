//! Carries updates of the config topic from its thread to the loop of the herder.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tracing::info;

use crate::loggers::Loggers;
use crate::storage::{ConfigUpdate, RestartRequest};

/// Updates that wait for the loop. The loop compares configurations by position, so that a wake-up is enough for all but
/// restart requests.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::loggers::LogLevels;

    struct Applied(Mutex<BTreeMap<String, String>>);

    impl LogLevels for Applied {
        fn initial(&self) -> BTreeMap<String, String> {
            BTreeMap::from([("root".to_owned(), "INFO".to_owned())])
        }

        fn apply(&self, levels: &BTreeMap<String, String>) {
            levels.clone_into(&mut self.0.lock());
        }
    }

    #[test]
    fn a_level_counts_in_whatever_case_a_java_worker_has_written_it() {
        let applied = Arc::new(Applied(Mutex::default()));
        let updates = ConfigUpdates::new(Arc::new(Loggers::new(Some(Arc::clone(&applied) as Arc<dyn LogLevels>))));
        updates.add(ConfigUpdate::LoggerLevel("org.example".to_owned(), "debug".to_owned()));
        assert_eq!(applied.0.lock().get("org.example").map(String::as_str), Some("DEBUG"));
    }
}
