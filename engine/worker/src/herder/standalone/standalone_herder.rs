//! The herder of a standalone worker: answers requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tracing::info;
use volley_api::{ConfigMap, Error, Result};

use super::local_group::LocalGroup;
use super::local_publisher::LocalPublisher;
use crate::error::{HerderError, HerderResult};
use crate::group::RequestSignature;
use crate::herder::connector_calls::ConnectorCalls;
use crate::herder::connector_queries::ConnectorQueries;
use crate::herder::herder::{Created, Herder, delete_records, patched, put_records};
use crate::herder::lifecycle::Part;
use crate::herder::{
    ConnectorInfo, ConnectorOffset, ConnectorProgress, ConnectorStateInfo, RestartPlan, Stages, WorkerContext,
};
use crate::json_config::GivenConfig;
use crate::storage::{ClusterConfigState, Completion, RestartRequest, TargetState};
use crate::task::RunShare;
use crate::validation::{ConfigInfos, ConnectorValidator};

/// Runs all connectors in this process. MUST be made and used within a tokio runtime.
pub struct StandaloneHerder {
    context: Arc<WorkerContext>,
    queries: ConnectorQueries,
    validator: ConnectorValidator,
    group: Arc<LocalGroup>,
    /// Requests that stop something: others of the same connector wait for them.
    calls: ConnectorCalls,
    offset_calls: ConnectorCalls,
    stages: Stages,
    is_ready: AtomicBool,
}

impl std::fmt::Debug for StandaloneHerder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StandaloneHerder").field("context", &self.context).finish_non_exhaustive()
    }
}

impl StandaloneHerder {
    /// A herder without connectors. It works on the runtime that it is made on.
    pub fn new(context: Arc<WorkerContext>, validator: ConnectorValidator) -> Self {
        Self {
            queries: ConnectorQueries::new(Arc::clone(&context)),
            group: LocalGroup::new(Arc::clone(&context), LocalPublisher::new),
            context,
            validator,
            calls: ConnectorCalls::default(),
            offset_calls: ConnectorCalls::default(),
            stages: Stages::default(),
            is_ready: AtomicBool::new(false),
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
            let bounded = self.group.work.bounded_connectors();
            if bounded.is_empty() {
                return Err(Error::config(
                    "no connector is bounded, so that waiting for their end would never end: give a sink volley.mode=bounded, \
                     or a source an end",
                ));
            }
            let completions = bounded.into_iter().map(|name| self.completion_unless_failed(name));
            let completions: Vec<Option<_>> = completions.collect::<Result<_>>()?;
            if let Some(completions) = completions.into_iter().collect() {
                return Ok(completions);
            }
            if changes.changed().await.is_err() {
                return Err(Error::fatal("the worker has ended"));
            }
        }
    }

    /// How much of the run of a bounded sink has been read; `None` if there is no such connector.
    pub fn run_share(&self, name: &str) -> Option<RunShare> {
        self.group.work.view(name)?.tasks.run_share()
    }

    fn completion_unless_failed(&self, name: String) -> Result<Option<(String, Completion)>> {
        match self.queries.completion(&name) {
            Some(completion) => Ok(Some((name, completion))),
            None => self.check_not_failed(&name).map(|()| None),
        }
    }

    fn check_not_failed(&self, name: &str) -> Result<()> {
        let Ok(states) = self.queries.states(name) else { return Ok(()) };
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
        self.group.shut_down().await;
    }

    /// Writes the configuration that `make` derives from the stored one, and waits until the connector and its tasks have been
    /// started with it.
    async fn put(
        &self,
        name: &str,
        make: impl Fn(&ClusterConfigState) -> HerderResult<GivenConfig> + Send + Sync,
        initial_state: Option<TargetState>,
        may_replace: bool,
    ) -> HerderResult<Created> {
        let is_new = loop {
            let stored = self.queries.snapshot();
            let config = self.queries.validated(&self.validator, name, make(&stored)?).await?;
            // A request that stops the connector or deletes it comes first.
            let _turn = self.calls.turn_of(name).await;
            let written = self.group.write(|state| {
                if state.config_position(name) != stored.config_position(name) {
                    // Another request has changed it meanwhile, and that should not be lost.
                    return Ok((None, Vec::new()));
                }
                let (is_new, records) = put_records(state, name, config, initial_state, may_replace)?;
                Ok((Some(is_new), records))
            })?;
            if let Some(is_new) = written {
                break is_new;
            }
        };
        self.group.work.await_reached(name).await?;
        Ok(Created { is_new, info: self.queries.info(name)? })
    }

    async fn restarted(&self, name: &str, part: Part) -> HerderResult<()> {
        self.group.check()?;
        let answer = self.group.work.restart(name, part);
        let outcome = match answer {
            Ok(answer) => answer.await.unwrap_or(Err(HerderError::Forward(None))),
            Err(error) => Err(error),
        };
        match outcome {
            // There is no other worker: it was deleted, or lost the task, while the request waited.
            Err(HerderError::Forward(_)) => Err(no_such_part(name, part)),
            outcome => outcome,
        }
    }
}

fn no_such_connector(name: &str) -> HerderError {
    HerderError::NotFound(format!("Unknown connector: {name}"))
}

fn no_such_part(name: &str, part: Part) -> HerderError {
    match part {
        Part::Connector => no_such_connector(name),
        Part::Task(task) => HerderError::NotFound(format!("Unknown task: {name}-{task}")),
    }
}

#[async_trait]
impl Herder for StandaloneHerder {
    fn queries(&self) -> &ConnectorQueries {
        &self.queries
    }

    fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Acquire)
    }

    async fn stored_config(&self, name: &str) -> HerderResult<Option<ConfigMap>> {
        Ok(self.queries.snapshot().connector_config(name).cloned())
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
        self.put(name, |_| Ok(config.clone()), initial_state, may_replace).await
    }

    async fn patch_connector(&self, name: &str, patch: GivenConfig) -> HerderResult<ConnectorInfo> {
        let make = |state: &ClusterConfigState| {
            let config = state.given_connector_config(name).ok_or_else(|| HerderError::connector_not_found(name))?;
            Ok(patched(config, patch.clone()))
        };
        Ok(self.put(name, make, None, true).await?.info)
    }

    async fn delete_connector(&self, name: &str) -> HerderResult<()> {
        self.queries.check_exists(name, HerderError::connector_not_found)?;
        let (group, connector) = (Arc::clone(&self.group), name.to_owned());
        let delete = async move {
            group.write(|state| match state.contains(&connector) {
                true => Ok(((), delete_records(&connector))),
                false => Err(HerderError::connector_not_found(&connector)),
            })?;
            group.clean_up(&connector).await;
            info!(connector, "connector deleted");
            Ok(())
        };
        self.calls.run(name, delete).await
    }

    async fn set_target_state(&self, name: &str, state: TargetState) -> HerderResult<()> {
        self.queries.check_exists(name, HerderError::unknown_connector)?;
        if state == TargetState::Stopped {
            let (group, connector) = (Arc::clone(&self.group), name.to_owned());
            return self.calls.run(name, async move { group.stop(&connector).await }).await;
        }
        let _turn = self.calls.turn_of(name).await;
        // Not while its offsets are being changed, which only a STOPPED connector allows for.
        let _offsets = self.offset_calls.turn_of(name).await;
        // This writes the target state only. The status tells when it is reached.
        self.group.set_target(name, state)
    }

    async fn restart_connector(&self, name: &str) -> HerderResult<()> {
        self.queries.check_exists(name, no_such_connector)?;
        self.restarted(name, Part::Connector).await
    }

    async fn restart_task(&self, name: &str, task: usize) -> HerderResult<()> {
        let snapshot = self.queries.check_exists(name, no_such_connector)?;
        if task >= snapshot.task_configs(name).len() {
            return Err(no_such_part(name, Part::Task(task)));
        }
        self.restarted(name, Part::Task(task)).await
    }

    async fn restart(&self, request: RestartRequest) -> HerderResult<ConnectorStateInfo> {
        let name = &request.connector;
        self.queries.check_exists(name, no_such_connector)?;
        let plan = RestartPlan::new(&request, self.queries.states(name)?);
        self.group.check()?;
        self.group.work.restart_share(&plan)?;
        Ok(plan.states)
    }

    async fn alter_offsets(&self, name: &str, offsets: Vec<ConnectorOffset>) -> HerderResult<String> {
        let (queries, connector) = (self.queries.clone(), name.to_owned());
        self.offset_calls.run(name, async move { queries.alter_offsets(&connector, offsets).await }).await
    }

    async fn reset_offsets(&self, name: &str) -> HerderResult<String> {
        let (queries, connector) = (self.queries.clone(), name.to_owned());
        self.offset_calls.run(name, async move { queries.reset_offsets(&connector).await }).await
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

    fn metrics(&self) -> String {
        self.context.metrics_text()
    }

    async fn progress(&self, name: &str) -> HerderResult<ConnectorProgress> {
        let view = self.group.work.view(name);
        let mut tasks = view.as_ref().map(|view| view.tasks.snapshots()).unwrap_or_default();
        if let Some(view) = view.as_ref().filter(|_| tasks.is_empty()) {
            tasks = view.tasks.last_snapshots();
        }
        self.queries.progress(name, tasks, view.as_ref().map(|view| &view.meter))
    }
}
