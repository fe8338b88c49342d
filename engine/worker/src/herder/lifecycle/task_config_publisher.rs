//! Who writes what the connector instances of this worker decide: their task configurations, and the end of a bounded run.

use std::sync::Arc;

use async_trait::async_trait;
use volley_api::ConfigMap;

use super::producer_fence::ProducerFence;
use crate::error::{HerderError, HerderResult};
use crate::storage::{ClusterConfigState, Completion, TargetState};

/// Publishes task configurations, and the end of bounded connectors.
#[async_trait]
pub(crate) trait TaskConfigPublisher: Send + Sync {
    /// Publishes all task configurations of a connector.
    ///
    /// # Errors
    /// If they were not written, or that is not known: try again.
    ///
    /// # Cancellation
    /// They may be written all the same.
    async fn publish(&self, connector: &str, configs: Vec<ConfigMap>) -> HerderResult<()>;

    /// Writes that a bounded connector is done with this run, and that STOPPED is its target state. Returns `false` if the run
    /// is not the latest any more, or another target state was written meanwhile.
    ///
    /// # Errors
    /// As for [`TaskConfigPublisher::publish`].
    ///
    /// # Cancellation
    /// As for [`TaskConfigPublisher::publish`].
    async fn complete(&self, connector: &str, run: i64, completion: Completion) -> HerderResult<bool>;

    /// Reads to the end of the config store.
    ///
    /// # Errors
    /// `Retriable` if that takes too long.
    ///
    /// # Cancellation
    /// Reading goes on.
    async fn refresh(&self) -> HerderResult<()>;

    /// Who fences the producers of a connector's former tasks; `None` where sources deliver at least once.
    fn producer_fence(self: Arc<Self>) -> Option<Arc<dyn ProducerFence>> {
        None
    }

    /// Whether several workers may run the tasks of a run. Then the task configurations say where a bounded run ends.
    fn shares_runs(&self) -> bool;
}

/// Checks that these may become the tasks of a connector. The writer MUST call it in its turn to write, since the instance
/// that made them may not have seen the latest records.
///
/// # Errors
/// `NotFound` if there is no such connector. `Conflict` if its target state is STOPPED: then it may only lose its tasks.
pub(crate) fn check_takes_tasks(
    state: &ClusterConfigState,
    connector: &str,
    configs: &[ConfigMap],
) -> HerderResult<()> {
    match state.target_state(connector) {
        None => Err(HerderError::connector_not_found(connector)),
        Some(TargetState::Stopped) if !configs.is_empty() => Err(HerderError::Conflict(format!(
            "Cannot take tasks for connector {connector}: it was stopped meanwhile. They are made again when it is resumed."
        ))),
        Some(_) => Ok(()),
    }
}

/// Whether a run is the latest, and its connector shall run.
pub(crate) fn is_current(state: &ClusterConfigState, connector: &str, run: i64) -> bool {
    state.tasks_position(connector) == run && state.target_state(connector) == Some(TargetState::Started)
}
