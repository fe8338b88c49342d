//! How often a source task that has nothing is asked again. Pure.

use std::time::Duration;

/// What a poll may take: what is wanted of the task is looked at in between.
const SHORTEST_POLL: Duration = Duration::from_millis(100);
/// The same for a task that has had nothing for a while: an idle task should not cost much.
const LONGEST_POLL: Duration = Duration::from_millis(500);
/// Wait after a poll that found nothing and did not wait for anything; it doubles.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_millis(100);
/// The same for a task that counts on being asked again at once, as Kafka Connect does.
const LONGEST_WAIT_OF_EAGER: Duration = Duration::from_millis(10);
/// Wait after a retriable error of a poll; it doubles.
const SHORTEST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// Counts what polls found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdlePacing {
    poll: Duration,
    wait: Duration,
    retry: Duration,
    longest_wait: Duration,
}

impl Default for IdlePacing {
    fn default() -> Self {
        Self { poll: SHORTEST_POLL, wait: SHORTEST_WAIT, retry: SHORTEST_RETRY, longest_wait: LONGEST_WAIT }
    }
}

impl IdlePacing {
    /// For a task that counts on being asked again at once.
    pub(crate) fn eager() -> Self {
        Self { longest_wait: LONGEST_WAIT_OF_EAGER, ..Self::default() }
    }

    /// How long the next poll may wait for records.
    pub(crate) fn poll(&self) -> Duration {
        self.poll
    }

    /// The last poll found records.
    pub(crate) fn found(&mut self) {
        *self = Self { longest_wait: self.longest_wait, ..Self::default() };
    }

    /// The last poll found nothing, and took so long; how long to wait before the next, as the plug-in did not.
    pub(crate) fn found_nothing(&mut self, took: Duration) -> Duration {
        self.retry = SHORTEST_RETRY;
        if took >= self.poll / 2 {
            self.poll = (self.poll + self.poll / 10).min(LONGEST_POLL);
            self.wait = SHORTEST_WAIT;
            return Duration::ZERO;
        }
        let wait = self.wait;
        self.wait = (wait * 2).min(self.longest_wait);
        wait
    }

    /// The last poll failed; how long to wait before the next.
    pub(crate) fn failed(&mut self) -> Duration {
        let wait = self.retry;
        self.retry = (wait * 2).min(LONGEST_RETRY);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_waits_itself_is_let_wait_longer_and_longer() {
        let mut pacing = IdlePacing::default();
        for _ in 0..100 {
            let poll = pacing.poll();
            assert_eq!(pacing.found_nothing(poll), Duration::ZERO);
        }
        assert_eq!(pacing.poll(), LONGEST_POLL);
        pacing.found();
        assert_eq!(pacing.poll(), SHORTEST_POLL);
    }

    #[test]
    fn a_task_that_does_not_wait_is_not_polled_in_a_busy_loop() {
        let mut pacing = IdlePacing::default();
        let waits: Vec<_> = (0..12).map(|_| pacing.found_nothing(Duration::ZERO)).collect();
        assert_eq!(waits[..4], [1, 2, 4, 8].map(Duration::from_millis));
        assert_eq!(waits[11], LONGEST_WAIT);
    }

    #[test]
    fn a_task_that_counts_on_being_asked_at_once_waits_ten_milliseconds_at_most() {
        let mut pacing = IdlePacing::eager();
        for _ in 0..2 {
            assert!((0..12).all(|_| pacing.found_nothing(Duration::ZERO) <= Duration::from_millis(10)));
            pacing.found();
        }
    }

    #[test]
    fn failures_in_a_row_are_retried_more_and_more_rarely() {
        let mut pacing = IdlePacing::default();
        let waits: Vec<_> = (0..8).map(|_| pacing.failed()).collect();
        assert_eq!(waits[..3], [100, 200, 400].map(Duration::from_millis));
        assert_eq!(waits[7], LONGEST_RETRY);
        pacing.found_nothing(Duration::from_secs(1));
        assert_eq!(pacing.failed(), SHORTEST_RETRY);
    }
}
