//! Publishes through the leader of the group.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};
use tracing::info;
use volley_api::ConfigMap;

use super::config_writer::ConfigWriter;
use super::group_view::GroupView;
use crate::error::{HerderError, HerderResult};
use crate::group::SessionSigner;
use crate::herder::WorkerContext;
use crate::herder::lifecycle::{TaskConfigPublisher, check_takes_tasks, is_current};
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
        let url = group.leader_url.ok_or(HerderError::Forward(None))?;
        let body = Value::Array(configs.into_iter().map(json_object).collect()).to_string().into_bytes();
        let signature = match group.protocol.is_some_and(|protocol| protocol.is_signed()) {
            true => Some(self.signer.sign(&self.context.configs.snapshot(), &body)?),
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
        if !is_current(&self.context.configs.snapshot(), connector, run) {
            return Ok(false);
        }
        turn.write(vec![ConfigRecord::Completed(connector.to_owned(), completion)]).await?;
        Ok(true)
    }

    async fn refresh(&self) -> HerderResult<()> {
        Ok(self.writer.refresh(REFRESH).await?)
    }

    fn shares_runs(&self) -> bool {
        true
    }
}

fn json_object(config: ConfigMap) -> Value {
    Value::Object(config.into_iter().map(|(key, value)| (key, Value::String(value))).collect::<Map<_, _>>())
}
