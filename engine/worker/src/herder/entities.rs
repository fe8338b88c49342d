//! The answers of a herder about connectors and tasks, in the shapes of Kafka Connect's REST.

use serde::{Serialize, Serializer};
use volley_api::{ConfigMap, SourceOffset, SourcePartition};

use super::Completion;
use crate::json_config::GivenConfig;
use crate::storage::{State, Status};

/// A connector and its configuration, as the user wrote it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectorInfo {
    /// Name.
    pub name: String,
    /// Configuration, secrets and all.
    #[serde(serialize_with = "given_config_as_map")]
    pub config: GivenConfig,
    /// Its tasks.
    pub tasks: Vec<TaskIdInfo>,
    /// `source`, `sink` or `unknown`.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// Names a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskIdInfo {
    /// Connector name.
    pub connector: String,
    /// Task number.
    pub task: usize,
}

/// A task and its configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskInfo {
    /// Which.
    pub id: TaskIdInfo,
    /// Configuration, secrets and all.
    #[serde(serialize_with = "config_as_map")]
    pub config: ConfigMap,
}

/// States of a connector and its tasks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectorStateInfo {
    /// Name.
    pub name: String,
    /// The connector's own state.
    pub connector: ConnectorState,
    /// Its tasks, by number.
    pub tasks: Vec<TaskStateInfo>,
    /// `source`, `sink` or `unknown`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The record of a bounded run, once it is over. Kafka Connect has no such member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion: Option<Completion>,
}

/// State of a connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConnectorState {
    /// State name.
    pub state: String,
    /// `host:port` of its worker.
    pub worker_id: String,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Version of the plug-in; null without an instance.
    pub version: Option<String>,
}

/// State of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskStateInfo {
    /// Task number.
    pub id: usize,
    /// State name.
    pub state: String,
    /// `host:port` of its worker.
    pub worker_id: String,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Version of the plug-in; null without an instance.
    pub version: Option<String>,
}

/// The offsets of a connector.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ConnectorOffsets {
    /// Partition by partition.
    pub offsets: Vec<ConnectorOffset>,
}

/// The offset of a partition; for a sink both are Kafka's, under `kafka_topic`, `kafka_partition` and `kafka_offset`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectorOffset {
    /// Partition; `None` only in a bad request.
    pub partition: Option<SourcePartition>,
    /// Offset; `None` in a request that forgets it.
    pub offset: Option<SourceOffset>,
}

fn config_as_map<S: Serializer>(config: &ConfigMap, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(config)
}

fn given_config_as_map<S: Serializer>(config: &GivenConfig, serializer: S) -> Result<S::Ok, S::Error> {
    let values = config.values.iter().map(|(key, value)| (key, Some(value)));
    serializer.collect_map(values.chain(config.nulls.iter().map(|key| (key, None))))
}

impl From<Status> for ConnectorState {
    fn from(status: Status) -> Self {
        let Status { state, trace, worker_id, version, .. } = status;
        Self { state: state.to_string(), worker_id, trace: trace.filter(|trace| !trace.is_empty()), version }
    }
}

impl TaskStateInfo {
    /// The state of task `id`.
    pub(crate) fn new(id: usize, status: Status) -> Self {
        let Status { state, trace, worker_id, version, .. } = status;
        Self { id, state: state.to_string(), worker_id, trace: trace.filter(|trace| !trace.is_empty()), version }
    }
}

impl ConnectorStateInfo {
    /// Whether the connector or a task is FAILED.
    pub fn has_failed(&self) -> bool {
        let failed = State::Failed.to_string();
        self.connector.state == failed || self.tasks.iter().any(|task| task.state == failed)
    }
}
