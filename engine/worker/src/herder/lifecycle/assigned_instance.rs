//! The instance of a connector that is assigned to this worker. Its actor keeps it in the desired state.
//!
//! ```text
//!  desired state, restarts ──►┐               ┌─► WorkerConnector
//!  requests of the connector ►│ actor ────────┤
//!  a commit of tasks ────────►┘    ▲          └─► task configurations ─► TaskConfigPublisher, one set after the other
//!                                  └────────────────── compared again ◄──────┘
//! ```
//! A connector that hangs holds up its own actor only. See `task_publishing.rs` for the lower half.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tracing::warn;
use volley_api::{ConfigMap, Result};

use super::actor_parts::{ActorParts, Reply};
use super::connector_parts::{ResolvedConnector, check_topic_creation, is_bounded_mode, plan_restarts, resolved};
use super::connector_requests::{ConnectorRequest, ConnectorRequests};
use super::desired::{DesiredState, Expedite, Reconciler};
use super::publishing::{Publishing, published};
use super::restart_schedule::{Part, RestartSchedule};
use super::task_config_publisher::TaskConfigPublisher;
use super::worker_connector::WorkerConnector;
use crate::clock::sleep_until;
use crate::error::{HerderError, HerderResult};
use crate::plugin_call::Deadline;
use crate::storage::{State, TargetState};

/// How long a connector may take to start or to make task configurations, while nobody waits for it to go away.
const CALL_LIMIT: Duration = Duration::from_secs(300);

/// What an instance was started for, or moved to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    /// The position of its configuration.
    pub(crate) position: i64,
    target: TargetState,
}

/// The actor of the instance.
pub(crate) struct AssignedInstance {
    pub(super) parts: ActorParts,
    pub(super) publisher: Arc<dyn TaskConfigPublisher>,
    /// Those who wait for a restart; `None` where nobody does.
    restarts: mpsc::Receiver<Option<Reply>>,
    reconciler: Reconciler,
    pub(super) expedite: Arc<Expedite>,
    wake: Arc<Notify>,
    /// The desired state that was taken last.
    desired: DesiredState,
    /// What kept the actor from reaching it.
    pub(super) outcome: HerderResult<()>,
    pub(super) connector: Option<WorkerConnector>,
    /// `None` if no instance was started.
    pub(super) started: Option<Started>,
    /// The task configurations that the instance made last, as they are stored.
    pub(super) made: Option<Vec<ConfigMap>>,
    /// The instance's configuration when it made tasks last, without variables.
    pub(super) tasks_of: Option<ConfigMap>,
    /// Whether variables of it have other values than for the tasks in force.
    pub(super) has_new_values: bool,
    /// Whether the instance is of a connector that ends by itself.
    pub(super) is_bounded: bool,
    /// The run for which it was written that it is over.
    pub(super) completed_run: Option<i64>,
    /// One at a time, so that the latest configurations are written last.
    pub(super) publishing: Option<Publishing>,
    /// Whether the connector has to be asked for its tasks again once the publishing is over.
    pub(super) must_ask_again: bool,
    /// Whether there was another commit meanwhile.
    pub(super) commit_came: bool,
    pub(super) retry_at: Option<Instant>,
    pub(super) failed_attempts: u32,
    /// Whether the last start of an instance ended in FAILED.
    has_failed: bool,
    schedule: RestartSchedule,
    /// Whether the schedule knows that the instance is FAILED.
    failure_planned: bool,
    /// When values of its configuration expire.
    pub(super) reload_at: Option<Instant>,
}

impl AssignedInstance {
    /// An actor that runs nothing yet.
    pub(crate) fn new(
        parts: ActorParts,
        publisher: Arc<dyn TaskConfigPublisher>,
        restarts: mpsc::Receiver<Option<Reply>>,
        reconciler: Reconciler,
        expedite: Arc<Expedite>,
    ) -> Self {
        Self {
            parts,
            publisher,
            restarts,
            reconciler,
            expedite,
            wake: Arc::default(),
            desired: DesiredState::nothing(),
            outcome: Ok(()),
            connector: None,
            started: None,
            made: None,
            tasks_of: None,
            has_new_values: false,
            is_bounded: false,
            completed_run: None,
            publishing: None,
            must_ask_again: false,
            commit_came: false,
            retry_at: None,
            failed_attempts: 0,
            has_failed: false,
            schedule: RestartSchedule::default(),
            failure_planned: false,
            reload_at: None,
        }
    }

    /// Works until its owner drops it.
    ///
    /// # Cancellation
    /// The instance is dropped without being stopped.
    pub(crate) async fn run(mut self) {
        let wake = Arc::clone(&self.wake);
        let mut states = self.parts.context.changes.subscribe();
        loop {
            self.plan_restart();
            self.report();
            let (retry_at, restart_at, reload_at) = (self.retry_at, self.schedule.next(), self.reload_at);
            tokio::select! {
                biased;
                () = self.reconciler.changed() => self.reconcile().await,
                Some(reply) = self.restarts.recv() => self.restart(reply).await,
                () = wake.notified() => self.look_after().await,
                outcome = published(&mut self.publishing) => self.on_published(outcome).await,
                Ok(()) = states.changed(), if self.is_bounded && self.started.is_some() => {
                    self.renew_expedite();
                    self.end_run_if_over().await;
                }
                () = sleep_until(restart_at) => self.restart_due().await,
                () = sleep_until(reload_at) => self.reload().await,
                () = sleep_until(retry_at) => {
                    self.retry_at = None;
                    self.reconfigure_now().await;
                }
            }
        }
    }

    fn plan_restart(&mut self) {
        let is_failed = self.has_failed || self.connector.as_ref().is_some_and(WorkerConnector::is_failed);
        if is_failed && !std::mem::replace(&mut self.failure_planned, is_failed) {
            let config = self.connector.as_ref().map(WorkerConnector::config);
            plan_restarts(&mut self.schedule, &self.parts.context, &self.parts.name, config, &[Part::Connector]);
        }
    }

    /// Tells those who wait for the desired state, once nothing is under way and nothing cut it short.
    fn report(&self) {
        let is_over = self.outcome.is_err() || !self.expedite.token().is_cancelled();
        if self.publishing.is_none() && is_over {
            self.reconciler.has_reached(&self.outcome);
        }
    }

    pub(super) fn renew_expedite(&mut self) {
        let (reconciler, desired, restarts) = (&self.reconciler, &self.desired, &self.restarts);
        let ends_instance = || reconciler.untaken().is_some_and(|next| next.ends_instance_of(desired));
        self.expedite.renew(|| ((), !restarts.is_empty() || ends_instance()));
    }

    pub(super) fn deadline(&self) -> Deadline {
        Deadline { limit: CALL_LIMIT, expedited: self.expedite.token() }
    }

    /// Takes the desired state, and goes there.
    async fn reconcile(&mut self) {
        let (reconciler, restarts) = (&mut self.reconciler, &self.restarts);
        let desired = self.expedite.renew(|| (reconciler.take(), !restarts.is_empty()));
        let before = std::mem::replace(&mut self.desired, desired);
        self.outcome = Ok(());
        if self.desired.connector.is_none() && self.started.is_some() {
            self.end_instance().await;
        }
        self.reconciler.has_stopped();
        let (target, commit) = (self.desired.target, self.desired.commit);
        let Some(position) = self.desired.connector else { return };
        match self.started {
            Some(started) if started.position >= position => {
                if started.target != target {
                    self.move_to(position, target).await;
                } else if commit != before.commit {
                    self.on_commit();
                }
            }
            _ => {
                // The user has taken care of what failed.
                self.schedule.forget(Part::Connector);
                if let Err(error) = self.start_instance(position, target, None).await {
                    warn!(connector = self.parts.name, %error, "connector could not be started");
                    self.outcome = Err(error.into());
                }
                self.reconfigure().await;
            }
        }
        self.end_run_if_over().await;
    }

    async fn move_to(&mut self, position: i64, target: TargetState) {
        let deadline = self.deadline();
        let is_lost = self.connector.as_ref().is_none_or(WorkerConnector::is_lost);
        let outcome = match &mut self.connector {
            _ if is_lost && target == TargetState::Started => self.start_instance(position, target, None).await,
            Some(connector) => connector.transition(target, deadline).await,
            None => {
                if target == TargetState::Stopped {
                    self.parts.status.connector(State::Stopped, None, None);
                }
                Ok(())
            }
        };
        if let Some(started) = &mut self.started {
            started.target = target;
        }
        if let Err(error) = outcome {
            warn!(connector = self.parts.name, ?target, %error, "connector did not go to its target state");
        }
        if target == TargetState::Started {
            self.reconfigure().await;
        }
    }

    async fn restart(&mut self, reply: Option<Reply>) {
        self.renew_expedite();
        self.schedule.forget(Part::Connector);
        let outcome = self.restart_instance(None).await;
        match (reply, outcome) {
            // Whoever asked may have gone; then nobody is told.
            (Some(reply), outcome) => drop(reply.send(outcome)),
            (None, Err(error)) => warn!(connector = self.parts.name, %error, "connector could not be restarted"),
            (None, Ok(())) => {}
        }
        self.reconfigure().await;
    }

    async fn restart_due(&mut self) {
        self.renew_expedite();
        if self.schedule.take_due(Instant::now()).is_empty() {
            return;
        }
        if let Err(error) = self.restart_instance(None).await {
            warn!(connector = self.parts.name, %error, "connector has failed and could not be started again");
        }
        self.reconfigure().await;
    }

    pub(super) async fn restart_instance(&mut self, found: Option<ResolvedConnector>) -> HerderResult<()> {
        match self.started {
            Some(started) => Ok(self.start_instance(started.position, started.target, found).await?),
            // It was taken away while the request waited.
            None => Err(HerderError::Forward(None)),
        }
    }

    async fn end_instance(&mut self) {
        // The next owner publishes, and learns of it if this comes late all the same.
        self.publishing = None;
        self.forget_made();
        (self.tasks_of, self.has_new_values, self.reload_at) = (None, false, None);
        (self.must_ask_again, self.commit_came) = (false, false);
        self.schedule.forget(Part::Connector);
        self.has_failed = false;
        self.started = None;
        if let Some(connector) = self.connector.take() {
            connector.shut_down().await;
        }
    }

    fn forget_made(&mut self) {
        self.made = None;
        self.retry_at = None;
        self.failed_attempts = 0;
    }

    /// Starts a new instance in the place of the one that runs, with what was `found` for it, if anything was. An error is written
    /// as the state FAILED.
    async fn start_instance(
        &mut self,
        position: i64,
        target: TargetState,
        found: Option<ResolvedConnector>,
    ) -> Result<()> {
        self.failure_planned = false;
        self.reload_at = None;
        self.forget_made();
        if let Some(connector) = self.connector.take() {
            connector.shut_down().await;
        }
        let outcome = self.start_in_place(position, target, found).await;
        self.has_failed = outcome.is_err();
        self.parts.context.metrics.connector_starts.note(outcome.is_ok());
        outcome
    }

    /// `target` is the desired one: that of the snapshot may have changed before it is desired here.
    async fn start_in_place(
        &mut self,
        position: i64,
        target: TargetState,
        found: Option<ResolvedConnector>,
    ) -> Result<()> {
        let (context, name) = (Arc::clone(&self.parts.context), self.parts.name.clone());
        let snapshot = context.configs.snapshot();
        self.started = Some(Started { position: position.max(snapshot.config_position(&name)), target });
        let Some(raw) = snapshot.connector_config(&name) else { return Ok(()) };
        let found = match found {
            Some(found) => Ok(found),
            None => resolved(&context, &name, raw, self.deadline()).await,
        };
        let found = found.and_then(|found| {
            check_topic_creation(&context, &found.plugin, &found.config)?;
            Ok(found)
        });
        let ResolvedConnector { config, plugin, reload_at } = match found {
            Ok(found) => found,
            Err(error) => {
                self.parts.status.connector(State::Failed, Some(error.trace()), None);
                return Err(error);
            }
        };
        self.reload_at = reload_at;
        let is_bounded = is_bounded_mode(&config);
        let requests = Arc::new(ConnectorRequests::new(Arc::clone(&self.wake)));
        let parts = (requests, self.parts.status.clone());
        let (connector, outcome) = WorkerConnector::start(&name, plugin, config, target, parts, self.deadline()).await;
        self.is_bounded = is_bounded || connector.is_bounded();
        self.parts.view.is_bounded.store(self.is_bounded, Ordering::Release);
        self.connector = Some(connector);
        outcome
    }

    /// Carries out what the connector has asked for.
    async fn look_after(&mut self) {
        self.renew_expedite();
        while let Some(request) = self.connector.as_ref().and_then(|connector| connector.requests().take()) {
            match request {
                ConnectorRequest::Reconfigure => self.reconfigure().await,
                ConnectorRequest::Fail(error) => self.fail_connector(error),
            }
        }
    }

    pub(super) fn fail_connector(&mut self, error: volley_api::Error) {
        if let Some(connector) = &mut self.connector {
            // It returns the error that it was given.
            let _ = connector.fail(error);
        }
    }
}
