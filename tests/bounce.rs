//! Workers that come and go, and a broker that goes away: what the connectors have done is as if nothing had happened.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::testbed::{Kafka, Vendor, wait_until};
use crate::worker_group::{
    SOON, WorkerGroup, assert_no_gap, assert_no_gap_and_no_repeat, sequences, verifiable_source,
};

const ROUNDS: usize = 3;
const OUTAGE: Duration = Duration::from_secs(10);

/// Three workers with a source of three tasks and a sink of as many that reads what it writes.
struct Bounced {
    group: WorkerGroup,
    topic: String,
    source: String,
    sink: String,
}

impl Bounced {
    fn start(kafka: &Kafka) -> Self {
        let mut group = WorkerGroup::new(kafka, "bounce");
        group.add(&[Vendor::Volley; 3]);
        let bounced = Self {
            group,
            topic: kafka.topic("bounced", 3),
            source: kafka.unique("source"),
            sink: kafka.unique("sink"),
        };
        bounced.group.put(0, &bounced.source, &verifiable_source(&bounced.topic, 3, 100));
        let sink = json!({"connector.class": "VerifiableSink", "topics": bounced.topic, "tasks.max": 3});
        bounced.group.put(1, &bounced.sink, &sink);
        bounced.await_running();
        bounced
    }

    fn await_running(&self) {
        self.group.await_state(&self.source, "RUNNING", 3);
        self.group.await_state(&self.sink, "RUNNING", 3);
        self.group.await_more(&self.source, 50);
    }

    /// Ends the source, lets the sink see all, and ends the workers; what is in the topic, and what the sink has seen.
    fn finish(mut self, kafka: &Kafka) -> [BTreeMap<u64, Vec<u64>>; 2] {
        self.group.ask(0, "PUT", &format!("/connectors/{}/stop", self.source), None);
        self.group.await_state(&self.source, "STOPPED", 0);
        let produced = sequences(kafka, &self.topic);
        assert_eq!(produced.len(), 3);
        wait_until(SOON, "the sink has seen the end", || {
            let seen = self.seen_by_sink();
            let last = |numbers: &Vec<u64>| numbers.iter().max().copied();
            produced.iter().all(|(task, numbers)| seen.get(task).and_then(last) >= last(numbers)).then_some(())
        });
        self.group.stop_all();
        [produced, self.seen_by_sink()]
    }

    fn seen_by_sink(&self) -> BTreeMap<u64, Vec<u64>> {
        let mut seen = BTreeMap::<u64, Vec<u64>>::new();
        for record in self.group.printed(&self.sink).iter().filter(|record| record["flushed"] != true) {
            seen.entry(record["task"].as_u64().unwrap()).or_default().push(record["seqno"].as_u64().unwrap());
        }
        // the lines of the workers one after the other
        seen.values_mut().for_each(|numbers| numbers.sort_unstable());
        seen
    }
}

#[test]
fn a_rolling_restart_loses_and_repeats_nothing() {
    let kafka = Kafka::shared();
    let mut bounced = Bounced::start(kafka);
    for _ in 0..ROUNDS {
        for worker in 0..3 {
            bounced.group.stop(worker);
            bounced.group.start_again(worker);
            bounced.await_running();
        }
    }
    let [produced, seen] = bounced.finish(kafka);
    assert_no_gap_and_no_repeat(&produced);
    assert_no_gap_and_no_repeat(&seen);
}

#[test]
fn workers_that_are_killed_lose_nothing() {
    let kafka = Kafka::shared();
    let mut bounced = Bounced::start(kafka);
    for _ in 0..ROUNDS {
        for worker in 0..3 {
            bounced.group.kill(worker);
            bounced.group.start_again(worker);
            bounced.await_running();
        }
    }
    let [produced, seen] = bounced.finish(kafka);
    assert_no_gap(&produced);
    assert_no_gap(&seen);
}

/// How often each connector and task was started, by the status topic.
fn starts(kafka: &Kafka, group: &WorkerGroup) -> BTreeMap<String, usize> {
    let mut starts = BTreeMap::new();
    for message in kafka.read_topic(&format!("{}-status", group.id())) {
        let (Some(key), Some(value)) = (message.key, message.value) else { continue };
        let value: Value = serde_json::from_slice(&value).unwrap();
        if value["state"] == "RUNNING" {
            *starts.entry(String::from_utf8(key).unwrap()).or_default() += 1;
        }
    }
    starts
}

#[test]
fn after_an_outage_of_the_broker_everything_is_running_again_and_was_started_once() {
    let mut kafka = Kafka::start();
    let bounced = Bounced::start(&kafka);
    let before = starts(&kafka, &bounced.group);
    assert_eq!(before.len(), 8, "{before:?}");
    kafka.stop();
    // the outage itself
    thread::sleep(OUTAGE);
    kafka.restart();
    bounced.await_running();
    let after = starts(&kafka, &bounced.group);
    for (part, count) in &after {
        let before = before.get(part).copied().unwrap_or_default();
        assert!(*count <= before + 1, "{part} was started {} times", count - before);
    }
    let [produced, seen] = bounced.finish(&kafka);
    assert_no_gap(&produced);
    assert_no_gap(&seen);
}
