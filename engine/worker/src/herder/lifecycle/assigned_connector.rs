//! What of one connector is assigned to this worker: where its two actors are told what to do.
//!
//! ```text
//!  herder loop ─ what is wanted ─►┐   ┌─► AssignedInstance ─► WorkerConnector
//!  REST ─────── restarts ────────►┴───┤
//!                                     └─► AssignedTasks ────► ConnectorTasks
//! ```
//! So tasks wait for no call into their connector.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, oneshot};

use super::assigned_instance::AssignedInstance;
use super::assigned_tasks::{AssignedTasks, TaskRestart};
use super::connector_tasks::ConnectorTasks;
use super::expedite::Expedite;
use super::reconciliation::{DesiredState, Reconciliation};
use super::status_writer::StatusWriter;
use super::task_config_publisher::TaskConfigPublisher;
use super::task_states::TaskStates;
use crate::error::{HerderError, HerderResult};
use crate::herder::WorkerContext;
use crate::herder::progress::RateMeter;
use crate::spawned_task::SpawnedTask;

/// Restarts that may wait for one actor; more than any user sends by hand.
const MAILBOX: usize = 64;

/// Told how a restart went; who asked may have gone.
pub(crate) type Reply = oneshot::Sender<HerderResult<()>>;

/// A restart of what is assigned here.
#[derive(Debug)]
pub(crate) enum Restart {
    /// The connector's own instance.
    Connector { reply: Reply },
    /// One task.
    Task { task: usize, reply: Reply },
}

/// What may be read of a connector while its actors are busy.
pub(crate) struct AssignedView {
    pub(crate) tasks: ConnectorTasks,
    pub(crate) meter: Mutex<RateMeter>,
}

/// What is assigned here of one connector. Its actors end when it is dropped: MUST NOT be, before they have stopped
/// everything.
pub(crate) struct AssignedConnector {
    instance: Arc<Reconciliation>,
    expedite: Arc<Expedite>,
    instance_restarts: mpsc::Sender<Option<Reply>>,
    tasks: Arc<Reconciliation>,
    task_restarts: mpsc::Sender<TaskRestart>,
    pub(crate) view: Arc<AssignedView>,
    actors: [SpawnedTask; 2],
}

impl AssignedConnector {
    /// Starts actors that run nothing yet.
    pub(crate) fn start(
        runtime: &Handle,
        name: &str,
        context: &Arc<WorkerContext>,
        publisher: Arc<dyn TaskConfigPublisher>,
    ) -> Self {
        let wake = Arc::new(Notify::new());
        let status = StatusWriter::new(Arc::clone(context), name);
        let task_states = Arc::new(TaskStates::new(Arc::clone(&wake)));
        let view = Arc::new(AssignedView {
            tasks: ConnectorTasks::new(Arc::clone(context), name, status.clone(), task_states),
            meter: Mutex::default(),
        });
        let (instance, tasks) = (Arc::new(Reconciliation::new()), Arc::new(Reconciliation::new()));
        let expedite = Arc::new(Expedite::default());
        let (instance_restarts, of_instance) = mpsc::channel(MAILBOX);
        let (task_restarts, of_tasks) = mpsc::channel(MAILBOX);
        let actor = AssignedInstance::new(
            (name, Arc::clone(context), status.clone()),
            publisher,
            of_instance,
            Arc::clone(&instance),
            Arc::clone(&expedite),
        );
        let instance_actor = SpawnedTask::start(runtime, format!("the actor of connector `{name}`"), actor.run());
        let actor = AssignedTasks::new(
            (name, Arc::clone(context), status),
            Arc::clone(&view),
            of_tasks,
            Arc::clone(&tasks),
            wake,
        );
        let tasks_actor =
            SpawnedTask::start(runtime, format!("the actor of the tasks of connector `{name}`"), actor.run());
        let actors = [instance_actor, tasks_actor];
        Self { instance, expedite, instance_restarts, tasks, task_restarts, view, actors }
    }

    /// From now on this is wanted.
    pub(crate) fn set_desired(&self, desired: &DesiredState) {
        self.tasks.set_desired(desired.of_tasks());
        let desired = desired.of_instance();
        self.expedite.raise(|| {
            let ends_instance = desired.ends_instance_of(&self.instance.latest());
            self.instance.set_desired(desired) && ends_instance
        });
    }

    /// Whether the connector's own instance is wanted here.
    pub(crate) fn has_instance(&self) -> bool {
        self.instance.latest().connector.is_some()
    }

    /// Whether a task is wanted here.
    pub(crate) fn has_task(&self, task: usize) -> bool {
        self.tasks.latest().tasks.contains_key(&task)
    }

    /// Whether nothing of the connector is wanted here, and nothing runs.
    pub(crate) fn has_ended(&self) -> bool {
        [&self.instance, &self.tasks].into_iter().all(|work| work.latest().is_nothing() && work.is_stopped())
    }

    /// The cells through which the actors are told what is wanted, for those who wait.
    pub(crate) fn work(&self) -> [Arc<Reconciliation>; 2] {
        [Arc::clone(&self.instance), Arc::clone(&self.tasks)]
    }

    /// Asks for a restart.
    ///
    /// # Errors
    /// If too many wait already, or an actor is no more.
    pub(crate) fn restart(&self, restart: Restart) -> HerderResult<()> {
        self.actors.iter().try_for_each(SpawnedTask::check)?;
        match restart {
            Restart::Connector { reply } => self.restart_instance(Some(reply)),
            Restart::Task { task, reply } => self.restart_tasks(TaskRestart::One(task, reply)),
        }
    }

    /// Asks for the restart of a selection. Nobody waits; the states say what comes of it.
    ///
    /// # Errors
    /// If too many wait already.
    pub(crate) fn restart_share(&self, connector: bool, tasks: Vec<usize>) -> HerderResult<()> {
        let instance = if connector { self.restart_instance(None) } else { Ok(()) };
        let tasks = if tasks.is_empty() { Ok(()) } else { self.restart_tasks(TaskRestart::Share(tasks)) };
        instance.and(tasks)
    }

    fn restart_instance(&self, reply: Option<Reply>) -> HerderResult<()> {
        let is_sent = self.expedite.raise(|| self.instance_restarts.try_send(reply).is_ok());
        is_sent.then_some(()).ok_or_else(in_the_way)
    }

    fn restart_tasks(&self, restart: TaskRestart) -> HerderResult<()> {
        self.task_restarts.try_send(restart).map_err(|_| in_the_way())
    }
}

/// Something else is in the way of a request for the moment.
pub(crate) fn in_the_way() -> HerderError {
    HerderError::Conflict(
        "Cannot complete request because of a conflicting operation (e.g. worker rebalance)".to_owned(),
    )
}
