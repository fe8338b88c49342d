//! The herder of a standalone worker: every connector and task runs here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::future::join_all;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use volley_api::{ConfigMap, Error, PluginKind, Result};

use super::completion::Completion;
use super::connector_actor::{ActorRegistry, Command, ConnectorActor, ConnectorView, Reply};
use super::connector_offsets::OffsetsOf;
use super::herder::{Created, Herder, patched};
use super::progress::{Rates, TaskProgressInfo, total};
use super::restart_plan::RestartPlan;
use super::status_writer::StatusWriter;
use super::{
    ConnectorInfo, ConnectorOffset, ConnectorOffsets, ConnectorProgress, ConnectorState, ConnectorStateInfo,
    HerderError, HerderResult, Node, RequestSignature, Stages, TaskIdInfo, TaskInfo, TaskStateInfo,
};
use crate::json_config::GivenConfig;
use crate::plugin_call::{Patience, call_plugin};
use crate::plugins::Plugins;
use crate::secret_mask::{mask_secrets, unmask_secrets};
use crate::storage::{ClusterConfigState, ConfigRecord, RestartRequest, State, StatusKey, TargetState};
use crate::task::ConnectorTaskId;
use crate::validation::{ConfigInfos, ConnectorValidator};

/// How long reading or changing offsets may take.
const OFFSETS_DEADLINE: Duration = Duration::from_secs(90);

/// Runs all connectors in this process. MUST be made and used within a tokio runtime.
pub struct StandaloneHerder {
    node: Arc<Node>,
    validator: ConnectorValidator,
    actors: Arc<ActorRegistry>,
    runtime: Handle,
    stages: Stages,
    is_ready: AtomicBool,
    is_shut_down: AtomicBool,
}

impl std::fmt::Debug for StandaloneHerder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StandaloneHerder").field("node", &self.node).finish_non_exhaustive()
    }
}

impl StandaloneHerder {
    /// A herder without connectors. What it does it does on the runtime that it is made on.
    pub fn new(node: Arc<Node>, validator: ConnectorValidator) -> Self {
        Self {
            node,
            validator,
            actors: Arc::default(),
            runtime: Handle::current(),
            stages: Stages::default(),
            is_ready: AtomicBool::new(false),
            is_shut_down: AtomicBool::new(false),
        }
    }

    /// The worker serves requests from now on.
    pub fn mark_ready(&self) {
        self.is_ready.store(true, Ordering::Release);
    }

    /// Waits until every bounded connector is done.
    ///
    /// # Errors
    /// If one of them or one of its tasks is FAILED, with its trace; if no connector is bounded.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub async fn await_all_bounded_done(&self) -> Result<Vec<(String, Completion)>> {
        let mut changes = self.node.changes.subscribe();
        loop {
            changes.mark_unchanged();
            let bounded = self.bounded();
            if bounded.is_empty() {
                return Err(Error::config(
                    "no connector is bounded, so that waiting for their end would never end: give a sink volley.mode=bounded, \
                     or a source an end",
                ));
            }
            let mut completions = Vec::new();
            for (name, completion) in bounded {
                match completion {
                    Some(completion) => completions.push(Some((name, completion))),
                    None => {
                        self.check_not_failed(&name)?;
                        completions.push(None);
                    }
                }
            }
            if let Some(completions) = completions.into_iter().collect() {
                return Ok(completions);
            }
            if changes.changed().await.is_err() {
                return Err(Error::fatal("the worker has ended"));
            }
        }
    }

    fn bounded(&self) -> Vec<(String, Option<Completion>)> {
        let actors = self.actors.lock();
        let bounded = actors.iter().filter(|(_, actor)| actor.view.is_bounded.load(Ordering::Acquire));
        let mut bounded: Vec<_> =
            bounded.map(|(name, actor)| (name.clone(), actor.view.completion.lock().clone())).collect();
        bounded.sort_by(|(a, _), (b, _)| a.cmp(b));
        bounded
    }

    fn check_not_failed(&self, name: &str) -> Result<()> {
        let Ok(states) = self.states(name) else { return Ok(()) };
        if !states.has_failed() {
            return Ok(());
        }
        let traces = states.connector.trace.into_iter().chain(states.tasks.into_iter().filter_map(|task| task.trace));
        let traces: Vec<_> = traces.collect();
        Err(Error::fatal(format!("connector `{name}` failed: {}", traces.join("\n"))))
    }

    /// Ends all connectors and tasks, at the same time.
    ///
    /// # Cancellation
    /// They end, but nobody waits for them.
    pub async fn shut_down(&self) {
        self.is_shut_down.store(true, Ordering::Release);
        let waiting: Vec<_> = {
            let actors = self.actors.lock();
            let sent = actors.values().filter_map(|actor| {
                let (reply, answer) = oneshot::channel();
                actor.send(Command::ShutDown { reply }).ok().map(|()| answer)
            });
            sent.collect()
        };
        join_all(waiting).await;
        self.actors.lock().clear();
    }

    pub(super) fn snapshot(&self) -> Arc<ClusterConfigState> {
        self.node.configs.snapshot()
    }

    fn check_exists(&self, name: &str, error: fn(&str) -> HerderError) -> HerderResult<Arc<ClusterConfigState>> {
        let snapshot = self.snapshot();
        if snapshot.contains(name) { Ok(snapshot) } else { Err(error(name)) }
    }

    fn kind(&self, config: &ConfigMap) -> &'static str {
        let class = config.get("connector.class").map(|class| class.trim()).unwrap_or_default();
        match self.node.plugins.find_connector(class).map(volley_api::Plugin::kind) {
            Ok(PluginKind::Sink) => "sink",
            Ok(_) => "source",
            Err(_) => "unknown",
        }
    }

    fn info(&self, snapshot: &ClusterConfigState, name: &str) -> HerderResult<ConnectorInfo> {
        let config = snapshot.connector_config(name).ok_or_else(|| HerderError::connector_not_found(name))?;
        let tasks = 0..snapshot.task_configs(name).len();
        Ok(ConnectorInfo {
            name: name.to_owned(),
            config: mask_secrets(config, &self.node.plugins),
            tasks: tasks.map(|task| TaskIdInfo { connector: name.to_owned(), task }).collect(),
            kind: self.kind(config),
        })
    }

    fn states(&self, name: &str) -> HerderResult<ConnectorStateInfo> {
        let not_found = || HerderError::NotFound(format!("No status found for connector {name}"));
        let status = self.node.statuses.get(&StatusKey::Connector(name.to_owned())).ok_or_else(not_found)?;
        let snapshot = self.snapshot();
        let tasks = self.node.statuses.tasks(name).into_iter();
        Ok(ConnectorStateInfo {
            name: name.to_owned(),
            connector: ConnectorState::from(status),
            tasks: tasks.map(|(id, status)| TaskStateInfo::new(id, status)).collect(),
            kind: snapshot.connector_config(name).map_or("unknown", |config| self.kind(config)),
            completion: self.view(name).and_then(|view| view.completion.lock().clone()),
        })
    }

    fn view(&self, name: &str) -> Option<Arc<ConnectorView>> {
        self.actors.lock().get(name).map(|actor| Arc::clone(&actor.view))
    }

    /// Sends a command to the actor of a connector, which is made if need be, and waits for the answer.
    async fn ask<T>(&self, name: &str, command: impl FnOnce(Reply<T>) -> Command) -> HerderResult<T> {
        let (reply, answer) = oneshot::channel();
        self.send(name, command(reply))?;
        answer.await.unwrap_or_else(|_| Err(HerderError::shutting_down()))
    }

    fn send(&self, name: &str, command: Command) -> HerderResult<()> {
        let mut actors = self.actors.lock();
        if self.is_shut_down.load(Ordering::Acquire) {
            return Err(HerderError::shutting_down());
        }
        let actor = actors.entry(name.to_owned()).or_insert_with(|| {
            let (actor, handle) = ConnectorActor::new(name, Arc::clone(&self.node), Arc::clone(&self.actors));
            self.runtime.spawn(actor.run());
            handle
        });
        actor.send(command)
    }

    async fn put(
        &self,
        name: &str,
        mut config: GivenConfig,
        initial_state: Option<TargetState>,
        may_replace: bool,
    ) -> HerderResult<Created> {
        if let Some(stored) = self.snapshot().connector_config(name) {
            unmask_secrets(&mut config.values, stored, &self.node.plugins);
        }
        let infos = self.validator.validate(&config).await?;
        if infos.error_count > 0 {
            return Err(HerderError::BadRequest(infos.refusal()));
        }
        let config = config.values;
        let is_new = self.ask(name, |reply| Command::Put { config, initial_state, may_replace, reply }).await?;
        Ok(Created { is_new, info: self.info(&self.snapshot(), name)? })
    }

    /// Runs `call` with a connector whose offsets are asked for, on a thread of its own.
    async fn with_offsets<T: Send + 'static>(
        &self,
        name: &str,
        call: impl FnOnce(&OffsetsOf, &Node) -> HerderResult<T> + Send + 'static,
    ) -> HerderResult<T> {
        let snapshot = self.check_exists(name, HerderError::connector_not_found)?;
        let raw = snapshot.connector_config(name).cloned().unwrap_or_default();
        let class = raw.get("connector.class").map(|class| class.trim()).unwrap_or_default();
        let plugin = self.node.plugins.find_connector(class)?.clone();
        let (name, node) = (name.to_owned(), Arc::clone(&self.node));
        let what = format!("access to the offsets of connector `{name}`");
        call_plugin(&what, Patience::of(OFFSETS_DEADLINE), move || {
            let config = node.transformer.resolve(&raw)?;
            call(&OffsetsOf { name, config, plugin }, &node)
        })
        .await?
    }

    fn check_offsets_may_change(&self, name: &str) -> HerderResult<()> {
        let snapshot = self.check_exists(name, HerderError::connector_not_found)?;
        let is_stopped = snapshot.target_state(name) == Some(TargetState::Stopped) && snapshot.task_count(name) == 0;
        if is_stopped {
            return Ok(());
        }
        Err(HerderError::BadRequest(format!(
            "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified \
             connector by issuing a 'PUT' request to the '/connectors/{name}/stop' endpoint"
        )))
    }
}

#[async_trait]
impl Herder for StandaloneHerder {
    fn plugins(&self) -> &Plugins {
        &self.node.plugins
    }

    fn worker_id(&self) -> String {
        self.node.worker_id()
    }

    fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Acquire)
    }

    async fn connectors(&self) -> HerderResult<Vec<String>> {
        Ok(self.snapshot().connectors().map(str::to_owned).collect())
    }

    async fn connector_info(&self, name: &str) -> HerderResult<ConnectorInfo> {
        self.info(&self.snapshot(), name)
    }

    async fn connector_status(&self, name: &str) -> HerderResult<ConnectorStateInfo> {
        self.states(name)
    }

    async fn task_infos(&self, name: &str) -> HerderResult<Vec<TaskInfo>> {
        let snapshot = self.check_exists(name, HerderError::connector_not_found)?;
        let mut hints = snapshot.connector_config(name).cloned().unwrap_or_default();
        let tasks = snapshot.task_configs(name).into_iter().enumerate().map(|(task, config)| {
            // Which keys are secrets the connector's class says, and a task's configuration need not name it.
            let class = hints.entry("connector.class".to_owned()).or_default().clone();
            let mut config = config.clone();
            let has_class = config.contains_key("connector.class");
            config.entry("connector.class".to_owned()).or_insert(class);
            let mut masked = mask_secrets(&config, &self.node.plugins);
            if !has_class {
                masked.shift_remove("connector.class");
            }
            TaskInfo { id: TaskIdInfo { connector: name.to_owned(), task }, config: masked }
        });
        Ok(tasks.collect())
    }

    async fn task_status(&self, name: &str, task: usize) -> HerderResult<TaskStateInfo> {
        let id = ConnectorTaskId { connector: name.to_owned(), task };
        let not_found = HerderError::NotFound(format!("No status found for task {id}"));
        let status = self.node.statuses.get(&StatusKey::Task(id)).ok_or(not_found)?;
        Ok(TaskStateInfo::new(task, status))
    }

    async fn validate(&self, config: &GivenConfig) -> HerderResult<ConfigInfos> {
        self.validator.validate(config).await
    }

    async fn put_connector(
        &self,
        name: &str,
        config: GivenConfig,
        initial_state: Option<TargetState>,
        may_replace: bool,
    ) -> HerderResult<Created> {
        self.put(name, config, initial_state, may_replace).await
    }

    async fn patch_connector(&self, name: &str, patch: GivenConfig) -> HerderResult<ConnectorInfo> {
        let snapshot = self.check_exists(name, HerderError::connector_not_found)?;
        let config = snapshot.connector_config(name).cloned().unwrap_or_default();
        Ok(self.put(name, patched(config, patch).into(), None, true).await?.info)
    }

    async fn delete_connector(&self, name: &str) -> HerderResult<()> {
        self.check_exists(name, HerderError::connector_not_found)?;
        self.ask(name, |reply| Command::Delete { reply }).await
    }

    async fn set_target_state(&self, name: &str, state: TargetState) -> HerderResult<()> {
        self.check_exists(name, HerderError::unknown_connector)?;
        if state == TargetState::Stopped {
            return self.ask(name, |reply| Command::SetTarget { state, reply }).await;
        }
        // Only what is wanted is changed here; that it is reached, the status tells.
        self.node.configs.write(&[ConfigRecord::TargetState(name.to_owned(), Some(state))])?;
        self.send(name, Command::SetTarget { state, reply: oneshot::channel().0 })
    }

    async fn restart_connector(&self, name: &str) -> HerderResult<()> {
        self.check_exists(name, |name| HerderError::NotFound(format!("Unknown connector: {name}")))?;
        self.ask(name, |reply| Command::RestartConnector { reply }).await
    }

    async fn restart_task(&self, name: &str, task: usize) -> HerderResult<()> {
        self.check_exists(name, |name| HerderError::NotFound(format!("Unknown connector: {name}")))?;
        self.ask(name, |reply| Command::RestartTask { task, reply }).await
    }

    async fn restart(&self, request: RestartRequest) -> HerderResult<ConnectorStateInfo> {
        let name = request.connector.clone();
        self.check_exists(&name, |name| HerderError::NotFound(format!("Unknown connector: {name}")))?;
        let plan = RestartPlan::new(&request, self.states(&name)?);
        let status = StatusWriter::new(Arc::clone(&self.node), &name);
        if plan.connector {
            status.connector(State::Restarting, None, None);
        }
        for task in &plan.tasks {
            status.task(*task, State::Restarting, None, None);
        }
        if plan.connector || !plan.tasks.is_empty() {
            self.send(&name, Command::Restart { connector: plan.connector, tasks: plan.tasks })?;
        }
        Ok(plan.states)
    }

    async fn active_topics(&self, name: &str) -> HerderResult<Vec<String>> {
        if !self.node.config.topic_tracking_enabled() {
            return Err(HerderError::Forbidden("Topic tracking is disabled.".into()));
        }
        Ok(self.node.statuses.topics(name).into_iter().map(|topic| topic.topic).collect())
    }

    async fn reset_active_topics(&self, name: &str) -> HerderResult<()> {
        if !self.node.config.topic_tracking_enabled() {
            return Err(HerderError::Forbidden("Topic tracking is disabled.".into()));
        }
        if !self.node.config.topic_tracking_reset_allowed() {
            return Err(HerderError::Forbidden("Topic tracking reset is disabled.".into()));
        }
        self.node.statuses.reset_topics(name);
        Ok(())
    }

    async fn offsets(&self, name: &str) -> HerderResult<ConnectorOffsets> {
        let offsets = self.with_offsets(name, |of, node| of.read(node)).await?;
        Ok(ConnectorOffsets { offsets })
    }

    async fn alter_offsets(&self, name: &str, offsets: Vec<ConnectorOffset>) -> HerderResult<String> {
        self.check_offsets_may_change(name)?;
        let vouches = self.with_offsets(name, move |of, node| of.alter(node, offsets)).await?;
        Ok(offsets_message("altered", vouches))
    }

    async fn reset_offsets(&self, name: &str) -> HerderResult<String> {
        self.check_offsets_may_change(name)?;
        let vouches = self.with_offsets(name, |of, node| of.reset(node)).await?;
        Ok(offsets_message("reset", vouches))
    }

    async fn put_task_configs(&self, _: &str, _: Vec<ConfigMap>, _: Option<RequestSignature>) -> HerderResult<()> {
        let message = "Kafka Connect in standalone mode does not support externally setting task configurations.";
        Err(HerderError::Internal(message.to_owned()))
    }

    async fn fence_zombies(&self, _: &str, _: Option<RequestSignature>) -> HerderResult<()> {
        let message = "Kafka Connect in standalone mode does not support exactly-once source connectors.";
        Err(HerderError::Internal(message.to_owned()))
    }

    async fn set_cluster_log_level(&self, namespace: &str, level: &str) -> HerderResult<()> {
        // A standalone worker is its whole cluster.
        self.node.log_levels.set(namespace, level);
        Ok(())
    }

    async fn ping(&self) -> HerderResult<()> {
        Ok(())
    }

    fn stages(&self) -> &Stages {
        &self.stages
    }

    async fn progress(&self, name: &str) -> HerderResult<ConnectorProgress> {
        let snapshot = self.check_exists(name, HerderError::connector_not_found)?;
        let view = self.view(name).ok_or_else(|| HerderError::connector_not_found(name))?;
        let mut tasks = view.tasks.snapshots();
        if tasks.is_empty() {
            tasks.clone_from(&view.last_snapshots.lock());
        }
        let counters: Vec<_> = tasks.iter().map(|(_, snapshot)| snapshot.clone()).collect();
        let total = total(&counters);
        let completion = view.completion.lock().clone();
        let rates = match completion {
            Some(_) => Rates::default(),
            None => view.meter.lock().read(Instant::now(), &total),
        };
        let state = |key: StatusKey| self.node.statuses.get(&key).map(|status| status.state.to_string());
        let task = |(id, progress)| {
            let key = StatusKey::Task(ConnectorTaskId { connector: name.to_owned(), task: id });
            TaskProgressInfo { id, state: state(key), progress }
        };
        Ok(ConnectorProgress {
            name: name.to_owned(),
            kind: snapshot.connector_config(name).map_or("unknown", |config| self.kind(config)),
            state: state(StatusKey::Connector(name.to_owned())).unwrap_or_else(|| State::Unassigned.to_string()),
            total,
            rates,
            tasks: tasks.into_iter().map(task).collect(),
            completion,
        })
    }
}

fn offsets_message(what: &str, connector_vouches: bool) -> String {
    match connector_vouches {
        true => format!("The offsets for this connector have been {what} successfully"),
        false => format!(
            "The Connect framework-managed offsets for this connector have been {what} successfully. However, if this \
             connector manages offsets externally, they will need to be manually {what} in the system that the connector uses."
        ),
    }
}
