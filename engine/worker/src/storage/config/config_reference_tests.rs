//! Compares the state that the config records produce with that of Kafka Connect's own store.
//! `testdata/config_records.jsonl` is written by tests/java/ConfigReference.java, which says how to run it.

use serde_json::{Map, Value, json};
use volley_api::ConfigMap;

use crate::json_config::GivenConfig;
use crate::storage::{ClusterConfigState, ConfigUpdate};

/// The calls of Java's listener. Two things differ on purpose. The removal of an unknown connector is not reported. A
/// target state that returns to STARTED because its record was deleted is reported.
fn told(update: Option<ConfigUpdate>) -> Vec<String> {
    let text = match update {
        None => return Vec::new(),
        Some(ConfigUpdate::ConnectorUpdated(name)) => format!("updated {name}"),
        Some(ConfigUpdate::ConnectorRemoved(name)) => format!("removed {name}"),
        Some(ConfigUpdate::TasksUpdated(_)) => "tasks".to_owned(),
        Some(ConfigUpdate::TargetStateChanged(name)) => format!("target {name}"),
        Some(ConfigUpdate::RestartRequested(request)) => {
            format!("restart {} {} {}", request.connector, request.only_failed, request.include_tasks)
        }
        Some(ConfigUpdate::SessionKeyUpdated) => "session key".to_owned(),
        Some(ConfigUpdate::LoggerLevel(namespace, level)) => format!("level {namespace} {level}"),
    };
    vec![text]
}

fn texts(config: Option<&ConfigMap>) -> Value {
    config.map_or(Value::Null, |config| config.iter().map(|(key, value)| (key.clone(), json!(value))).collect())
}

fn given(config: GivenConfig) -> Value {
    let values = config.values.into_iter().map(|(key, value)| (key, Value::String(value)));
    values.chain(config.nulls.into_iter().map(|key| (key, Value::Null))).collect()
}

/// Ignores whether a connector was restarted with null keys: they count as not given.
fn without_nulls(config: &Value) -> Value {
    let Some(members) = config.as_object() else { return config.clone() };
    members.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn connectors(state: &ClusterConfigState) -> Value {
    let describe = |name: &str| {
        json!({
            "config": given(state.given_connector_config(name).unwrap()),
            "target": state.target_state(name).unwrap().record_name(),
            "task_count": state.task_count(name),
            "tasks": state.task_configs(name).into_iter().map(|task| texts(Some(task))).collect::<Vec<_>>(),
            "known_tasks": (0..5).filter(|task| state.had_task(name, *task)).collect::<Vec<_>>(),
            "applied": texts(state.applied_connector_config(name)),
        })
    };
    state.connectors().map(|name| (name.to_owned(), describe(name))).collect::<Map<_, _>>().into()
}

#[test]
fn records_add_up_to_what_java_makes_of_them() {
    let mut state = ClusterConfigState::default();
    for (number, line) in include_str!("testdata/config_records.jsonl").lines().enumerate() {
        let place = format!("line {}: {line}", number + 1);
        let line: Value = serde_json::from_str(line).unwrap();
        let Some(key) = line["key"].as_str() else {
            assert_eq!(line["offset"], ClusterConfigState::default().offset(), "{place}");
            state = ClusterConfigState::default();
            continue;
        };
        let before = state.clone();
        let value = line["value"].as_str().map(serde_json::from_str::<Value>).transpose();
        // Topic readers skip records that are not JSON, which do not even move the position, and treat null as a
        // tombstone.
        let value = value.map(|value| value.filter(|value| !value.is_null()));
        let update = value.ok().and_then(|value| state.apply(line["at"].as_i64().unwrap(), key, value.as_ref()));
        let Some(events) = line["events"].as_array() else { continue };
        assert_eq!(state.offset(), line["offset"].as_i64().unwrap(), "{place}");
        let session_key = state.session_key().map(|key| json!([key.key, key.algorithm, key.creation_timestamp]));
        assert_eq!(json!(session_key), line["session_key"], "{place}");
        let mut expected = line["connectors"].clone();
        expected.as_object_mut().unwrap().values_mut().for_each(|it| it["applied"] = without_nulls(&it["applied"]));
        assert_eq!(connectors(&state), expected, "{place}");
        for (name, expected) in line["fencing"].as_object().unwrap() {
            let generation = state.task_config_generation(name);
            let of = json!([generation, state.fenced_task_count(name), state.is_fencing_pending(name)]);
            assert_eq!(&of, expected, "{place}");
        }
        let name = key.strip_prefix("connector-").or(key.strip_prefix("target-state-")).unwrap_or_default();
        let is_tombstone = line["value"].as_str().is_none_or(|value| value == "null");
        if is_tombstone && key.starts_with("connector-") && !before.contains(name) {
            assert_eq!((told(update), events.len()), (vec![], 1), "{place}");
        } else if is_tombstone && before.target_state(name) != state.target_state(name) && state.contains(name) {
            assert_eq!((told(update), events.len()), (vec![format!("target {name}")], 0), "{place}");
        } else {
            assert_eq!(json!(told(update)), json!(events), "{place}");
        }
    }
}
