//! Everything that is assigned to this worker, connector by connector.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tracing::warn;

use super::assigned_connector::{AssignedConnector, AssignedView, Restart};
use super::reconciliation::DesiredState;
use super::task_config_publisher::TaskConfigPublisher;
use crate::error::HerderResult;
use crate::herder::{RestartPlan, WorkerContext};

/// Time that what is revoked has beyond the tasks' shutdown time-out: a connector may be starting, and then has to stop.
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

    /// From now on this is wanted, and nothing else.
    pub(crate) fn set_desired(&self, mut desired: BTreeMap<String, DesiredState>) {
        let mut actors = self.actors.lock();
        for name in actors.keys() {
            desired.entry(name.clone()).or_insert_with(DesiredState::nothing);
        }
        for (name, desired) in desired {
            actors.entry(name).or_insert_with_key(|name| self.start_actors(name)).set_desired(&desired);
        }
    }

    /// Waits until what is no longer wanted has stopped, or takes too long.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(crate) async fn await_stopped(&self) {
        let waiting: Vec<_> = self.actors.lock().values().flat_map(AssignedConnector::work).collect();
        let stops = join_all(waiting.iter().map(|work| work.await_stopped()));
        // A restart may be waiting for the end of other tasks.
        let limit = 2 * self.context.config.task_shutdown_timeout() + STOP_MARGIN;
        if tokio::time::timeout(limit, stops).await.is_err() {
            warn!("not everything that is no longer assigned to this worker has stopped in time");
        }
        self.forget_what_has_stopped();
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

    /// Asks for a restart; `None` if nothing of the connector is here.
    pub(crate) fn restart<T>(
        &self,
        name: &str,
        restart: impl FnOnce(oneshot::Sender<HerderResult<T>>) -> Restart,
    ) -> Option<HerderResult<oneshot::Receiver<HerderResult<T>>>> {
        let actors = self.actors.lock();
        let actor = actors.get(name)?;
        let (reply, answer) = oneshot::channel();
        Some(actor.restart(restart(reply)).map(|()| answer))
    }

    /// Carries out this worker's share of a restart, without waiting.
    pub(crate) fn restart_share(&self, plan: &RestartPlan) {
        let name = &plan.states.name;
        let actors = self.actors.lock();
        let Some(actor) = actors.get(name) else { return };
        let tasks: Vec<usize> = plan.tasks.iter().copied().filter(|task| actor.has_task(*task)).collect();
        if let Err(error) = actor.restart_share(plan.connector && actor.has_instance(), tasks) {
            warn!(connector = name, %error, "restart request was not carried out");
        }
    }

    /// What may be read of a connector that has anything here.
    pub(crate) fn view(&self, name: &str) -> Option<Arc<AssignedView>> {
        self.actors.lock().get(name).map(|actor| Arc::clone(&actor.view))
    }
}
