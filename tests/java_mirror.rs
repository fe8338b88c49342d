//! MirrorMaker's connectors, unmodified: topics and heartbeats from one cluster to another, here the same one under two names.

use std::time::Duration;

use serde_json::{Value, json};

use crate::testbed::{Kafka, Message, Vendor, host_of, java_properties, signal, wait_until};
use crate::worker_group::WorkerGroup;

const SOON: Duration = Duration::from_secs(120);
const PARTITIONS: i32 = 3;

/// What all of them have in common.
fn mirror(kafka: &Kafka, class: &str, from: &str, to: &str, more: &Value) -> Value {
    let mut config = json!({
        "connector.class": format!("org.apache.kafka.connect.mirror.{class}"),
        "tasks.max": "2",
        "source.cluster.alias": from,
        "target.cluster.alias": to,
        "source.cluster.bootstrap.servers": kafka.bootstrap_servers(),
        "target.cluster.bootstrap.servers": kafka.bootstrap_servers(),
        "key.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
        "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
        "replication.factor": "1",
        "offset-syncs.topic.replication.factor": "1",
        "heartbeats.topic.replication.factor": "1",
        "sync.topic.acls.enabled": "false",
        "offset.lag.max": "0",
    });
    let (config_members, more) = (config.as_object_mut().unwrap(), more.as_object().unwrap());
    config_members.extend(more.clone());
    config
}

fn of_partition(messages: &[Message], partition: i32) -> Vec<(Option<Vec<u8>>, Option<Vec<u8>>)> {
    let mut of_it: Vec<_> = messages.iter().filter(|message| message.partition == partition).collect();
    of_it.sort_by_key(|message| message.offset);
    of_it.into_iter().map(|message| (message.key.clone(), message.value.clone())).collect()
}

fn messages(kafka: &Kafka, topic: &str) -> Vec<Message> {
    let exists = kafka.admin().topic(topic).unwrap().is_some();
    if exists { kafka.read_topic(topic) } else { Vec::new() }
}

/// Waits until the copy has the records of the topic in order, without any that comes again.
fn await_copy(kafka: &Kafka, topic: &str, copy: &str) {
    let wanted = kafka.read_topic(topic);
    wait_until(SOON, "all records are copied in order", || {
        let copied = messages(kafka, copy);
        let is_copied = |partition: i32| {
            let mut first_times = Vec::new();
            for record in of_partition(&copied, partition) {
                if !first_times.contains(&record) {
                    first_times.push(record);
                }
            }
            first_times == of_partition(&wanted, partition)
        };
        (0..PARTITIONS).all(is_copied).then_some(())
    });
}

#[test]
fn mirror_maker_copies_topics_and_heartbeats_though_its_host_is_killed() {
    let kafka = Kafka::shared();
    let properties = java_properties(&["connect-mirror"]);
    let given: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let mut group = WorkerGroup::with(kafka, "java-mirror", &given);
    group.add(&[Vendor::Volley]);
    let (from, to) = (kafka.unique("from"), kafka.unique("to"));
    let topic = kafka.topic("mirrored", PARTITIONS);
    let copy = format!("{from}.{topic}");
    let write = |first: usize| {
        kafka.produce(&topic, 300, |number, key, value| {
            key.extend_from_slice((number % 7).to_string().as_bytes());
            value.extend_from_slice((first + number).to_string().as_bytes());
            (number % PARTITIONS as usize) as i32
        });
    };
    write(0);
    let source = json!({"topics": topic, "refresh.topics.interval.seconds": "1"});
    group.put(0, "source", &mirror(kafka, "MirrorSourceConnector", &from, &to, &source));
    group.await_state("source", "RUNNING", 2);
    await_copy(kafka, &topic, &copy);

    signal(host_of(group.worker(0).pid(), "source"), "KILL");
    write(300);
    wait_until(SOON, "the tasks have failed", || {
        let status = group.ask(0, "GET", "/connectors/source/status", None);
        let tasks = status["tasks"].as_array()?.clone();
        tasks.iter().all(|task| task["state"] == "FAILED").then_some(())
    });
    group.ask(0, "POST", "/connectors/source/restart?includeTasks=true", None);
    group.await_state("source", "RUNNING", 2);
    await_copy(kafka, &topic, &copy);
    // where each record went, which its acknowledgement tells
    assert!(!messages(kafka, &format!("mm2-offset-syncs.{to}.internal")).is_empty(), "there are no offset syncs");

    // those of one cluster would be copied to the same one without end
    group.ask(0, "DELETE", "/connectors/source", None);
    let heartbeats = json!({"emit.heartbeats.interval.seconds": "1"});
    group.put(0, "heartbeats", &mirror(kafka, "MirrorHeartbeatConnector", &from, &to, &heartbeats));
    wait_until(SOON, "there are heartbeats", || (!messages(kafka, "heartbeats").is_empty()).then_some(()));
}
