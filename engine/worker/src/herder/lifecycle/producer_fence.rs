//! Fencing the producers of a connector's former tasks (KIP-618), from the side of a worker that is to start new ones.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tracing::warn;
use volley_api::{Error, Result};

use crate::connector_task_id::ConnectorTaskId;
use crate::error::{HerderError, HerderResult};
use crate::herder::WorkerContext;
use crate::task::ExactlyOnceGuard;

/// Wait after the first try that failed; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// How long a leader is waited for that cannot be asked, or cannot do it for the moment.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a leader is asked again that has tried and failed.
const PATIENCE_WITH_FAILURES: Duration = Duration::from_secs(5);
/// Time between two looks whether the task is still to run.
const WANTED_LOOK: Duration = Duration::from_millis(50);

/// Has the leader fence producers.
#[async_trait]
pub(crate) trait ProducerFence: Send + Sync {
    /// Fences the producers of all tasks of earlier generations of a connector, unless that was done.
    ///
    /// # Errors
    /// If it was not done, or that is not known.
    ///
    /// # Cancellation
    /// It may be done all the same.
    async fn fence(&self, connector: &str) -> HerderResult<()>;

    /// Reads to the end of the config store.
    ///
    /// # Errors
    /// `Retriable` if that takes too long.
    ///
    /// # Cancellation
    /// Reading goes on.
    async fn read_configs(&self) -> HerderResult<()>;
}

/// Guards the start of one task.
pub(crate) struct TaskGuard {
    pub(crate) context: Arc<WorkerContext>,
    pub(crate) fence: Arc<dyn ProducerFence>,
    pub(crate) runtime: Handle,
    pub(crate) id: ConnectorTaskId,
    /// Position of the commit that the task was started from.
    pub(crate) position: i64,
}

impl ExactlyOnceGuard for TaskGuard {
    fn fence_predecessors(&self, is_wanted: &dyn Fn() -> bool) -> Result<bool> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = until_unwanted(is_wanted) => Ok(false),
                fenced = self.fence_in_time() => fenced.map(|()| true),
            }
        })
    }

    fn check_is_current(&self) -> Result<()> {
        self.runtime.block_on(self.fence.read_configs()).map_err(|error| as_error(&error))?;
        if self.context.configs.snapshot().tasks_position(&self.id.connector) == self.position {
            return Ok(());
        }
        Err(failure(format!(
            "Cannot start source task {} with exactly-once support as the connector has already generated a new set of \
             task configs",
            self.id
        )))
    }
}

impl TaskGuard {
    /// Asks again while the leader is out of reach or cannot fence for the moment. Kafka Connect fails the task at once.
    async fn fence_in_time(&self) -> Result<()> {
        let started = Instant::now();
        let mut pause = FIRST_RETRY;
        loop {
            let Err(error) = self.fence.fence(&self.id.connector).await else { return Ok(()) };
            let patience = if may_pass(&error) { PATIENCE } else { PATIENCE_WITH_FAILURES };
            if started.elapsed() + pause > patience || matches!(error, HerderError::NotFound(_)) {
                return Err(
                    failure("Failed to perform round of zombie fencing".to_owned()).with_source(as_error(&error))
                );
            }
            warn!(task = %self.id, %error, "the producers of earlier tasks are not fenced yet, trying again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_RETRY);
        }
    }
}

/// Whether the error tells that nothing was tried: the leader is not there, has another session key, or another has to be asked.
fn may_pass(error: &HerderError) -> bool {
    match error {
        HerderError::Internal(message) => message.starts_with("IO Error trying to forward REST request"),
        HerderError::Plugin(error) => error.is_retriable(),
        HerderError::NotFound(_) => false,
        HerderError::BadRequest(_)
        | HerderError::Conflict(_)
        | HerderError::Forbidden(_)
        | HerderError::Unavailable(_)
        | HerderError::Forward(_) => true,
    }
}

async fn until_unwanted(is_wanted: &dyn Fn() -> bool) {
    while is_wanted() {
        tokio::time::sleep(WANTED_LOOK).await;
    }
}

fn as_error(error: &HerderError) -> Error {
    match error {
        HerderError::Plugin(error) => error.clone(),
        other => Error::fatal(other.to_string())
            .with_exception("org.apache.kafka.connect.runtime.rest.errors.ConnectRestException"),
    }
}

fn failure(message: String) -> Error {
    Error::fatal(message).with_exception("org.apache.kafka.connect.errors.ConnectException")
}
