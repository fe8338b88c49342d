//! Everything that is assigned to this worker, connector by connector.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tracing::warn;

use super::actor_parts::AssignedView;
use super::assigned_connector::AssignedConnector;
use super::desired::{DesiredState, Reconciliation};
use super::restart_schedule::Part;
use super::task_config_publisher::TaskConfigPublisher;
use crate::error::{HerderError, HerderResult};
use crate::herder::{RestartPlan, WorkerContext};

/// Time that what has to stop has beyond the tasks' shutdown time-out: a connector may be starting, and then has to stop.
const STOP_MARGIN: Duration = Duration::from_secs(17);

/// The actors by connector name.
pub(crate) struct AssignedWork {
    context: Arc<WorkerContext>,
    publisher: Arc<dyn TaskConfigPublisher>,
    runtime: Handle,
    actors: Mutex<HashMap<String, AssignedConnector>>,
}

impl AssignedWork {
    /// Nothing is assigned yet. MUST be made within a tokio runtime: the actors run there.
    pub(crate) fn new(context: Arc<WorkerContext>, publisher: Arc<dyn TaskConfigPublisher>) -> Self {
        Self { context, publisher, runtime: Handle::current(), actors: Mutex::default() }
    }

    /// Sets the desired state of every connector. Nothing shall run of one that is not named.
    pub(crate) fn set_desired(&self, mut desired: BTreeMap<String, DesiredState>) {
        let mut actors = self.actors.lock();
        for name in actors.keys() {
            desired.entry(name.clone()).or_insert_with(DesiredState::nothing);
        }
        for (name, desired) in desired {
            actors.entry(name).or_insert_with_key(|name| self.start_actors(name)).set_desired(&desired);
        }
    }

    /// Waits until nothing runs any more that is not desired, or that takes too long.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(crate) async fn await_stopped(&self) {
        let waiting: Vec<_> = self.actors.lock().values().flat_map(AssignedConnector::reconciliations).collect();
        self.await_stops_of(&waiting).await;
        self.forget_what_has_stopped();
    }

    /// The same for one connector.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(crate) async fn await_stopped_connector(&self, name: &str) {
        self.await_stops_of(&self.reconciliations(name)).await;
        let mut actors = self.actors.lock();
        if actors.get(name).is_some_and(AssignedConnector::has_ended) {
            actors.remove(name);
        }
    }

    async fn await_stops_of(&self, waiting: &[Arc<Reconciliation>]) {
        let stops = join_all(waiting.iter().map(|work| work.await_stopped()));
        // A restart may be waiting for the end of other tasks.
        let limit = 2 * self.context.config.task_shutdown_timeout() + STOP_MARGIN;
        if tokio::time::timeout(limit, stops).await.is_err() {
            warn!("not everything that shall not run on this worker any more has stopped in time");
        }
    }

    /// Waits until the instance of a connector, and then its tasks, have reached the desired state.
    ///
    /// # Errors
    /// What kept the instance from it. A task that cannot be started is FAILED, and no error.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(crate) async fn await_reached(&self, name: &str) -> HerderResult<()> {
        for work in self.reconciliations(name) {
            work.await_reached().await?;
        }
        Ok(())
    }

    fn reconciliations(&self, name: &str) -> Vec<Arc<Reconciliation>> {
        self.actors.lock().get(name).into_iter().flat_map(AssignedConnector::reconciliations).collect()
    }

    /// Ends the actors that have nothing left to do. One that still stops something keeps its place: another of the same name
    /// would not know of that.
    pub(crate) fn forget_what_has_stopped(&self) {
        self.actors.lock().retain(|_, actor| !actor.has_ended());
    }

    fn start_actors(&self, name: &str) -> AssignedConnector {
        AssignedConnector::start(&self.runtime, name, &self.context, Arc::clone(&self.publisher))
    }

    /// Whether the connector's own instance is assigned here.
    pub(crate) fn has_connector(&self, name: &str) -> bool {
        self.actors.lock().get(name).is_some_and(AssignedConnector::has_instance)
    }

    /// Whether a task is assigned here.
    pub(crate) fn has_task(&self, name: &str, task: usize) -> bool {
        self.actors.lock().get(name).is_some_and(|actor| actor.has_task(task))
    }

    /// The connectors that are known to end by themselves, by name.
    pub(crate) fn bounded_connectors(&self) -> Vec<String> {
        let actors = self.actors.lock();
        let mut names: Vec<_> =
            actors.iter().filter(|(_, actor)| actor.is_bounded()).map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    }

    /// Asks for the restart of a part, which is answered once it has been started.
    ///
    /// # Errors
    /// `Forward` if nothing of the connector is here; if too many are waiting already, or an actor has ended.
    pub(crate) fn restart(&self, name: &str, part: Part) -> HerderResult<oneshot::Receiver<HerderResult<()>>> {
        let (reply, answer) = oneshot::channel();
        let actors = self.actors.lock();
        let actor = actors.get(name).ok_or(HerderError::Forward(None))?;
        actor.restart(part, reply).map(|()| answer)
    }

    /// Carries out this worker's share of a restart, without waiting.
    ///
    /// # Errors
    /// If too many are waiting already.
    pub(crate) fn restart_share(&self, plan: &RestartPlan) -> HerderResult<()> {
        let actors = self.actors.lock();
        let Some(actor) = actors.get(&plan.states.name) else { return Ok(()) };
        let tasks: Vec<usize> = plan.tasks.iter().copied().filter(|task| actor.has_task(*task)).collect();
        actor.restart_selected(plan.connector && actor.has_instance(), tasks)
    }

    /// What may be read of a connector that has anything here.
    pub(crate) fn view(&self, name: &str) -> Option<Arc<AssignedView>> {
        self.actors.lock().get(name).map(AssignedConnector::view)
    }
}
