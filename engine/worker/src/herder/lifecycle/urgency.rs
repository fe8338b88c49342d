//! How urgent it is that a call into a connector returns.

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// Shared by an actor, and those who tell it what to do. Telling and raising are one step, and so are taking and renewing:
/// what has just been taken up is never held up by its own urgency.
#[derive(Debug, Default)]
pub(crate) struct Urgency {
    token: Mutex<CancellationToken>,
}

impl Urgency {
    /// Tells the actor something; the call that is out is urgent from now on if `tell` says that it is in the way. Returns
    /// what `tell` said.
    pub(crate) fn raise(&self, tell: impl FnOnce() -> bool) -> bool {
        let token = self.token.lock();
        let is_urgent = tell();
        if is_urgent {
            token.cancel();
        }
        is_urgent
    }

    /// For the actor: begins anew with what it takes; `take` says, too, whether more waits that is urgent.
    pub(crate) fn renew<T>(&self, take: impl FnOnce() -> (T, bool)) -> T {
        let mut token = self.token.lock();
        let (taken, is_urgent) = take();
        *token = CancellationToken::new();
        if is_urgent {
            token.cancel();
        }
        taken
    }

    /// Cancelled once it is urgent.
    pub(crate) fn token(&self) -> CancellationToken {
        self.token.lock().clone()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_taken_up_is_not_urgent_for_having_been_sent() {
        let urgency = Arc::new(Urgency::default());
        let (wish, wishes) = mpsc::channel();
        let (take, taken) = mpsc::channel();
        let actor = Arc::clone(&urgency);
        let actor = std::thread::spawn(move || {
            wishes.recv().unwrap();
            actor.renew(|| (take.send(()).unwrap(), false));
            actor.token().is_cancelled()
        });
        let before = urgency.token();
        urgency.raise(|| {
            wish.send(()).unwrap();
            assert!(taken.recv_timeout(Duration::from_millis(20)).is_err(), "taken before it was made urgent");
            true
        });
        assert!(before.is_cancelled());
        assert!(!actor.join().unwrap());
        urgency.renew(|| ((), true));
        assert!(urgency.token().is_cancelled(), "what waits is as urgent as what comes later");
    }
}
