//! What the actor of a connector is having brought into force, while it goes on with other things.

use tokio::task::JoinHandle;

use crate::error::{HerderError, HerderResult};

/// The task that does it.
pub(crate) type Publishing = JoinHandle<HerderResult<Published>>;

/// What was brought into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// New tasks.
    Tasks,
    /// The tasks of a run that is over are gone.
    NoTasks,
    /// This run is over, and the connector to be STOPPED; `None`: not any more, something else is wanted of it.
    Completion(Option<i64>),
}

/// Waits for its end; for ever, if there is none.
///
/// # Cancellation
/// Nothing is lost.
pub(crate) async fn published(publishing: &mut Option<Publishing>) -> HerderResult<Published> {
    match publishing {
        Some(handle) => match handle.await {
            Ok(outcome) => outcome,
            Err(error) => Err(HerderError::Internal(format!("publishing task configurations ended early: {error}"))),
        },
        None => std::future::pending().await,
    }
}
