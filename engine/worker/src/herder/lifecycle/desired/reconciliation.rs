//! How an actor is told the desired state, and tells how far it has come.
//!
//! ```text
//!  set_desired ─► version 7 ─► actor: stops what is not desired ─► has_stopped(7) ─► await_stopped
//!                                     starts what is missing ────► has_reached(7) ─► await_reached
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use super::desired_state::DesiredState;
use crate::error::{HerderError, HerderResult};

/// The desired state of what one actor runs. Only the latest counts: the actor may never see one that was soon replaced.
#[derive(Debug)]
pub(crate) struct Reconciliation {
    desired: watch::Sender<(u64, DesiredState)>,
    /// The last version that took something away.
    must_stop: AtomicU64,
    stopped: watch::Sender<u64>,
    reached: Mutex<Reached>,
}

/// How far the actor has come, and who waits for what.
#[derive(Debug)]
struct Reached {
    version: u64,
    outcome: HerderResult<()>,
    waiting: Vec<(u64, oneshot::Sender<HerderResult<()>>)>,
}

impl Reached {
    fn reach(&mut self, version: u64, outcome: &HerderResult<()>) {
        if version <= self.version {
            return;
        }
        (self.version, self.outcome) = (version, outcome.clone());
        for (_, reply) in self.waiting.extract_if(.., |(awaited, _)| *awaited <= version) {
            // Whoever waited may have gone.
            let _ = reply.send(outcome.clone());
        }
    }
}

/// The actor's side.
#[derive(Debug)]
pub(crate) struct Reconciler {
    shared: Arc<Reconciliation>,
    changes: watch::Receiver<(u64, DesiredState)>,
    /// The version that was taken last.
    version: u64,
}

impl Reconciliation {
    /// Nothing is desired yet.
    pub(crate) fn new() -> Self {
        Self {
            desired: watch::Sender::new((0, DesiredState::nothing())),
            must_stop: AtomicU64::new(0),
            stopped: watch::Sender::new(0),
            reached: Mutex::new(Reached { version: 0, outcome: Ok(()), waiting: Vec::new() }),
        }
    }

    /// The actor's side of this. There MUST be one only.
    pub(crate) fn reconciler(self: &Arc<Self>) -> Reconciler {
        Reconciler { shared: Arc::clone(self), changes: self.desired.subscribe(), version: 0 }
    }

    /// Sets the desired state. Returns whether it has changed.
    pub(crate) fn set_desired(&self, desired: DesiredState) -> bool {
        self.desired.send_if_modified(|current| {
            let is_new = current.1 != desired;
            if is_new {
                if desired.takes_away_from(&current.1) {
                    self.must_stop.store(current.0 + 1, Ordering::Release);
                }
                *current = (current.0 + 1, desired);
            }
            is_new
        })
    }

    /// The desired state.
    pub(crate) fn desired(&self) -> DesiredState {
        self.desired.borrow().1.clone()
    }

    /// Whether nothing runs any more that is not desired now.
    pub(crate) fn is_stopped(&self) -> bool {
        *self.stopped.borrow() >= self.must_stop.load(Ordering::Acquire)
    }

    /// Waits until nothing runs any more that is not desired now.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(crate) async fn await_stopped(&self) {
        let version = self.must_stop.load(Ordering::Acquire);
        // The sender is `self`: it cannot be gone.
        let _ = self.stopped.subscribe().wait_for(|stopped| *stopped >= version).await;
    }

    /// Waits until the actor has done what it can for the desired state of now, or for a later one that has replaced it.
    ///
    /// # Errors
    /// What kept the actor from reaching the desired state. It may try again.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(crate) async fn await_reached(&self) -> HerderResult<()> {
        let answer = {
            let version = self.desired.borrow().0;
            let mut reached = self.reached.lock();
            if reached.version >= version {
                return reached.outcome.clone();
            }
            let (reply, answer) = oneshot::channel();
            reached.waiting.push((version, reply));
            answer
        };
        answer.await.unwrap_or_else(|_| Err(HerderError::shutting_down()))
    }
}

impl Reconciler {
    /// Waits for another desired state.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(crate) async fn changed(&mut self) {
        // The sender is in `shared`: it cannot be gone.
        let _ = self.changes.changed().await;
    }

    /// For those who wait for a change while the actor is busy.
    pub(crate) fn changes(&self) -> watch::Receiver<(u64, DesiredState)> {
        self.changes.clone()
    }

    /// The latest desired state, if it was not taken yet.
    pub(crate) fn untaken(&self) -> Option<DesiredState> {
        self.changes.has_changed().unwrap_or_default().then(|| self.changes.borrow().1.clone())
    }

    /// Takes the latest desired state.
    pub(crate) fn take(&mut self) -> DesiredState {
        let (version, desired) = self.changes.borrow_and_update().clone();
        self.version = version;
        desired
    }

    /// Nothing runs any more that is not part of the desired state that was taken last.
    pub(crate) fn has_stopped(&self) {
        let version = self.version;
        self.shared.stopped.send_modify(|stopped| *stopped = version.max(*stopped));
    }

    /// The actor has done what it can for the desired state that was taken last. Only the first call for it counts.
    pub(crate) fn has_reached(&self, outcome: &HerderResult<()>) {
        self.shared.reached.lock().reach(self.version, outcome);
    }
}

impl Drop for Reconciler {
    /// An actor that has ended, and be it by a panic, keeps nobody waiting.
    fn drop(&mut self) {
        let reason = match std::thread::panicking() {
            true => HerderError::Internal(
                "what runs the connector has ended by a defect of Volley, see the log: restart the worker".to_owned(),
            ),
            false => HerderError::shutting_down(),
        };
        self.shared.reached.lock().reach(u64::MAX, &Err(reason));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::spawned_task::SpawnedTask;

    fn with_instance(position: i64) -> DesiredState {
        DesiredState { connector: Some(position), ..DesiredState::nothing() }
    }

    #[tokio::test]
    async fn a_desired_state_waits_for_the_end_of_what_it_takes_away_only() {
        let work = Arc::new(Reconciliation::new());
        let mut actor = work.reconciler();
        assert!(work.set_desired(with_instance(3)));
        assert!(!work.set_desired(with_instance(3)), "the same state again is no change");
        work.await_stopped().await;
        let tasks_only = DesiredState { tasks: BTreeMap::from([(0, 4)]), ..DesiredState::nothing() };
        assert!(work.set_desired(tasks_only));
        assert!(timeout(Duration::from_millis(10), work.await_stopped()).await.is_err());
        assert!(!work.is_stopped());
        assert!(!actor.take().is_nothing());
        actor.has_stopped();
        assert!(work.is_stopped());
        work.await_stopped().await;
    }

    #[tokio::test]
    async fn who_waits_for_a_desired_state_is_told_what_came_of_it() {
        let work = Arc::new(Reconciliation::new());
        let mut actor = work.reconciler();
        work.set_desired(with_instance(3));
        assert!(timeout(Duration::from_millis(10), work.await_reached()).await.is_err());
        actor.take();
        actor.has_reached(&Err(HerderError::BadRequest("the first".into())));
        actor.has_reached(&Ok(()));
        assert_eq!(work.await_reached().await.unwrap_err().to_string(), "the first");
        work.set_desired(with_instance(4));
        let mut waiting = {
            let work = Arc::clone(&work);
            SpawnedTask::start_here("a request", async move { work.await_reached().await })
        };
        tokio::task::yield_now().await;
        actor.take();
        actor.has_reached(&Err(HerderError::BadRequest("the second".into())));
        work.set_desired(with_instance(5));
        actor.take();
        actor.has_reached(&Ok(()));
        let told = waiting.outcome().await.unwrap();
        assert_eq!(told.unwrap_err().to_string(), "the second", "and not what came of the state after it");
        work.set_desired(with_instance(6));
        drop(actor);
        assert!(work.await_reached().await.is_err(), "an actor that has ended keeps nobody waiting");
    }
}
