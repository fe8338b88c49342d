//! One worker group of Java's workers and Volley.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use crate::testbed::{Kafka, Vendor, wait_until};
use crate::worker_group::{Owners, SOON, WorkerGroup, assert_no_gap, sequences, verifiable_source};

/// The connectors of the test and the number of their tasks. Names of sinks are names of consumer groups too.
struct Connectors {
    topic: String,
    lines: String,
    names: [(String, usize); 5],
}

impl Connectors {
    fn new(kafka: &Kafka) -> Self {
        let name = |stem: &str| kafka.unique(stem);
        let names = [("numbers", 3), ("checked", 2), ("mock", 1), ("lines", 1), ("copied", 1)];
        Self {
            topic: kafka.topic("mixed", 3),
            lines: kafka.topic("mixed-lines", 1),
            names: names.map(|(stem, tasks)| (name(stem), tasks)),
        }
    }

    /// Creates all of them, each through another worker.
    fn create(&self, group: &WorkerGroup, directory: &std::path::Path, through: &[usize]) {
        let path = |name: &str| directory.join(name).display().to_string();
        let configs = [
            verifiable_source(&self.topic, 3, 100),
            json!({"connector.class": "VerifiableSink", "tasks.max": 2, "topics": self.topic}),
            json!({"connector.class": "MockSource"}),
            json!({"connector.class": "FileStreamSource", "topic": self.lines, "file": path("in.txt")}),
            json!({"connector.class": "FileStreamSink", "topics": self.lines, "file": path("out.txt")}),
        ];
        for (at, ((name, _), config)) in self.names.iter().zip(&configs).enumerate() {
            group.put(through[at % through.len()], name, config);
        }
    }

    /// Everything runs, each part at one worker, and all workers say the same about it.
    fn await_running(&self, group: &WorkerGroup) -> Vec<Owners> {
        self.names.iter().map(|(name, tasks)| group.await_state(name, "RUNNING", *tasks)).collect()
    }

    fn numbers(&self) -> &str {
        &self.names[0].0
    }
}

/// Creates, changes and deletes a connector through each of these workers: only the leader can, so that the others have to
/// forward it.
fn assert_all_can_write(group: &WorkerGroup, through: &[usize]) {
    for &index in through {
        let name = format!("short-lived-{index}");
        group.put(index, &name, &json!({"connector.class": "MockSink", "topics": "short-lived"}));
        group.await_state(&name, "RUNNING", 1);
        group.ask(index, "PUT", &format!("/connectors/{name}/stop"), None);
        group.await_state(&name, "STOPPED", 0);
        group.ask(index, "DELETE", &format!("/connectors/{name}"), None);
        wait_until(SOON, "a connector is gone for all", || {
            let mut running = group.running();
            running.all(|worker| worker.ask("GET", &format!("/connectors/{name}"), None).0 == 404).then_some(())
        });
    }
}

/// Restarts each part through a worker that does not run it: it has to be forwarded to the one that does.
fn assert_all_can_restart(group: &WorkerGroup, connectors: &Connectors, through: &[usize]) {
    let name = connectors.numbers();
    for &index in through {
        group.ask(index, "POST", &format!("/connectors/{name}/restart"), None);
        for task in 0..3 {
            group.ask(index, "POST", &format!("/connectors/{name}/tasks/{task}/restart"), None);
        }
        group.await_state(name, "RUNNING", 3);
    }
}

/// Each task of the source is run by the worker that its status names, and by no other.
fn assert_one_owner_prints(group: &WorkerGroup, connectors: &Connectors, members: &[usize]) {
    let name = connectors.numbers();
    let owners = group.await_state(name, "RUNNING", 3);
    let before: Vec<u64> = members.iter().map(|&index| group.worker(index).stdout_length()).collect();
    group.await_more(name, 60);
    let mut printed = BTreeSet::new();
    for (&index, before) in members.iter().zip(before) {
        for line in group.worker(index).stdout_from(before).lines() {
            let Ok(record) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            if record["name"] == name
                && let Some(task) = record["task"].as_u64()
            {
                printed.insert((task, group.worker(index).address()));
            }
        }
    }
    assert_eq!(printed, owners.tasks.into_iter().collect());
}

#[test]
fn java_and_volley_share_connectors_forward_to_each_other_and_take_over_from_each_other() {
    let kafka = Kafka::shared();
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("in.txt"), "one\ntwo\nthree\n").unwrap();
    let mut group = WorkerGroup::new(kafka, "mixed");
    let connectors = Connectors::new(kafka);

    // Java leads, being first
    let java = group.add(&[Vendor::Java])[0];
    group.await_leader(&[java]);
    let volley = group.add(&[Vendor::Volley])[0];
    let java_too = group.add(&[Vendor::Java])[0];
    let all = [java, volley, java_too];
    connectors.create(&group, directory.path(), &all);
    let owners = connectors.await_running(&group);
    let workers: BTreeSet<&String> = owners.iter().flat_map(|owners| owners.tasks.values()).collect();
    assert_eq!(workers.len(), 3, "a worker has no task: {owners:?}");
    assert_one_owner_prints(&group, &connectors, &all);
    assert_all_can_write(&group, &all);
    assert_all_can_restart(&group, &connectors, &all);

    // only Volley is left, and leads
    group.kill(java);
    group.kill(java_too);
    group.await_leader(&[volley]);
    connectors.await_running(&group);
    group.start_again(java);
    group.start_again(java_too);
    connectors.await_running(&group);
    group.await_leader(&[volley]);
    assert_one_owner_prints(&group, &connectors, &all);
    assert_all_can_write(&group, &all);
    assert_all_can_restart(&group, &connectors, &all);

    // only Java is left, and leads
    group.kill(volley);
    group.await_leader(&[java, java_too]);
    connectors.await_running(&group);
    group.start_again(volley);
    connectors.await_running(&group);
    group.await_leader(&[java, java_too]);
    assert_one_owner_prints(&group, &connectors, &all);
    assert_all_can_write(&group, &all);

    group.ask(volley, "PUT", &format!("/connectors/{}/stop", connectors.numbers()), None);
    group.await_state(connectors.numbers(), "STOPPED", 0);
    let sequences = sequences(kafka, &connectors.topic);
    assert_eq!(sequences.len(), 3);
    assert_no_gap(&sequences);
    // the sink, which had its owners killed too, has seen every number
    let (checked, _) = &connectors.names[1];
    wait_until(SOON, "the sink has seen all", || {
        let printed = group.printed(checked);
        let seen: BTreeSet<(u64, u64)> =
            printed.iter().filter_map(|record| Some((record["task"].as_u64()?, record["seqno"].as_u64()?))).collect();
        let all = sequences.iter().flat_map(|(task, numbers)| numbers.iter().map(move |number| (*task, *number)));
        all.into_iter().all(|number| seen.contains(&number)).then_some(())
    });
    let copied = fs::read_to_string(directory.path().join("out.txt")).unwrap();
    for line in ["one", "two", "three"] {
        assert!(copied.lines().any(|copy| copy == line), "{line} is missing in {copied:?}");
    }
    group.stop_all();
}

/// With the protocols before `sessioned`, which groups in the middle of an upgrade still speak.
fn share_and_take_over(protocol: &str) {
    let kafka = Kafka::shared();
    let mut group = WorkerGroup::with(kafka, protocol, &[("connect.protocol", protocol)]);
    let java = group.add(&[Vendor::Java])[0];
    let volley = group.add(&[Vendor::Volley])[0];
    let topic = kafka.topic(protocol, 2);
    let (numbers, checked) = (kafka.unique("numbers"), kafka.unique("checked"));
    group.put(volley, &numbers, &verifiable_source(&topic, 2, 100));
    group.put(java, &checked, &json!({"connector.class": "VerifiableSink", "tasks.max": 2, "topics": topic}));
    let await_all = |group: &WorkerGroup| {
        let owners = [group.await_state(&numbers, "RUNNING", 2), group.await_state(&checked, "RUNNING", 2)];
        group.await_more(&numbers, 50);
        owners.into_iter().flat_map(|owners| owners.tasks.into_values()).collect::<BTreeSet<_>>()
    };
    assert_eq!(await_all(&group).len(), 2, "a worker has no task");
    group.kill(java);
    group.await_leader(&[volley]);
    assert_eq!(await_all(&group), BTreeSet::from([group.worker(volley).address()]));
    group.start_again(java);
    await_all(&group);
    assert_all_can_write(&group, &[java, volley]);
    group.kill(volley);
    group.await_leader(&[java]);
    assert_eq!(await_all(&group), BTreeSet::from([group.worker(java).address()]));
    group.ask(java, "PUT", &format!("/connectors/{numbers}/stop"), None);
    group.await_state(&numbers, "STOPPED", 0);
    assert_no_gap(&sequences(kafka, &topic));
    group.stop_all();
}

#[test]
fn java_and_volley_share_connectors_by_the_eager_protocol() {
    share_and_take_over("eager");
}

#[test]
fn java_and_volley_share_connectors_by_the_protocol_without_session_keys() {
    share_and_take_over("compatible");
}
