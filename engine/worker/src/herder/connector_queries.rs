//! Answers from the stores alone, the same on every worker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tracing::warn;
use volley_api::{ConfigMap, PluginKind};

use super::connector_offsets::OffsetsOf;
use super::progress::{RateMeter, Rates, TaskProgressInfo, total};
use super::{
    ConnectorInfo, ConnectorOffset, ConnectorOffsets, ConnectorProgress, ConnectorState, ConnectorStateInfo,
    JavaProcessInfo, TaskIdInfo, TaskInfo, TaskStateInfo, WorkerContext,
};
use crate::connector_task_id::ConnectorTaskId;
use crate::error::{HerderError, HerderResult};
use crate::json_config::GivenConfig;
use crate::plugin_call::{Deadline, call_plugin};
use crate::plugins::{Plugins, find_connector};
use crate::secret_mask::restore_secrets;
use crate::storage::TaskProgressSnapshot;
use crate::storage::{ClusterConfigState, Completion, State, StatusKey, TargetState};
use crate::validation::ConnectorValidator;

/// How long reading or changing offsets may take.
const OFFSETS_DEADLINE: Duration = Duration::from_secs(90);

/// Answers from the stores of a worker.
#[derive(Clone, Debug)]
pub struct ConnectorQueries {
    context: Arc<WorkerContext>,
}

impl ConnectorQueries {
    pub(super) fn new(context: Arc<WorkerContext>) -> Self {
        Self { context }
    }

    /// All plug-ins.
    pub(super) fn plugins(&self) -> &Arc<Plugins> {
        &self.context.plugins
    }

    /// `host:port` under which this worker is known.
    pub(super) fn worker_id(&self) -> String {
        self.context.worker_id()
    }

    /// Configurations as of now.
    pub(super) fn snapshot(&self) -> Arc<ClusterConfigState> {
        self.context.configs.snapshot()
    }

    /// Configurations as of now, if they have such a connector; else the error that `error` makes of the name.
    pub(super) fn check_exists(
        &self,
        name: &str,
        error: fn(&str) -> HerderError,
    ) -> HerderResult<Arc<ClusterConfigState>> {
        let snapshot = self.snapshot();
        if snapshot.contains(name) { Ok(snapshot) } else { Err(error(name)) }
    }

    /// Names of all connectors.
    pub(super) fn connectors(&self) -> Vec<String> {
        self.snapshot().connectors().map(str::to_owned).collect()
    }

    /// `source`, `sink` or `unknown`, by the class in a configuration. Unknown is also what is still being looked for.
    pub(super) fn kind(&self, config: &ConfigMap) -> &'static str {
        let class = config.get("connector.class").map(String::as_str).unwrap_or_default();
        match self
            .context
            .plugins
            .of_connector(config)
            .find_known(PluginKind::Source, class)
            .map(volley_api::Plugin::kind)
        {
            Some(PluginKind::Sink) => "sink",
            Some(_) => "source",
            None => "unknown",
        }
    }

    /// The kind of a connector.
    pub(super) fn kind_of(&self, name: &str) -> &'static str {
        self.snapshot().connector_config(name).map_or("unknown", |config| self.kind(config))
    }

    /// A connector.
    pub(super) fn info(&self, name: &str) -> HerderResult<ConnectorInfo> {
        let snapshot = self.snapshot();
        let config = snapshot.given_connector_config(name).ok_or_else(|| HerderError::connector_not_found(name))?;
        let tasks = 0..snapshot.task_configs(name).len();
        Ok(ConnectorInfo {
            name: name.to_owned(),
            kind: self.kind(&config.values),
            config,
            tasks: tasks.map(|task| TaskIdInfo { connector: name.to_owned(), task }).collect(),
        })
    }

    /// States of a connector and its tasks.
    pub(super) fn states(&self, name: &str) -> HerderResult<ConnectorStateInfo> {
        let not_found = || HerderError::NotFound(format!("No status found for connector {name}"));
        let status = self.context.statuses.get(&StatusKey::Connector(name.to_owned())).ok_or_else(not_found)?;
        let tasks = self.context.statuses.tasks(name).into_iter();
        Ok(ConnectorStateInfo {
            name: name.to_owned(),
            connector: ConnectorState::from(status),
            tasks: tasks.map(|(id, status)| TaskStateInfo::new(id, status)).collect(),
            kind: self.kind_of(name),
            completion: self.completion(name),
        })
    }

    /// The record of a bounded run, once it is over and its tasks are gone, and until the user resumes, pauses or configures the
    /// connector.
    pub(super) fn completion(&self, name: &str) -> Option<Completion> {
        let snapshot = self.snapshot();
        snapshot.completion(name).filter(|_| snapshot.task_count(name) == 0).cloned()
    }

    /// Tasks with their configurations.
    pub(super) fn task_infos(&self, name: &str) -> HerderResult<Vec<TaskInfo>> {
        let snapshot = self.check_exists(name, HerderError::connector_not_found)?;
        let tasks = snapshot.task_configs(name).into_iter().enumerate().map(|(task, config)| TaskInfo {
            id: TaskIdInfo { connector: name.to_owned(), task },
            config: config.clone(),
        });
        Ok(tasks.collect())
    }

    /// State of a task.
    pub(super) fn task_status(&self, name: &str, task: usize) -> HerderResult<TaskStateInfo> {
        let id = ConnectorTaskId { connector: name.to_owned(), task };
        let not_found = HerderError::NotFound(format!("No status found for task {id}"));
        let status = self.context.statuses.get(&StatusKey::Task(id)).ok_or(not_found)?;
        Ok(TaskStateInfo::new(task, status))
    }

    /// Topics that a connector uses.
    pub(super) fn active_topics(&self, name: &str) -> HerderResult<Vec<String>> {
        if !self.context.config.topic_tracking_enabled() {
            return Err(HerderError::Forbidden("Topic tracking is disabled.".into()));
        }
        Ok(self.context.statuses.topics(name).into_iter().map(|topic| topic.topic).collect())
    }

    /// Forgets them.
    pub(super) fn reset_active_topics(&self, name: &str) -> HerderResult<()> {
        if !self.context.config.topic_tracking_enabled() {
            return Err(HerderError::Forbidden("Topic tracking is disabled.".into()));
        }
        if !self.context.config.topic_tracking_reset_allowed() {
            return Err(HerderError::Forbidden("Topic tracking reset is disabled.".into()));
        }
        self.context.statuses.reset_topics(name);
        Ok(())
    }

    /// Counters and rates of a connector, from these tasks. `meter` is `None` where it has none.
    pub(super) fn progress(
        &self,
        name: &str,
        tasks: Vec<(usize, TaskProgressSnapshot)>,
        meter: Option<&Mutex<RateMeter>>,
    ) -> HerderResult<ConnectorProgress> {
        self.check_exists(name, HerderError::connector_not_found)?;
        let total = total(&tasks.iter().map(|(_, snapshot)| snapshot.clone()).collect::<Vec<_>>());
        let completion = self.completion(name);
        let meter = meter.filter(|_| completion.is_none());
        let state = |key| self.context.statuses.get(&key).map(|status| status.state.to_string());
        let task = |(id, progress)| {
            let key = StatusKey::Task(ConnectorTaskId { connector: name.to_owned(), task: id });
            TaskProgressInfo { id, worker_id: self.context.worker_id(), state: state(key), progress }
        };
        Ok(ConnectorProgress {
            name: name.to_owned(),
            kind: self.kind_of(name),
            state: state(StatusKey::Connector(name.to_owned())).unwrap_or_else(|| State::Unassigned.to_string()),
            rates: meter.map_or_else(Rates::default, |meter| meter.lock().read(Instant::now(), &total)),
            total,
            tasks: tasks.into_iter().map(task).collect(),
            java: self.java(name),
            not_counted: Vec::new(),
            completion,
        })
    }

    /// The Java processes on this worker that have an instance or tasks of a connector.
    fn java(&self, name: &str) -> Vec<JavaProcessInfo> {
        let running = self.context.plugins.java_processes().map_or_else(Vec::new, |java| java.running());
        let its = running.into_iter().filter(|process| process.connectors.iter().any(|connector| connector == name));
        its.map(|process| JavaProcessInfo { worker_id: self.context.worker_id(), process }).collect()
    }

    /// A configuration that `validator` has nothing against, with the stored secrets where it has `[hidden]`.
    ///
    /// # Errors
    /// `BadRequest`, naming what is wrong.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(super) async fn validated(
        &self,
        validator: &ConnectorValidator,
        name: &str,
        mut config: GivenConfig,
    ) -> HerderResult<GivenConfig> {
        if let Some(class) = config.values.get("connector.class") {
            // which keys are secrets is known once the class is found; that there is none is said below
            let _ = find_connector(&self.context.plugins, &config.values, class.trim()).await;
        }
        restore_secrets(&mut config.values, self.snapshot().connector_config(name), &self.context.plugins)?;
        let infos = validator.validate(&config).await?;
        if infos.error_count > 0 {
            return Err(HerderError::BadRequest(infos.refusal()));
        }
        infos.remarks.iter().for_each(|remark| warn!(connector = name, "{remark}"));
        Ok(config)
    }

    /// Offsets of a connector.
    ///
    /// # Cancellation
    /// Reading goes on; its outcome is dropped. So it is for the other calls about offsets.
    pub(super) async fn offsets(&self, name: &str) -> HerderResult<ConnectorOffsets> {
        let offsets = self.with_offsets(name, |of, context| of.read(context)).await?;
        Ok(ConnectorOffsets { offsets })
    }

    /// Changes offsets of a STOPPED connector; the answer is for the user.
    pub(super) async fn alter_offsets(&self, name: &str, offsets: Vec<ConnectorOffset>) -> HerderResult<String> {
        self.check_offsets_may_change(name)?;
        let vouches = self.with_offsets(name, move |of, context| of.alter(context, offsets)).await?;
        Ok(offsets_message("altered", vouches))
    }

    /// Forgets all offsets of a STOPPED connector; the answer is for the user.
    pub(super) async fn reset_offsets(&self, name: &str) -> HerderResult<String> {
        self.check_offsets_may_change(name)?;
        let vouches = self.with_offsets(name, |of, context| of.reset(context)).await?;
        Ok(offsets_message("reset", vouches))
    }

    /// Runs `call` with the connector, on a thread of its own.
    async fn with_offsets<T: Send + 'static>(
        &self,
        name: &str,
        call: impl FnOnce(&OffsetsOf, &WorkerContext) -> HerderResult<T> + Send + 'static,
    ) -> HerderResult<T> {
        let snapshot = self.check_exists(name, HerderError::connector_not_found)?;
        let raw = snapshot.connector_config(name).cloned().unwrap_or_default();
        let class = raw.get("connector.class").map(String::as_str).unwrap_or_default();
        let plugin = find_connector(&self.context.plugins, &raw, class).await?;
        let (name, context) = (name.to_owned(), Arc::clone(&self.context));
        let what = format!("access to the offsets of connector `{name}`");
        call_plugin(&what, Deadline::after(OFFSETS_DEADLINE), move || {
            let config = context.transformer.resolve(&raw)?;
            call(&OffsetsOf { name, config, plugin }, &context)
        })
        .await?
    }

    /// Fails unless the connector is STOPPED.
    pub(super) fn check_offsets_may_change(&self, name: &str) -> HerderResult<()> {
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

fn offsets_message(what: &str, connector_vouches: bool) -> String {
    match connector_vouches {
        true => format!("The offsets for this connector have been {what} successfully"),
        false => format!(
            "The Connect framework-managed offsets for this connector have been {what} successfully. However, if this \
             connector manages offsets externally, they will need to be manually {what} in the system that the connector uses."
        ),
    }
}
