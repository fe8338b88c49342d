//! The records of the status topic: keys and JSON values as Kafka Connect writes them.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::connector_task_id::ConnectorTaskId;
use crate::storage::config::parse_task_id;
use crate::storage::{State, Status, StatusKey, TaskRun, TopicStatus};

/// Prefix of the keys of records about bounded tasks.
const TASK_RUN: &str = "volley-task-run-";

/// One record of the status topic; `None` = tombstone.
#[derive(Clone, Debug, PartialEq)]
pub enum StatusRecord {
    /// The status of a connector or task.
    Status(StatusKey, Option<Status>),
    /// A topic (first) that a connector (second) uses.
    Topic(String, String, Option<TopicStatus>),
    /// The run of a bounded connector's task. It is Volley's own record; Java workers ignore it and keep it.
    TaskRun(ConnectorTaskId, Option<TaskRun>),
}

impl StatusRecord {
    /// Key of the record.
    pub fn key(&self) -> String {
        match self {
            Self::Status(StatusKey::Connector(name), _) => format!("status-connector-{name}"),
            Self::Status(StatusKey::Task(id), _) => format!("status-task-{id}"),
            Self::Topic(topic, connector, _) => format!("status-topic-{topic}:connector-{connector}"),
            Self::TaskRun(id, _) => format!("{TASK_RUN}{id}"),
        }
    }

    /// Value of the record; `None` = tombstone.
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Status(_, status) => status.as_ref().map(|status| {
                json!({
                    "state": status.state.to_string(),
                    "trace": status.trace,
                    "worker_id": status.worker_id,
                    "generation": status.generation,
                    "version": status.version,
                })
            }),
            Self::TaskRun(_, run) => run.as_ref().map(|run| json!(run)),
            Self::Topic(_, _, topic) => topic.as_ref().map(|topic| {
                json!({
                    "topic": {
                        "name": topic.topic,
                        "connector": topic.task.connector,
                        "task": topic.task.task,
                        "discoverTimestamp": topic.discover_timestamp,
                    }
                })
            }),
        }
    }

    /// The record with this key and value; `None` if it is unknown or malformed, which readers skip.
    pub fn parse(key: &str, value: Option<&Value>) -> Option<Self> {
        if let Some(name) = key.strip_prefix("status-connector-") {
            return Some(Self::Status(StatusKey::Connector(name.to_owned()), parse_optional(value, parse_status)?));
        }
        if let Some(id) = key.strip_prefix("status-task-") {
            return Some(Self::Status(StatusKey::Task(parse_task_id(id)?), parse_optional(value, parse_status)?));
        }
        if let Some(id) = key.strip_prefix(TASK_RUN) {
            let run = parse_optional(value, |value| TaskRun::deserialize(value).ok())?;
            return Some(Self::TaskRun(parse_task_id(id)?, run));
        }
        let (topic, rest) = key.strip_prefix("status-topic-")?.split_once(':')?;
        let connector =
            rest.strip_prefix("connector-").filter(|connector| !connector.is_empty() && !topic.is_empty())?;
        Some(Self::Topic(topic.to_owned(), connector.to_owned(), parse_optional(value, parse_topic)?))
    }
}

fn parse_optional<T>(value: Option<&Value>, parse: impl Fn(&Value) -> Option<T>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(value) => parse(value).map(Some),
    }
}

fn parse_status(value: &Value) -> Option<Status> {
    let text = |member: &str| value.get(member).and_then(Value::as_str).map(str::to_owned);
    Some(Status {
        state: State::from_name(value.get("state")?.as_str()?)?,
        trace: text("trace"),
        worker_id: text("worker_id")?,
        generation: i32::try_from(value.get("generation")?.as_i64()?).ok()?,
        version: text("version"),
    })
}

fn parse_topic(value: &Value) -> Option<TopicStatus> {
    let topic = value.get("topic")?;
    let text = |member: &str| topic.get(member).and_then(Value::as_str).map(str::to_owned);
    Some(TopicStatus {
        topic: text("name")?,
        task: ConnectorTaskId {
            connector: text("connector")?,
            task: usize::try_from(topic.get("task")?.as_u64()?).ok()?,
        },
        discover_timestamp: topic.get("discoverTimestamp")?.as_i64()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::TaskProgressSnapshot;

    fn status(state: State) -> Status {
        Status { state, trace: Some("why".into()), worker_id: "w:1".into(), generation: 7, version: None }
    }

    #[test]
    fn every_record_is_read_back() {
        let id = ConnectorTaskId { connector: "a-b".into(), task: 3 };
        let topic = TopicStatus { topic: "t".into(), task: id.clone(), discover_timestamp: 5 };
        let progress = TaskProgressSnapshot { rows_in: 3, lag: Some(0), ..TaskProgressSnapshot::default() };
        let run = TaskRun { run: 5, is_done: true, started_at: 7, progress };
        for record in [
            StatusRecord::Status(StatusKey::Connector("a".into()), Some(status(State::Stopped))),
            StatusRecord::TaskRun(id.clone(), Some(run)),
            StatusRecord::TaskRun(id.clone(), None),
            StatusRecord::Status(StatusKey::Task(id), Some(status(State::Failed))),
            StatusRecord::Status(StatusKey::Connector("a".into()), None),
            StatusRecord::Topic("t".into(), "a-b".into(), Some(topic)),
            StatusRecord::Topic("t".into(), "a:connector-b".into(), None),
        ] {
            assert_eq!(StatusRecord::parse(&record.key(), record.value().as_ref()), Some(record));
        }
    }

    #[test]
    fn topic_keys_are_those_of_kafka_connect() {
        let record = StatusRecord::Topic("orders".into(), "sink".into(), None);
        assert_eq!(record.key(), "status-topic-orders:connector-sink");
    }
}
