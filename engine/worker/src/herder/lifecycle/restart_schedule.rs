//! Schedules automatic restarts of failed connectors and tasks. Pure: time is an argument.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::worker_config::RestartPolicy;

/// A part of a connector that fails and restarts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The connector's own instance.
    Connector,
    /// A task.
    Task(usize),
}

#[derive(Clone, Copy, Debug)]
struct Attempts {
    made: usize,
    last: Instant,
}

/// The restarts of one connector and its tasks.
#[derive(Debug, Default)]
pub(crate) struct RestartSchedule {
    attempts: BTreeMap<Part, Attempts>,
    due: BTreeMap<Part, Instant>,
}

impl RestartSchedule {
    /// `part` has failed at `now`. When it is to be started again; `None` if it stays FAILED.
    ///
    /// Attempts are counted anew once a part has run for longer than the longest wait.
    pub(crate) fn failed(&mut self, part: Part, policy: &RestartPolicy, now: Instant) -> Option<Instant> {
        if let Some(due) = self.due.get(&part) {
            return Some(*due);
        }
        let before = self.attempts.get(&part).filter(|attempts| now - attempts.last <= policy.max_backoff);
        let made = before.map_or(0, |attempts| attempts.made);
        let due = now + policy.wait_before(made)?;
        self.attempts.insert(part, Attempts { made: made + 1, last: due });
        self.due.insert(part, due);
        Some(due)
    }

    /// The next restart.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.values().min().copied()
    }

    /// Takes the restarts that are due at `now`.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<Part> {
        let due: Vec<Part> = self.due.iter().filter(|(_, at)| **at <= now).map(|(part, _)| *part).collect();
        due.iter().for_each(|part| {
            self.due.remove(part);
        });
        due
    }

    /// Forgets the attempts of `part`, since a user has restarted or replaced it.
    pub(crate) fn forget(&mut self, part: Part) {
        self.due.remove(&part);
        self.attempts.remove(&part);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const POLICY: RestartPolicy =
        RestartPolicy { max_attempts: 2, backoff: Duration::from_secs(10), max_backoff: Duration::from_secs(15) };

    #[test]
    fn what_fails_again_and_again_stays_failed_in_the_end() {
        let (mut schedule, start) = (RestartSchedule::default(), Instant::now());
        let part = Part::Task(1);
        assert_eq!(schedule.failed(part, &POLICY, start), Some(start + Duration::from_secs(10)));
        assert_eq!(schedule.failed(part, &POLICY, start), Some(start + Duration::from_secs(10)), "told twice");
        assert_eq!(schedule.take_due(start), []);
        let first = start + Duration::from_secs(10);
        assert_eq!(schedule.take_due(first), [part]);
        assert_eq!(schedule.failed(part, &POLICY, first), Some(first + Duration::from_secs(15)));
        let second = first + Duration::from_secs(15);
        assert_eq!(schedule.take_due(second), [part]);
        assert_eq!(schedule.failed(part, &POLICY, second), None);
        assert_eq!(schedule.next(), None);
        schedule.forget(part);
        assert!(schedule.failed(part, &POLICY, second).is_some(), "a restart by hand counts anew");
    }

    #[test]
    fn what_has_run_for_long_is_forgiven() {
        let (mut schedule, start) = (RestartSchedule::default(), Instant::now());
        for hour in 0..5 {
            let now = start + Duration::from_secs(3600 * hour);
            assert!(schedule.failed(Part::Connector, &POLICY, now).is_some(), "hour {hour}");
            assert_eq!(schedule.take_due(now + Duration::from_secs(60)), [Part::Connector]);
        }
    }

    #[test]
    fn nothing_is_restarted_by_default() {
        let off = RestartPolicy { max_attempts: 0, ..POLICY };
        assert_eq!(RestartSchedule::default().failed(Part::Connector, &off, Instant::now()), None);
    }
}
