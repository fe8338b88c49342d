//! The herder of a standalone worker: every connector and task runs here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use futures::future::join_all;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use volley_api::{ConfigMap, Error, Result};

use super::connector_actor::{ActorRegistry, Command, ConnectorActor, ConnectorView, Reply};
use crate::connector_task_id::ConnectorTaskId;
use crate::error::{HerderError, HerderResult};
use crate::group::RequestSignature;
use crate::herder::connector_queries::ConnectorQueries;
use crate::herder::herder::{Created, Herder, patched};
use crate::herder::lifecycle::StatusWriter;
use crate::herder::progress::{Rates, TaskProgressInfo, total};
use crate::herder::restart_plan::RestartPlan;
use crate::herder::{
    ConnectorInfo, ConnectorOffset, ConnectorOffsets, ConnectorProgress, ConnectorStateInfo, Stages, TaskInfo,
    TaskStateInfo, WorkerContext,
};
use crate::json_config::GivenConfig;
use crate::plugins::Plugins;
use crate::secret_mask::restore_secrets;
use crate::storage::{Completion, ConfigRecord, RestartRequest, State, StatusKey, TargetState};
use crate::validation::{ConfigInfos, ConnectorValidator};

/// Runs all connectors in this process. MUST be made and used within a tokio runtime.
pub struct StandaloneHerder {
    context: Arc<WorkerContext>,
    pub(super) queries: ConnectorQueries,
    validator: ConnectorValidator,
    actors: Arc<ActorRegistry>,
    runtime: Handle,
    stages: Stages,
    is_ready: AtomicBool,
    is_shut_down: AtomicBool,
}

impl std::fmt::Debug for StandaloneHerder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StandaloneHerder").field("context", &self.context).finish_non_exhaustive()
    }
}

impl StandaloneHerder {
    /// A herder without connectors. What it does it does on the runtime that it is made on.
    pub fn new(context: Arc<WorkerContext>, validator: ConnectorValidator) -> Self {
        Self {
            queries: ConnectorQueries::new(Arc::clone(&context)),
            context,
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
        let mut changes = self.context.changes.subscribe();
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

    fn states(&self, name: &str) -> HerderResult<ConnectorStateInfo> {
        let mut states = self.queries.states(name)?;
        states.completion = self.view(name).and_then(|view| view.completion.lock().clone());
        Ok(states)
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
            ConnectorActor::start(&self.runtime, name, Arc::clone(&self.context), Arc::clone(&self.actors))
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
        let stored = self.queries.snapshot();
        restore_secrets(&mut config.values, stored.connector_config(name), &self.context.plugins)?;
        let infos = self.validator.validate(&config).await?;
        if infos.error_count > 0 {
            return Err(HerderError::BadRequest(infos.refusal()));
        }
        let is_new = self.ask(name, |reply| Command::Put { config, initial_state, may_replace, reply }).await?;
        Ok(Created { is_new, info: self.queries.info(name)? })
    }
}

#[async_trait]
impl Herder for StandaloneHerder {
    fn plugins(&self) -> &Plugins {
        &self.context.plugins
    }

    fn worker_id(&self) -> String {
        self.context.worker_id()
    }

    fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Acquire)
    }

    async fn connectors(&self) -> HerderResult<Vec<String>> {
        Ok(self.queries.connectors())
    }

    async fn connector_info(&self, name: &str) -> HerderResult<ConnectorInfo> {
        self.queries.info(name)
    }

    async fn stored_config(&self, name: &str) -> HerderResult<Option<ConfigMap>> {
        Ok(self.queries.snapshot().connector_config(name).cloned())
    }

    async fn connector_status(&self, name: &str) -> HerderResult<ConnectorStateInfo> {
        self.states(name)
    }

    async fn task_infos(&self, name: &str) -> HerderResult<Vec<TaskInfo>> {
        self.queries.task_infos(name)
    }

    async fn task_status(&self, name: &str, task: usize) -> HerderResult<TaskStateInfo> {
        self.queries.task_status(name, task)
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
        let snapshot = self.queries.check_exists(name, HerderError::connector_not_found)?;
        let config = snapshot.given_connector_config(name).unwrap_or_default();
        Ok(self.put(name, patched(config, patch), None, true).await?.info)
    }

    async fn delete_connector(&self, name: &str) -> HerderResult<()> {
        self.queries.check_exists(name, HerderError::connector_not_found)?;
        self.ask(name, |reply| Command::Delete { reply }).await
    }

    async fn set_target_state(&self, name: &str, state: TargetState) -> HerderResult<()> {
        self.queries.check_exists(name, HerderError::unknown_connector)?;
        if state == TargetState::Stopped {
            return self.ask(name, |reply| Command::SetTarget { state, reply }).await;
        }
        // Only what is wanted is changed here; that it is reached, the status tells.
        self.context.configs.write(&[ConfigRecord::TargetState(name.to_owned(), Some(state))])?;
        self.send(name, Command::SetTarget { state, reply: oneshot::channel().0 })
    }

    async fn restart_connector(&self, name: &str) -> HerderResult<()> {
        self.queries.check_exists(name, |name| HerderError::NotFound(format!("Unknown connector: {name}")))?;
        self.ask(name, |reply| Command::RestartConnector { reply }).await
    }

    async fn restart_task(&self, name: &str, task: usize) -> HerderResult<()> {
        self.queries.check_exists(name, |name| HerderError::NotFound(format!("Unknown connector: {name}")))?;
        self.ask(name, |reply| Command::RestartTask { task, reply }).await
    }

    async fn restart(&self, request: RestartRequest) -> HerderResult<ConnectorStateInfo> {
        let name = request.connector.clone();
        self.queries.check_exists(&name, |name| HerderError::NotFound(format!("Unknown connector: {name}")))?;
        let plan = RestartPlan::new(&request, self.states(&name)?);
        let status = StatusWriter::new(Arc::clone(&self.context), &name);
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
        self.queries.active_topics(name)
    }

    async fn reset_active_topics(&self, name: &str) -> HerderResult<()> {
        self.queries.reset_active_topics(name)
    }

    async fn offsets(&self, name: &str) -> HerderResult<ConnectorOffsets> {
        self.queries.offsets(name).await
    }

    async fn alter_offsets(&self, name: &str, offsets: Vec<ConnectorOffset>) -> HerderResult<String> {
        self.queries.alter_offsets(name, offsets).await
    }

    async fn reset_offsets(&self, name: &str) -> HerderResult<String> {
        self.queries.reset_offsets(name).await
    }

    fn check_may_put_task_configs(&self, _: Option<&RequestSignature>) -> HerderResult<()> {
        let message = "Kafka Connect in standalone mode does not support externally setting task configurations.";
        Err(HerderError::Internal(message.to_owned()))
    }

    async fn put_task_configs(&self, _: &str, _: Vec<ConfigMap>) -> HerderResult<()> {
        self.check_may_put_task_configs(None)
    }

    async fn fence_zombies(&self, _: &str, _: Option<RequestSignature>) -> HerderResult<()> {
        let message = "Kafka Connect in standalone mode does not support exactly-once source connectors.";
        Err(HerderError::Internal(message.to_owned()))
    }

    async fn set_cluster_log_level(&self, namespace: &str, level: &str) -> HerderResult<()> {
        // A standalone worker is its whole cluster.
        self.context.log_levels.set(namespace, level);
        Ok(())
    }

    async fn ping(&self) -> HerderResult<()> {
        Ok(())
    }

    fn stages(&self) -> &Stages {
        &self.stages
    }

    async fn progress(&self, name: &str) -> HerderResult<ConnectorProgress> {
        self.queries.check_exists(name, HerderError::connector_not_found)?;
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
        let state = |key: StatusKey| self.context.statuses.get(&key).map(|status| status.state.to_string());
        let task = |(id, progress)| {
            let key = StatusKey::Task(ConnectorTaskId { connector: name.to_owned(), task: id });
            TaskProgressInfo { id, worker_id: self.context.worker_id(), state: state(key), progress }
        };
        Ok(ConnectorProgress {
            name: name.to_owned(),
            kind: self.queries.kind_of(name),
            state: state(StatusKey::Connector(name.to_owned())).unwrap_or_else(|| State::Unassigned.to_string()),
            total,
            rates,
            tasks: tasks.into_iter().map(task).collect(),
            not_counted: Vec::new(),
            completion,
        })
    }
}
