//! The tools and probes of Kafka's own tests in the real binary: what they print and send, and that one which hangs harms
//! nobody else.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::testbed::{Kafka, distributed_properties, wait_until};
use crate::worker_process::{Running, Volley, request};

const SOON: Duration = Duration::from_secs(60);
/// Within this, requests are answered that have nothing to do with who hangs.
const PROMPTLY: Duration = Duration::from_secs(10);
const PROBES: (&str, &str) = ("VOLLEY_PROBES", "1");

/// A worker with its directory.
struct Worker {
    volley: Volley,
    process: Running,
    rest: String,
}

impl Worker {
    fn distributed(kafka: &Kafka, group: &str) -> Self {
        let volley = Volley::new();
        let mut lines = distributed_properties(kafka, group);
        lines.push(("listeners", "http://127.0.0.1:0".to_owned()));
        lines.push(("task.shutdown.graceful.timeout.ms", "1000".to_owned()));
        let lines: Vec<(&str, &str)> = lines.iter().map(|(key, value)| (*key, value.as_str())).collect();
        volley.file("worker.properties", &lines);
        Self::launch(volley, "distributed")
    }

    fn standalone(kafka: &Kafka, more: &[(&str, &str)]) -> Self {
        let volley = Volley::new();
        volley.worker(&kafka.bootstrap_servers(), more);
        Self::launch(volley, "standalone")
    }

    fn launch(volley: Volley, mode: &str) -> Self {
        let mut process = volley.start_with(&[mode, "worker.properties"], &[PROBES]);
        let rest = process.rest();
        let worker = Self { volley, process, rest };
        wait_until(SOON, "the worker is healthy", || (worker.ask("GET", "/health", None).0 == 200).then_some(()));
        worker
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        request(&self.rest, method, path, body)
    }

    fn create(&self, name: &str, config: &Value) {
        let body = json!({ "name": name, "config": config });
        let (status, answer) = self.ask("POST", "/connectors", Some(&body));
        assert_eq!(status, 201, "{name}: {answer}");
    }

    fn await_running(&self, name: &str) {
        wait_until(SOON, &format!("{name} runs"), || {
            let status = self.ask("GET", &format!("/connectors/{name}/status"), None).1;
            let tasks = status["tasks"].as_array().filter(|tasks| !tasks.is_empty())?;
            let is_running =
                status["connector"]["state"] == "RUNNING" && tasks.iter().all(|task| task["state"] == "RUNNING");
            is_running.then_some(())
        });
    }

    fn rows_out(&self, name: &str) -> u64 {
        let progress = self.ask("GET", &format!("/volley/connectors/{name}/progress"), None).1;
        progress["total"]["rows_out"].as_u64().unwrap_or_default()
    }

    /// Whatever hangs, others are created, run, and go.
    fn others_live(&self, what: &str) {
        let begin = Instant::now();
        assert_eq!(self.ask("GET", "/health", None).0, 200, "{what}");
        let before = self.rows_out("alive");
        self.create("fresh", &json!({ "connector.class": "MockSource" }));
        self.await_running("fresh");
        assert_eq!(self.ask("DELETE", "/connectors/fresh", None).0, 204, "{what}");
        wait_until(SOON, "messages flow", || (self.rows_out("alive") > before).then_some(()));
        self.await_running("alive");
        let took = begin.elapsed();
        assert!(took < PROMPTLY, "{what}: others took {took:?}");
    }
}

/// A connector that hangs, without waiting for the answer to its creation.
fn create_aside(rest: &str, name: &str, config: &Value) {
    let (rest, body) = (rest.to_owned(), json!({ "name": name, "config": config }));
    // it may hang, too
    thread::spawn(move || request(&rest, "POST", "/connectors", Some(&body)));
}

#[test]
fn a_connector_that_hangs_in_any_call_leaves_rest_heartbeats_and_other_connectors_alone() {
    let kafka = Kafka::shared();
    let (topic, group) = (kafka.topic("hang", 1), kafka.unique("hang"));
    let worker = Worker::distributed(kafka, &group);
    worker.create(
        "alive",
        &json!({ "connector.class": "TestableSource", "topic": topic, "throughput": "200", "messages.per.poll": "10" }),
    );
    worker.await_running("alive");
    let calls = [
        ("ConfigBlockingConnector", ""),
        ("ValidateBlockingConnector", ""),
        ("InitializeBlockingConnector", ""),
        ("BlockingConnector", "Connector::validate"),
        ("BlockingConnector", "Connector::start"),
        ("BlockingConnector", "Connector::taskConfigs"),
        ("BlockingConnector", "Connector::stop"),
        ("BlockingSourceConnector", "Task::start"),
        ("BlockingSourceConnector", "SourceTask::poll"),
        ("BlockingSourceConnector", "Task::stop"),
        ("TaskInitializeBlockingSourceConnector", ""),
        ("BlockingSinkConnector", "Task::start"),
        ("BlockingSinkConnector", "SinkTask::open"),
        ("BlockingSinkConnector", "SinkTask::put"),
        ("BlockingSinkConnector", "SinkTask::preCommit"),
        ("BlockingSinkConnector", "SinkTask::close"),
        ("TaskInitializeBlockingSinkConnector", ""),
    ];
    for (place, (class, block)) in calls.into_iter().enumerate() {
        let what = format!("{class} {block}");
        let name = format!("hangs-{place}");
        let mut config = json!({ "connector.class": class, "block": block });
        if class.contains("Sink") {
            config["topics"] = json!(topic);
        }
        create_aside(&worker.rest, &name, &config);
        if !matches!(block, "Connector::validate") && !matches!(place, 0 | 1) {
            wait_until(SOON, &format!("{what} is there"), || {
                (worker.ask("GET", &format!("/connectors/{name}"), None).0 == 200).then_some(())
            });
        }
        worker.others_live(&what);
        if worker.ask("GET", &format!("/connectors/{name}"), None).0 == 200 {
            assert_eq!(worker.ask("DELETE", &format!("/connectors/{name}"), None).0, 204, "{what}");
            worker.others_live(&format!("{what}, deleted"));
        }
    }
    let log = worker.process.log();
    assert!(!log.contains("panicked"), "{log}");
    worker.process.terminate();
    worker.process.ended(SOON);
}

#[test]
fn probes_are_offered_only_where_they_are_asked_for() {
    let volley = Volley::new();
    let listed = |environment: &[(&str, &str)]| {
        let ended = volley.run_with(SOON, &["plugins"], environment);
        assert!(ended.status.success());
        ended.stdout
    };
    assert!(listed(&[PROBES]).contains("TestableSourceConnector"));
    for environment in [&[][..], &[("VOLLEY_PROBES", "0")]] {
        let listed = listed(environment);
        assert!(!listed.contains("TestableSourceConnector") && listed.contains("VerifiableSourceConnector"));
    }
}

/// The numbers in the lines with (or without) a mark, by task, in order.
fn numbers(volley: &Volley, name: &str, mark: Option<&str>) -> BTreeMap<i64, Vec<i64>> {
    let mut numbers: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for line in fs::read_to_string(volley.path("stdout")).unwrap().lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { panic!("not a message: {line}") };
        let found = ["committed", "flushed"].into_iter().find(|mark| message.get(*mark).is_some());
        if message["name"] == name && found == mark {
            let task = message["task"].as_i64().unwrap();
            numbers.entry(task).or_default().push(message["seqno"].as_i64().unwrap());
        }
    }
    numbers
}

#[test]
fn a_verifiable_pair_has_no_gap_and_no_repeat_over_a_clean_restart() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("verifiable", 2);
    let worker = Worker::standalone(kafka, &[("key.converter", "org.apache.kafka.connect.json.JsonConverter")]);
    let source =
        json!({ "connector.class": "VerifiableSource", "tasks.max": "2", "topic": topic, "throughput": "300" });
    let sink = json!({ "connector.class": "VerifiableSink", "tasks.max": "2", "topics": topic });
    worker.create("source", &source);
    worker.create("sink", &sink);
    worker.await_running("sink");
    let flushed = |tasks: usize, most: usize| {
        let flushed = numbers(&worker.volley, "sink", Some("flushed"));
        (flushed.len() == tasks && flushed.values().all(|numbers| numbers.len() > most)).then_some(())
    };
    wait_until(SOON, "numbers are flushed", || flushed(2, 300));
    for (connector, action) in [("source", "stop"), ("source", "resume"), ("sink", "stop"), ("sink", "resume")] {
        let (status, _) = worker.ask("PUT", &format!("/connectors/{connector}/{action}"), None);
        assert!(status == 204 || status == 202, "{action} {connector}: {status}");
        worker.await_target(connector, action);
    }
    let so_far = numbers(&worker.volley, "sink", Some("flushed")).values().map(Vec::len).max().unwrap();
    wait_until(SOON, "more numbers are flushed", || flushed(2, so_far + 300));
    worker.ask("PUT", "/connectors/source/stop", None);
    worker.await_target("source", "stop");
    let committed = numbers(&worker.volley, "source", Some("committed"));
    wait_until(SOON, "all that is committed is flushed", || {
        let mut flushed = numbers(&worker.volley, "sink", Some("flushed"));
        flushed.values_mut().for_each(|numbers| numbers.sort_unstable());
        (flushed == committed).then_some(())
    });
    for (task, numbers) in committed {
        assert_eq!(numbers, (0..numbers.len() as i64).collect::<Vec<_>>(), "task {task}");
    }
}

impl Worker {
    fn await_target(&self, name: &str, action: &str) {
        let state = if action == "stop" { "STOPPED" } else { "RUNNING" };
        wait_until(SOON, &format!("{name} is {state}"), || {
            let status = self.ask("GET", &format!("/connectors/{name}/status"), None).1;
            let tasks = status["tasks"].as_array()?;
            let is_done = match action {
                "stop" => tasks.is_empty(),
                _ => tasks.len() == 2 && tasks.iter().all(|task| task["state"] == "RUNNING"),
            };
            (status["connector"]["state"] == state && is_done).then_some(())
        });
    }
}

#[test]
fn a_faulty_transformation_is_retried_and_errant_records_are_dead_letters() {
    let kafka = Kafka::shared();
    let (input, letters) = (kafka.topic("faulty", 1), kafka.topic("letters", 1));
    kafka.produce(&input, 10, |number, _, value| {
        value.extend_from_slice(format!("value-{number}").as_bytes());
        0
    });
    let dead = || {
        let letters = kafka.read_topic(&letters).into_iter().filter_map(|letter| letter.value);
        letters.map(|value| String::from_utf8(value).unwrap()).collect::<Vec<_>>()
    };
    let worker = Worker::standalone(kafka, &[]);
    let errors = json!({
        "topics": input,
        "value.converter": "StringConverter",
        "errors.tolerance": "all",
        "errors.retry.timeout": "1000",
        "errors.deadletterqueue.topic.name": letters,
        "errors.deadletterqueue.topic.replication.factor": "1",
    });
    let mut faulty = errors.clone();
    faulty["connector.class"] = json!("TestableSink");
    faulty["transforms"] = json!("faulty");
    faulty["transforms.faulty.type"] = json!("FaultyPassthrough");
    worker.create("faulty", &faulty);
    wait_until(SOON, "nine are taken", || (worker.rows_out("faulty") == 9).then_some(()));
    wait_until(SOON, "one is dead", || (dead() == ["value-7"]).then_some(()));
    let mut errant = errors;
    errant["connector.class"] = json!("ErrantRecordSink");
    worker.create("errant", &errant);
    wait_until(SOON, "all are dead", || (dead().len() == 11).then_some(()));
}
