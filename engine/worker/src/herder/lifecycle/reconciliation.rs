//! What is wanted of one connector on this worker, and how far its actors have come with that.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use crate::storage::TargetState;

/// What shall run here. Positions are those of the config topic: what was started from an earlier one is out of date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DesiredState {
    /// The connector's own instance.
    pub(crate) connector: Option<i64>,
    /// The last commit of its tasks, where the instance is wanted: it compares it with what it made.
    pub(crate) commit: i64,
    /// Tasks by number.
    pub(crate) tasks: BTreeMap<usize, i64>,
    /// The state that all of it shall be in.
    pub(crate) target: TargetState,
}

impl DesiredState {
    /// Nothing.
    pub(crate) fn nothing() -> Self {
        Self { connector: None, commit: 0, tasks: BTreeMap::new(), target: TargetState::Started }
    }

    /// What of it is the instance's business.
    pub(crate) fn of_instance(&self) -> Self {
        Self { tasks: BTreeMap::new(), ..self.clone() }
    }

    /// What of it is the tasks' business.
    pub(crate) fn of_tasks(&self) -> Self {
        Self { connector: None, commit: 0, ..self.clone() }
    }

    /// Whether an instance that is at work for `before` is in the way of this.
    pub(crate) fn ends_instance_of(&self, before: &Self) -> bool {
        before.connector.is_some() && (self.connector != before.connector || self.target == TargetState::Stopped)
    }

    /// Whether something has to stop that was wanted `before`, here or to be started anew.
    fn takes_away_from(&self, before: &Self) -> bool {
        let stops = |(task, position): (&usize, &i64)| self.tasks.get(task) != Some(position);
        (before.connector.is_some() && self.connector.is_none()) || before.tasks.iter().any(stops)
    }

    /// Whether nothing of the connector is wanted.
    pub(crate) fn is_nothing(&self) -> bool {
        self.connector.is_none() && self.tasks.is_empty()
    }
}

/// Tells an actor what is wanted. Only the latest counts: what was wanted for a moment only may never be seen.
#[derive(Debug)]
pub(crate) struct Reconciliation {
    desired: watch::Sender<(u64, DesiredState)>,
    /// The version of the last wish that took something away.
    must_stop: AtomicU64,
    stopped: watch::Sender<u64>,
}

impl Reconciliation {
    /// Nothing is wanted yet.
    pub(crate) fn new() -> Self {
        let desired = watch::Sender::new((0, DesiredState::nothing()));
        Self { desired, must_stop: AtomicU64::new(0), stopped: watch::Sender::new(0) }
    }

    /// From now on `wanted` shall run; whether that is news.
    pub(crate) fn set_desired(&self, desired: DesiredState) -> bool {
        self.desired.send_if_modified(|current| {
            let is_news = current.1 != desired;
            if is_news {
                if desired.takes_away_from(&current.1) {
                    self.must_stop.store(current.0 + 1, Ordering::Release);
                }
                *current = (current.0 + 1, desired);
            }
            is_news
        })
    }

    /// What is wanted.
    pub(crate) fn latest(&self) -> DesiredState {
        self.desired.borrow().1.clone()
    }

    /// For the actor: to be told of changes.
    pub(crate) fn subscribe(&self) -> watch::Receiver<(u64, DesiredState)> {
        self.desired.subscribe()
    }

    /// For the actor: nothing runs any more that was not wanted at `version`.
    pub(crate) fn has_stopped(&self, version: u64) {
        self.stopped.send_modify(|stopped| *stopped = version.max(*stopped));
    }

    /// Whether nothing runs any more that is not wanted now.
    pub(crate) fn is_stopped(&self) -> bool {
        *self.stopped.borrow() >= self.must_stop.load(Ordering::Acquire)
    }

    /// Waits until nothing runs any more that is not wanted now.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(crate) async fn await_stopped(&self) {
        let version = self.must_stop.load(Ordering::Acquire);
        // The sender is `self`: it cannot be gone.
        let _ = self.stopped.subscribe().wait_for(|stopped| *stopped >= version).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wish_is_granted_once_all_that_stood_against_it_has_stopped() {
        let work = Reconciliation::new();
        let desired = DesiredState { connector: Some(3), ..DesiredState::nothing() };
        assert!(work.set_desired(desired.clone()));
        assert!(!work.set_desired(desired), "the same desired twice is one");
        work.await_stopped().await;
        let desired = DesiredState { tasks: BTreeMap::from([(0, 4)]), ..DesiredState::nothing() };
        assert!(work.set_desired(desired));
        let waits = tokio::time::timeout(std::time::Duration::from_millis(10), work.await_stopped());
        assert!(waits.await.is_err());
        assert!(!work.is_stopped());
        work.has_stopped(2);
        assert!(work.is_stopped());
        work.await_stopped().await;
        assert!(!work.latest().is_nothing());
    }
}
