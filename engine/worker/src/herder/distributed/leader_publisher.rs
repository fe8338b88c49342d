//! Publishes through the leader of the group.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};
use tracing::info;
use volley_api::ConfigMap;

use super::config_writer::ConfigWriter;
use super::fencing_rounds::FencingRounds;
use super::group_view::{GroupState, GroupView};
use crate::error::{HerderError, HerderResult};
use crate::group::{SessionSigner, SignatureHeaders};
use crate::herder::WorkerContext;
use crate::herder::lifecycle::{ProducerFence, TaskConfigPublisher, check_takes_tasks, is_current};
use crate::peers::LeaderClient;
use crate::storage::{Completion, ConfigRecord};

/// How long the leader may take.
const DEADLINE: Duration = Duration::from_secs(90);

/// How long reading to the end of the config topic may take.
const REFRESH: Duration = Duration::from_secs(30);

/// Writes them here on the leader, and sends them to it from other workers.
pub(super) struct LeaderPublisher {
    pub(super) context: Arc<WorkerContext>,
    pub(super) group: Arc<GroupView>,
    pub(super) writer: Arc<ConfigWriter>,
    pub(super) client: LeaderClient,
    pub(super) signer: SessionSigner,
    pub(super) fencing: Arc<FencingRounds>,
}

impl LeaderPublisher {
    /// The headers that sign `body`, where the group's protocol is one that signs.
    fn signature(&self, group: &GroupState, body: &[u8]) -> HerderResult<Option<SignatureHeaders>> {
        match group.protocol.is_some_and(|protocol| protocol.is_signed()) {
            true => Ok(Some(self.signer.sign(&self.context.configs.snapshot(), body)?)),
            false => Ok(None),
        }
    }
}

#[async_trait]
impl TaskConfigPublisher for LeaderPublisher {
    async fn publish(&self, connector: &str, configs: Vec<ConfigMap>) -> HerderResult<()> {
        let group = self.group.settled().await;
        info!(connector, tasks = configs.len(), by_leader = group.is_leader, "publishing task configurations");
        if group.is_leader {
            let turn = self.writer.turn().await;
            self.group.current().check_leader()?;
            check_takes_tasks(&self.context.configs.snapshot(), connector, &configs)?;
            return Ok(turn.write(ConfigRecord::tasks(connector, &configs)).await?);
        }
        // A Java worker that leads takes whatever it is given.
        check_takes_tasks(&self.context.configs.snapshot(), connector, &configs)?;
        let url = group.leader_url.clone().ok_or(HerderError::Forward(None))?;
        let body = Value::Array(configs.into_iter().map(json_object).collect()).to_string().into_bytes();
        let signature = self.signature(&group, &body)?;
        let asking = self.client.put_task_configs(&url, connector, body, signature);
        match tokio::time::timeout(DEADLINE, asking).await {
            Ok(outcome) => outcome,
            Err(_) => Err(HerderError::Internal(format!("the leader at {url} did not answer in time"))),
        }
    }

    async fn complete(&self, connector: &str, run: i64, completion: Completion) -> HerderResult<bool> {
        self.refresh().await?;
        let turn = self.writer.turn().await;
        if !is_current(&self.context.configs.snapshot(), connector, run) {
            return Ok(false);
        }
        turn.write(vec![ConfigRecord::Completed(connector.to_owned(), completion)]).await?;
        Ok(true)
    }

    async fn refresh(&self) -> HerderResult<()> {
        Ok(self.writer.refresh(REFRESH).await?)
    }

    fn producer_fence(self: Arc<Self>) -> Option<Arc<dyn ProducerFence>> {
        let is_enabled = self.context.config.exactly_once_source_enabled();
        is_enabled.then_some(self as Arc<dyn ProducerFence>)
    }

    fn shares_runs(&self) -> bool {
        true
    }
}

#[async_trait]
impl ProducerFence for LeaderPublisher {
    async fn fence(&self, connector: &str) -> HerderResult<()> {
        let group = self.group.settled().await;
        if group.is_leader {
            return self.fencing.hold(connector).await;
        }
        let url = group.leader_url.clone().ok_or(HerderError::Forward(None))?;
        let signature = self.signature(&group, &[])?;
        match tokio::time::timeout(DEADLINE, self.client.fence(&url, connector, signature)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(HerderError::Internal(format!("the leader at {url} did not fence in time"))),
        }
    }

    async fn read_configs(&self) -> HerderResult<()> {
        TaskConfigPublisher::refresh(self).await
    }
}

fn json_object(config: ConfigMap) -> Value {
    Value::Object(config.into_iter().map(|(key, value)| (key, Value::String(value))).collect::<Map<_, _>>())
}
