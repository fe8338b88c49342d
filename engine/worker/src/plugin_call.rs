//! Calls into plug-ins, each on a thread of its own. A call that never returns costs only its thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use volley_api::{Error, Result};

/// The rest of time that an expedited call has. It is Kafka Connect's limit for stopping a connector.
const EXPEDITED_LIMIT: Duration = Duration::from_secs(5);

/// The time limit of a call; then it is abandoned.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    /// How long the call may take.
    pub(crate) limit: Duration,
    /// Cancelled when others wait for the call to return. Then it has [`EXPEDITED_LIMIT`] left.
    pub(crate) expedited: CancellationToken,
}

impl Deadline {
    /// A deadline that nothing expedites.
    pub(crate) fn after(limit: Duration) -> Self {
        Self { limit, expedited: CancellationToken::new() }
    }
}

/// Runs `call` on its own thread and waits for its result. `what` names the call in errors: "connector `a`, start".
///
/// # Errors
/// `Fatal` if it panics or does not return in time. Then its thread is abandoned, with everything that was moved to it.
///
/// # Cancellation
/// The call continues; its result is dropped.
pub(crate) async fn call_plugin<T: Send + 'static>(
    what: &str,
    deadline: Deadline,
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = oneshot::channel();
    let thread = std::thread::Builder::new().name("plug-in".to_owned()).spawn(move || {
        // If the receiver is gone, its owner no longer waits.
        let _ = sender.send(catch_unwind(AssertUnwindSafe(call)));
    });
    if let Err(error) = thread {
        return Err(Error::fatal(format!("could not start a thread for {what}")).with_source(error));
    }
    let too_late = async {
        tokio::select! {
            () = tokio::time::sleep(deadline.limit) => {}
            () = async { deadline.expedited.cancelled().await; tokio::time::sleep(EXPEDITED_LIMIT).await } => {}
        }
    };
    tokio::select! {
        outcome = receiver => match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(panic)) => Err(crate::task::panic_error(&*panic)),
            Err(_) => Err(Error::fatal(format!("{what} ended without an answer"))),
        },
        () = too_late => Err(Error::fatal(format!("{what} did not return in time and was abandoned"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_that_hangs_is_abandoned_at_its_deadline() {
        let (_keep, never) = std::sync::mpsc::channel::<()>();
        let outcome = call_plugin("a", Deadline::after(Duration::from_millis(20)), move || never.recv().is_ok()).await;
        assert!(outcome.unwrap_err().to_string().contains("did not return in time"));
    }

    #[tokio::test]
    async fn a_call_that_panics_is_an_error() {
        let outcome = call_plugin("a", Deadline::after(Duration::from_secs(60)), || panic!("boom")).await;
        let error: Error = outcome.map(|(): ()| ()).unwrap_err();
        assert!(error.to_string().contains("boom"), "{error}");
    }

    #[tokio::test]
    async fn a_call_that_returns_in_time_counts() {
        let outcome = call_plugin("a", Deadline::after(Duration::from_secs(60)), || 42).await;
        assert_eq!(outcome.unwrap(), 42);
    }
}
