//! Compares the group's messages, orders and assignments with those of Kafka Connect's own classes. `testdata/` is
//! written by tests/java/GroupReference.java, which says how to run it.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use volley_java::{hash_map_order, hash_set_copy_order};

use super::*;
use crate::connector_task_id::ConnectorTaskId;
use crate::storage::{ClusterConfigState, ConfigRecord};

fn lines(text: &str) -> impl Iterator<Item = Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap())
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

fn tasks(value: &Value) -> Vec<ConnectorTaskId> {
    let task = |name: String| {
        let (connector, task) = name.rsplit_once('-').unwrap();
        ConnectorTaskId { connector: connector.to_owned(), task: task.parse().unwrap() }
    };
    texts(value).into_iter().map(task).collect()
}

fn names(tasks: &[ConnectorTaskId]) -> Value {
    tasks.iter().map(ToString::to_string).collect()
}

fn protocol(line: &Value) -> ConnectProtocol {
    ConnectProtocol::from_name(line["protocol"].as_str().unwrap()).unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn assignment(value: &Value) -> ExtendedAssignment {
    let number = |name: &str| value[name].as_i64().unwrap();
    ExtendedAssignment {
        version: number("version") as i16,
        error: AssignmentError::from_code(number("error") as i16),
        leader: value["leader"].as_str().unwrap().to_owned(),
        leader_url: value["leader_url"].as_str().unwrap().to_owned(),
        config_offset: number("offset"),
        connectors: texts(&value["connectors"]),
        tasks: tasks(&value["tasks"]),
        revoked_connectors: texts(&value["revoked_connectors"]),
        revoked_tasks: tasks(&value["revoked_tasks"]),
        delay_ms: number("delay") as i32,
    }
}

#[test]
fn messages_are_java_s_byte_by_byte_and_read_wherever_java_reads_them() {
    for line in lines(include_str!("testdata/messages.jsonl")) {
        let given = (!line["assignment"].is_null()).then(|| assignment(&line["assignment"]));
        let (encoded, decode): (_, fn(&[u8]) -> bool) = match line["message"].as_str().unwrap() {
            "assignment" => (given.unwrap().encode(protocol(&line)), |bytes| ExtendedAssignment::decode(bytes).is_ok()),
            _ => {
                let url = line["url"].as_str().unwrap().to_owned();
                let state = WorkerState { url, config_offset: line["offset"].as_i64().unwrap(), assignment: given };
                (state.encode(protocol(&line)), |bytes| WorkerState::decode(bytes).is_ok())
            }
        };
        let encoded = encoded.unwrap();
        assert_eq!(encoded, bytes(&line["hex"]), "{line}");
        let readable: Vec<_> = (0..=encoded.len()).filter(|length| decode(&encoded[..*length])).collect();
        assert_eq!(json!(readable), line["readable_lengths"], "{line}");
        let with_version = |version: &i16| [version.to_be_bytes().as_slice(), &encoded[2..]].concat();
        let versions = [-32768, -1, 0, 1, 2, 3, 32767].into_iter().filter(|version| decode(&with_version(version)));
        assert_eq!(json!(versions.collect::<Vec<i16>>()), line["readable_versions"], "{line}");
    }
}

#[test]
fn hash_maps_and_sets_are_gone_through_in_java_s_order() {
    for line in lines(include_str!("testdata/orders.jsonl")).filter(|line| line["put"].is_array()) {
        let put = texts(&line["put"]);
        assert_eq!(json!(hash_map_order(put.clone())), line["hash_map"]);
        assert_eq!(json!(hash_set_copy_order(&put)), line["hash_set"]);
        assert_eq!(names(&hash_set_copy_order(&tasks(&line["tasks"]))), line["task_hash_set"]);
    }
}

#[test]
fn delays_grow_as_java_s_do() {
    for line in lines(include_str!("testdata/orders.jsonl")) {
        let (backoff, delays) = if let Some(max) = line["revocation_max_delay"].as_i64() {
            (ExponentialBackoff::new(1, 40, max), &line["delays"])
        } else if line["reconfiguration_delays"].is_array() {
            (ExponentialBackoff::task_reconfiguration(), &line["reconfiguration_delays"])
        } else {
            continue;
        };
        let count = delays.as_array().unwrap().len() as u32;
        assert_eq!(&json!((0..count).map(|attempt| backoff.delay_ms(attempt)).collect::<Vec<_>>()), delays, "{line}");
    }
}

/// A configuration of these connectors, each with so many tasks, that ends at `offset`.
fn config(connectors: &Value, offset: &Value) -> Arc<ClusterConfigState> {
    let mut state = ClusterConfigState::default();
    let mut apply = |at: i64, record: &ConfigRecord| state.apply(at, &record.key(), record.value().as_ref());
    for (name, tasks) in connectors.as_object().unwrap() {
        apply(0, &ConfigRecord::Connector(name.clone(), Some(Default::default())));
        let configs = vec![Default::default(); tasks.as_u64().unwrap() as usize];
        for record in ConfigRecord::tasks(name, &configs) {
            apply(0, &record);
        }
    }
    state.apply(offset.as_i64().unwrap() - 1, "nothing", None);
    Arc::new(state)
}

fn members(line: &Value) -> Vec<GroupMember> {
    let member = |(id, said): (&String, &Value)| {
        let held = ExtendedAssignment { connectors: texts(&said[1]), tasks: tasks(&said[2]), ..Default::default() };
        let url = format!("http://{id}:8083/");
        let state = WorkerState { url, config_offset: said[0].as_i64().unwrap(), assignment: Some(held) };
        GroupMember { id: id.clone(), state }
    };
    line["members"].as_object().unwrap().iter().map(member).collect()
}

/// Leads every rebalance of a table, and compares each member's assignment, including its order.
fn replay(table: &str) {
    let mut leaders: HashMap<String, GroupLeader> = HashMap::new();
    for (number, line) in lines(table).enumerate() {
        let scenario = line["scenario"].as_str().unwrap().to_owned();
        if line["new_leader"].as_bool().unwrap() {
            leaders.insert(scenario.clone(), GroupLeader::new(line["max_delay"].as_i64().unwrap() as i32));
        }
        let members = members(&line);
        let rebalance = Rebalance {
            protocol: protocol(&line),
            leader_id: line["leader"].as_str().unwrap(),
            members: &members,
            last_completed_generation: line["last_generation"].as_i64().unwrap() as i32,
            generation: line["generation"].as_i64().unwrap() as i32,
            now_ms: line["now"].as_i64().unwrap(),
        };
        let snapshot = config(&line["configured"], &line["snapshot"]);
        let fresh = || config(&line["configured"], &line["fresh"]);
        let led = leaders.get_mut(&scenario).unwrap().lead(&rebalance, snapshot, fresh);
        assert_eq!(led.outcome.is_some(), line["error"] == json!(0), "line {}", number + 1);
        for (id, bytes) in led.encode(rebalance.protocol).unwrap() {
            let told = ExtendedAssignment::decode(&bytes).unwrap();
            let place = format!("line {}, {scenario}, member {id}", number + 1);
            let expected = &line["assigned"][&id];
            let lists =
                json!([told.connectors, names(&told.tasks), told.revoked_connectors, names(&told.revoked_tasks)]);
            assert_eq!(&lists, expected, "{place}");
            let rest = json!([told.error.code(), told.config_offset, told.delay_ms, told.leader, told.leader_url]);
            let url = format!("http://{}:8083/", rebalance.leader_id);
            assert_eq!(rest, json!([line["error"], line["offset"], line["delay"], line["leader"], url]), "{place}");
        }
    }
}

#[test]
fn a_java_leader_would_tell_each_member_the_same() {
    replay(include_str!("testdata/assignor.jsonl"));
}

#[test]
fn a_java_leader_would_do_the_same_in_every_history() {
    replay(include_str!("testdata/histories.jsonl"));
}
