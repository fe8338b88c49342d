//! Where transactions of exactly-once sources end: with each poll, with an interval, where the connector says; and where their
//! offsets go.

use std::fs;

use serde_json::{Value, json};

use crate::exactly_once_sources::ENABLED;
use crate::testbed::{Kafka, Vendor, wait_until};
use crate::worker_group::{SOON, WorkerGroup};

struct Cluster {
    kafka: &'static Kafka,
    group: WorkerGroup,
    worker: usize,
}

impl Cluster {
    fn start(stem: &str) -> Self {
        let kafka = Kafka::shared();
        let mut group = WorkerGroup::with(kafka, stem, &ENABLED);
        let worker = group.add(&[Vendor::Volley])[0];
        Self { kafka, group, worker }
    }

    /// The texts that are committed to a topic, in order.
    fn committed(&self, topic: &str) -> Vec<String> {
        let text = |value: Vec<u8>| {
            let value: Value = serde_json::from_slice(&value).unwrap();
            value["payload"].as_str().unwrap().to_owned()
        };
        self.kafka.read_topic(topic).into_iter().filter_map(|message| message.value.map(text)).collect()
    }

    fn offset(&self, name: &str) -> Option<Value> {
        let (_, offsets) = self.group.worker(self.worker).ask("GET", &format!("/connectors/{name}/offsets"), None);
        offsets["offsets"].get(0).map(|entry| entry["offset"].clone())
    }

    /// The marker of a transaction comes to one topic after the other: the offsets may be last.
    fn await_offset(&self, name: &str, expected: &Value) {
        wait_until(SOON, &format!("the offset of {name} is {expected}"), || {
            (self.offset(name).as_ref() == Some(expected)).then_some(())
        });
    }

    fn await_failure(&self, name: &str) -> String {
        wait_until(SOON, "the task fails", || {
            let path = format!("/connectors/{name}/status");
            let (_, status) = self.group.worker(self.worker).ask("GET", &path, None);
            let task = status["tasks"].get(0)?;
            (task["state"] == "FAILED").then(|| task["trace"].as_str().unwrap_or_default().to_owned())
        })
    }
}

/// The probe commits behind 3, 5, 13, 21, 55 and 89, and aborts behind 2, 8 and 34; behind 89 it says nothing more.
#[test]
fn a_connector_s_own_transactions_end_where_it_says_and_aborted_ones_are_never_seen() {
    let cluster = Cluster::start("eos-own");
    let topic = cluster.kafka.topic("eos-own", 1);
    let config = json!({
        "connector.class": "MonitorableSourceConnector",
        "topic": topic,
        "tasks.max": "1",
        "messages.per.poll": "10",
        "max.messages": "100",
        "exactly.once.support": "required",
        "custom.exactly.once.support": "supported",
        "custom.transaction.boundaries": "supported",
        "transaction.boundary": "connector",
    });
    cluster.group.put(cluster.worker, "own", &config);
    let is_committed = |number: &usize| [3..=5, 9..=21, 35..=89].iter().any(|range| range.contains(number));
    let expected: Vec<String> = (1..=100).filter(is_committed).map(|number| format!("value-own-0-{number}")).collect();
    wait_until(SOON, "the last transaction is committed", || {
        (cluster.committed(&topic).len() >= expected.len()).then_some(())
    });
    assert_eq!(cluster.committed(&topic), expected);
    cluster.await_offset("own", &json!({ "saved": 89 }));
    // a stop commits nothing that the connector has not ended
    cluster.group.ask(cluster.worker, "PUT", "/connectors/own/stop", None);
    cluster.group.await_state("own", "STOPPED", 0);
    assert_eq!(cluster.committed(&topic), expected);
    assert_eq!(cluster.offset("own"), Some(json!({ "saved": 89 })));
}

/// Lines that come and then nothing more: the interval ends while nothing is polled.
#[test]
fn an_interval_ends_a_transaction_though_nothing_more_comes_and_a_pause_ends_it_before() {
    let cluster = Cluster::start("eos-interval");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("lines.txt");
    fs::write(&file, "one\ntwo\n").unwrap();
    let lines = |topic: &str, interval: &str| {
        json!({
            "connector.class": "FileStreamSource",
            "file": file,
            "topic": topic,
            "exactly.once.support": "required",
            "transaction.boundary": "interval",
            "transaction.boundary.interval.ms": interval,
        })
    };
    let [short, long] = ["short", "long"].map(|stem| cluster.kafka.topic(stem, 1));
    cluster.group.put(cluster.worker, "short", &lines(&short, "1000"));
    wait_until(SOON, "the lines are committed", || (cluster.committed(&short) == ["one", "two"]).then_some(()));
    wait_until(SOON, "the size of the transaction is shown", || {
        let metrics = cluster.group.worker(cluster.worker).try_ask("GET", "/metrics", None)?.text();
        let is_shown = |name: &str| {
            let name = format!("kafka_connect_source_task_transaction_size_{name}");
            metrics.lines().any(|line| line.starts_with(&name) && line.ends_with(" 2"))
        };
        (is_shown("min") && is_shown("max") && is_shown("avg")).then_some(())
    });

    cluster.group.put(cluster.worker, "long", &lines(&long, "3600000"));
    cluster.group.await_state("long", "RUNNING", 1);
    wait_until(SOON, "the lines are sent", || {
        let path = "/volley/connectors/long/progress";
        let (_, progress) = cluster.group.worker(cluster.worker).ask("GET", path, None);
        (progress["tasks"].get(0)?["rows_in"] == 2).then_some(())
    });
    assert_eq!(cluster.committed(&long), Vec::<String>::new(), "the transaction is open");
    cluster.group.ask(cluster.worker, "PUT", "/connectors/long/pause", None);
    wait_until(SOON, "the lines are committed", || (cluster.committed(&long) == ["one", "two"]).then_some(()));
    wait_until(SOON, "the offset is committed", || (cluster.offset("long")?["position"] == 8).then_some(()));
}

#[test]
fn a_connector_s_own_offset_topic_has_its_offsets_and_is_none_to_produce_to() {
    let cluster = Cluster::start("eos-offsets");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("lines.txt");
    fs::write(&file, "one\ntwo\nthree\n").unwrap();
    let (topic, offsets) = (cluster.kafka.topic("eos-lines", 1), cluster.kafka.unique("eos-own-offsets"));
    let mut config = json!({
        "connector.class": "FileStreamSource",
        "file": file,
        "topic": topic,
        "exactly.once.support": "required",
        "offsets.storage.topic": offsets,
    });
    cluster.group.put(cluster.worker, "lines", &config);
    wait_until(SOON, "the lines are committed", || (cluster.committed(&topic).len() == 3).then_some(()));
    let stored = wait_until(SOON, "the offset of the last line is in the topic", || {
        let last = cluster.kafka.read_topic(&offsets).pop()?.value?;
        let last: Value = serde_json::from_slice(&last).unwrap();
        (last["position"] == 14).then_some(last)
    });
    cluster.await_offset("lines", &stored);

    config["topic"] = json!(offsets);
    config["file"] = json!(directory.path().join("other.txt"));
    fs::write(directory.path().join("other.txt"), "one\n").unwrap();
    cluster.group.put(cluster.worker, "naughty", &config);
    let trace = cluster.await_failure("naughty");
    let reason = "Source tasks may not produce to their own offsets topics when exactly-once support is enabled";
    assert!(trace.contains(reason), "{trace}");
}
