//! Whether a store can do something: found out when that is first of interest.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// What could not be found out is tried again, not sooner.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// An ability that may not be known yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Ability {
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    New,
    Asked,
    Unknown(Instant),
    Known(bool),
}

impl Ability {
    /// Whether it is known to be there. `ask` is called if somebody has to find it out, and then to say so.
    pub(super) fn is_there(&self, ask: impl FnOnce()) -> bool {
        let mut state = self.state.lock();
        let is_due = match *state {
            State::Known(is_there) => return is_there,
            State::Asked => false,
            State::New => true,
            State::Unknown(since) => since.elapsed() >= AGAIN_AFTER,
        };
        if is_due {
            *state = State::Asked;
            drop(state);
            ask();
        }
        false
    }

    /// Whether anybody has been interested in it.
    pub(super) fn is_of_interest(&self) -> bool {
        !matches!(*self.state.lock(), State::New)
    }

    /// It was found out; `None`: it could not be.
    pub(super) fn answer(&self, found: Option<bool>) {
        *self.state.lock() = found.map_or_else(|| State::Unknown(Instant::now()), State::Known);
    }
}
