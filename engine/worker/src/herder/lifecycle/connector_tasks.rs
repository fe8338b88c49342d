//! The tasks of one connector that run on this worker.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tracing::warn;
use volley_api::{ConfigMap, ConnectorKind, Error, Result};

use super::connector_parts::{has_variables, is_bounded_mode};
use super::producer_fence::{ProducerFence, TaskGuard};
use super::status_writer::StatusWriter;
use super::task_parts::{START_LIMIT, TaskParts};
use super::task_states::{TaskStates, TaskStatusListener};
use crate::connector_task_id::ConnectorTaskId;
use crate::herder::WorkerContext;
use crate::herder::connector_kind::connector_kind;
use crate::herder::lifecycle::bounded::read_run_offsets;
use crate::plugin_call::{Deadline, call_plugin};
use crate::storage::TaskProgressSnapshot;
use crate::storage::{OffsetBackingStore, State};
use crate::task::{self, BoundedRun, ExactlyOnceGuard, ReadConfig, RunShare, StatusListener, TaskHandle, TaskSpec};

/// Time beyond the tasks' own shutdown time-out before waiting for their end is given up.
const STOP_MARGIN: Duration = Duration::from_secs(1);

struct RunningTask {
    handle: Arc<TaskHandle>,
    listener: Arc<TaskStatusListener>,
}

/// The tasks of one connector. It may be read from any thread.
pub(crate) struct ConnectorTasks {
    context: Arc<WorkerContext>,
    connector: String,
    status: StatusWriter,
    task_states: Arc<TaskStates>,
    /// Set where sources deliver exactly once.
    fence: Option<Arc<dyn ProducerFence>>,
    running: Mutex<BTreeMap<usize, RunningTask>>,
    bounded: Mutex<Option<Arc<BoundedRun>>>,
    ends_by_itself: AtomicBool,
    /// Counters of the tasks of this run that were done before they were stopped.
    last: Mutex<BTreeMap<usize, TaskProgressSnapshot>>,
}

/// The parts that one task is made from: its configuration without variables, who reads it again, and the store of its offsets.
struct Resolved {
    task_config: ConfigMap,
    current_config: ReadConfig,
    offsets: Arc<dyn OffsetBackingStore>,
}

impl ConnectorTasks {
    pub(crate) fn new(
        context: Arc<WorkerContext>,
        connector: &str,
        status: StatusWriter,
        task_states: Arc<TaskStates>,
        fence: Option<Arc<dyn ProducerFence>>,
    ) -> Self {
        let connector = connector.to_owned();
        let (running, bounded, ends_by_itself) = (Mutex::default(), Mutex::default(), AtomicBool::new(false));
        Self {
            context,
            connector,
            status,
            task_states,
            fence,
            running,
            bounded,
            ends_by_itself,
            last: Mutex::default(),
        }
    }

    /// The tasks that are done.
    pub(crate) fn done_tasks(&self) -> BTreeSet<usize> {
        self.task_states.done_tasks()
    }

    /// The tasks that are done, with their last counters.
    pub(crate) fn done(&self) -> Vec<(usize, TaskProgressSnapshot)> {
        let done = self.done_tasks();
        self.snapshots().into_iter().filter(|(task, _)| done.contains(task)).collect()
    }

    /// Whether the run of the tasks ends by itself.
    pub(crate) fn is_bounded(&self) -> bool {
        self.ends_by_itself.load(Ordering::Acquire)
    }

    /// Task `task` could not be started: it is FAILED.
    pub(crate) fn fail(&self, task: usize, error: &Error) {
        warn!(connector = self.connector, task, %error, "task could not be started");
        self.status.task(task, State::Failed, Some(error.trace()), None);
        self.task_states.fail(task);
    }

    /// Takes the tasks that have failed since the last call.
    pub(crate) fn take_failed(&self) -> BTreeSet<usize> {
        self.task_states.take_failed()
    }

    /// How much of its share of a bounded run this worker has read; `None` if the run is not that of a bounded sink.
    pub(crate) fn run_share(&self) -> Option<RunShare> {
        self.bounded.lock().as_ref().map(|bounded| bounded.share())
    }

    /// The tasks that are started from now on belong to a new run of the connector.
    pub(crate) fn begin_run(&self, parts: &TaskParts) {
        let is_bounded =
            connector_kind(&parts.plugin) == ConnectorKind::Sink && is_bounded_mode(&parts.connector_config);
        let offsets = read_run_offsets(&parts.task_configs);
        self.ends_by_itself.store(is_bounded || offsets.is_some(), Ordering::Release);
        *self.bounded.lock() = is_bounded.then(|| Arc::new(BoundedRun::new(parts.range, offsets)));
        self.task_states.clear();
        self.last.lock().clear();
    }

    /// Starts task `task` of the commit at `position`.
    ///
    /// # Errors
    /// If its configuration cannot be resolved, or the store of its offsets cannot be opened: it is FAILED then.
    ///
    /// # Cancellation
    /// The task may have been started or not.
    pub(crate) async fn start(&self, task: usize, position: i64, parts: &TaskParts) -> Result<()> {
        self.task_states.start(task);
        match self.resolved(task, parts).await {
            Ok(resolved) => {
                self.spawn(task, position, parts, resolved);
                Ok(())
            }
            Err(error) => {
                self.fail(task, &error);
                Err(error)
            }
        }
    }

    async fn resolved(&self, task: usize, parts: &TaskParts) -> Result<Resolved> {
        let task_config =
            parts.task_configs.get(task).cloned().ok_or_else(|| {
                Error::fatal(format!("could not find a configuration of task {}-{task}", self.connector))
            })?;
        let (transformer, raw) = (Arc::clone(&self.context.transformer), task_config.clone());
        let current_config: ReadConfig = Arc::new(move || transformer.resolve(&raw));
        let task_config = self.without_variables(task_config).await?;
        let offsets = self.offset_store(parts, &parts.connector_config).await?;
        Ok(Resolved { task_config, current_config, offsets })
    }

    async fn without_variables(&self, task: ConfigMap) -> Result<ConfigMap> {
        if !has_variables(&task) {
            return Ok(task);
        }
        let transformer = Arc::clone(&self.context.transformer);
        let what = format!("a config provider of connector `{}`", self.connector);
        call_plugin(&what, Deadline::after(START_LIMIT), move || transformer.resolve(&task)).await?
    }

    async fn offset_store(&self, parts: &TaskParts, config: &ConfigMap) -> Result<Arc<dyn OffsetBackingStore>> {
        let is_source = connector_kind(&parts.plugin) == ConnectorKind::Source;
        if !is_source || !self.context.offset_stores.has_own(&self.connector, config) {
            return Ok(Arc::clone(&self.context.offsets));
        }
        let (stores, connector, config) =
            (Arc::clone(&self.context.offset_stores), self.connector.clone(), config.clone());
        let what = format!("opening the offset store of connector `{connector}`");
        call_plugin(&what, Deadline::after(START_LIMIT), move || stores.of(&connector, &config)).await?
    }

    /// What a source task that delivers exactly once asks before it writes.
    fn guard(&self, id: &ConnectorTaskId, kind: ConnectorKind, position: i64) -> Option<Arc<dyn ExactlyOnceGuard>> {
        let fence = self.fence.as_ref().filter(|_| kind == ConnectorKind::Source)?;
        let (context, runtime) = (Arc::clone(&self.context), Handle::current());
        Some(Arc::new(TaskGuard { context, fence: Arc::clone(fence), runtime, id: id.clone(), position }))
    }

    fn spawn(&self, task: usize, position: i64, parts: &TaskParts, resolved: Resolved) {
        let listener = Arc::new(TaskStatusListener::new(
            self.status.clone(),
            &parts.plugin.version,
            Arc::clone(&self.task_states),
        ));
        let (id, kind) = (ConnectorTaskId { connector: self.connector.clone(), task }, connector_kind(&parts.plugin));
        let exactly_once = self.guard(&id, kind, position);
        let spec = TaskSpec {
            metrics: self.context.metrics.task(&id, kind),
            id,
            kind,
            plugin: parts.plugin.clone(),
            connector_config: parts.connector_config.clone(),
            task_config: resolved.task_config,
            current_config: resolved.current_config,
            worker_config: Arc::clone(&self.context.config),
            plugins: Arc::new(self.context.plugins.of_connector(&parts.connector_config)),
            offsets: resolved.offsets,
            exactly_once,
            budget: Arc::clone(&self.context.budget),
            bounded: self.bounded.lock().clone(),
            paused: parts.paused,
            listener: Arc::clone(&listener) as Arc<dyn StatusListener>,
        };
        let handle = Arc::new(task::spawn(spec));
        self.running.lock().insert(task, RunningTask { handle, listener });
    }

    /// Pauses all tasks.
    pub(crate) fn pause(&self) {
        self.running.lock().values().for_each(|task| task.handle.pause());
    }

    /// Lets all tasks go on.
    pub(crate) fn resume(&self) {
        self.running.lock().values().for_each(|task| task.handle.resume());
    }

    /// Stops some tasks, those that were started, within one shutdown time-out. What does not end is abandoned. Returns
    /// their last counters.
    ///
    /// # Cancellation
    /// The tasks end, but nobody waits for them.
    pub(crate) async fn stop_these(&self, tasks: &[usize]) -> Vec<(usize, TaskProgressSnapshot)> {
        let found: BTreeMap<_, _> = {
            let mut running = self.running.lock();
            tasks.iter().filter_map(|task| running.remove_entry(task)).collect()
        };
        let handles: Vec<_> = found.iter().map(|(task, running)| (*task, Arc::clone(&running.handle))).collect();
        self.stop(found).await;
        let ended: Vec<_> = handles.into_iter().map(|(task, handle)| (task, handle.metrics().snapshot())).collect();
        let done = self.done_tasks();
        self.last.lock().extend(ended.iter().filter(|(task, _)| done.contains(task)).cloned());
        ended
    }

    async fn stop(&self, tasks: BTreeMap<usize, RunningTask>) {
        if tasks.is_empty() {
            return;
        }
        let timeout = self.context.config.task_shutdown_timeout();
        tasks.values().for_each(|task| task.handle.request_stop());
        let handles: Vec<_> = tasks.iter().map(|(task, running)| (*task, Arc::clone(&running.handle))).collect();
        let what = format!("the end of the tasks of connector `{}`", self.connector);
        let waiting =
            call_plugin(&what, Deadline::after(timeout + STOP_MARGIN), move || await_all(&handles, timeout)).await;
        let abandoned = waiting.unwrap_or_else(|_| tasks.keys().copied().collect());
        tasks.values().for_each(|task| task.listener.close());
        for task in abandoned {
            warn!(connector = self.connector, task, "task did not end in time and was abandoned");
            self.status.task(task, State::Unassigned, None, None);
        }
    }

    /// The counters of the tasks that were done when they were stopped, in this run.
    pub(crate) fn last_snapshots(&self) -> Vec<(usize, TaskProgressSnapshot)> {
        self.last.lock().iter().map(|(task, snapshot)| (*task, snapshot.clone())).collect()
    }

    /// The counters of all tasks.
    pub(crate) fn snapshots(&self) -> Vec<(usize, TaskProgressSnapshot)> {
        self.running.lock().iter().map(|(task, running)| (*task, running.handle.metrics().snapshot())).collect()
    }
}

/// Waits for the end of all, together for at most `timeout`; returns those that have not ended.
fn await_all(handles: &[(usize, Arc<TaskHandle>)], timeout: Duration) -> Vec<usize> {
    let deadline = Instant::now() + timeout;
    let late =
        handles.iter().filter(|(_, handle)| !handle.await_stop(deadline.saturating_duration_since(Instant::now())));
    late.map(|(task, _)| *task).collect()
}
