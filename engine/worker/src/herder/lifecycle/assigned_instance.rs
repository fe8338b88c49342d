//! The instance of a connector that is assigned to this worker: its actor keeps it as it is wanted, and has the tasks
//! published that it makes.
//!
//! ```text
//!  what is wanted, restarts ─►┐               ┌─► WorkerConnector
//!  connector ─── requests ───►│ actor ────────┤
//!  a commit of tasks ────────►┘    ▲          └─► task configurations ─► TaskConfigPublisher, one set after the other
//!                                  └────────────────── compared again ◄──────┘
//! ```
//! A connector that hangs holds up its own actor only.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;
use tracing::{info, warn};
use volley_api::{ConfigMap, Error, Result};

use super::assigned_connector::Reply;
use super::connector_parts::{at, check_task_count, is_bounded_mode, max_tasks, plan_restarts, resolved};
use super::connector_requests::{ConnectorRequest, ConnectorRequests};
use super::expedite::Expedite;
use super::publishing::{Published, Publishing, published};
use super::reconciliation::{DesiredState, Reconciliation};
use super::restart_schedule::{Part, RestartSchedule};
use super::status_writer::StatusWriter;
use super::task_config_publisher::TaskConfigPublisher;
use super::task_configs::{have_changed, stored_task_configs};
use super::worker_connector::WorkerConnector;
use crate::clock::now_ms;
use crate::error::{HerderError, HerderResult};
use crate::group::ExponentialBackoff;
use crate::herder::WorkerContext;
use crate::herder::lifecycle::bounded::{CompletionStep, next_step, with_ends};
use crate::plugin_call::Deadline;
use crate::storage::{ClusterConfigState, State, TargetState};

/// How long a connector may take to start or to make task configurations, while nobody waits for it to go away.
const CALL_LIMIT: Duration = Duration::from_secs(300);

/// What an instance was started for, or moved to.
#[derive(Clone, Copy, Debug)]
struct Started {
    /// Where its configuration is.
    position: i64,
    target: TargetState,
}

/// The actor of the instance.
pub(crate) struct AssignedInstance {
    name: String,
    context: Arc<WorkerContext>,
    status: StatusWriter,
    publisher: Arc<dyn TaskConfigPublisher>,
    /// Those who wait for a restart; `None` where nobody does.
    restarts: mpsc::Receiver<Option<Reply>>,
    changes: watch::Receiver<(u64, DesiredState)>,
    work: Arc<Reconciliation>,
    expedite: Arc<Expedite>,
    wake: Arc<Notify>,
    /// The wish that was taken up last.
    desired: DesiredState,
    connector: Option<WorkerConnector>,
    /// `None` if it was not started.
    started: Option<Started>,
    /// The task configurations that the instance made last, as they are stored.
    made: Option<Vec<ConfigMap>>,
    /// Whether the instance is of a connector that ends by itself.
    is_bounded: bool,
    /// The run for which it was written that it is over.
    completed_run: Option<i64>,
    /// One at a time, so that the last is the last word.
    publishing: Option<Publishing>,
    /// Whether the connector is to be asked again once the publishing is over.
    must_ask_again: bool,
    /// Whether another commit came meanwhile.
    commit_came: bool,
    retry_at: Option<Instant>,
    failed_attempts: u32,
    /// Whether the last start of an instance ended in FAILED.
    has_failed: bool,
    schedule: RestartSchedule,
    /// Whether the schedule knows that the instance is FAILED.
    failure_planned: bool,
}

impl AssignedInstance {
    /// An actor that runs nothing yet.
    pub(crate) fn new(
        (name, context, status): (&str, Arc<WorkerContext>, StatusWriter),
        publisher: Arc<dyn TaskConfigPublisher>,
        restarts: mpsc::Receiver<Option<Reply>>,
        work: Arc<Reconciliation>,
        expedite: Arc<Expedite>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            context,
            status,
            publisher,
            restarts,
            changes: work.subscribe(),
            work,
            expedite,
            wake: Arc::default(),
            desired: DesiredState::nothing(),
            connector: None,
            started: None,
            made: None,
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
        }
    }

    /// Works until nobody can tell it anything any more.
    ///
    /// # Cancellation
    /// Never dropped while the runtime lives.
    pub(crate) async fn run(mut self) {
        let wake = Arc::clone(&self.wake);
        let mut states = self.context.changes.subscribe();
        loop {
            self.plan_restart();
            let (retry_at, restart_at) = (self.retry_at, self.schedule.next());
            tokio::select! {
                biased;
                // The sender is in `self.work`: it cannot be gone.
                Ok(()) = self.changes.changed() => self.reconcile().await,
                restart = self.restarts.recv() => match restart {
                    Some(reply) => self.restart(reply).await,
                    None => return self.end_instance().await,
                },
                () = wake.notified() => self.look_after().await,
                outcome = published(&mut self.publishing) => self.on_published(outcome).await,
                Ok(()) = states.changed(), if self.is_bounded && self.started.is_some() => {
                    self.renew_expedite();
                    self.end_run_if_over().await;
                }
                () = at(restart_at) => self.restart_due().await,
                () = at(retry_at) => {
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
            plan_restarts(&mut self.schedule, &self.context, &self.name, config, &[Part::Connector]);
        }
    }

    fn renew_expedite(&mut self) {
        let (changes, desired, restarts) = (&self.changes, &self.desired, &self.restarts);
        let is_news = || changes.has_changed().unwrap_or_default();
        let ends_instance = || is_news() && changes.borrow().1.ends_instance_of(desired);
        self.expedite.renew(|| ((), !restarts.is_empty() || ends_instance()));
    }

    fn deadline(&self) -> Deadline {
        Deadline { limit: CALL_LIMIT, expedited: self.expedite.token() }
    }

    /// Makes run what is wanted, and nothing else.
    async fn reconcile(&mut self) {
        let (changes, restarts) = (&mut self.changes, &self.restarts);
        let (version, desired) = self.expedite.renew(|| (changes.borrow_and_update().clone(), !restarts.is_empty()));
        let before = std::mem::replace(&mut self.desired, desired.clone());
        if desired.connector.is_none() && self.started.is_some() {
            self.end_instance().await;
        }
        self.work.has_stopped(version);
        let Some(position) = desired.connector else { return };
        match self.started {
            Some(started) if started.position >= position => {
                if started.target != desired.target {
                    self.move_to(position, desired.target).await;
                } else if desired.commit != before.commit {
                    self.on_commit();
                }
            }
            _ => {
                if let Err(error) = self.start_instance(position, desired.target).await {
                    warn!(connector = self.name, %error, "connector could not be started");
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
            _ if is_lost && target == TargetState::Started => self.start_instance(position, target).await,
            Some(connector) => connector.transition(target, deadline).await,
            None => {
                if target == TargetState::Stopped {
                    self.status.connector(State::Stopped, None, None);
                }
                Ok(())
            }
        };
        if let Some(started) = &mut self.started {
            started.target = target;
        }
        if let Err(error) = outcome {
            warn!(connector = self.name, ?target, %error, "connector did not go to its target state");
        }
        if target == TargetState::Started {
            self.reconfigure().await;
        }
    }

    async fn restart(&mut self, reply: Option<Reply>) {
        self.renew_expedite();
        self.schedule.forget(Part::Connector);
        if reply.is_none() && self.started.is_some() {
            self.status.connector(State::Restarting, None, None);
        }
        let outcome = self.restart_instance().await;
        match (reply, outcome) {
            // Who asked may have gone; then nobody is told.
            (Some(reply), outcome) => drop(reply.send(outcome)),
            (None, Err(error)) => warn!(connector = self.name, %error, "connector could not be restarted"),
            (None, Ok(())) => {}
        }
        self.reconfigure().await;
    }

    async fn restart_due(&mut self) {
        self.renew_expedite();
        if self.schedule.take_due(Instant::now()).is_empty() {
            return;
        }
        if let Err(error) = self.restart_instance().await {
            warn!(connector = self.name, %error, "connector has failed and could not be started again");
        }
        self.reconfigure().await;
    }

    async fn restart_instance(&mut self) -> HerderResult<()> {
        match self.started {
            Some(started) => Ok(self.start_instance(started.position, started.target).await?),
            // It was taken away while the request waited.
            None => Err(HerderError::Forward(None)),
        }
    }

    async fn end_instance(&mut self) {
        // Its next owner publishes, and hears of it if this comes late all the same.
        if let Some(publishing) = self.publishing.take() {
            publishing.abort();
        }
        self.forget_made();
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

    /// Starts a new instance in the place of the one that runs. What goes wrong is written as FAILED.
    async fn start_instance(&mut self, position: i64, target: TargetState) -> Result<()> {
        self.failure_planned = false;
        self.forget_made();
        if let Some(connector) = self.connector.take() {
            connector.shut_down().await;
        }
        let outcome = self.start_in_place(position, target).await;
        self.has_failed = outcome.is_err();
        outcome
    }

    /// The target is the wish's: that of the snapshot may be gone again before it is wished for.
    async fn start_in_place(&mut self, position: i64, target: TargetState) -> Result<()> {
        let snapshot = self.context.configs.snapshot();
        self.started = Some(Started { position: position.max(snapshot.config_position(&self.name)), target });
        let Some(raw) = snapshot.connector_config(&self.name) else { return Ok(()) };
        let (config, plugin) = match resolved(&self.context, &self.name, raw, self.deadline()).await {
            Ok(found) => found,
            Err(error) => {
                self.status.connector(State::Failed, Some(error.trace()), None);
                return Err(error);
            }
        };
        let is_bounded = is_bounded_mode(&config);
        let requests = Arc::new(ConnectorRequests::new(Arc::clone(&self.wake)));
        let parts = (requests, self.status.clone());
        let (connector, outcome) =
            WorkerConnector::start(&self.name, plugin, config, target, parts, self.deadline()).await;
        self.is_bounded = is_bounded || connector.is_bounded();
        self.connector = Some(connector);
        outcome
    }

    /// Ends the run of a bounded connector if all its tasks are done, whoever ran them.
    async fn end_run_if_over(&mut self) {
        // What is under way, or waits for another try, goes on with the next step by itself.
        if self.publishing.is_none() && self.retry_at.is_none() && self.completion_step().is_some() {
            self.reconfigure().await;
        }
    }

    fn completion_step(&self) -> Option<CompletionStep> {
        if !self.is_bounded || self.started.is_none() {
            return None;
        }
        let runs = self.context.statuses.task_runs(&self.name);
        next_step(&self.context.configs.snapshot(), &self.name, &runs, self.completed_run, now_ms())
    }

    fn take(&mut self, step: CompletionStep) {
        let (publisher, name) = (Arc::clone(&self.publisher), self.name.clone());
        self.publishing = Some(match step {
            CompletionStep::Stop { run, completion } => {
                let (rows, files) = (completion.rows, completion.files);
                info!(connector = self.name, rows, files, "bounded connector is done");
                tokio::spawn(async move {
                    let is_written = publisher.complete(&name, run, completion).await?;
                    Ok(Published::Completion(is_written.then_some(run)))
                })
            }
            CompletionStep::TakeTasksAway => tokio::spawn(async move {
                publisher.publish(&name, Vec::new()).await?;
                // Whoever looks next has to see that they are gone.
                publisher.refresh().await?;
                Ok(Published::NoTasks)
            }),
        });
    }

    async fn reconfigure_now(&mut self) {
        self.renew_expedite();
        self.reconfigure().await;
    }

    /// Asks the connector for its tasks, and has them published if they or the configuration have changed.
    async fn reconfigure(&mut self) {
        if self.expedite.token().is_cancelled() {
            // Another instance, or none, takes its place.
            return;
        }
        if self.publishing.is_some() {
            // Nobody knows what is in force.
            self.must_ask_again = true;
            return;
        }
        if let Some(step) = self.completion_step() {
            return self.take(step);
        }
        match self.has_news().await {
            Ok(false) => self.failed_attempts = 0,
            Ok(true) => self.publish(),
            Err(error) => self.retry_later(&error.to_string()),
        }
    }

    /// Asks the connector for its tasks; whether they, or its configuration, are not those in force.
    async fn has_news(&mut self) -> Result<bool> {
        if self.state_of_instance().is_none() {
            return Ok(false);
        }
        let deadline = self.deadline();
        let Some(connector) = &mut self.connector else { return Ok(false) };
        let made = connector.task_configs(max_tasks(connector.config()), deadline.clone()).await;
        let made = made.and_then(|made| check_task_count(&self.name, connector.config(), made.len()).map(|()| made));
        let made = match made {
            Ok(made) => made,
            Err(error) if is_too_many_tasks(&error) => {
                // The error is written as the connector's state; another try would end the same way.
                let _ = connector.fail(error);
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        // It may have taken a while.
        let Some(state) = self.state_of_instance() else { return Ok(false) };
        let Some(connector) = &self.connector else { return Ok(false) };
        let raw = state.connector_config(&self.name).cloned().unwrap_or_default();
        let made = stored_task_configs(made, connector.plugin(), &raw);
        let have_changed = have_changed(&state, &self.name, &made);
        let (config, plugin) = (connector.config().clone(), connector.plugin().clone());
        let is_news = have_changed || !is_applied(&self.context, &self.name, &state, &config, deadline.clone()).await?;
        self.made = Some(match is_news && self.is_bounded {
            true => with_ends(made, &self.context, &self.name, (&plugin, config), deadline).await?,
            false => made,
        });
        Ok(is_news)
    }

    /// What is in force, while the instance runs, shall run and has the configuration that is in force: only then do its
    /// tasks count.
    fn state_of_instance(&self) -> Option<Arc<ClusterConfigState>> {
        let state = self.context.configs.snapshot();
        let is_running = self.connector.as_ref().is_some_and(WorkerConnector::is_running);
        let is_wanted = state.target_state(&self.name) == Some(TargetState::Started);
        let is_latest = self.started.is_some_and(|started| started.position == state.config_position(&self.name));
        (is_running && is_wanted && is_latest).then_some(state)
    }

    /// Publishes what the connector has made.
    fn publish(&mut self) {
        let Some(configs) = self.made.clone() else { return };
        let (publisher, name) = (Arc::clone(&self.publisher), self.name.clone());
        self.commit_came = false;
        self.publishing = Some(tokio::spawn(async move {
            publisher.publish(&name, configs).await?;
            Ok(Published::Tasks)
        }));
    }

    async fn on_published(&mut self, outcome: HerderResult<Published>) {
        self.publishing = None;
        let must_ask_again = std::mem::take(&mut self.must_ask_again);
        match outcome {
            Err(error) => self.retry_later(&error.to_string()),
            Ok(published) => {
                self.failed_attempts = 0;
                if let Published::Completion(Some(run)) = published {
                    self.completed_run = Some(run);
                }
                if must_ask_again || published != Published::Tasks {
                    self.reconfigure_now().await;
                } else if self.commit_came {
                    self.on_commit();
                }
            }
        }
    }

    /// A commit that is not what the connector made last is made good: one that came late, from here or an earlier owner, or
    /// that lost its tasks to compaction.
    fn on_commit(&mut self) {
        self.commit_came = self.publishing.is_some();
        if self.commit_came || self.retry_at.is_some() {
            return;
        }
        let (Some(made), Some(state)) = (&self.made, self.state_of_instance()) else { return };
        // A commit of no tasks is how a connector is STOPPED, which the next record says.
        if state.task_count(&self.name) > 0 && have_changed(&state, &self.name, made) {
            info!(connector = self.name, "the tasks in force are not those that the connector made last");
            match self.is_bounded {
                // Where it ends has to be found again.
                true => self.retry_at = Some(Instant::now()),
                false => self.publish(),
            }
        }
    }

    fn retry_later(&mut self, error: &str) {
        let delay = ExponentialBackoff::task_reconfiguration().delay_ms(self.failed_attempts);
        let delay = Duration::from_millis(delay.unsigned_abs());
        self.failed_attempts = self.failed_attempts.saturating_add(1);
        warn!(connector = self.name, error, retry_in = ?delay, "tasks could not be reconfigured");
        self.retry_at = Some(Instant::now() + delay);
    }

    /// What the connector has asked for meanwhile.
    async fn look_after(&mut self) {
        self.renew_expedite();
        while let Some(request) = self.connector.as_ref().and_then(|connector| connector.requests().take()) {
            match request {
                ConnectorRequest::Reconfigure => self.reconfigure().await,
                ConnectorRequest::Fail(error) => {
                    if let Some(connector) = &mut self.connector {
                        // The error is what was reported, not news.
                        let _ = connector.fail(error);
                    }
                }
            }
        }
    }
}

/// Whether the configuration of the last commit means the same as that of the instance.
async fn is_applied(
    context: &WorkerContext,
    name: &str,
    state: &ClusterConfigState,
    config: &ConfigMap,
    deadline: Deadline,
) -> Result<bool> {
    match state.applied_connector_config(name) {
        None => Ok(false),
        Some(applied) if Some(applied) == state.connector_config(name) => Ok(true),
        Some(applied) => Ok(resolved(context, name, applied, deadline).await?.0 == *config),
    }
}

fn is_too_many_tasks(error: &Error) -> bool {
    error.exception().ends_with("TooManyTasksException")
}
