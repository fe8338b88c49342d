//! Sources that deliver exactly once (KIP-618): whatever happens to workers and brokers, who reads what is committed sees each
//! record once, those of a source partition in order.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::rounds::rounds;
use crate::testbed::{Kafka, Vendor, distributed_properties, wait_until};
use crate::worker_group::{Owners, SOON, WorkerGroup, assert_no_gap_and_no_repeat, sequences, verifiable_source};
use crate::worker_process::Volley;

pub(crate) const ENABLED: [(&str, &str); 1] = [("exactly.once.source.support", "enabled")];

/// As long as a user would wait who sees that a task has failed again.
const BETWEEN_RESTARTS: Duration = Duration::from_secs(1);

/// A Verifiable source that must deliver exactly once.
pub(crate) fn numbers(topic: &str, tasks: usize, throughput: usize, more: Value) -> Value {
    let mut config = verifiable_source(topic, tasks, throughput);
    config["exactly.once.support"] = json!("requested");
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

/// Waits until so many more messages of a topic are committed.
pub(crate) fn await_committed(kafka: &Kafka, topic: &str, more: usize) {
    kafka.await_committed(topic, more, SOON);
}

/// Ends the connector and looks at what it has delivered.
pub(crate) fn assert_exactly_once(
    kafka: &Kafka,
    group: &WorkerGroup,
    through: usize,
    name: &str,
    topic: &str,
    tasks: usize,
) {
    group.ask(through, "PUT", &format!("/connectors/{name}/stop"), None);
    group.await_state(name, "STOPPED", 0);
    let sequences = sequences(kafka, topic);
    assert_eq!(sequences.len(), tasks, "not every task has delivered");
    assert_no_gap_and_no_repeat(&sequences);
}

#[test]
fn killed_at_random_moments_a_source_delivers_each_record_once_and_in_order() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("eos-killed", 3);
    let mut group = WorkerGroup::with(kafka, "eos-killed", &ENABLED);
    let worker = group.add(&[Vendor::Volley])[0];
    let name = kafka.unique("numbers");
    group.put(worker, &name, &numbers(&topic, 2, 500, json!({})));
    for round in 0..rounds(4) {
        group.await_state(&name, "RUNNING", 2);
        await_committed(kafka, &topic, 100 + 37 * round);
        group.kill(worker);
        group.start_again(worker);
    }
    group.await_state(&name, "RUNNING", 2);
    await_committed(kafka, &topic, 100);
    assert_exactly_once(kafka, &group, worker, &name, &topic, 2);
}

/// With a slow machine the broker that is killed leaves a transaction in the topic of the offsets that no coordinator knows of,
/// about one time in three: then the tasks wait for it to end.
#[test]
#[ignore = "fails in some runs on a machine that is busy: `make soak`"]
fn a_broker_that_comes_back_and_workers_that_come_and_go_cost_no_record_and_repeat_none() {
    let mut kafka = Kafka::start();
    let topic = kafka.topic("eos-outage", 3);
    let mut group = WorkerGroup::with(&kafka, "eos-outage", &ENABLED);
    let first = group.add(&[Vendor::Volley])[0];
    group.put(first, "numbers", &numbers(&topic, 4, 300, json!({})));
    group.await_state("numbers", "RUNNING", 4);
    await_committed(&kafka, &topic, 200);
    let second = group.add(&[Vendor::Volley])[0];
    await_workers(&group, "numbers", 4, 2);
    await_committed(&kafka, &topic, 200);
    kafka.stop();
    kafka.restart();
    await_restarted(&group, first, "numbers", 4);
    await_committed(&kafka, &topic, 200);
    group.kill(second);
    await_restarted(&group, first, "numbers", 4);
    group.start_again(second);
    await_workers(&group, "numbers", 4, 2);
    await_committed(&kafka, &topic, 200);
    group.stop(first);
    await_restarted(&group, second, "numbers", 4);
    await_committed(&kafka, &topic, 200);
    assert_exactly_once(&kafka, &group, second, "numbers", &topic, 4);
    group.stop_all();
}

/// Waits until tasks run on so many workers.
pub(crate) fn await_workers(group: &WorkerGroup, name: &str, tasks: usize, workers: usize) -> Owners {
    wait_until(SOON, &format!("the tasks of {name} run on {workers} workers"), || {
        let owners = group.await_state(name, "RUNNING", tasks);
        let of_tasks: BTreeSet<_> = owners.tasks.values().collect();
        (of_tasks.len() == workers).then_some(owners)
    })
}

/// Waits until all tasks run, and starts those again that have failed, as a user would.
pub(crate) fn await_restarted(group: &WorkerGroup, through: usize, name: &str, tasks: usize) -> Owners {
    let addresses: BTreeSet<String> = group.running().map(|worker| worker.address()).collect();
    let mut restarted: Option<Instant> = None;
    wait_until(SOON * 2, &format!("all tasks of {name} run"), || {
        let status = group.worker(through).try_ask("GET", &format!("/connectors/{name}/status"), None)?.json();
        let of_status = status["tasks"].as_array()?;
        if of_status.iter().any(|task| task["state"] == "FAILED") {
            // a task that is about to start is FAILED for a moment more
            if restarted.is_none_or(|at| at.elapsed() > BETWEEN_RESTARTS) {
                let path = format!("/connectors/{name}/restart?includeTasks=true&onlyFailed=true");
                group.worker(through).try_ask("POST", &path, None);
                restarted = Some(Instant::now());
            }
            return None;
        }
        let mut owners =
            Owners { connector: status["connector"]["worker_id"].as_str()?.to_owned(), ..Owners::default() };
        for task in of_status {
            let owner = task["worker_id"].as_str().filter(|owner| addresses.contains(*owner))?;
            (task["state"] == "RUNNING").then_some(())?;
            owners.tasks.insert(task["id"].as_u64()?, owner.to_owned());
        }
        (owners.tasks.len() == tasks).then_some(owners)
    })
}

#[test]
fn what_cannot_be_delivered_exactly_once_is_refused_where_it_is_required() {
    let kafka = Kafka::shared();
    let mut group = WorkerGroup::with(kafka, "eos-refused", &ENABLED);
    let worker = group.add(&[Vendor::Volley])[0];
    let monitorable = |more: Value| {
        let mut config = json!({ "connector.class": "MonitorableSourceConnector", "topic": "t", "name": "x" });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    for (config, key, reason) in [
        (
            json!({ "exactly.once.support": "required", "custom.exactly.once.support": "unsupported" }),
            "exactly.once.support",
            "The connector does not support exactly-once semantics with the provided configuration.",
        ),
        (
            json!({ "exactly.once.support": "required" }),
            "exactly.once.support",
            "The connector does not implement the API required for preflight validation of exactly-once source support.",
        ),
        (
            json!({ "transaction.boundary": "connector" }),
            "transaction.boundary",
            "The connector does not support connector-defined transaction boundaries with the given configuration.",
        ),
    ] {
        let config = monitorable(config);
        let target = "/connector-plugins/MonitorableSourceConnector/config/validate";
        let (status, infos) = group.worker(worker).ask("PUT", target, Some(&config));
        assert_eq!((status, &infos["error_count"]), (200, &json!(1)), "{infos}");
        let found = infos["configs"].as_array().unwrap().iter().find(|config| config["value"]["name"] == key).unwrap();
        assert!(found["value"]["errors"][0].as_str().unwrap().starts_with(reason), "{found}");
        let (status, answer) = group.worker(worker).ask("PUT", "/connectors/x/config", Some(&config));
        assert_eq!(status, 400, "{answer}");
    }
}

#[test]
fn the_command_line_says_whether_a_worker_can_promise_what_is_required() {
    let volley = Volley::new();
    let connector = [
        ("name", "x"),
        ("connector.class", "FileStreamSource"),
        ("topic", "t"),
        ("file", "absent.txt"),
        ("exactly.once.support", "required"),
    ];
    volley.file("x.properties", &connector);
    for (support, code) in [("enabled", 0), ("preparing", 3), ("disabled", 3)] {
        let worker = distributed_properties(Kafka::shared(), "eos-file");
        let worker: Vec<_> = worker
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .chain([("exactly.once.source.support", support)])
            .collect();
        volley.file("worker.properties", &worker);
        let ended = volley.run(SOON, &["validate", "--worker", "worker.properties", "x.properties"]);
        assert_eq!(ended.status.code(), Some(code), "{support}: {}{}", ended.stdout, ended.log);
        let reason = "This worker does not have exactly-once source support enabled.";
        assert_eq!(ended.stdout.contains(reason), code == 3, "{}", ended.stdout);
    }
}
