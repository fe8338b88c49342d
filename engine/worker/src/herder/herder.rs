//! The requests that REST and the command line make of a worker, standalone or distributed.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use volley_api::ConfigMap;

use super::connector_queries::ConnectorQueries;
use super::{
    ConnectorInfo, ConnectorOffset, ConnectorOffsets, ConnectorProgress, ConnectorStateInfo, Stages, TaskInfo,
    TaskStateInfo,
};
use crate::error::{HerderError, HerderResult};
use crate::group::RequestSignature;
use crate::json_config::GivenConfig;
use crate::plugins::Plugins;
use crate::storage::{ClusterConfigState, ConfigRecord, RestartRequest, TargetState};
use crate::validation::ConfigInfos;

/// Whether a connector was created or replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct Created {
    /// `false`: it was there before.
    pub is_new: bool,
    /// The connector.
    pub info: ConnectorInfo,
}

/// Decides which connectors and tasks run where, and in which state.
///
/// # Cancellation
/// Every call may be dropped. The work that it started goes on.
#[async_trait]
pub trait Herder: Send + Sync {
    /// Answers from the stores of this worker.
    fn queries(&self) -> &ConnectorQueries;

    /// All plug-ins.
    fn plugins(&self) -> &Arc<Plugins> {
        self.queries().plugins()
    }

    /// `host:port` under which this worker is known.
    fn worker_id(&self) -> String {
        self.queries().worker_id()
    }

    /// Whether the worker has done everything that comes before it serves requests.
    fn is_ready(&self) -> bool;

    /// Names of all connectors.
    async fn connectors(&self) -> HerderResult<Vec<String>> {
        Ok(self.queries().connectors())
    }

    /// A connector.
    async fn connector_info(&self, name: &str) -> HerderResult<ConnectorInfo> {
        self.queries().info(name)
    }

    /// The latest configuration of a connector, also where another worker wrote it. It is read when a request brings
    /// `[hidden]` in the place of a secret.
    async fn stored_config(&self, name: &str) -> HerderResult<Option<ConfigMap>>;

    /// States of a connector and its tasks.
    async fn connector_status(&self, name: &str) -> HerderResult<ConnectorStateInfo> {
        self.queries().states(name)
    }

    /// Tasks with their configurations.
    async fn task_infos(&self, name: &str) -> HerderResult<Vec<TaskInfo>> {
        self.queries().task_infos(name)
    }

    /// State of a task.
    async fn task_status(&self, name: &str, task: usize) -> HerderResult<TaskStateInfo> {
        self.queries().task_status(name, task)
    }

    /// Everything there is to say about a configuration.
    async fn validate(&self, config: &GivenConfig) -> HerderResult<ConfigInfos>;

    /// Creates a connector, or replaces its configuration where `may_replace`. The configuration is validated first.
    async fn put_connector(
        &self,
        name: &str,
        config: GivenConfig,
        initial_state: Option<TargetState>,
        may_replace: bool,
    ) -> HerderResult<Created>;

    /// Changes a configuration: values are set, nulls are removed.
    async fn patch_connector(&self, name: &str, patch: GivenConfig) -> HerderResult<ConnectorInfo>;

    /// Deletes a connector. Its offsets stay.
    async fn delete_connector(&self, name: &str) -> HerderResult<()>;

    /// Pauses, resumes or stops a connector.
    async fn set_target_state(&self, name: &str, state: TargetState) -> HerderResult<()>;

    /// Restarts the connector's own instance, and waits until it has started.
    async fn restart_connector(&self, name: &str) -> HerderResult<()>;

    /// Restarts a task, and waits until it has been started.
    async fn restart_task(&self, name: &str, task: usize) -> HerderResult<()>;

    /// Restarts the parts that the request selects, and returns their states without waiting.
    async fn restart(&self, request: RestartRequest) -> HerderResult<ConnectorStateInfo>;

    /// Topics that a connector uses.
    async fn active_topics(&self, name: &str) -> HerderResult<Vec<String>> {
        self.queries().active_topics(name)
    }

    /// Forgets them.
    async fn reset_active_topics(&self, name: &str) -> HerderResult<()> {
        self.queries().reset_active_topics(name)
    }

    /// Offsets of a connector.
    async fn offsets(&self, name: &str) -> HerderResult<ConnectorOffsets> {
        self.queries().offsets(name).await
    }

    /// Changes offsets of a STOPPED connector; the answer is for the user.
    async fn alter_offsets(&self, name: &str, offsets: Vec<ConnectorOffset>) -> HerderResult<String>;

    /// Forgets all offsets of a STOPPED connector; the answer is for the user.
    async fn reset_offsets(&self, name: &str) -> HerderResult<String>;

    /// Internal: fails unless this signature allows to put task configurations. MUST be called before they are put, and
    /// should be called before they are read: anybody can send them.
    fn check_may_put_task_configs(&self, signature: Option<&RequestSignature>) -> HerderResult<()>;

    /// Internal: another worker brings the task configurations that its connector instance made (leader only).
    async fn put_task_configs(&self, name: &str, configs: Vec<ConfigMap>) -> HerderResult<()>;

    /// Internal: another worker asks to fence the producers of an exactly-once source (leader only).
    async fn fence_zombies(&self, name: &str, signature: Option<RequestSignature>) -> HerderResult<()>;

    /// Gives a logger a level on all workers of the group. The level is known to be one.
    async fn set_cluster_log_level(&self, namespace: &str, level: &str) -> HerderResult<()>;

    /// Returns once the herder's own loop has answered: a sign of life.
    async fn ping(&self) -> HerderResult<()>;

    /// The operations of the herder, for the message of a request that timed out.
    fn stages(&self) -> &Stages;

    /// All metrics of this worker, in Prometheus' text format. May wait, a moment at most.
    fn metrics(&self) -> String;

    /// Counters of the tasks of a connector that run on this worker.
    async fn progress(&self, name: &str) -> HerderResult<ConnectorProgress>;
}

/// The configuration that a patch makes of `config`.
pub(crate) fn patched(mut config: GivenConfig, patch: GivenConfig) -> GivenConfig {
    let removed: HashSet<String> = patch.nulls.into_iter().collect();
    config.nulls.retain(|key| !removed.contains(key) && !patch.values.contains_key(key));
    config.values.retain(|key, _| !removed.contains(key));
    config.values.extend(patch.values);
    config
}

/// The records that create a connector, or replace its configuration; `true` with those that create it.
///
/// # Errors
/// `Conflict` if it exists and must not be replaced.
pub(crate) fn put_records(
    state: &ClusterConfigState,
    name: &str,
    config: GivenConfig,
    initial_state: Option<TargetState>,
    may_replace: bool,
) -> HerderResult<(bool, Vec<ConfigRecord>)> {
    let is_new = !state.contains(name);
    if !is_new && !may_replace {
        return Err(HerderError::Conflict(format!("Connector {name} already exists")));
    }
    let initial_state = initial_state.filter(|_| is_new).into_iter();
    let mut records: Vec<_> =
        initial_state.map(|state| ConfigRecord::TargetState(name.to_owned(), Some(state))).collect();
    records.push(ConfigRecord::Connector(name.to_owned(), Some(config)));
    Ok((is_new, records))
}

/// The records that delete a connector.
pub(crate) fn delete_records(name: &str) -> Vec<ConfigRecord> {
    vec![ConfigRecord::Connector(name.to_owned(), None), ConfigRecord::TargetState(name.to_owned(), None)]
}
