//! `errors.retry.*`: the time and the delays for retries of a failed operation (KIP-298).

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use volley_api::{Config, Error, Result};

use crate::metrics::TaskMetrics;
use crate::task::control::Control;

/// Delay before the first retry; it doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_millis(300);

/// The delays between retries, and their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetryPolicy {
    /// Time limit from the first attempt on; `None` = without end.
    timeout: Option<Duration>,
    delay_max: Duration,
}

impl RetryPolicy {
    /// The policy in the framework keys of a connector.
    pub(crate) fn new(config: &Config) -> Self {
        let millis = |key: &str| config.long(key).and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
        Self {
            // -1 = without end
            timeout: millis("errors.retry.timeout"),
            delay_max: millis("errors.retry.delay.max.ms").unwrap_or(Duration::from_secs(60)),
        }
    }

    /// The delay before retry `retry` (the first is 1), `elapsed` after the first attempt; `None` when the time is
    /// over. `random` is in `[0, 1)`: a delay above the maximum is replaced by a random one below it.
    fn delay(&self, retry: u32, elapsed: Duration, random: f64) -> Option<Duration> {
        let left = self.timeout.map(|timeout| timeout.saturating_sub(elapsed));
        if left.is_some_and(|left| left.is_zero()) {
            return None;
        }
        let doubled = FIRST_DELAY.saturating_mul(2_u32.saturating_pow(retry.saturating_sub(1)));
        let delay = if doubled > self.delay_max { self.delay_max.mul_f64(random) } else { doubled };
        Some(left.map_or(delay, |left| delay.min(left)))
    }

    /// The retries of one operation, before its first attempt.
    pub(crate) fn begin<'a>(&self, control: &'a Control, metrics: &'a TaskMetrics) -> Retries<'a> {
        Retries { policy: *self, control, metrics, started: Instant::now(), retry: 0 }
    }
}

/// The retries of one operation.
pub(crate) struct Retries<'a> {
    policy: RetryPolicy,
    control: &'a Control,
    metrics: &'a TaskMetrics,
    started: Instant,
    retry: u32,
}

impl Retries<'_> {
    /// Waits after a failure until the next attempt; `false` if there is none.
    ///
    /// # Errors
    /// When the task is to stop. The operation is not attempted then, and MUST NOT count as skipped either.
    pub(crate) fn wait(&mut self) -> Result<bool> {
        self.retry = self.retry.saturating_add(1);
        let Some(delay) = self.policy.delay(self.retry, self.started.elapsed(), random()) else { return Ok(false) };
        let until = Instant::now() + delay;
        while !self.control.is_stopping() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.metrics.retried();
                return Ok(true);
            }
            self.control.wait(left);
        }
        Err(Error::fatal("the task was stopped while a failed operation was being tried again"))
    }

    /// Whether the operation has failed before.
    pub(crate) fn is_retrying(&self) -> bool {
        self.retry > 0
    }
}

/// A number in `[0, 1)`, random enough to spread retries.
fn random() -> f64 {
    // each `RandomState` has keys of its own
    let bits = RandomState::new().build_hasher().finish() >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy(timeout: Option<u64>, delay_max: u64) -> RetryPolicy {
        RetryPolicy { timeout: timeout.map(Duration::from_millis), delay_max: Duration::from_millis(delay_max) }
    }

    #[test]
    fn delays_double_from_300_ms_on() {
        let delays: Vec<_> = (1..=6).map(|retry| policy(None, 60_000).delay(retry, Duration::ZERO, 0.5)).collect();
        let expected = [300, 600, 1200, 2400, 4800, 9600].map(|ms| Some(Duration::from_millis(ms)));
        assert_eq!(delays, expected);
    }

    #[test]
    fn without_a_timeout_nothing_is_tried_again() {
        assert_eq!(policy(Some(0), 60_000).delay(1, Duration::ZERO, 0.0), None);
    }

    proptest! {
        #[test]
        fn no_delay_is_longer_than_allowed_or_reaches_beyond_the_deadline(
            timeout in prop::option::of(0..100_000_u64),
            delay_max in 0..100_000_u64,
            retry in 1..u32::MAX,
            elapsed in 0..200_000_u64,
            random in 0.0..1.0_f64,
        ) {
            let policy = policy(timeout, delay_max);
            match policy.delay(retry, Duration::from_millis(elapsed), random) {
                None => prop_assert!(timeout.is_some_and(|timeout| elapsed >= timeout)),
                Some(delay) => {
                    prop_assert!(delay <= policy.delay_max);
                    prop_assert!(timeout.is_none_or(|timeout| delay.as_millis() as u64 + elapsed <= timeout));
                }
            }
        }

        #[test]
        fn random_numbers_are_in_range(_ in 0..100) {
            prop_assert!((0.0..1.0).contains(&random()));
        }
    }
}
