//! A task of the control runtime that somebody owns.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tracing::error;

use crate::error::{HerderError, HerderResult};

/// Runs until it ends by itself; its owner can tell whether it has. A panic, which no input may cause, is said.
#[derive(Debug)]
pub(crate) struct SpawnedTask {
    what: String,
    handle: JoinHandle<()>,
}

impl SpawnedTask {
    /// Starts it. `what` names it in messages.
    pub(crate) fn start(
        runtime: &Handle,
        what: impl Into<String>,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let what = what.into();
        let name = what.clone();
        let handle = runtime.spawn(async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                error!("{name} has panicked, which is a defect of Volley: restart the worker");
            }
        });
        Self { what, handle }
    }

    /// Fails if it has ended, for an owner whose task does not end before he lets go of it.
    ///
    /// # Errors
    /// `Internal`
    pub(crate) fn check(&self) -> HerderResult<()> {
        if self.handle.is_finished() {
            return Err(HerderError::Internal(format!(
                "{} has ended by a defect of Volley, see the log: restart the worker",
                self.what
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::eventually;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn the_owner_of_a_task_that_panics_can_tell() {
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        let task = SpawnedTask::start(&Handle::current(), "the actor of connector `c`", async move {
            wait.await.unwrap();
            panic!("as a test");
        });
        task.check().unwrap();
        go.send(()).unwrap();
        eventually("the task has ended", async || task.check().is_err()).await;
        assert!(task.check().unwrap_err().to_string().contains("connector `c`"));
    }
}
