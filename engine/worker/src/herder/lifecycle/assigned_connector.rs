//! What is assigned to this worker of one connector, and the two actors that run it.
//!
//! ```text
//!  desired state ─►┐   ┌─► AssignedInstance ─► WorkerConnector
//!  restarts ──────►┴───┤
//!                      └─► AssignedTasks ────► ConnectorTasks
//! ```
//! So tasks do not wait for calls into their connector.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};

use super::actor_parts::{ActorParts, AssignedView, Reply, in_the_way};
use super::assigned_instance::AssignedInstance;
use super::assigned_tasks::{AssignedTasks, TaskRestart};
use super::connector_tasks::ConnectorTasks;
use super::desired::{DesiredState, Expedite, Reconciliation};
use super::restart_schedule::Part;
use super::status_writer::StatusWriter;
use super::task_config_publisher::TaskConfigPublisher;
use super::task_states::TaskStates;
use crate::error::HerderResult;
use crate::herder::WorkerContext;
use crate::spawned_task::SpawnedTask;
use crate::storage::State;

/// Restarts that may wait for one actor; more than any user sends by hand.
const MAILBOX: usize = 64;

/// What is assigned here of one connector. Its actors end when it is dropped: MUST NOT be, before they have stopped
/// everything.
pub(crate) struct AssignedConnector {
    instance: Arc<Reconciliation>,
    expedite: Arc<Expedite>,
    instance_restarts: mpsc::Sender<Option<Reply>>,
    tasks: Arc<Reconciliation>,
    task_restarts: mpsc::Sender<TaskRestart>,
    parts: ActorParts,
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
        let states = Arc::new(TaskStates::new(Arc::clone(&wake)));
        let view = Arc::new(AssignedView {
            tasks: ConnectorTasks::new(
                Arc::clone(context),
                name,
                status.clone(),
                states,
                Arc::clone(&publisher).producer_fence(),
            ),
            meter: Mutex::default(),
            is_bounded: AtomicBool::new(false),
        });
        let parts = ActorParts { name: name.to_owned(), context: Arc::clone(context), status, view };
        let (instance, tasks) = (Arc::new(Reconciliation::new()), Arc::new(Reconciliation::new()));
        let expedite = Arc::new(Expedite::default());
        let (instance_restarts, of_instance) = mpsc::channel(MAILBOX);
        let (task_restarts, of_tasks) = mpsc::channel(MAILBOX);
        let reconciler = instance.reconciler();
        let actor = AssignedInstance::new(parts.clone(), publisher, of_instance, reconciler, Arc::clone(&expedite));
        let instance_actor = SpawnedTask::start(runtime, format!("the actor of connector `{name}`"), actor.run());
        let actor = AssignedTasks::new(parts.clone(), of_tasks, tasks.reconciler(), wake);
        let tasks_actor =
            SpawnedTask::start(runtime, format!("the actor of the tasks of connector `{name}`"), actor.run());
        let actors = [instance_actor, tasks_actor];
        Self { instance, expedite, instance_restarts, tasks, task_restarts, parts, actors }
    }

    /// Sets the desired state.
    pub(crate) fn set_desired(&self, desired: &DesiredState) {
        self.tasks.set_desired(desired.of_tasks());
        let desired = desired.of_instance();
        self.expedite.raise(|| {
            let ends_instance = desired.ends_instance_of(&self.instance.desired());
            self.instance.set_desired(desired) && ends_instance
        });
    }

    /// Whether the connector's own instance shall run here.
    pub(crate) fn has_instance(&self) -> bool {
        self.instance.desired().connector.is_some()
    }

    /// Whether a task shall run here.
    pub(crate) fn has_task(&self, task: usize) -> bool {
        self.tasks.desired().tasks.contains_key(&task)
    }

    /// Whether the connector is known to end by itself.
    pub(crate) fn is_bounded(&self) -> bool {
        self.parts.view.is_bounded.load(Ordering::Acquire)
    }

    /// Whether nothing of the connector shall run here, and nothing does.
    pub(crate) fn has_ended(&self) -> bool {
        self.reconciliations().iter().all(|work| work.desired().is_nothing() && work.is_stopped())
    }

    /// The desired states of the instance and of the tasks, for those who wait.
    pub(crate) fn reconciliations(&self) -> [Arc<Reconciliation>; 2] {
        [Arc::clone(&self.instance), Arc::clone(&self.tasks)]
    }

    /// What may be read while the actors are busy.
    pub(crate) fn view(&self) -> Arc<AssignedView> {
        Arc::clone(&self.parts.view)
    }

    /// Asks for the restart of a part.
    ///
    /// # Errors
    /// If too many are waiting already, or an actor has ended.
    pub(crate) fn restart(&self, part: Part, reply: Reply) -> HerderResult<()> {
        self.actors.iter().try_for_each(SpawnedTask::check)?;
        match part {
            Part::Connector => {
                let is_sent = self.expedite.raise(|| self.instance_restarts.try_send(Some(reply)).is_ok());
                is_sent.then_some(()).ok_or_else(in_the_way)
            }
            Part::Task(task) => self.task_restarts.try_send(TaskRestart::One(task, reply)).map_err(|_| in_the_way()),
        }
    }

    /// Asks for the restart of a selection. The selected parts are RESTARTING from now on; nobody waits for them.
    ///
    /// # Errors
    /// If too many are waiting already.
    pub(crate) fn restart_selected(&self, connector: bool, tasks: Vec<usize>) -> HerderResult<()> {
        let instance = if connector { self.restart_selected_instance() } else { Ok(()) };
        let tasks = if tasks.is_empty() { Ok(()) } else { self.restart_selected_tasks(tasks) };
        instance.and(tasks)
    }

    fn restart_selected_instance(&self) -> HerderResult<()> {
        let permit = self.instance_restarts.try_reserve().map_err(|_| in_the_way())?;
        // Before it is sent: the state after the restart has to come later.
        self.parts.status.connector(State::Restarting, None, None);
        self.expedite.raise(|| {
            permit.send(None);
            true
        });
        Ok(())
    }

    fn restart_selected_tasks(&self, tasks: Vec<usize>) -> HerderResult<()> {
        let permit = self.task_restarts.try_reserve().map_err(|_| in_the_way())?;
        for task in &tasks {
            self.parts.status.task(*task, State::Restarting, None, None);
        }
        permit.send(TaskRestart::Selected(tasks));
        Ok(())
    }
}
