//! A write to the config store that is under way while the actor of an instance goes on.

use crate::error::HerderResult;
use crate::spawned_task::SpawnedTask;

/// The task that writes.
pub(super) type Publishing = SpawnedTask<HerderResult<Published>>;

/// The content of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Published {
    /// New tasks.
    Tasks,
    /// No tasks, since the run is over.
    NoTasks,
    /// The end of this run, and the target state STOPPED. `None` if the user had set another one meanwhile.
    Completion(Option<i64>),
}

/// Waits for the end of a publishing; for ever, if there is none.
///
/// # Cancellation
/// Nothing is lost.
pub(super) async fn published(publishing: &mut Option<Publishing>) -> HerderResult<Published> {
    match publishing {
        Some(publishing) => publishing.outcome().await?,
        None => std::future::pending().await,
    }
}
