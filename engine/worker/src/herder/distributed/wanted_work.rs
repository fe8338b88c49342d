//! What is wanted of one connector on this worker, and how far its actor has come with that.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::storage::TargetState;

/// What shall run here. Positions are those of the config topic: what was started from an earlier one is out of date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The connector's own instance.
    pub(super) connector: Option<i64>,
    /// Tasks by number.
    pub(super) tasks: BTreeMap<usize, i64>,
    /// The state that all of it shall be in.
    pub(super) target: TargetState,
}

impl Wanted {
    /// Nothing.
    pub(super) fn nothing() -> Self {
        Self { connector: None, tasks: BTreeMap::new(), target: TargetState::Started }
    }

    /// Whether nothing of the connector is wanted.
    pub(super) fn is_nothing(&self) -> bool {
        self.connector.is_none() && self.tasks.is_empty()
    }
}

/// Tells an actor what is wanted. Only the latest counts: what was wanted for a moment only may never be seen.
#[derive(Debug)]
pub(super) struct WantedWork {
    wanted: watch::Sender<(u64, Wanted)>,
    stopped: watch::Sender<u64>,
    /// Only for [`WantedWork::want`], so that versions and wishes come in the same order.
    turn: Mutex<()>,
}

impl WantedWork {
    /// Nothing is wanted yet.
    pub(super) fn new() -> Self {
        let wanted = watch::Sender::new((0, Wanted::nothing()));
        Self { wanted, stopped: watch::Sender::new(0), turn: Mutex::new(()) }
    }

    /// From now on `wanted` shall run. Returns the version to wait for with [`WantedWork::await_stopped`]; `None` if that
    /// is what was wanted already.
    pub(super) fn want(&self, wanted: Wanted) -> Option<u64> {
        let _turn = self.turn.lock();
        let mut version = None;
        self.wanted.send_if_modified(|current| {
            if current.1 == wanted {
                return false;
            }
            *current = (current.0 + 1, wanted);
            version = Some(current.0);
            true
        });
        version
    }

    /// What is wanted.
    pub(super) fn latest(&self) -> Wanted {
        self.wanted.borrow().1.clone()
    }

    /// For the actor: to be told of changes.
    pub(super) fn subscribe(&self) -> watch::Receiver<(u64, Wanted)> {
        self.wanted.subscribe()
    }

    /// For the actor: nothing runs any more that was not wanted at `version`.
    pub(super) fn has_stopped(&self, version: u64) {
        self.stopped.send_modify(|stopped| *stopped = version.max(*stopped));
    }

    /// Waits until nothing runs any more that was not wanted at `version`.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(super) async fn await_stopped(&self, version: u64) {
        // The sender is `self`: it cannot be gone.
        let _ = self.stopped.subscribe().wait_for(|stopped| *stopped >= version).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wish_is_granted_once_all_that_stood_against_it_has_stopped() {
        let work = WantedWork::new();
        let wish = Wanted { connector: Some(3), ..Wanted::nothing() };
        let version = work.want(wish.clone()).unwrap_or_default();
        assert_eq!(work.want(wish), None, "the same wish twice is one");
        work.has_stopped(version);
        work.await_stopped(version).await;
        assert!(!work.latest().is_nothing());
    }
}
