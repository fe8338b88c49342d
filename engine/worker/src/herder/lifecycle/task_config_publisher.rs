//! Brings the task configurations that a connector instance made here into force, the leader writes them, and the end of its
//! run, which any worker may write.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};
use tracing::info;
use volley_api::ConfigMap;

use crate::error::{HerderError, HerderResult};
use crate::group::SessionSigner;
use crate::herder::Node;
use crate::herder::distributed::{ConfigWriter, GroupView};
use crate::rest::LeaderClient;
use crate::storage::{ClusterConfigState, Completion, ConfigRecord, TargetState};

/// How long the leader may take.
const DEADLINE: Duration = Duration::from_secs(90);

/// How long reading what others have written may take.
const REFRESH: Duration = Duration::from_secs(30);

/// Publishes task configurations, and the end of bounded connectors.
#[async_trait]
pub(crate) trait TaskConfigPublisher: Send + Sync {
    /// Publishes all task configurations of a connector.
    ///
    /// # Errors
    /// If they were not written, or nobody knows: try again.
    ///
    /// # Cancellation
    /// They may be written all the same.
    async fn publish(&self, connector: &str, configs: Vec<ConfigMap>) -> HerderResult<()>;

    /// Writes that a bounded connector is done with this run, and is to be STOPPED; `false` if something else is wanted of it
    /// now.
    ///
    /// # Errors
    /// As for [`TaskConfigPublisher::publish`].
    ///
    /// # Cancellation
    /// As for [`TaskConfigPublisher::publish`].
    async fn complete(&self, connector: &str, run: i64, completion: Completion) -> HerderResult<bool>;

    /// Reads to the end of what others have written.
    ///
    /// # Errors
    /// `Retriable` if that takes too long.
    ///
    /// # Cancellation
    /// Reading goes on.
    async fn refresh(&self) -> HerderResult<()>;
}

/// Writes them here on the leader, and sends them to it from other workers.
pub(crate) struct LeaderPublisher {
    pub(crate) node: Arc<Node>,
    pub(crate) group: Arc<GroupView>,
    pub(crate) writer: Arc<ConfigWriter>,
    pub(crate) client: LeaderClient,
    pub(crate) signer: SessionSigner,
}

#[async_trait]
impl TaskConfigPublisher for LeaderPublisher {
    async fn publish(&self, connector: &str, configs: Vec<ConfigMap>) -> HerderResult<()> {
        let group = self.group.settled().await;
        info!(connector, tasks = configs.len(), by_leader = group.is_leader, "publishing task configurations");
        if group.is_leader {
            let turn = self.writer.turn().await;
            self.group.current().check_leader()?;
            check_takes_tasks(&self.node.configs.snapshot(), connector, &configs)?;
            return Ok(turn.write(ConfigRecord::tasks(connector, &configs)).await?);
        }
        // A Java worker that leads takes whatever it is given.
        check_takes_tasks(&self.node.configs.snapshot(), connector, &configs)?;
        let url = group.leader_url.ok_or(HerderError::Elsewhere(None))?;
        let body = Value::Array(configs.into_iter().map(json_object).collect()).to_string().into_bytes();
        let signature = match group.protocol.is_some_and(|protocol| protocol.is_signed()) {
            true => Some(self.signer.sign(&self.node.configs.snapshot(), &body)?),
            false => None,
        };
        let asking = self.client.put_task_configs(&url, connector, body, signature);
        match tokio::time::timeout(DEADLINE, asking).await {
            Ok(outcome) => outcome,
            Err(_) => Err(HerderError::Internal(format!("the leader at {url} did not answer in time"))),
        }
    }

    async fn complete(&self, connector: &str, run: i64, completion: Completion) -> HerderResult<bool> {
        self.refresh().await?;
        let turn = self.writer.turn().await;
        if !is_current(&self.node.configs.snapshot(), connector, run) {
            return Ok(false);
        }
        turn.write(vec![ConfigRecord::Completed(connector.to_owned(), completion)]).await?;
        Ok(true)
    }

    async fn refresh(&self) -> HerderResult<()> {
        Ok(self.writer.refresh(REFRESH).await?)
    }
}

/// Whether these may become the tasks of a connector. The leader MUST ask in its turn to write: whoever made them may not know
/// what was written since.
///
/// # Errors
/// `NotFound` if there is no such connector, `Conflict` if it shall be STOPPED: then it may only lose its tasks.
pub(crate) fn check_takes_tasks(
    state: &ClusterConfigState,
    connector: &str,
    configs: &[ConfigMap],
) -> HerderResult<()> {
    match state.target_state(connector) {
        None => Err(HerderError::connector_not_found(connector)),
        Some(TargetState::Stopped) if !configs.is_empty() => Err(HerderError::Conflict(format!(
            "Cannot take tasks for connector {connector}: it was stopped meanwhile. They are made again when it is resumed."
        ))),
        Some(_) => Ok(()),
    }
}

/// Whether a run is still the one that is wanted.
pub(crate) fn is_current(state: &ClusterConfigState, connector: &str, run: i64) -> bool {
    state.tasks_position(connector) == run && state.target_state(connector) == Some(TargetState::Started)
}

fn json_object(config: ConfigMap) -> Value {
    Value::Object(config.into_iter().map(|(key, value)| (key, Value::String(value))).collect::<Map<_, _>>())
}
