//! The life cycle of connectors over REST, with records flowing.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::testbed::{Kafka, wait_until};
use crate::worker_process::{Volley, parquet_files, request};

const SOON: Duration = Duration::from_secs(60);

struct Rest(String);

impl Rest {
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        request(&self.0, method, path, body)
    }

    fn total(&self, connector: &str, member: &str) -> u64 {
        let (_, progress) = self.ask("GET", &format!("/volley/connectors/{connector}/progress"), None);
        progress["total"][member].as_u64().unwrap_or_default()
    }

    fn await_state(&self, connector: &str, state: &str) {
        wait_until(SOON, &format!("{connector} is {state}"), || {
            let (_, status) = self.ask("GET", &format!("/connectors/{connector}/status"), None);
            let tasks = status["tasks"].as_array()?;
            let all = tasks.iter().all(|task| task["state"] == state) && status["connector"]["state"] == state;
            all.then_some(())
        });
    }

    fn await_more(&self, connector: &str, member: &str) {
        let before = self.total(connector, member);
        wait_until(SOON, &format!("{connector} has more {member}"), || {
            (self.total(connector, member) > before).then_some(())
        });
    }
}

#[test]
fn connectors_are_paused_resumed_restarted_stopped_and_deleted_while_records_flow() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("flow", 2);
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let mut worker = volley.start(&["standalone", "worker.properties"]);
    let rest = Rest(worker.rest());
    let source = json!({"connector.class": "Datagen", "topic": topic, "rows.per.second": "2000"});
    assert_eq!(rest.ask("PUT", "/connectors/made/config", Some(&source)).0, 201);
    let sink = json!({"connector.class": "Blackhole", "topics": topic});
    assert_eq!(rest.ask("POST", "/connectors", Some(&json!({"name": "taken", "config": sink}))).0, 201);
    assert_eq!(rest.ask("POST", "/connectors", Some(&json!({"name": "taken", "config": sink}))).0, 409);
    rest.await_state("made", "RUNNING");
    rest.await_state("taken", "RUNNING");
    rest.await_more("taken", "rows_out");
    for connector in ["made", "taken"] {
        let topics = rest.ask("GET", &format!("/connectors/{connector}/topics"), None);
        assert_eq!(topics, (200, json!({connector: {"topics": [topic]}})));
    }

    assert_eq!(rest.ask("PUT", "/connectors/taken/pause", None).0, 202);
    rest.await_state("taken", "PAUSED");
    let before = rest.total("taken", "rows_out");
    rest.await_more("made", "rows_out");
    rest.await_more("made", "rows_out");
    // what was under way when it paused may still be put
    assert!(rest.total("taken", "rows_out") < before + 20_000);
    assert_eq!(rest.ask("PUT", "/connectors/taken/resume", None).0, 202);
    rest.await_state("taken", "RUNNING");
    rest.await_more("taken", "rows_out");

    assert_eq!(rest.ask("POST", "/connectors/taken/tasks/0/restart", None).0, 204);
    rest.await_state("taken", "RUNNING");
    rest.await_more("taken", "rows_out");
    assert_eq!(rest.ask("POST", "/connectors/made/restart?includeTasks=true", None).0, 202);
    rest.await_state("made", "RUNNING");
    rest.await_more("made", "rows_out");

    assert_eq!(rest.ask("PUT", "/connectors/made/stop", None).0, 204);
    rest.await_state("made", "STOPPED");
    let (status, offsets) = rest.ask("GET", "/connectors/made/offsets", None);
    assert_eq!(status, 200);
    assert!(offsets["offsets"][0]["offset"]["row"].as_u64().unwrap() > 0, "{offsets}");
    assert_eq!(rest.ask("DELETE", "/connectors/made", None).0, 204);
    assert_eq!(rest.ask("DELETE", "/connectors/taken", None).0, 204);
    assert_eq!(rest.ask("GET", "/connectors", None), (200, json!([])));
    assert_eq!(rest.ask("GET", "/connectors/taken", None).0, 404);
    worker.stop(Duration::from_secs(90));
}

#[test]
fn a_source_that_is_stopped_cleanly_goes_on_without_a_gap_or_a_repeat() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("restarted", 1);
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let source = [
        ("name", "made"),
        ("connector.class", "Datagen"),
        ("topic", topic.as_str()),
        ("rows.per.second", "5000"),
        ("fields", "n"),
        ("fields.n.generator", "sequence"),
    ];
    volley.file("source.properties", &source);
    for _ in 0..3 {
        std::fs::remove_file(volley.path("log")).ok();
        let mut worker = volley.start(&["standalone", "worker.properties", "source.properties"]);
        let rest = Rest(worker.rest());
        rest.await_state("made", "RUNNING");
        rest.await_more("made", "rows_out");
        worker.stop(Duration::from_secs(90));
    }
    let numbers: Vec<u64> = kafka
        .read_topic(&topic)
        .iter()
        .map(|message| {
            let value: Value = serde_json::from_slice(message.value.as_ref().unwrap()).unwrap();
            value["n"].as_u64().unwrap()
        })
        .collect();
    let distinct: HashSet<_> = numbers.iter().collect();
    assert_eq!(distinct.len(), numbers.len(), "rows are repeated");
    assert_eq!(*distinct.into_iter().max().unwrap(), numbers.len() as u64 - 1, "rows are missing");
}

#[test]
fn a_signal_while_connectors_are_started_ends_each_in_order() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("many", 1);
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let names: Vec<String> = (0..30).map(|number| format!("c{number}.properties")).collect();
    for name in &names {
        let source = [
            ("name", name.as_str()),
            ("connector.class", "Datagen"),
            ("topic", topic.as_str()),
            ("rows.per.second", "10"),
            ("fields", "n"),
            ("fields.n.generator", "sequence"),
        ];
        volley.file(name, &source);
    }
    let arguments: Vec<&str> =
        ["standalone", "worker.properties"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let worker = volley.start(&arguments);
    worker.stop(Duration::from_secs(60));
}

#[test]
fn a_broker_that_goes_away_and_comes_back_costs_no_record() {
    let mut kafka = Kafka::start();
    let topic = kafka.topic("outage", 2);
    let produce = |kafka: &Kafka, from: i64| {
        kafka.produce(&topic, 1_000, |number, _, value| {
            let n = from + number as i64 / 2;
            value.extend_from_slice(format!("{{\"p\":{},\"n\":{n}}}", number % 2).as_bytes());
            (number % 2) as i32
        });
    };
    produce(&kafka, 0);
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let url = format!("file://{}", volley.path("out").display());
    let sink = [
        ("name", topic.as_str()),
        ("connector.class", "ObjectStoreSink"),
        ("topics", topic.as_str()),
        ("store.url", url.as_str()),
        ("rotate.idle.ms", "200"),
    ];
    volley.file("sink.properties", &sink);
    let mut worker = volley.start(&["standalone", "worker.properties", "sink.properties"]);
    wait_until(SOON, "the first files", || (!parquet_files(&volley.path("out")).is_empty()).then_some(()));
    let rest = Rest(worker.rest());
    kafka.stop();
    wait_until(SOON, "the outage is said", || worker.log().contains("WARN").then_some(()));
    kafka.restart();
    produce(&kafka, 500);
    wait_until(SOON, "all rows are in complete files", || {
        let found = crate::delivered_rows::on_disk(&volley.path("out"));
        (found.len() >= 2_000).then_some(())
    });
    crate::delivered_rows::assert_exactly_once(&crate::delivered_rows::on_disk(&volley.path("out")), 2, 1_000);
    rest.await_state(&topic, "RUNNING");
    assert!(worker.is_running());
}

#[test]
fn a_sink_that_has_nothing_to_do_has_two_threads_and_no_client_of_its_own() {
    const SINKS: usize = 20;
    let kafka = Kafka::shared();
    let topic = kafka.topic("idle", 1);
    kafka.produce(&topic, 10, |number, _, value| {
        value.extend_from_slice(number.to_string().as_bytes());
        0
    });
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let mut worker = volley.start(&["standalone", "worker.properties"]);
    let rest = Rest(worker.rest());
    let before = worker.threads();
    for number in 0..SINKS {
        let sink = json!({"connector.class": "Blackhole", "topics": topic});
        assert_eq!(rest.ask("PUT", &format!("/connectors/idle-{number}/config"), Some(&sink)).0, 201);
    }
    for number in 0..SINKS {
        let name = format!("idle-{number}");
        wait_until(SOON, &name, || (rest.total(&name, "rows_out") == 10).then_some(()));
    }
    // the two of all consumers, and some that look up names
    let most = before + 2 * SINKS + 8;
    wait_until(SOON * 2, "threads without work have ended", || (worker.threads() <= most).then_some(()));
}
