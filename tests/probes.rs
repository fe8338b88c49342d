//! The tools and probes of Kafka's own tests in the real binary: what they print and send, and that one which hangs harms
//! nobody else. Each of them once as Volley's own, and once as Kafka's Java class.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::probe_worker::{PROBES, ProbeWorker, Probes, SOON};
use crate::rounds::rounds;
use crate::testbed::{Kafka, hosts_of, wait_until};
use crate::worker_process::Volley;

/// Within this, the start of a connector that hangs is given up.
const NO_HOST_IS_LEFT: Duration = Duration::from_secs(200);

#[test]
fn a_connector_that_hangs_in_any_call_leaves_rest_heartbeats_and_other_connectors_alone() {
    a_connector_that_hangs_leaves_others_alone(Probes::Native);
}

#[test]
fn a_java_connector_that_hangs_in_any_call_leaves_others_alone_and_no_process_when_it_is_deleted() {
    a_connector_that_hangs_leaves_others_alone(Probes::Java);
}

fn a_connector_that_hangs_leaves_others_alone(probes: Probes) {
    let kafka = Kafka::shared();
    let (topic, group) = (kafka.topic("hang", 1), kafka.unique("hang"));
    let worker = ProbeWorker::distributed(kafka, &group, probes);
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
            config["consumer.override.group.id"] = json!(format!("{name}-of-{topic}"));
        }
        worker.create_aside(&name, &config);
        if !matches!(block, "Connector::validate") && !matches!(place, 0 | 1) {
            wait_until(SOON, &format!("{what} is there"), || worker.exists(&name).then_some(()));
        }
        worker.others_live(&what);
        if worker.exists(&name) {
            assert_eq!(worker.ask("DELETE", &format!("/connectors/{name}"), None).0, 204, "{what}");
            // a further JVM for each takes minutes
            if probes == Probes::Native || rounds(1) > 1 {
                worker.others_live(&format!("{what}, deleted"));
            }
        }
    }
    if probes == Probes::Java {
        worker.others_live("all are deleted");
        wait_until(NO_HOST_IS_LEFT, "only the host of the connector that runs is left", || {
            (hosts_of(worker.process.pid()).len() == 1).then_some(())
        });
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
fn numbers(worker: &ProbeWorker, name: &str, mark: Option<&str>) -> BTreeMap<i64, Vec<i64>> {
    let mut numbers: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for message in worker.printed() {
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
    a_verifiable_pair_has_no_gap_and_no_repeat(Probes::Native);
}

#[test]
fn java_s_verifiable_pair_has_no_gap_and_no_repeat_over_a_clean_restart() {
    a_verifiable_pair_has_no_gap_and_no_repeat(Probes::Java);
}

fn a_verifiable_pair_has_no_gap_and_no_repeat(probes: Probes) {
    let kafka = Kafka::shared();
    let topic = kafka.topic("verifiable", 2);
    let json = [("key.converter", "org.apache.kafka.connect.json.JsonConverter")];
    let worker = ProbeWorker::standalone(kafka, &json, probes);
    let source =
        json!({ "connector.class": "VerifiableSource", "tasks.max": "2", "topic": topic, "throughput": "300" });
    let sink = json!({ "connector.class": "VerifiableSink", "tasks.max": "2", "topics": topic,
        "consumer.override.group.id": format!("of-{topic}") });
    worker.create("source", &source);
    worker.create("sink", &sink);
    worker.await_running("sink");
    let flushed = |tasks: usize, most: usize| {
        let flushed = numbers(&worker, "sink", Some("flushed"));
        (flushed.len() == tasks && flushed.values().all(|numbers| numbers.len() > most)).then_some(())
    };
    wait_until(SOON, "numbers are flushed", || flushed(2, 300));
    for (connector, action) in [("source", "stop"), ("source", "resume"), ("sink", "stop"), ("sink", "resume")] {
        let (status, _) = worker.ask("PUT", &format!("/connectors/{connector}/{action}"), None);
        assert!(status == 204 || status == 202, "{action} {connector}: {status}");
        worker.await_target(connector, action);
    }
    let so_far = numbers(&worker, "sink", Some("flushed")).values().map(Vec::len).max().unwrap();
    wait_until(SOON, "more numbers are flushed", || flushed(2, so_far + 300));
    worker.ask("PUT", "/connectors/source/stop", None);
    worker.await_target("source", "stop");
    let committed = numbers(&worker, "source", Some("committed"));
    wait_until(SOON, "all that is committed is flushed", || {
        let mut flushed = numbers(&worker, "sink", Some("flushed"));
        flushed.values_mut().for_each(|numbers| numbers.sort_unstable());
        (flushed == committed).then_some(())
    });
    for (task, numbers) in committed {
        assert_eq!(numbers, (0..numbers.len() as i64).collect::<Vec<_>>(), "task {task}");
    }
}

#[test]
fn a_faulty_transformation_is_retried_and_errant_records_are_dead_letters() {
    a_faulty_transformation_is_retried(Probes::Native);
}

#[test]
fn java_s_faulty_transformation_is_retried_and_its_errant_records_are_dead_letters() {
    a_faulty_transformation_is_retried(Probes::Java);
}

fn a_faulty_transformation_is_retried(probes: Probes) {
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
    let worker = ProbeWorker::standalone(kafka, &[], probes);
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
    faulty["consumer.override.group.id"] = json!(format!("faulty-of-{input}"));
    faulty["transforms"] = json!("faulty");
    faulty["transforms.faulty.type"] =
        json!("org.apache.kafka.connect.integration.ErrorHandlingIntegrationTest$FaultyPassthrough");
    worker.create("faulty", &faulty);
    wait_until(SOON, "nine are taken", || (worker.rows_out("faulty") == 9).then_some(()));
    wait_until(SOON, "one is dead", || (dead() == ["value-7"]).then_some(()));
    let mut errant = errors;
    errant["connector.class"] = json!("ErrantRecordSink");
    errant["consumer.override.group.id"] = json!(format!("errant-of-{input}"));
    worker.create("errant", &errant);
    wait_until(SOON, "all are dead", || (dead().len() == 11).then_some(()));
}
