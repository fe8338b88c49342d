//! The records of the config topic: keys and JSON values as Kafka Connect writes them.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use volley_api::ConfigMap;

use crate::connector_task_id::ConnectorTaskId;
use crate::json_config::GivenConfig;
use crate::storage::{Completion, TargetState};

/// Volley's own member of a target state's record: the result of a bounded connector. Java workers ignore it.
const COMPLETION: &str = "volley.completion";

/// A request to restart a connector and some of its tasks (KIP-745).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestartRequest {
    /// Connector name.
    pub connector: String,
    /// Only failed connectors and tasks.
    pub only_failed: bool,
    /// Include tasks.
    pub include_tasks: bool,
}

/// The key that workers sign internal requests with (KIP-507).
#[derive(Clone, PartialEq, Eq)]
pub struct SessionKey {
    /// Base64 of the key.
    pub key: String,
    /// Algorithm name, for example HmacSHA256.
    pub algorithm: String,
    /// Creation time, ms since 1970-01-01 UTC.
    pub creation_timestamp: i64,
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionKey").field("creation_timestamp", &self.creation_timestamp).finish_non_exhaustive()
    }
}

/// One record of the config topic.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigRecord {
    /// A connector's configuration as the user wrote it, with the keys without a value; `None` = deleted.
    Connector(String, Option<GivenConfig>),
    /// A task's configuration; it is in force after the next commit.
    Task(ConnectorTaskId, ConfigMap),
    /// Puts the task configurations before it into force; this many tasks.
    Commit(String, usize),
    /// The target state; `None` = deleted.
    TargetState(String, Option<TargetState>),
    /// A bounded connector is done. The target state is STOPPED for all readers; Volley also reads the result.
    Completed(String, Completion),
    /// A restart request.
    Restart(RestartRequest),
    /// Exactly-once: number of fenced producers.
    TaskCount(String, usize),
    /// The current session key.
    SessionKey(SessionKey),
    /// A log level for all workers: namespace, level.
    LoggerLevel(String, String),
}

impl ConfigRecord {
    /// The records that give connector `name` these tasks. The commit record MUST be written after the others are durable.
    pub fn tasks(name: &str, configs: &[ConfigMap]) -> Vec<Self> {
        let id = |task| ConnectorTaskId { connector: name.to_owned(), task };
        let tasks = configs.iter().enumerate().map(|(task, config)| Self::Task(id(task), config.clone()));
        tasks.chain([Self::Commit(name.to_owned(), configs.len())]).collect()
    }

    /// Key of the record.
    pub fn key(&self) -> String {
        match self {
            Self::Connector(name, _) => format!("connector-{name}"),
            Self::Task(id, _) => format!("task-{id}"),
            Self::Commit(name, _) => format!("commit-{name}"),
            Self::TargetState(name, _) | Self::Completed(name, _) => format!("target-state-{name}"),
            Self::Restart(request) => format!("restart-connector-{}", request.connector),
            Self::TaskCount(name, _) => format!("tasks-fencing-{name}"),
            Self::SessionKey(_) => "session-key".to_owned(),
            Self::LoggerLevel(namespace, _) => format!("logger-cluster-{namespace}"),
        }
    }

    /// Value of the record; `None` = tombstone.
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Connector(_, None) | Self::TargetState(_, None) => None,
            Self::Connector(_, Some(config)) => Some(properties_record(&config.values, &config.nulls)),
            Self::Task(_, config) => Some(properties_record(config, &[])),
            Self::Commit(_, tasks) => Some(json!({ "tasks": tasks })),
            Self::TargetState(_, Some(state)) => Some(target_state_record(*state)),
            Self::Completed(_, completion) => {
                let mut record = target_state_record(TargetState::Stopped);
                record[COMPLETION] = json!(completion);
                Some(record)
            }
            Self::Restart(request) => {
                Some(json!({ "include-tasks": request.include_tasks, "only-failed": request.only_failed }))
            }
            Self::TaskCount(_, count) => Some(json!({ "task-count": count })),
            Self::SessionKey(key) => Some(json!({
                "key": key.key,
                "algorithm": key.algorithm,
                "creation-timestamp": key.creation_timestamp,
            })),
            Self::LoggerLevel(_, level) => Some(json!({ "level": level })),
        }
    }

    /// The record with this key and value; `None` if it is unknown or malformed, which readers skip.
    pub fn parse(key: &str, value: Option<&Value>) -> Option<Self> {
        let name = |prefix: &str| key.strip_prefix(prefix).map(str::to_owned);
        if let Some(name) = name("target-state-") {
            return match value {
                None => Some(Self::TargetState(name, None)),
                Some(value) => {
                    let state =
                        value.get("state.v2").filter(|state| state.is_string()).or_else(|| value.get("state"))?;
                    let state = TargetState::from_record_name(state.as_str()?)?;
                    let completion = value.get(COMPLETION).filter(|_| state == TargetState::Stopped);
                    match completion.and_then(|completion| Completion::deserialize(completion).ok()) {
                        Some(completion) => Some(Self::Completed(name, completion)),
                        None => Some(Self::TargetState(name, Some(state))),
                    }
                }
            };
        }
        if let Some(name) = name("connector-") {
            return match value {
                None => Some(Self::Connector(name, None)),
                Some(value) => Some(Self::Connector(name, Some(properties(value)?))),
            };
        }
        if let Some(id) = key.strip_prefix("task-") {
            return Some(Self::Task(parse_task_id(id)?, properties(value?)?.values));
        }
        if let Some(name) = name("commit-") {
            return Some(Self::Commit(name, count(value?, "tasks")?));
        }
        if let Some(connector) = name("restart-connector-") {
            let members = value?.as_object()?;
            let flag = |member: &str| members.get(member).and_then(Value::as_bool).unwrap_or(false);
            let (only_failed, include_tasks) = (flag("only-failed"), flag("include-tasks"));
            return Some(Self::Restart(RestartRequest { connector, only_failed, include_tasks }));
        }
        if let Some(name) = name("tasks-fencing-") {
            return Some(Self::TaskCount(name, count(value?, "task-count")?));
        }
        if key == "session-key" {
            let value = value?;
            return Some(Self::SessionKey(SessionKey {
                key: value.get("key")?.as_str()?.to_owned(),
                algorithm: value.get("algorithm")?.as_str()?.to_owned(),
                creation_timestamp: value.get("creation-timestamp")?.as_i64()?,
            }));
        }
        let namespace = name("logger-cluster-")?;
        Some(Self::LoggerLevel(namespace, value?.get("level")?.as_str()?.to_owned()))
    }
}

/// Parses `name-0`: the last dash counts, since names may contain others.
pub(crate) fn parse_task_id(text: &str) -> Option<ConnectorTaskId> {
    let (connector, task) = text.rsplit_once('-')?;
    let task = usize::try_from(task.parse::<i32>().ok()?).ok()?;
    Some(ConnectorTaskId { connector: connector.to_owned(), task })
}

fn count(value: &Value, member: &str) -> Option<usize> {
    usize::try_from(i32::try_from(value.get(member)?.as_i64()?).ok()?).ok()
}

fn properties(value: &Value) -> Option<GivenConfig> {
    let members: &Map<String, Value> = value.get("properties")?.as_object()?;
    let mut config = GivenConfig::default();
    for (key, value) in members {
        if value.is_null() {
            config.nulls.push(key.clone());
        } else {
            config.values.insert(key.clone(), value.as_str()?.to_owned());
        }
    }
    Some(config)
}

fn target_state_record(state: TargetState) -> Value {
    // Readers older than KIP-875 do not know STOPPED.
    let old = if state == TargetState::Stopped { TargetState::Paused } else { state };
    json!({ "state": old.record_name(), "state.v2": state.record_name() })
}

/// A configuration as the record's JSON value.
fn properties_record(config: &ConfigMap, nulls: &[String]) -> Value {
    let values = config.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str())));
    let nulls = nulls.iter().map(|key| (key.clone(), Value::Null));
    json!({ "properties": values.chain(nulls).collect::<Map<_, _>>() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record() -> impl Strategy<Value = ConfigRecord> {
        let name = "[a-z/ -]{1,8}";
        let config = prop::collection::vec(("[a-z.]{1,6}", "[ -~]{0,6}"), 0..4)
            .prop_map(|entries| entries.into_iter().collect::<ConfigMap>());
        let state = prop_oneof![Just(TargetState::Started), Just(TargetState::Paused), Just(TargetState::Stopped)];
        prop_oneof![
            (name, prop::option::of((config.clone(), prop::collection::vec("[A-Z]{9}", 0..2)))).prop_map(
                |(name, config)| {
                    ConfigRecord::Connector(name, config.map(|(values, nulls)| GivenConfig { values, nulls }))
                }
            ),
            (name, 0usize..99, config)
                .prop_map(|(connector, task, config)| ConfigRecord::Task(ConnectorTaskId { connector, task }, config)),
            (name, 0usize..99).prop_map(|(name, tasks)| ConfigRecord::Commit(name, tasks)),
            (name, prop::option::of(state)).prop_map(|(name, state)| ConfigRecord::TargetState(name, state)),
            (name, any::<u32>()).prop_map(|(name, rows)| {
                ConfigRecord::Completed(name, Completion { rows: rows.into(), ..Completion::default() })
            }),
            (name, any::<bool>(), any::<bool>()).prop_map(|(connector, only_failed, include_tasks)| {
                ConfigRecord::Restart(RestartRequest { connector, only_failed, include_tasks })
            }),
            (name, 0usize..99).prop_map(|(name, count)| ConfigRecord::TaskCount(name, count)),
            (name, "[A-Z]{1,5}").prop_map(|(name, level)| ConfigRecord::LoggerLevel(name, level)),
        ]
    }

    proptest! {
        #[test]
        fn every_record_is_read_back(record in record()) {
            prop_assert_eq!(ConfigRecord::parse(&record.key(), record.value().as_ref()), Some(record));
        }
    }

    #[test]
    fn stopped_is_paused_to_old_readers() {
        let record = ConfigRecord::TargetState("a".into(), Some(TargetState::Stopped));
        assert_eq!(record.value().unwrap().to_string(), r#"{"state":"PAUSED","state.v2":"STOPPED"}"#);
        let old = json!({"state": "PAUSED"});
        let parsed = ConfigRecord::parse("target-state-a", Some(&old));
        assert_eq!(parsed, Some(ConfigRecord::TargetState("a".into(), Some(TargetState::Paused))));
    }

    #[test]
    fn a_completed_connector_is_stopped_to_readers_that_know_nothing_of_completions() {
        let value = ConfigRecord::Completed("a".into(), Completion::default()).value().unwrap();
        assert_eq!((&value["state"], &value["state.v2"]), (&json!("PAUSED"), &json!("STOPPED")));
        let malformed = json!({"state": "PAUSED", "state.v2": "STOPPED", "volley.completion": "?"});
        let parsed = ConfigRecord::parse("target-state-a", Some(&malformed));
        assert_eq!(parsed, Some(ConfigRecord::TargetState("a".into(), Some(TargetState::Stopped))));
    }

    #[test]
    fn what_a_restart_request_does_not_say_is_not_asked_for() {
        let parsed = ConfigRecord::parse("restart-connector-a", Some(&json!({"include-tasks": 1, "more": true})));
        let request = RestartRequest { connector: "a".into(), only_failed: false, include_tasks: false };
        assert_eq!(parsed, Some(ConfigRecord::Restart(request)));
    }

    #[test]
    fn malformed_records_are_skipped() {
        for (key, value) in [
            ("task-a-x", json!({"properties": {}})),
            ("connector-a", json!({"properties": {"a": {}}})),
            ("commit-a", json!({"tasks": -1})),
            ("target-state-a", json!({"state": "DANCING"})),
            ("unknown", json!(1)),
            ("connector-a", json!([])),
            ("restart-connector-a", json!([])),
        ] {
            assert_eq!(ConfigRecord::parse(key, Some(&value)), None, "{key}");
        }
    }
}
