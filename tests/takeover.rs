//! A cluster of Java workers is shut down, Volley is started on the same properties, and the other way round.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::testbed::{ConnectWorker, Kafka, Vendor, wait_until};
use crate::worker_group::{SOON, WorkerGroup, assert_no_gap_and_no_repeat, sequences, verifiable_source};

const TASKS: usize = 2;

/// Connectors in all states.
struct Cluster<'a> {
    kafka: &'a Kafka,
    group: WorkerGroup,
    /// A topic for each source.
    topics: BTreeMap<&'static str, String>,
    sink: String,
}

/// What does not depend on who runs it.
#[derive(Debug, PartialEq)]
struct Seen {
    infos: Value,
    states: Value,
    tasks: BTreeMap<String, Value>,
    /// Of those that do not run; what runs goes on.
    offsets: BTreeMap<String, Value>,
    topics: BTreeMap<String, Value>,
}

impl Cluster<'_> {
    fn names(&self) -> Vec<String> {
        self.topics.keys().map(|name| (*name).to_owned()).chain([self.sink.clone()]).collect()
    }

    fn await_states(&self) {
        self.group.await_state("running", "RUNNING", TASKS);
        self.group.await_state("paused", "PAUSED", TASKS);
        self.group.await_state("stopped", "STOPPED", 0);
        self.group.await_state(&self.sink, "RUNNING", TASKS);
    }

    fn look(&self) -> Seen {
        let worker = self.group.running().next().expect("a worker runs");
        let get = |path: &str| {
            let (status, body) = worker.ask("GET", path, None);
            assert_eq!(status, 200, "{path}: {body}");
            body
        };
        let of_each = |names: &[String], part: &str| -> BTreeMap<String, Value> {
            names.iter().map(|name| (name.clone(), sorted(get(&format!("/connectors/{name}/{part}"))))).collect()
        };
        let names = self.names();
        let idle = ["paused", "stopped"].map(str::to_owned);
        Seen {
            infos: get("/connectors?expand=info"),
            states: without_workers(get("/connectors?expand=status")),
            tasks: of_each(&names, "tasks"),
            offsets: of_each(&idle, "offsets"),
            topics: of_each(&names, "topics"),
        }
    }

    /// All workers of one vendor end, and as many of the other begin.
    fn hand_over(&mut self, to: Vendor) {
        let workers = self.group.running().count();
        self.group.stop_all();
        self.group.add(&vec![to; workers]);
        self.await_states();
    }

    /// Sets the idle connectors going for a while, and has them idle again.
    fn run_all_for_a_while(&self) {
        let index = self.first_running();
        for name in ["paused", "stopped"] {
            self.group.ask(index, "PUT", &format!("/connectors/{name}/resume"), None);
        }
        for name in self.topics.keys() {
            self.group.await_state(name, "RUNNING", TASKS);
            self.group.await_more(name, 40);
        }
        self.group.ask(index, "PUT", "/connectors/paused/pause", None);
        self.group.ask(index, "PUT", "/connectors/stopped/stop", None);
        self.await_states();
    }

    fn first_running(&self) -> usize {
        (0..).find(|&index| self.group.worker(index).is_running()).expect("a worker runs")
    }

    fn assert_no_gap_and_no_repeat(&self) {
        for (name, topic) in &self.topics {
            let sequences = sequences(self.kafka, topic);
            assert_eq!(sequences.len(), TASKS, "{name}");
            assert_no_gap_and_no_repeat(&sequences);
        }
    }
}

/// Statuses without what names a worker or its version.
fn without_workers(mut statuses: Value) -> Value {
    for connector in statuses.as_object_mut().expect("an object").values_mut() {
        let status = &mut connector["status"];
        strip(&mut status["connector"]);
        status["tasks"].as_array_mut().expect("an array").iter_mut().for_each(strip);
    }
    statuses
}

fn strip(part: &mut Value) {
    let part = part.as_object_mut().expect("an object");
    part.remove("worker_id");
    part.remove("version");
}

/// Lists of offsets and topics have no order.
fn sorted(mut value: Value) -> Value {
    match &mut value {
        Value::Array(values) => values.sort_by_key(Value::to_string),
        Value::Object(members) => members.values_mut().for_each(|member| *member = sorted(member.take())),
        _ => {}
    }
    value
}

#[test]
fn volley_takes_over_a_java_cluster_and_gives_it_back_without_a_gap_or_a_repeat() {
    let kafka = Kafka::shared();
    let mut group = WorkerGroup::new(kafka, "takeover");
    group.add(&[Vendor::Java, Vendor::Java]);
    let names = ["running", "paused", "stopped"];
    let topics: BTreeMap<_, _> = names.into_iter().map(|name| (name, kafka.topic(name, 2))).collect();
    let mut cluster = Cluster { kafka, group, topics, sink: kafka.unique("takeover-sink") };
    for (name, topic) in &cluster.topics {
        cluster.group.put(0, name, &verifiable_source(topic, TASKS, 50));
    }
    let sink = json!({
        "connector.class": "VerifiableSink",
        "topics": cluster.topics["running"],
        "tasks.max": TASKS,
        "consumer.override.auto.offset.reset": "earliest",
    });
    cluster.group.put(0, &cluster.sink, &sink);
    for name in names {
        cluster.group.await_state(name, "RUNNING", TASKS);
        cluster.group.await_more(name, 40);
    }
    cluster.group.ask(0, "PUT", "/connectors/paused/pause", None);
    cluster.group.ask(0, "PUT", "/connectors/stopped/stop", None);
    cluster.await_states();

    for vendor in [Vendor::Volley, Vendor::Java] {
        settle_paused_offsets(&cluster);
        let before = cluster.look();
        cluster.hand_over(vendor);
        let after = cluster.look();
        assert_eq!(before, after, "after {vendor:?} has taken over");
        cluster.run_all_for_a_while();
    }
    cluster.group.stop_all();
    cluster.assert_no_gap_and_no_repeat();
    let printed = cluster.group.printed(&cluster.sink);
    let mut seen = BTreeMap::<u64, Vec<u64>>::new();
    for record in printed.iter().filter(|record| record["flushed"] != true) {
        seen.entry(record["task"].as_u64().unwrap()).or_default().push(record["seqno"].as_u64().unwrap());
    }
    // one worker's output after the other's: a partition may have moved between them
    seen.values_mut().for_each(|numbers| numbers.sort_unstable());
    assert_no_gap_and_no_repeat(&seen);
}

/// A paused Java source commits what was acknowledged during the pause only when it stops, so that its offsets would move at
/// the takeover: it is stopped and paused again.
fn settle_paused_offsets(cluster: &Cluster<'_>) {
    let index = cluster.first_running();
    cluster.group.ask(index, "POST", "/connectors/paused/restart?includeTasks=true", None);
    wait_until(SOON, "the paused source's offsets are those of its topic", || {
        let (_, offsets) = cluster.group.worker(index).ask("GET", "/connectors/paused/offsets", None);
        let committed: BTreeMap<u64, u64> = offsets["offsets"]
            .as_array()?
            .iter()
            .filter_map(|entry| Some((entry["partition"]["id"].as_u64()?, entry["offset"]["seqno"].as_u64()?)))
            .collect();
        let produced = sequences(cluster.kafka, &cluster.topics["paused"]);
        let last: BTreeMap<u64, u64> =
            produced.iter().filter_map(|(task, numbers)| Some((*task, *numbers.iter().max()?))).collect();
        (committed == last).then_some(())
    });
    cluster.await_states();
    assert!(cluster.group.running().all(ConnectWorker::is_running));
}
