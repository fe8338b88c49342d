//! Brings the task configurations that a connector instance made here into force: the leader writes them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};
use tracing::info;
use volley_api::ConfigMap;

use super::config_writer::ConfigWriter;
use super::group_view::GroupView;
use crate::group::SessionSigner;
use crate::herder::{HerderError, HerderResult, Node};
use crate::rest::LeaderClient;
use crate::storage::ConfigRecord;

/// How long the leader may take.
const DEADLINE: Duration = Duration::from_secs(90);

/// Publishes task configurations.
#[async_trait]
pub(super) trait TaskConfigPublisher: Send + Sync {
    /// Publishes all task configurations of a connector.
    ///
    /// # Errors
    /// If they were not written, or nobody knows: try again.
    ///
    /// # Cancellation
    /// They may be written all the same.
    async fn publish(&self, connector: &str, configs: Vec<ConfigMap>) -> HerderResult<()>;
}

/// Writes them here on the leader, and sends them to it from other workers.
pub(super) struct LeaderPublisher {
    pub(super) node: Arc<Node>,
    pub(super) group: Arc<GroupView>,
    pub(super) writer: Arc<ConfigWriter>,
    pub(super) client: LeaderClient,
    pub(super) signer: SessionSigner,
}

#[async_trait]
impl TaskConfigPublisher for LeaderPublisher {
    async fn publish(&self, connector: &str, configs: Vec<ConfigMap>) -> HerderResult<()> {
        let group = self.group.settled().await;
        info!(connector, tasks = configs.len(), by_leader = group.is_leader, "publishing task configurations");
        if group.is_leader {
            self.writer.turn().await.write(ConfigRecord::tasks(connector, &configs)).await?;
            return Ok(());
        }
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
}

fn json_object(config: ConfigMap) -> Value {
    Value::Object(config.into_iter().map(|(key, value)| (key, Value::String(value))).collect::<Map<_, _>>())
}
