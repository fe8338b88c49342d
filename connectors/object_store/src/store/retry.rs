//! How long to wait before trying again, and when to give up.

use std::time::{Duration, Instant};

use volley_api::{Error, Result};

use super::storage::StorageError;

/// The longest wait between two tries.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// The settings `retry.backoff.ms` and `retry.timeout.ms`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryPolicy {
    /// Wait before the first repetition; doubles with each further one.
    pub(crate) backoff: Duration,
    /// After failing for this long the task fails.
    pub(crate) timeout: Duration,
}

/// A series of failed tries of one thing.
#[derive(Debug)]
pub(crate) struct Retries {
    policy: RetryPolicy,
    since: Instant,
    next_backoff: Duration,
}

impl Retries {
    /// A series that begins now.
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Self { policy, since: Instant::now(), next_backoff: policy.backoff }
    }

    /// After a failed try: how long to wait before the next one; `None` when it is time to give up.
    pub(crate) fn next_wait(&mut self) -> Option<Duration> {
        let left = self.policy.timeout.checked_sub(self.since.elapsed()).filter(|left| !left.is_zero())?;
        let wait = self.next_backoff.min(left);
        self.next_backoff = (self.next_backoff * 2).min(MAX_BACKOFF);
        Some(wait)
    }

    /// Time since the first try.
    pub(crate) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }
}

/// Tries of something that every call needs: the caller is told to come again later, and in between nothing is tried.
#[derive(Debug)]
pub(crate) struct Patience {
    policy: RetryPolicy,
    trouble: Option<(Retries, Instant)>,
}

impl Patience {
    /// No trouble yet.
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Self { policy, trouble: None }
    }

    /// Tries, unless the last try is too recent. `what` says what, as in "could not …".
    ///
    /// # Errors
    /// `Retriable` until the time-out has passed, `Fatal` then.
    pub(crate) fn attempt<T>(
        &mut self,
        what: &str,
        call: impl FnOnce() -> std::result::Result<T, StorageError>,
    ) -> Result<T> {
        if self.trouble.as_ref().is_some_and(|(_, next_try)| Instant::now() < *next_try) {
            return Err(Error::retriable(format!("waiting to {what}")));
        }
        let error = match call() {
            Ok(value) => {
                self.trouble = None;
                return Ok(value);
            }
            Err(error) => error,
        };
        let policy = self.policy;
        let (retries, next_try) = self.trouble.get_or_insert_with(|| (Retries::new(policy), Instant::now()));
        let Some(wait) = retries.next_wait() else {
            let seconds = retries.elapsed().as_secs();
            return Err(Error::fatal(format!(
                "could not {what} within {seconds} s: {error}; restore the store, or raise `retry.timeout.ms`"
            )));
        };
        tracing::warn!(%error, retry_in_ms = wait.as_millis() as u64, "could not {what}, trying again");
        *next_try = Instant::now() + wait;
        Err(Error::retriable(format!("could not {what}")).with_source(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end_with_the_timeout() {
        let policy = RetryPolicy { backoff: Duration::from_secs(1), timeout: Duration::from_secs(3600) };
        let mut retries = Retries::new(policy);
        let waits: Vec<_> = (0..7).filter_map(|_| retries.next_wait()).map(|wait| wait.as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        let mut over = Retries::new(RetryPolicy { timeout: Duration::ZERO, ..policy });
        assert_eq!(over.next_wait(), None);
    }
}
