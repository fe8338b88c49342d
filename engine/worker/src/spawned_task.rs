//! A tokio task that somebody owns.
//!
//! ```text
//!  owner ─ start ─► task ─ ends ─► outcome
//!    │                │
//!    │                └─ panics ─► logged by name, and seen by check and outcome
//!    └─ dropped ────────────────► the task is aborted
//! ```

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinHandle};
use tracing::error;

use crate::error::{HerderError, HerderResult};

/// A task that ends by itself, or with its owner. No input may make it panic; if it does all the same, that is logged, and
/// its owner can tell.
#[derive(Debug)]
pub(crate) struct SpawnedTask<T = ()> {
    what: String,
    handle: JoinHandle<Option<T>>,
}

impl<T: Send + 'static> SpawnedTask<T> {
    /// Starts the task on `runtime`. `what` names it in messages.
    pub(crate) fn start(
        runtime: &Handle,
        what: impl Into<String>,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Self {
        let what = what.into();
        let name = what.clone();
        let handle = runtime.spawn(async move {
            let outcome = AssertUnwindSafe(task).catch_unwind().await;
            outcome.inspect_err(|_| error!("{name} has panicked, which is a defect of Volley: restart the worker")).ok()
        });
        Self { what, handle }
    }

    /// Starts the task on the runtime that the caller is in.
    pub(crate) fn start_here(what: impl Into<String>, task: impl Future<Output = T> + Send + 'static) -> Self {
        Self::start(&Handle::current(), what, task)
    }

    /// Fails if the task has ended. For tasks that do not end before their owner drops them.
    ///
    /// # Errors
    /// `Internal`
    pub(crate) fn check(&self) -> HerderResult<()> {
        if self.is_finished() { Err(self.defect()) } else { Ok(()) }
    }

    /// Whether the task has ended.
    pub(crate) fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// Aborts the task before its owner drops it.
    pub(crate) fn abort_handle(&self) -> AbortHandle {
        self.handle.abort_handle()
    }

    /// Waits for the end of the task. MUST NOT be called again once it has returned.
    ///
    /// # Errors
    /// `Internal` if the task has panicked, or its runtime has ended.
    ///
    /// # Cancellation
    /// The task goes on.
    pub(crate) async fn outcome(&mut self) -> HerderResult<T> {
        match (&mut self.handle).await {
            Ok(Some(outcome)) => Ok(outcome),
            Ok(None) => Err(self.defect()),
            Err(_) => Err(HerderError::shutting_down()),
        }
    }

    fn defect(&self) -> HerderError {
        HerderError::Internal(format!("{} has ended by a defect of Volley, see the log: restart the worker", self.what))
    }
}

impl<T> Drop for SpawnedTask<T> {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::testing::eventually;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn the_owner_of_a_task_that_panics_can_tell() {
        let (go, wait) = oneshot::channel::<()>();
        let mut task = SpawnedTask::start_here("the actor of connector `c`", async move {
            wait.await.unwrap();
            panic!("as a test");
        });
        task.check().unwrap();
        go.send(()).unwrap();
        eventually("the task has ended", async || task.check().is_err()).await;
        assert!(task.check().unwrap_err().to_string().contains("connector `c`"));
        let outcome: HerderResult<()> = task.outcome().await;
        assert!(outcome.unwrap_err().to_string().contains("connector `c`"));
    }

    #[tokio::test]
    async fn a_task_ends_with_its_owner() {
        let (held, dropped) = oneshot::channel::<()>();
        let task: SpawnedTask = SpawnedTask::start_here("a task", async move {
            let _held = held;
            std::future::pending().await
        });
        drop(task);
        assert!(dropped.await.is_err(), "what the task held is dropped");
    }
}
