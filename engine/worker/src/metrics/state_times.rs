//! How long a task was in which state. Pure: the caller says what time it is.

use std::time::{Duration, Instant};

use crate::storage::State;

/// Time spent in each state since the task was made. It is UNASSIGNED until it says something else, as in Kafka Connect.
#[derive(Clone, Debug)]
pub(crate) struct StateTimes {
    made: Instant,
    current: State,
    since: Instant,
    running: Duration,
    paused: Duration,
}

impl StateTimes {
    /// A task made at `now`.
    pub(crate) fn new(now: Instant) -> Self {
        Self { made: now, current: State::Unassigned, since: now, running: Duration::ZERO, paused: Duration::ZERO }
    }

    /// The task goes into a state.
    pub(crate) fn enter(&mut self, state: State, now: Instant) {
        (self.running, self.paused) = (self.in_state(State::Running, now), self.in_state(State::Paused, now));
        self.since = now;
        self.current = state;
    }

    /// The state that the task is in.
    pub(crate) fn current(&self) -> State {
        self.current
    }

    /// Share of its life that the task was RUNNING, from 0 to 1.
    pub(crate) fn running_ratio(&self, now: Instant) -> f64 {
        self.ratio(self.in_state(State::Running, now), now)
    }

    /// Share of its life that the task was PAUSED, from 0 to 1.
    pub(crate) fn pause_ratio(&self, now: Instant) -> f64 {
        self.ratio(self.in_state(State::Paused, now), now)
    }

    fn in_state(&self, state: State, now: Instant) -> Duration {
        let before = if state == State::Running { self.running } else { self.paused };
        let current = if self.current == state { now.duration_since(self.since) } else { Duration::ZERO };
        before + current
    }

    fn ratio(&self, part: Duration, now: Instant) -> f64 {
        let life = now.duration_since(self.made).as_secs_f64();
        if life > 0.0 { part.as_secs_f64() / life } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_its_share_of_the_life_of_the_task() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut times = StateTimes::new(start);
        times.enter(State::Running, at(1));
        times.enter(State::Paused, at(4));
        times.enter(State::Running, at(6));
        assert_eq!((times.running_ratio(at(10)), times.pause_ratio(at(10))), (0.7, 0.2));
        times.enter(State::Failed, at(10));
        assert_eq!((times.current(), times.running_ratio(at(14))), (State::Failed, 0.5));
    }
}
