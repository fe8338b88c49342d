//! One connector of a standalone worker: everything that happens to it, one thing after the other.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use volley_api::{ConfigMap, Error, Result};

use crate::clock::now_ms;
use crate::error::{HerderError, HerderResult};
use crate::herder::WorkerContext;
use crate::herder::lifecycle::{
    ConnectorRequest, ConnectorRequests, ConnectorTasks, Part, RestartSchedule, StatusWriter, TaskParts, TaskStates,
    WorkerConnector, at, check_topic_creation, have_changed, is_bounded_mode, max_tasks, plan_restarts, resolved,
    stored_task_configs, task_parts,
};
use crate::herder::progress::RateMeter;
use crate::json_config::GivenConfig;
use crate::plugin_call::Deadline;
use crate::spawned_task::SpawnedTask;
use crate::storage::TaskProgressSnapshot;
use crate::storage::{Completion, ConfigRecord, State, TargetState};

/// How long a connector may take to start or to make task configurations, while nobody waits for it to go away.
const CALL_LIMIT: Duration = Duration::from_secs(300);

/// Commands that may wait for one connector; more than any user sends by hand.
const MAILBOX: usize = 64;

/// The answer to a command.
pub(super) type Reply<T> = oneshot::Sender<HerderResult<T>>;

/// What may be asked of a connector.
#[derive(Debug)]
pub(super) enum Command {
    /// Create it, or replace its configuration; whether it is new.
    Put { config: GivenConfig, initial_state: Option<TargetState>, may_replace: bool, reply: Reply<bool> },
    /// Delete it.
    Delete { reply: Reply<()> },
    /// Pause, resume or stop it.
    SetTarget { state: TargetState, reply: Reply<()> },
    /// Restart its own instance.
    RestartConnector { reply: Reply<()> },
    /// Restart one task.
    RestartTask { task: usize, reply: Reply<()> },
    /// Restart a selection.
    Restart { connector: bool, tasks: Vec<usize> },
    /// End it all; the worker goes.
    ShutDown { reply: Reply<()> },
}

impl Command {
    /// Whether the instance that runs now is in its way.
    fn ends_instance(&self) -> bool {
        match self {
            Self::Put { .. } | Self::Delete { .. } | Self::RestartConnector { .. } | Self::ShutDown { .. } => true,
            Self::SetTarget { state, .. } => *state == TargetState::Stopped,
            Self::Restart { connector, .. } => *connector,
            Self::RestartTask { .. } => false,
        }
    }
}

/// What may be read of a connector while its actor is busy.
pub(super) struct ConnectorView {
    pub(super) tasks: ConnectorTasks,
    pub(super) completion: Mutex<Option<Completion>>,
    /// The tasks' last counters, once they are done.
    pub(super) last_snapshots: Mutex<Vec<(usize, TaskProgressSnapshot)>>,
    pub(super) meter: Mutex<RateMeter>,
    pub(super) is_bounded: AtomicBool,
}

/// Where commands to a connector go.
pub(super) struct ActorHandle {
    mailbox: mpsc::Sender<Command>,
    expedited: Arc<Mutex<CancellationToken>>,
    pub(super) view: Arc<ConnectorView>,
    task: SpawnedTask,
}

/// The actors by connector name. Commands are sent under its lock, so that an actor that ends leaves none behind.
pub(super) type ActorRegistry = Mutex<HashMap<String, ActorHandle>>;

impl ActorHandle {
    /// Sends a command without waiting.
    ///
    /// # Errors
    /// If too many wait already, or the actor is no more.
    pub(super) fn send(&self, command: Command) -> HerderResult<()> {
        self.task.check()?;
        if command.ends_instance() {
            self.expedited.lock().cancel();
        }
        self.mailbox.try_send(command).map_err(|_| {
            HerderError::Conflict(
                "Cannot complete request because of a conflicting operation (e.g. worker rebalance)".into(),
            )
        })
    }
}

/// The actor of one connector.
pub(super) struct ConnectorActor {
    name: String,
    context: Arc<WorkerContext>,
    registry: Arc<ActorRegistry>,
    mailbox: mpsc::Receiver<Command>,
    expedited: Arc<Mutex<CancellationToken>>,
    wake: Arc<Notify>,
    view: Arc<ConnectorView>,
    status: StatusWriter,
    connector: Option<WorkerConnector>,
    /// The resolved configuration that the tasks were started with.
    applied: Option<ConfigMap>,
    started_at: Instant,
    schedule: RestartSchedule,
    /// Whether the schedule knows that the instance is FAILED.
    failure_planned: bool,
}

impl ConnectorActor {
    /// Starts an actor for a connector that does not exist yet.
    pub(super) fn start(
        runtime: &Handle,
        name: &str,
        context: Arc<WorkerContext>,
        registry: Arc<ActorRegistry>,
    ) -> ActorHandle {
        let (sender, mailbox) = mpsc::channel(MAILBOX);
        let (wake, expedited) = (Arc::new(Notify::new()), Arc::new(Mutex::new(CancellationToken::new())));
        let status = StatusWriter::new(Arc::clone(&context), name);
        let task_states = Arc::new(TaskStates::new(Arc::clone(&wake)));
        let view = Arc::new(ConnectorView {
            tasks: ConnectorTasks::new(Arc::clone(&context), name, status.clone(), task_states),
            completion: Mutex::default(),
            last_snapshots: Mutex::default(),
            meter: Mutex::default(),
            is_bounded: AtomicBool::new(false),
        });
        let actor = Self {
            name: name.to_owned(),
            context,
            registry,
            mailbox,
            expedited: Arc::clone(&expedited),
            wake,
            view: Arc::clone(&view),
            status,
            connector: None,
            applied: None,
            started_at: Instant::now(),
            schedule: RestartSchedule::default(),
            failure_planned: false,
        };
        let task = SpawnedTask::start(runtime, format!("the actor of connector `{name}`"), actor.run());
        ActorHandle { mailbox: sender, expedited, view, task }
    }

    /// Works until the connector is deleted or the worker ends.
    ///
    /// # Cancellation
    /// Never dropped while the runtime lives.
    async fn run(mut self) {
        let wake = Arc::clone(&self.wake);
        loop {
            self.plan_restarts();
            let restart_at = self.schedule.next();
            tokio::select! {
                command = self.mailbox.recv() => {
                    let Some(command) = command else { return };
                    let is_last = matches!(command, Command::ShutDown { .. });
                    self.renew_expedited();
                    self.carry_out(command).await;
                    if is_last || self.has_left_registry() {
                        return;
                    }
                }
                () = wake.notified() => {
                    self.renew_expedited();
                    self.look_after().await;
                }
                () = at(restart_at) => {
                    self.renew_expedited();
                    self.restart_due().await;
                }
            }
        }
    }

    fn plan_restarts(&mut self) {
        let mut failed: Vec<Part> = self.view.tasks.take_failed().into_iter().map(Part::Task).collect();
        let is_failed = self.connector.as_ref().is_some_and(WorkerConnector::is_failed);
        if is_failed && !std::mem::replace(&mut self.failure_planned, is_failed) {
            failed.push(Part::Connector);
        }
        let config = self.connector.as_ref().map(WorkerConnector::config);
        plan_restarts(&mut self.schedule, &self.context, &self.name, config, &failed);
    }

    async fn restart_due(&mut self) {
        for part in self.schedule.take_due(Instant::now()) {
            let outcome = match part {
                Part::Connector => self.restart_connector().await.map_err(HerderError::from),
                Part::Task(task) => self.restart_task(task).await,
            };
            if let Err(error) = outcome {
                warn!(connector = self.name, ?part, %error, "what has failed could not be started again");
            }
        }
    }

    /// A command that waits already is as urgent as one that comes later.
    fn renew_expedited(&self) {
        let token = CancellationToken::new();
        if !self.mailbox.is_empty() {
            token.cancel();
        }
        *self.expedited.lock() = token;
    }

    fn deadline(&self) -> Deadline {
        Deadline { limit: CALL_LIMIT, expedited: self.expedited.lock().clone() }
    }

    fn has_left_registry(&self) -> bool {
        let mut registry = self.registry.lock();
        let leaves = self.mailbox.is_empty() && !self.context.configs.snapshot().contains(&self.name);
        if leaves {
            registry.remove(&self.name);
        }
        leaves
    }

    async fn carry_out(&mut self, command: Command) {
        if !matches!(command, Command::RestartTask { .. }) {
            self.schedule.forget_all();
        }
        // Who asked may have gone; then nobody is told.
        match command {
            Command::Put { config, initial_state, may_replace, reply } => {
                let _ = reply.send(self.put(config, initial_state, may_replace).await);
            }
            Command::Delete { reply } => {
                let _ = reply.send(self.delete().await);
            }
            Command::SetTarget { state, reply } => {
                let _ = reply.send(self.set_target(state).await);
            }
            Command::RestartConnector { reply } => {
                let _ = reply.send(self.restart_connector().await.map_err(HerderError::from));
            }
            Command::RestartTask { task, reply } => {
                self.schedule.forget(Part::Task(task));
                let _ = reply.send(self.restart_task(task).await);
            }
            Command::Restart { connector, tasks } => self.restart(connector, &tasks).await,
            Command::ShutDown { reply } => {
                self.shut_down().await;
                let _ = reply.send(Ok(()));
            }
        }
    }

    async fn put(
        &mut self,
        config: GivenConfig,
        initial_state: Option<TargetState>,
        may_replace: bool,
    ) -> HerderResult<bool> {
        let is_new = !self.context.configs.snapshot().contains(&self.name);
        if !is_new && !may_replace {
            return Err(HerderError::Conflict(format!("Connector {} already exists", self.name)));
        }
        self.end_instance().await;
        let initial = initial_state.filter(|_| is_new);
        let mut records: Vec<_> =
            initial.map(|state| ConfigRecord::TargetState(self.name.clone(), Some(state))).into_iter().collect();
        records.push(ConfigRecord::Connector(self.name.clone(), Some(config)));
        self.context.configs.write(&records)?;
        *self.view.completion.lock() = None;
        self.start_instance().await?;
        self.reconfigure().await?;
        Ok(is_new)
    }

    async fn delete(&mut self) -> HerderResult<()> {
        if !self.context.configs.snapshot().contains(&self.name) {
            return Err(HerderError::connector_not_found(&self.name));
        }
        let name = self.name.clone();
        self.view.tasks.stop_all().await;
        self.end_instance().await;
        self.context
            .configs
            .write(&[ConfigRecord::Connector(name.clone(), None), ConfigRecord::TargetState(name, None)])?;
        self.status.forget_all();
        self.applied = None;
        info!(connector = self.name, "connector deleted");
        Ok(())
    }

    async fn set_target(&mut self, state: TargetState) -> HerderResult<()> {
        if !self.context.configs.snapshot().contains(&self.name) {
            return Err(HerderError::unknown_connector(&self.name));
        }
        self.context.configs.write(&[ConfigRecord::TargetState(self.name.clone(), Some(state))])?;
        self.apply_target(state).await;
        Ok(())
    }

    async fn apply_target(&mut self, state: TargetState) {
        let outcome = match state {
            TargetState::Started => self.resume().await,
            TargetState::Paused => {
                self.view.tasks.pause();
                self.transition(state).await
            }
            TargetState::Stopped => {
                self.view.tasks.stop_all().await;
                let outcome = self.transition(state).await;
                self.status.forget_tasks_from(0);
                let commit = ConfigRecord::tasks(&self.name, &[]);
                outcome.and_then(|()| self.context.configs.write(&commit))
            }
        };
        if let Err(error) = outcome {
            warn!(connector = self.name, target = ?state, %error, "connector did not go to its target state");
        }
    }

    async fn resume(&mut self) -> Result<()> {
        match self.connector.as_ref().is_none_or(WorkerConnector::is_lost) {
            true => {
                self.end_instance().await;
                self.start_instance().await?;
            }
            false => self.transition(TargetState::Started).await?,
        }
        let outcome = self.reconfigure().await;
        self.view.tasks.resume();
        outcome
    }

    async fn transition(&mut self, state: TargetState) -> Result<()> {
        let deadline = self.deadline();
        match &mut self.connector {
            Some(connector) => connector.transition(state, deadline).await,
            None => {
                if state == TargetState::Stopped {
                    self.status.connector(State::Stopped, None, None);
                }
                Ok(())
            }
        }
    }

    async fn end_instance(&mut self) {
        if let Some(connector) = self.connector.take() {
            connector.shut_down().await;
        }
    }

    /// Starts an instance in the target state. What goes wrong is written as FAILED.
    async fn start_instance(&mut self) -> Result<()> {
        self.failure_planned = false;
        let snapshot = self.context.configs.snapshot();
        let Some(raw) = snapshot.connector_config(&self.name).cloned() else { return Ok(()) };
        let target = snapshot.target_state(&self.name).unwrap_or(TargetState::Started);
        let found = resolved(&self.context, &self.name, &raw, self.deadline()).await.and_then(|(config, plugin)| {
            check_topic_creation(&self.context, &plugin, &config)?;
            Ok((config, plugin))
        });
        let (config, plugin) = match found {
            Ok(found) => found,
            Err(error) => {
                self.status.connector(State::Failed, Some(error.trace()), None);
                return Err(error);
            }
        };
        let requests = Arc::new(ConnectorRequests::new(Arc::clone(&self.wake)));
        let parts = (requests, self.status.clone());
        let (connector, outcome) =
            WorkerConnector::start(&self.name, plugin, config, target, parts, self.deadline()).await;
        let is_bounded = connector.is_bounded() || is_bounded_mode(&raw);
        self.view.is_bounded.store(is_bounded, Ordering::Release);
        self.connector = Some(connector);
        outcome
    }

    /// Asks the connector for its tasks, and starts them if they or the configuration have changed, or do not run.
    async fn reconfigure(&mut self) -> Result<()> {
        let deadline = self.deadline();
        let Some(connector) = self.connector.as_mut().filter(|connector| connector.is_running()) else { return Ok(()) };
        let snapshot = self.context.configs.snapshot();
        let Some(raw) = snapshot.connector_config(&self.name) else { return Ok(()) };
        let configs = match connector.task_configs(max_tasks(connector.config()), deadline).await {
            Ok(configs) => stored_task_configs(configs, connector.plugin(), raw),
            Err(error) => return connector.fail(error),
        };
        let changed =
            have_changed(&snapshot, &self.name, &configs) || self.applied.as_ref() != Some(connector.config());
        if !changed && !self.view.tasks.is_empty() {
            return Ok(());
        }
        let (config, plugin) = (connector.config().clone(), connector.plugin().clone());
        self.view.tasks.stop_all().await;
        self.status.forget_tasks_from(configs.len());
        self.context.configs.write(&ConfigRecord::tasks(&self.name, &configs))?;
        self.applied = Some(config.clone());
        *self.view.completion.lock() = None;
        self.view.last_snapshots.lock().clear();
        self.started_at = Instant::now();
        info!(connector = self.name, tasks = configs.len(), "starting tasks");
        let parts = TaskParts { plugin, connector_config: config, task_configs: configs, paused: false };
        self.view.tasks.start_all(&parts).await;
        Ok(())
    }

    async fn restart_connector(&mut self) -> Result<()> {
        self.end_instance().await;
        self.start_instance().await?;
        self.reconfigure().await
    }

    async fn restart_task(&mut self, task: usize) -> HerderResult<()> {
        let snapshot = self.context.configs.snapshot();
        if task >= snapshot.task_configs(&self.name).len() {
            return Err(HerderError::NotFound(format!("Unknown task: {}-{task}", self.name)));
        }
        self.view.tasks.stop_one(task).await;
        let target = snapshot.target_state(&self.name).unwrap_or(TargetState::Started);
        match task_parts(&self.context, &self.name, target).await {
            Ok(parts) => Ok(self.view.tasks.start(task, &parts).await?),
            Err(HerderError::Plugin(error)) => {
                self.view.tasks.fail(task, &error);
                Err(error.into())
            }
            Err(error) => Err(error),
        }
    }

    async fn restart(&mut self, connector: bool, tasks: &[usize]) {
        if connector && let Err(error) = self.restart_connector().await {
            warn!(connector = self.name, %error, "connector could not be restarted");
        }
        for task in tasks {
            if let Err(error) = self.restart_task(*task).await {
                warn!(connector = self.name, task, %error, "task could not be restarted");
            }
        }
    }

    async fn shut_down(&mut self) {
        self.view.tasks.stop_all().await;
        self.end_instance().await;
    }

    /// What the connector or its tasks have asked for meanwhile.
    async fn look_after(&mut self) {
        while let Some(request) = self.connector.as_ref().and_then(|connector| connector.requests().take()) {
            match request {
                ConnectorRequest::Reconfigure => {
                    if let Err(error) = self.reconfigure().await {
                        warn!(connector = self.name, %error, "tasks could not be reconfigured");
                    }
                }
                ConnectorRequest::Fail(error) => self.fail(error),
            }
        }
        if self.view.tasks.is_done() {
            self.complete().await;
        }
    }

    fn fail(&mut self, error: Error) {
        if let Some(connector) = &mut self.connector {
            // The error is what was reported, not news.
            let _ = connector.fail(error);
        }
    }

    /// All tasks are done: the connector ends STOPPED, with a record of what it did.
    async fn complete(&mut self) {
        let snapshots = self.view.tasks.snapshots();
        let counters: Vec<_> = snapshots.iter().map(|(_, snapshot)| snapshot.clone()).collect();
        let duration = u64::try_from(self.started_at.elapsed().as_millis()).unwrap_or(u64::MAX);
        let completion = Completion::of(&counters, now_ms(), duration);
        info!(connector = self.name, rows = completion.rows, files = completion.files, "bounded connector is done");
        *self.view.last_snapshots.lock() = snapshots;
        *self.view.completion.lock() = Some(completion);
        if let Err(error) = self.set_target(TargetState::Stopped).await {
            warn!(connector = self.name, %error, "completed connector could not be stopped");
        }
        self.context.has_changed();
    }
}
