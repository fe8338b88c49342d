//! Attempts of a request until it is answered, within a time limit.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use volley_api::{Error, Result};

use crate::group::Backoff;

const TIMED_OUT: &str = "org.apache.kafka.common.errors.TimeoutException";

/// The attempts of one request.
#[derive(Debug)]
pub(super) struct Attempts {
    action: &'static str,
    deadline: Instant,
    pauses: Backoff,
    within: Duration,
    last: Option<Error>,
}

impl Attempts {
    pub(super) fn new(action: &'static str, within: Duration, pauses: Backoff) -> Self {
        Self { action, deadline: Instant::now() + within, pauses, within, last: None }
    }

    /// The outcome of one attempt, within what time is left.
    pub(super) async fn bounded<T>(&mut self, attempt: impl Future<Output = Result<T>>) -> Result<T> {
        match timeout_at(self.deadline, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.no_answer()),
        }
    }

    /// Waits for the next attempt.
    ///
    /// # Errors
    /// `error` if another attempt is of no use; `Retriable`, with it as the cause, when the time is over.
    pub(super) async fn after(&mut self, error: Error) -> Result<()> {
        if !error.is_retriable() {
            return Err(error);
        }
        let pause = self.pauses.next();
        if Instant::now() + pause >= self.deadline {
            return Err(if error.exception() == TIMED_OUT { error } else { self.no_answer_because(error) });
        }
        self.last = Some(error);
        sleep(pause).await;
        Ok(())
    }

    fn no_answer(&mut self) -> Error {
        match self.last.take() {
            Some(error) => self.no_answer_because(error),
            None => self.timed_out(),
        }
    }

    fn no_answer_because(&self, error: Error) -> Error {
        self.timed_out().with_source(error)
    }

    fn timed_out(&self) -> Error {
        Error::retriable(format!("could not {}: kafka gave no answer within {:?}", self.action, self.within))
            .with_exception(TIMED_OUT)
    }
}
