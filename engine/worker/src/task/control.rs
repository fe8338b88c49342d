//! The desired state of a running task. The herder sets it, the threads of the task follow it, and the herder waits for their
//! end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};

use crate::connector_task_id::ConnectorTaskId;
use crate::metrics::TaskMetrics;
use crate::task::{StatusListener, TaskState};

/// The desired state of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Deliver records.
    Running,
    /// Keep the place in the group, but deliver nothing.
    Paused,
    /// Deliver and commit, then end by this moment.
    Stopped {
        /// After this moment the task is abandoned.
        deadline: Instant,
    },
}

#[derive(Debug)]
struct State {
    wanted: Wanted,
    is_ended: bool,
    /// Set by `ring` until the waiting thread has seen it.
    is_rung: bool,
    watchers: Vec<Sender<()>>,
    /// Told of each ring.
    ring_watchers: Vec<Sender<()>>,
}

/// Shared by the handle and all threads of a task.
pub(crate) struct Control {
    id: ConnectorTaskId,
    listener: Arc<dyn StatusListener>,
    metrics: Arc<TaskMetrics>,
    state: Mutex<State>,
    changed: Condvar,
    /// Beside the state, since it is read before each message of a source.
    is_abandoned: AtomicBool,
    topics: Mutex<HashMap<Arc<str>, Instant>>,
}

/// Interval at which the listener is notified that a topic is in use: short enough to notice a reset, long enough to
/// cost nothing.
const TOPIC_INTERVAL: Duration = Duration::from_secs(1);

impl Control {
    pub(crate) fn new(
        id: ConnectorTaskId,
        listener: Arc<dyn StatusListener>,
        metrics: Arc<TaskMetrics>,
        paused: bool,
    ) -> Self {
        let wanted = if paused { Wanted::Paused } else { Wanted::Running };
        let state = State { wanted, is_ended: false, is_rung: false, watchers: Vec::new(), ring_watchers: Vec::new() };
        Self {
            id,
            listener,
            metrics,
            state: Mutex::new(state),
            changed: Condvar::new(),
            is_abandoned: AtomicBool::new(false),
            topics: Mutex::default(),
        }
    }

    pub(crate) fn id(&self) -> &ConnectorTaskId {
        &self.id
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wanted(&self) -> Wanted {
        self.state().wanted
    }

    pub(crate) fn is_stopping(&self) -> bool {
        matches!(self.wanted(), Wanted::Stopped { .. })
    }

    /// Whether the herder no longer waits for the task's end. From then on the task MUST NOT have any effect.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::Acquire)
    }

    /// Sets the desired state. A stop is final.
    pub(crate) fn want(&self, wanted: Wanted) {
        let mut state = self.state();
        if !matches!(state.wanted, Wanted::Stopped { .. }) {
            state.wanted = wanted;
            self.tell(&mut state);
        }
    }

    fn tell(&self, state: &mut State) {
        wake(&mut state.watchers);
        self.changed.notify_all();
    }

    /// Receives a message after each change of the desired state, and when the task is abandoned.
    pub(crate) fn changes(&self) -> Receiver<()> {
        // one unread message is enough
        let (watcher, changes) = crossbeam_channel::bounded(1);
        self.state().watchers.push(watcher);
        changes
    }

    /// Receives a message after each [`Control::ring`], beside the thread in [`Control::wait_for_ring`].
    pub(crate) fn rings(&self) -> Receiver<()> {
        let (watcher, rings) = crossbeam_channel::bounded(1);
        self.state().ring_watchers.push(watcher);
        rings
    }

    /// Waits for at most `timeout`, less if the desired state changes. Does not wait once a stop is requested.
    pub(crate) fn wait(&self, timeout: Duration) {
        let state = self.state();
        let wanted = state.wanted;
        let is_same = |state: &mut State| state.wanted == wanted && !matches!(wanted, Wanted::Stopped { .. });
        let _ = self.changed.wait_timeout_while(state, timeout, is_same);
    }

    /// Wakes the thread in [`Control::wait_for_ring`], now or when it next waits.
    pub(crate) fn ring(&self) {
        let mut state = self.state();
        state.is_rung = true;
        wake(&mut state.ring_watchers);
        drop(state);
        self.changed.notify_all();
    }

    /// Waits for at most `timeout`, less if rung or if the desired state differs from the caller's `seen`. For a single
    /// thread.
    pub(crate) fn wait_for_ring(&self, seen: Wanted, timeout: Duration) {
        let state = self.state();
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, timeout, |state| state.wanted == seen && !state.is_rung)
            .unwrap_or_else(PoisonError::into_inner);
        state.is_rung = false;
    }

    /// Waits while the desired state is paused.
    pub(crate) fn wait_while_paused(&self) {
        let state = self.state();
        drop(self.changed.wait_while(state, |state| state.wanted == Wanted::Paused));
    }

    /// Reports a state, unless the task was abandoned.
    pub(crate) fn report(&self, state: TaskState) {
        if !self.is_abandoned() {
            self.metrics.state(state.observed());
            self.listener.task_changed(&self.id, state);
        }
    }

    /// Notes that records of this topic pass through the task.
    pub(crate) fn uses_topic(&self, topic: &Arc<str>) {
        let now = Instant::now();
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if topics.get(topic).is_some_and(|told| now - *told < TOPIC_INTERVAL) {
            return;
        }
        topics.insert(Arc::clone(topic), now);
        drop(topics);
        if !self.is_abandoned() {
            self.listener.topic_used(&self.id, topic);
        }
    }

    /// Notes that the task's threads have ended.
    pub(crate) fn ended(&self) {
        self.state().is_ended = true;
        self.changed.notify_all();
    }

    /// Waits for the task's end; abandons the task if it does not end within `timeout`.
    pub(crate) fn await_end(&self, timeout: Duration) -> bool {
        let state = self.state();
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, timeout, |state| !state.is_ended)
            .unwrap_or_else(PoisonError::into_inner);
        self.is_abandoned.store(!state.is_ended, Ordering::Release);
        self.tell(&mut state);
        state.is_ended
    }
}

/// Wakes those who still wait. One that has not read its message yet is already woken up.
fn wake(watchers: &mut Vec<Sender<()>>) {
    watchers.retain(|watcher| !watcher.try_send(()).is_err_and(|error| error.is_disconnected()));
}
