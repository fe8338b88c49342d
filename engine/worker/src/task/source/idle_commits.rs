//! When a source task that counts on every offset commit is told of one although it has never sent anything: then there is no
//! produce stage that would commit.

use std::time::{Duration, Instant};

/// The clock of these commits.
#[derive(Debug)]
pub(crate) struct IdleCommits {
    interval: Duration,
    next: Instant,
}

impl IdleCommits {
    /// One every `interval`, from now on.
    pub(crate) fn every(interval: Duration) -> Self {
        Self { interval, next: Instant::now() + interval }
    }

    /// How long until the next.
    pub(crate) fn until_next(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Whether one is due; then the next is due after the interval.
    pub(crate) fn take_due(&mut self) -> bool {
        let is_due = self.until_next().is_zero();
        if is_due {
            self.next = Instant::now() + self.interval;
        }
        is_due
    }
}
