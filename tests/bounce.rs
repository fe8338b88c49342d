//! Workers that come and go, and a broker that goes away: what the connectors have done is as if nothing had happened.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::rounds::rounds;
use crate::testbed::{Kafka, Vendor, wait_until};
use crate::worker_group::{
    SOON, WorkerGroup, assert_no_gap, assert_no_gap_and_no_repeat, sequences, verifiable_source,
};

const ROUNDS: usize = 2;
/// Longer than any test: a consumer that does not leave its group keeps its partitions until the test has failed.
const FOR_EVER: (&str, &str) = ("consumer.session.timeout.ms", "600000");
const OUTAGE: Duration = Duration::from_secs(10);

/// Three workers with a source of three tasks and a sink of as many that reads what it writes.
struct Bounced {
    group: WorkerGroup,
    topic: String,
    source: String,
    sink: String,
}

impl Bounced {
    fn start(kafka: &Kafka, more: &[(&'static str, &str)]) -> Self {
        let mut group = WorkerGroup::with(kafka, "bounce", more);
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

    /// Waits until the sink sees what comes to each partition now.
    fn await_consumed(&self) {
        let last = |seen: BTreeMap<u64, Vec<u64>>| -> BTreeMap<u64, u64> {
            seen.into_iter().filter_map(|(task, numbers)| Some((task, numbers.last().copied()?))).collect()
        };
        let before = last(self.seen_by_sink());
        wait_until(SOON, "all partitions are consumed", || {
            let now = last(self.seen_by_sink());
            (now.len() == 3 && now.iter().all(|(task, number)| Some(number) > before.get(task))).then_some(())
        });
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

fn restarts_one_worker_after_the_other(protocol: &str) {
    let kafka = Kafka::shared();
    let mut bounced = Bounced::start(kafka, &[("connect.protocol", protocol), FOR_EVER]);
    for _ in 0..rounds(ROUNDS) {
        for worker in 0..3 {
            bounced.group.stop(worker);
            bounced.group.start_again(worker);
            bounced.await_running();
            bounced.await_consumed();
        }
    }
    for worker in 0..3 {
        let log = bounced.group.worker(worker).log();
        let trouble = log.lines().find(|line| line.contains("was abandoned") || line.contains("could not leave"));
        assert_eq!(trouble, None, "a task ends in time, and leaves its group");
    }
    let sink = format!("connect-{}", bounced.sink);
    let [produced, seen] = bounced.finish(kafka);
    assert_no_gap_and_no_repeat(&produced);
    assert_no_gap_and_no_repeat(&seen);
    assert_eq!(kafka.group(&sink), Some(("Empty".to_owned(), 0)));
}

#[test]
fn a_rolling_restart_loses_and_repeats_nothing() {
    restarts_one_worker_after_the_other("sessioned");
}

#[test]
fn a_rolling_restart_loses_and_repeats_nothing_where_every_rebalance_stops_everything() {
    restarts_one_worker_after_the_other("eager");
}

fn kills_one_worker_after_the_other(protocol: &str) {
    let kafka = Kafka::shared();
    let mut bounced = Bounced::start(kafka, &[("connect.protocol", protocol)]);
    for _ in 0..rounds(ROUNDS) {
        for worker in 0..3 {
            bounced.group.kill(worker);
            bounced.group.start_again(worker);
            bounced.await_running();
            bounced.await_consumed();
        }
    }
    let [produced, seen] = bounced.finish(kafka);
    assert_no_gap(&produced);
    assert_no_gap(&seen);
}

#[test]
fn workers_that_are_killed_lose_nothing() {
    kills_one_worker_after_the_other("sessioned");
}

#[test]
fn workers_that_are_killed_lose_nothing_where_every_rebalance_stops_everything() {
    kills_one_worker_after_the_other("eager");
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
    // The leader waits for those who ran something for as long as a session: also on a machine where one is slow to come.
    let bounced = Bounced::start(&kafka, &[("session.timeout.ms", "15000")]);
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
