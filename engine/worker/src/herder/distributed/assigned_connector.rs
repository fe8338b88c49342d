//! What of one connector is assigned to this worker: its actor makes run what is wanted, one step after the other.
//!
//! ```text
//!  herder loop ─ what is wanted ─►┐               ┌─► WorkerConnector
//!  REST ─────── restarts ────────►│ actor ────────┤
//!  connector, tasks ─ requests ──►┘    │          └─► ConnectorTasks
//!                                      └─► task configurations, to be published by the leader
//! ```
//! A connector that hangs holds up its own actor only.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use volley_api::{ConfigMap, Error, Result};

use super::assigned_connector_handle::{AssignedConnectorHandle, AssignedView, Restart};
use super::publishing::{Published, Publishing, published};
use super::run_completion::{CompletionStep, next_step};
use super::task_config_publisher::TaskConfigPublisher;
use super::task_run_notes::TaskRunNotes;
use super::wanted_work::{Wanted, WantedWork};
use crate::clock::now_ms;
use crate::group::ExponentialBackoff;
use crate::herder::connector_parts::{
    at, check_task_count, is_bounded_mode, max_tasks, plan_restarts, resolved, task_parts,
};
use crate::herder::connector_requests::{ConnectorRequest, ConnectorRequests};
use crate::herder::connector_tasks::ConnectorTasks;
use crate::herder::restart_schedule::{Part, RestartSchedule};
use crate::herder::run_ends::with_ends;
use crate::herder::status_writer::StatusWriter;
use crate::herder::task_board::TaskBoard;
use crate::herder::task_configs::{have_changed, stored_task_configs};
use crate::herder::worker_connector::WorkerConnector;
use crate::herder::{HerderError, HerderResult, Node};
use crate::plugin_call::Patience;
use crate::storage::{ClusterConfigState, State, TargetState};

/// How long a connector may take to start or to make task configurations, while nobody waits for it to go away.
const CALL_DEADLINE: Duration = Duration::from_secs(300);

/// Restarts that may wait for one connector; more than any user sends by hand.
const MAILBOX: usize = 64;

/// The actor of what is assigned here of one connector.
pub(super) struct AssignedConnector {
    name: String,
    node: Arc<Node>,
    publisher: Arc<dyn TaskConfigPublisher>,
    restarts: mpsc::Receiver<Restart>,
    wishes: watch::Receiver<(u64, Wanted)>,
    work: Arc<WantedWork>,
    hurry: Arc<Mutex<CancellationToken>>,
    wake: Arc<Notify>,
    view: Arc<AssignedView>,
    status: StatusWriter,
    connector: Option<WorkerConnector>,
    /// The position that the connector was started from, and its state; `None` if it was not started.
    connector_started: Option<(i64, TargetState)>,
    tasks_started: BTreeMap<usize, i64>,
    tasks_target: TargetState,
    notes: TaskRunNotes,
    /// Whether the instance is of a connector that ends by itself.
    is_bounded: bool,
    /// The run for which it was written that it is over.
    completed_run: Option<i64>,
    publishing: Option<Publishing>,
    retry_at: Option<Instant>,
    failed_attempts: u32,
    /// Whether the last start of an instance ended in FAILED.
    instance_failed: bool,
    schedule: RestartSchedule,
    /// Whether the schedule knows that the instance is FAILED.
    failure_planned: bool,
}

impl AssignedConnector {
    /// An actor that runs nothing yet, and its handle.
    pub(super) fn new(
        name: &str,
        node: Arc<Node>,
        publisher: Arc<dyn TaskConfigPublisher>,
    ) -> (Self, AssignedConnectorHandle) {
        let (sender, restarts) = mpsc::channel(MAILBOX);
        let (wake, hurry) = (Arc::new(Notify::new()), Arc::new(Mutex::new(CancellationToken::new())));
        let status = StatusWriter::new(Arc::clone(&node), name);
        let board = Arc::new(TaskBoard::new(Arc::clone(&wake)));
        let view = Arc::new(AssignedView {
            tasks: ConnectorTasks::new(Arc::clone(&node), name, status.clone(), board),
            meter: Mutex::default(),
        });
        let notes = TaskRunNotes::new(Arc::clone(&node), name, status.clone());
        let work = Arc::new(WantedWork::new());
        let handle = AssignedConnectorHandle {
            restarts: sender,
            hurry: Arc::clone(&hurry),
            work: Arc::clone(&work),
            view: Arc::clone(&view),
        };
        let actor = Self {
            name: name.to_owned(),
            node,
            publisher,
            restarts,
            wishes: work.subscribe(),
            work,
            hurry,
            wake,
            view,
            status,
            connector: None,
            connector_started: None,
            tasks_started: BTreeMap::new(),
            tasks_target: TargetState::Started,
            notes,
            is_bounded: false,
            completed_run: None,
            publishing: None,
            retry_at: None,
            failed_attempts: 0,
            instance_failed: false,
            schedule: RestartSchedule::default(),
            failure_planned: false,
        };
        (actor, handle)
    }

    /// Works until its handle is gone and nothing is wanted any more.
    ///
    /// # Cancellation
    /// Never dropped while the runtime lives.
    pub(super) async fn run(mut self) {
        let wake = Arc::clone(&self.wake);
        let mut states = self.node.changes.subscribe();
        loop {
            self.plan_restarts();
            let (retry_at, restart_at) = (self.retry_at, self.schedule.next());
            tokio::select! {
                biased;
                changed = self.wishes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.renew_hurry();
                    self.grant_wishes().await;
                }
                restart = self.restarts.recv() => {
                    // Without a handle nobody asks for anything any more.
                    let Some(restart) = restart else { return self.end().await };
                    self.renew_hurry();
                    self.restart(restart).await;
                }
                () = wake.notified() => {
                    self.renew_hurry();
                    self.look_after().await;
                }
                outcome = published(&mut self.publishing) => {
                    self.publishing = None;
                    self.renew_hurry();
                    self.heed_publishing(outcome).await;
                }
                Ok(()) = states.changed(), if self.is_bounded && self.connector_started.is_some() => {
                    self.renew_hurry();
                    self.end_run_if_over().await;
                }
                () = at(restart_at) => {
                    self.renew_hurry();
                    self.restart_due().await;
                }
                () = at(retry_at) => {
                    self.retry_at = None;
                    self.renew_hurry();
                    self.reconfigure().await;
                }
            }
        }
    }

    fn plan_restarts(&mut self) {
        let mut failed: Vec<Part> = self.view.tasks.take_failed().into_iter().map(Part::Task).collect();
        let is_failed = self.instance_failed || self.connector.as_ref().is_some_and(WorkerConnector::is_failed);
        if is_failed && !std::mem::replace(&mut self.failure_planned, is_failed) {
            failed.push(Part::Connector);
        }
        plan_restarts(&mut self.schedule, &self.node, &self.name, &failed);
    }

    async fn restart_due(&mut self) {
        for part in self.schedule.take_due(Instant::now()) {
            let outcome = match part {
                Part::Connector => self.restart_connector().await,
                Part::Task(task) => self.restart_task(task).await,
            };
            if let Err(error) = outcome {
                warn!(connector = self.name, ?part, %error, "what has failed could not be started again");
            }
        }
    }

    /// A wish or restart that waits already is as urgent as one that comes later.
    fn renew_hurry(&self) {
        let token = CancellationToken::new();
        if !self.restarts.is_empty() {
            token.cancel();
        }
        *self.hurry.lock() = token;
    }

    fn patience(&self) -> Patience {
        Patience { deadline: CALL_DEADLINE, hurry: self.hurry.lock().clone() }
    }

    async fn end(&mut self) {
        self.stop_unwanted(&Wanted::nothing()).await;
    }

    /// Makes run what is wanted, and nothing else.
    async fn grant_wishes(&mut self) {
        let (version, wanted) = self.wishes.borrow_and_update().clone();
        self.stop_unwanted(&wanted).await;
        self.work.has_stopped(version);
        if let Some(position) = wanted.connector {
            self.start_or_move_connector(position, wanted.target).await;
        }
        self.move_tasks(wanted.target);
        self.start_missing_tasks(&wanted).await;
        self.end_run_if_over().await;
    }

    /// Stops what is not wanted, or out of date, or of a connector that shall be STOPPED.
    async fn stop_unwanted(&mut self, wanted: &Wanted) {
        let unwanted = |(task, position): (&usize, &i64)| (wanted.tasks.get(task) != Some(position)).then_some(*task);
        let tasks: Vec<usize> = self.tasks_started.iter().filter_map(unwanted).collect();
        let stops_connector = self.connector_started.is_some() && wanted.connector.is_none();
        if !tasks.is_empty() {
            self.stop_tasks(&tasks).await;
            self.tasks_started.retain(|task, _| !tasks.contains(task));
            tasks.iter().for_each(|task| self.schedule.forget(Part::Task(*task)));
        }
        if stops_connector {
            self.end_instance().await;
        }
    }

    async fn stop_tasks(&mut self, tasks: &[usize]) {
        let ended = self.view.tasks.stop_these(tasks).await;
        let done = self.view.tasks.done_tasks();
        for (task, progress) in ended {
            let is_done = done.contains(&task);
            if is_done || self.view.tasks.is_bounded() {
                self.notes.end(task, progress, is_done);
            }
        }
    }

    async fn start_or_move_connector(&mut self, position: i64, target: TargetState) {
        match self.connector_started {
            Some((started, state)) if started == position => {
                if state != target {
                    self.move_connector(target).await;
                    self.connector_started = Some((position, target));
                }
            }
            _ => {
                if let Err(error) = self.start_instance().await {
                    warn!(connector = self.name, %error, "connector could not be started");
                }
                self.connector_started = Some((position, target));
                self.reconfigure().await;
            }
        }
    }

    async fn move_connector(&mut self, target: TargetState) {
        let patience = self.patience();
        let is_lost = self.connector.as_ref().is_none_or(WorkerConnector::is_lost);
        let outcome = match &mut self.connector {
            _ if is_lost && target == TargetState::Started => self.start_instance().await,
            Some(connector) => connector.transition(target, patience).await,
            None => {
                if target == TargetState::Stopped {
                    self.status.connector(State::Stopped, None, None);
                }
                Ok(())
            }
        };
        if let Err(error) = outcome {
            warn!(connector = self.name, ?target, %error, "connector did not go to its target state");
        }
        if target == TargetState::Started {
            self.reconfigure().await;
        }
    }

    fn move_tasks(&mut self, target: TargetState) {
        if self.tasks_target == target {
            return;
        }
        self.tasks_target = target;
        match target {
            TargetState::Started => self.view.tasks.resume(),
            // The tasks of a STOPPED connector are taken away by the commit of none.
            TargetState::Paused | TargetState::Stopped => self.view.tasks.pause(),
        }
    }

    async fn start_missing_tasks(&mut self, wanted: &Wanted) {
        let missing = wanted.tasks.keys().filter(|task| !self.tasks_started.contains_key(task));
        let missing: Vec<usize> = missing.copied().collect();
        if missing.is_empty() {
            return;
        }
        for task in &missing {
            self.tasks_started.insert(*task, wanted.tasks[task]);
        }
        let parts = match task_parts(&self.node, &self.name) {
            Ok(parts) => parts,
            // Deleted meanwhile: the next assignment takes the tasks away.
            Err(HerderError::NotFound(_)) => return,
            Err(error) => return self.fail_tasks(&missing, &Error::fatal(error.to_string())),
        };
        if let Err(error) = check_task_count(&self.name, &parts.connector_config, parts.task_configs.len()) {
            return self.fail_tasks(&missing, &error);
        }
        if self.view.tasks.is_empty() {
            self.view.tasks.begin_run(&parts);
        }
        let (done, missing): (Vec<_>, Vec<_>) =
            missing.into_iter().partition(|task| self.notes.is_done(*task, wanted.tasks[task]));
        if !done.is_empty() {
            info!(connector = self.name, tasks = ?done, "tasks are done already");
        }
        missing.iter().for_each(|task| self.notes.start(*task, wanted.tasks[task]));
        info!(connector = self.name, tasks = ?missing, "starting tasks");
        self.view.tasks.start_these(missing.iter().copied(), &parts).await;
    }

    fn fail_tasks(&self, tasks: &[usize], error: &Error) {
        warn!(connector = self.name, ?tasks, %error, "tasks could not be started");
        for task in tasks {
            self.status.task(*task, State::Failed, Some(error.trace()), None);
            self.view.tasks.has_failed(*task);
        }
    }

    async fn restart(&mut self, restart: Restart) {
        // Who asked may have gone; then nobody is told.
        match restart {
            Restart::Connector { reply } => {
                self.schedule.forget(Part::Connector);
                let _ = reply.send(self.restart_connector().await);
            }
            Restart::Task { task, reply } => {
                self.schedule.forget(Part::Task(task));
                let _ = reply.send(self.restart_task(task).await);
            }
            Restart::Selected { connector, tasks } => {
                self.schedule.forget_all();
                if connector && let Err(error) = self.restart_connector().await {
                    warn!(connector = self.name, %error, "connector could not be restarted");
                }
                for task in tasks {
                    if let Err(error) = self.restart_task(task).await {
                        warn!(connector = self.name, task, %error, "task could not be restarted");
                    }
                }
            }
        }
    }

    async fn restart_connector(&mut self) -> HerderResult<()> {
        if self.connector_started.is_none() {
            // It was taken away while the request waited.
            return Err(HerderError::Elsewhere(None));
        }
        let outcome = self.start_instance().await;
        self.reconfigure().await;
        Ok(outcome?)
    }

    async fn restart_task(&mut self, task: usize) -> HerderResult<()> {
        let Some(run) = self.tasks_started.get(&task).copied() else { return Err(HerderError::Elsewhere(None)) };
        let parts = task_parts(&self.node, &self.name)?;
        self.stop_tasks(&[task]).await;
        if let Err(error) = check_task_count(&self.name, &parts.connector_config, parts.task_configs.len()) {
            self.fail_tasks(&[task], &error);
            return Err(error.into());
        }
        self.notes.start(task, run);
        Ok(self.view.tasks.start(task, &parts).await?)
    }

    async fn end_instance(&mut self) {
        self.forget_publishing();
        self.schedule.forget(Part::Connector);
        self.instance_failed = false;
        self.connector_started = None;
        if let Some(connector) = self.connector.take() {
            connector.shut_down().await;
        }
    }

    /// Starts a new instance in the target state, in the place of the one that runs. What goes wrong is written as FAILED.
    async fn start_instance(&mut self) -> Result<()> {
        self.failure_planned = false;
        let outcome = self.try_start_instance().await;
        self.instance_failed = outcome.is_err();
        outcome
    }

    async fn try_start_instance(&mut self) -> Result<()> {
        self.forget_publishing();
        if let Some(connector) = self.connector.take() {
            connector.shut_down().await;
        }
        let snapshot = self.node.configs.snapshot();
        let Some(raw) = snapshot.connector_config(&self.name).cloned() else { return Ok(()) };
        let target = snapshot.target_state(&self.name).unwrap_or(TargetState::Started);
        let (config, plugin) = match resolved(&self.node, &self.name, &raw, self.patience()).await {
            Ok(found) => found,
            Err(error) => {
                self.status.connector(State::Failed, Some(error.trace()), None);
                return Err(error);
            }
        };
        let requests = Arc::new(ConnectorRequests::new(Arc::clone(&self.wake)));
        let parts = (requests, self.status.clone());
        let (connector, outcome) =
            WorkerConnector::start(&self.name, plugin, config, target, parts, self.patience()).await;
        self.is_bounded = connector.is_bounded() || is_bounded_mode(&raw);
        self.connector = Some(connector);
        outcome
    }

    fn forget_publishing(&mut self) {
        self.retry_at = None;
        self.failed_attempts = 0;
        if let Some(publishing) = self.publishing.take() {
            publishing.abort();
        }
    }

    /// Ends the run of a bounded connector if all its tasks are done, whoever ran them.
    async fn end_run_if_over(&mut self) {
        // What is under way, or waits for another try, goes on with the next step by itself.
        if self.publishing.is_none() && self.retry_at.is_none() && self.completion_step().is_some() {
            self.reconfigure().await;
        }
    }

    fn completion_step(&self) -> Option<CompletionStep> {
        if !self.is_bounded || self.connector_started.is_none() {
            return None;
        }
        let runs = self.node.statuses.task_runs(&self.name);
        next_step(&self.node.configs.snapshot(), &self.name, &runs, self.completed_run, now_ms())
    }

    fn take(&mut self, step: CompletionStep) {
        self.forget_publishing_only();
        let (publisher, name) = (Arc::clone(&self.publisher), self.name.clone());
        self.publishing = Some(match step {
            CompletionStep::Stop { run, completion } => {
                info!(
                    connector = self.name,
                    rows = completion.rows,
                    files = completion.files,
                    "bounded connector is done"
                );
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

    /// Asks the connector for its tasks, and has them published if they or the configuration have changed.
    async fn reconfigure(&mut self) {
        if let Some(step) = self.completion_step() {
            return self.take(step);
        }
        match self.changed_task_configs().await {
            Ok(None) => self.failed_attempts = 0,
            Ok(Some(configs)) => {
                self.forget_publishing_only();
                let (publisher, name) = (Arc::clone(&self.publisher), self.name.clone());
                self.publishing = Some(tokio::spawn(async move {
                    publisher.publish(&name, configs).await?;
                    Ok(Published::Tasks)
                }));
            }
            Err(error) => self.retry_later(&error.to_string()),
        }
    }

    fn forget_publishing_only(&mut self) {
        if let Some(publishing) = self.publishing.take() {
            publishing.abort();
        }
    }

    /// The task configurations that are to be published; `None` if they are in force, or the connector does not run.
    async fn changed_task_configs(&mut self) -> Result<Option<Vec<ConfigMap>>> {
        let patience = self.patience();
        let Some(connector) = self.connector.as_mut().filter(|connector| connector.is_running()) else {
            return Ok(None);
        };
        let snapshot = self.node.configs.snapshot();
        if snapshot.target_state(&self.name) != Some(TargetState::Started) {
            return Ok(None);
        }
        let Some(raw) = snapshot.connector_config(&self.name) else { return Ok(None) };
        let made = connector.task_configs(max_tasks(connector.config()), patience.clone()).await;
        let configs = made.and_then(|configs| {
            check_task_count(&self.name, connector.config(), configs.len())?;
            Ok(stored_task_configs(configs, connector.plugin(), raw))
        });
        let configs = match configs {
            Ok(configs) => configs,
            Err(error) if is_too_many_tasks(&error) => {
                // The error is written as the connector's state; another try would end the same way.
                let _ = connector.fail(error);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let (config, plugin) = (connector.config().clone(), connector.plugin().clone());
        let changed = have_changed(&snapshot, &self.name, &configs)
            || !is_applied(&self.node, &self.name, &snapshot, &config, patience.clone()).await?;
        match changed {
            false => Ok(None),
            true if !self.is_bounded => Ok(Some(configs)),
            true => with_ends(configs, &self.node, &self.name, (&plugin, config), patience).await.map(Some),
        }
    }

    async fn heed_publishing(&mut self, outcome: HerderResult<Published>) {
        match outcome {
            Ok(published) => {
                self.failed_attempts = 0;
                if let Published::Completion(Some(run)) = published {
                    self.completed_run = Some(run);
                }
                if published != Published::Tasks {
                    self.reconfigure().await;
                }
            }
            Err(error) => self.retry_later(&error.to_string()),
        }
    }

    fn retry_later(&mut self, error: &str) {
        let delay = ExponentialBackoff::task_reconfiguration().delay_ms(self.failed_attempts);
        let delay = Duration::from_millis(delay.unsigned_abs());
        self.failed_attempts = self.failed_attempts.saturating_add(1);
        warn!(connector = self.name, error, retry_in = ?delay, "tasks could not be reconfigured");
        self.retry_at = Some(Instant::now() + delay);
    }

    /// What the connector or its tasks have asked for meanwhile.
    async fn look_after(&mut self) {
        for (task, progress) in self.view.tasks.done() {
            self.notes.end(task, progress, true);
        }
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
    node: &Node,
    name: &str,
    state: &ClusterConfigState,
    config: &ConfigMap,
    patience: Patience,
) -> Result<bool> {
    match state.applied_connector_config(name) {
        None => Ok(false),
        Some(applied) if Some(applied) == state.connector_config(name) => Ok(true),
        Some(applied) => Ok(resolved(node, name, applied, patience).await?.0 == *config),
    }
}

fn is_too_many_tasks(error: &Error) -> bool {
    error.exception().ends_with("TooManyTasksException")
}
