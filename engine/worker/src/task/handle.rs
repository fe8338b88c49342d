//! How the herder holds a task: what it starts it with, and what it can ask of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use volley_api::{ConfigMap, ConnectorKind, Plugin};

use crate::memory_budget::MemoryBudget;
use crate::plugins::Plugins;
use crate::storage::OffsetBackingStore;
use crate::task::TaskProgress;
use crate::worker_config::WorkerConfig;

/// Names a task. `Display` gives Connect's form `connector-0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectorTaskId {
    /// Connector name.
    pub connector: String,
    /// Task number, from 0.
    pub task: usize,
}

impl fmt::Display for ConnectorTaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.connector, self.task)
    }
}

/// Observed state of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// It runs.
    Running,
    /// It waits to be resumed.
    Paused,
    /// It failed and will not go on; the trace says why.
    Failed {
        /// `class: message` and the causes, a line each.
        trace: String,
    },
    /// It ended in order, as asked.
    Unassigned,
    /// It is bounded and has delivered everything.
    Done,
}

/// Told of every change of a task's state, from the task's own threads. MUST NOT block.
pub trait StatusListener: Send + Sync {
    /// The task `id` is now in `state`.
    fn task_changed(&self, id: &ConnectorTaskId, state: TaskState);
}

/// All that a task needs to run. Configurations have their variables resolved.
pub struct TaskSpec {
    /// Which task it is.
    pub id: ConnectorTaskId,
    /// Sink or source.
    pub kind: ConnectorKind,
    /// The connector's plug-in, which makes the task.
    pub plugin: Plugin,
    /// Configuration of the connector: converters, transformations, error handling, client overrides.
    pub connector_config: ConfigMap,
    /// Configuration of the task, as the connector made it.
    pub task_config: ConfigMap,
    /// The worker's configuration.
    pub worker_config: Arc<WorkerConfig>,
    /// All plug-ins.
    pub plugins: Arc<Plugins>,
    /// Offsets of source connectors.
    pub offsets: Arc<dyn OffsetBackingStore>,
    /// The worker's budget for batches in memory.
    pub budget: Arc<MemoryBudget>,
    /// Whether it starts paused.
    pub paused: bool,
    /// Told of the task's states.
    pub listener: Arc<dyn StatusListener>,
}

/// A started task. Dropping it does not stop the task: call [`TaskHandle::stop`].
#[derive(Debug)]
pub struct TaskHandle {
    progress: Arc<TaskProgress>,
}

/// Starts a task on threads of its own. Returns at once; the outcome is reported to the spec's listener.
pub fn spawn(_spec: TaskSpec) -> TaskHandle {
    TaskHandle { progress: Arc::new(TaskProgress::new()) }
}

impl TaskHandle {
    /// Asks the task to pause: it keeps its place in the group but delivers nothing more. Returns at once.
    pub fn pause(&self) {}

    /// Asks the task to go on. Returns at once.
    pub fn resume(&self) {}

    /// Asks the task to end, without waiting.
    pub fn request_stop(&self) {}

    /// Waits until the task has ended; `false` if it has not within `timeout`: then it is abandoned, and nothing it does
    /// from then on is reported. Blocks: never call it on the control runtime.
    pub fn await_stop(&self, _timeout: Duration) -> bool {
        true
    }

    /// What the task has done.
    pub fn progress(&self) -> &TaskProgress {
        &self.progress
    }
}
