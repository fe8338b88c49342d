//! The tasks of a connector that are done or have failed, as they reported it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tracing::info;

use super::status_writer::StatusWriter;
use crate::connector_task_id::ConnectorTaskId;
use crate::storage::State;
use crate::task::{StatusListener, TaskState};

/// Which tasks of one run of a connector are done, and which have failed since somebody asked.
#[derive(Debug)]
pub(crate) struct TaskStates {
    done: Mutex<BTreeSet<usize>>,
    failed: Mutex<BTreeSet<usize>>,
    wake: Arc<Notify>,
}

impl TaskStates {
    /// No tasks. `wake` is notified when a task is done or has failed.
    pub(crate) fn new(wake: Arc<Notify>) -> Self {
        Self { done: Mutex::default(), failed: Mutex::default(), wake }
    }

    /// Task `task` is started, and not done.
    pub(crate) fn start(&self, task: usize) {
        self.failed.lock().remove(&task);
        self.done.lock().remove(&task);
    }

    /// There are no tasks.
    pub(crate) fn clear(&self) {
        self.done.lock().clear();
        self.failed.lock().clear();
    }

    /// The tasks that are done.
    pub(crate) fn done_tasks(&self) -> BTreeSet<usize> {
        self.done.lock().clone()
    }

    /// Task `task` has failed.
    pub(crate) fn fail(&self, task: usize) {
        self.failed.lock().insert(task);
        self.wake.notify_one();
    }

    /// Takes the tasks that have failed.
    pub(crate) fn take_failed(&self) -> BTreeSet<usize> {
        std::mem::take(&mut *self.failed.lock())
    }

    fn finish(&self, task: usize) {
        self.done.lock().insert(task);
        self.wake.notify_one();
    }
}

/// Listens to one run of one task.
pub(crate) struct TaskStatusListener {
    is_closed: AtomicBool,
    status: StatusWriter,
    version: String,
    task_states: Arc<TaskStates>,
}

impl TaskStatusListener {
    /// Writes the reported states to `status`, and notes in `task_states` that the task is done or has failed.
    pub(crate) fn new(status: StatusWriter, version: &str, task_states: Arc<TaskStates>) -> Self {
        Self { is_closed: AtomicBool::new(false), status, version: version.to_owned(), task_states }
    }

    /// Ignores what is reported from now on: the task was stopped or abandoned.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }
}

impl StatusListener for TaskStatusListener {
    fn task_changed(&self, id: &ConnectorTaskId, state: TaskState) {
        if self.is_closed.load(Ordering::Acquire) {
            return;
        }
        let has_failed = matches!(state, TaskState::Failed { .. });
        let (state, trace, is_done) = match state {
            TaskState::Running => (State::Running, None, false),
            TaskState::Paused => (State::Paused, None, false),
            TaskState::Failed { trace } => (State::Failed, Some(trace), false),
            TaskState::Unassigned => (State::Unassigned, None, false),
            // Kafka Connect has no word for it; the connector's state says the rest once all tasks are done.
            TaskState::Done => (State::Unassigned, None, true),
        };
        info!(task = %id, %state, "task changed its state");
        self.status.task(id.task, state, trace, Some(&self.version));
        if is_done {
            self.task_states.finish(id.task);
        }
        if has_failed {
            self.task_states.fail(id.task);
        }
    }

    fn topic_used(&self, id: &ConnectorTaskId, topic: &str) {
        if !self.is_closed.load(Ordering::Acquire) {
            self.status.topic(id.task, topic);
        }
    }
}
