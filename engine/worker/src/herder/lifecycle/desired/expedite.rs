//! Tells an actor that the call which it is waiting for has to return soon.

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// Shared by an actor and those who send to it.
///
/// Sending and expediting are one step, and so are receiving and renewing. So a message never expedites the calls that are
/// made for it.
#[derive(Debug, Default)]
pub(crate) struct Expedite {
    token: Mutex<CancellationToken>,
}

impl Expedite {
    /// Runs `send`, and expedites the current call if it returns `true`. Returns what `send` returned.
    pub(crate) fn raise(&self, send: impl FnOnce() -> bool) -> bool {
        let token = self.token.lock();
        let is_expedited = send();
        if is_expedited {
            token.cancel();
        }
        is_expedited
    }

    /// For the actor: runs `receive`, and begins anew. `receive` also returns whether the calls that follow are expedited
    /// already, because more is waiting.
    pub(crate) fn renew<T>(&self, receive: impl FnOnce() -> (T, bool)) -> T {
        let mut token = self.token.lock();
        let (received, is_expedited) = receive();
        *token = CancellationToken::new();
        if is_expedited {
            token.cancel();
        }
        received
    }

    /// Cancelled when calls are expedited.
    pub(crate) fn token(&self) -> CancellationToken {
        self.token.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_received_is_not_expedited_by_its_own_sending() {
        let expedite = Arc::new(Expedite::default());
        let (sender, receiver) = mpsc::channel();
        let (receive, received) = mpsc::channel();
        let actor = Arc::clone(&expedite);
        let actor = std::thread::spawn(move || {
            receiver.recv().unwrap();
            actor.renew(|| (receive.send(()).unwrap(), false));
            actor.token().is_cancelled()
        });
        let before = expedite.token();
        expedite.raise(|| {
            sender.send(()).unwrap();
            assert!(received.recv_timeout(Duration::from_millis(20)).is_err(), "received before it was expedited");
            true
        });
        assert!(before.is_cancelled());
        assert!(!actor.join().unwrap());
        expedite.renew(|| ((), true));
        assert!(expedite.token().is_cancelled(), "what is waiting expedites as much as what comes later");
    }
}
