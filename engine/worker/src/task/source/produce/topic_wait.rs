//! How often a topic that takes no messages yet is tried again, and how often the log says so.

use std::time::{Duration, Instant};

/// Waits between two tries: short at first, since a broker that creates topics by itself takes a moment.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Time that a topic has before its absence is worth a warning.
const GRACE: Duration = Duration::from_secs(3);
/// Time between two warnings.
const REMINDER: Duration = Duration::from_secs(30);

/// One wait for one topic.
#[derive(Debug)]
pub(crate) struct TopicWait {
    next: Duration,
    reminder: Instant,
}

impl TopicWait {
    /// A wait that begins now.
    pub(crate) fn new() -> Self {
        Self { next: SHORTEST_WAIT, reminder: Instant::now() + GRACE }
    }

    /// The time until the next try. It doubles.
    pub(crate) fn next_wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST_WAIT);
        wait
    }

    /// The topic has taken a message: the next wait is short again.
    pub(crate) fn reset(&mut self) {
        self.next = SHORTEST_WAIT;
    }

    /// Whether a warning is due. It is counted as logged.
    pub(crate) fn takes_reminder(&mut self) -> bool {
        let now = Instant::now();
        let is_due = now >= self.reminder;
        if is_due {
            self.reminder = now + REMINDER;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_become_rarer_until_the_topic_takes_a_message() {
        let mut wait = TopicWait::new();
        let waits: Vec<_> = (0..8).map(|_| wait.next_wait()).collect();
        assert_eq!(waits[..3], [50, 100, 200].map(Duration::from_millis));
        assert_eq!(waits[7], LONGEST_WAIT);
        wait.reset();
        assert_eq!(wait.next_wait(), SHORTEST_WAIT);
        assert!(!wait.takes_reminder(), "a topic that is missing for a moment is no news");
    }
}
