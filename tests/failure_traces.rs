//! What a failed connector or task shows in its status, beside what Kafka's own worker shows: alerts match it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::testbed::{ConnectWorker, Kafka, Mode, Vendor, standalone_properties, wait_until};

const SOON: Duration = Duration::from_secs(60);

/// The trace of whatever of a connector has failed, without the places.
fn trace(worker: &ConnectWorker, name: &str, config: &Value) -> Vec<String> {
    let (status, answer) = worker.ask("PUT", &format!("/connectors/{name}/config"), Some(config));
    assert_eq!(status, 201, "{name}: {answer}");
    let trace = wait_until(SOON, name, || {
        let (_, status) = worker.ask("GET", &format!("/connectors/{name}/status"), None);
        let tasks = status["tasks"].as_array().cloned().unwrap_or_default();
        let mut all = tasks.iter().chain([&status["connector"]]);
        all.find(|part| part["state"] == "FAILED").map(|part| part["trace"].as_str().unwrap().to_owned())
    });
    assert_eq!(worker.ask("DELETE", &format!("/connectors/{name}"), None).0, 204);
    let is_place = |line: &&str| line.starts_with(['\t', ' ']) || line.trim().is_empty();
    trace.lines().filter(|line| !is_place(line)).map(str::to_owned).collect()
}

fn class_of(line: &str) -> &str {
    let line = line.strip_prefix("Caused by: ").unwrap_or(line);
    line.split_once(": ").map_or(line, |(class, _)| class)
}

fn with(mut config: Value, more: Value) -> Value {
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

struct Workers {
    java: ConnectWorker,
    volley: ConnectWorker,
}

impl Workers {
    fn start(kafka: &Kafka) -> Self {
        let properties = standalone_properties(&kafka.bootstrap_servers());
        let java = ConnectWorker::launch(Vendor::Java, Mode::Standalone, &properties);
        let volley = ConnectWorker::start(Vendor::Volley, Mode::Standalone, &properties);
        java.await_ready();
        Self { java, volley }
    }

    /// The traces of both, whose sinks are in groups of their own.
    fn traces(&self, name: &str, config: &Value) -> [Vec<String>; 2] {
        let of = |worker, vendor| trace(worker, &format!("{name}-{vendor}"), config);
        [of(&self.java, "java"), of(&self.volley, "volley")]
    }
}

fn sink(topic: &str) -> Value {
    json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": "/dev/null",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false",
    })
}

fn source(file: &str, topic: &str) -> Value {
    json!({
        "connector.class": "FileStreamSource", "file": file, "topic": topic,
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    })
}

#[test]
fn servers_that_cannot_be_right_fail_a_task_with_the_trace_of_java() {
    let kafka = Kafka::shared();
    let workers = Workers::start(kafka);
    let topic = kafka.topic("servers", 1);
    let creation = json!({
        "topic.creation.default.replication.factor": "1", "topic.creation.default.partitions": "1",
    });
    let dead_letters = json!({
        "errors.deadletterqueue.topic.name": kafka.topic("letters", 1),
        "errors.deadletterqueue.topic.replication.factor": "1",
    });
    let clients = [
        ("consumer", sink(&topic)),
        ("producer", source("/dev/null", &topic)),
        ("admin", with(source("/dev/null", &topic), creation)),
        ("producer", with(sink(&topic), dead_letters.clone())),
        ("admin", with(sink(&topic), dead_letters)),
    ];
    let good = kafka.bootstrap_servers();
    for servers in ["127.0.0.1", "no.such.host.invalid:9092", &format!("{good},foo"), "127.0.0.1:99999", ""] {
        for (number, (client, config)) in clients.iter().enumerate() {
            let key = format!("{client}.override.bootstrap.servers");
            let config = with(config.clone(), json!({ key: servers }));
            let [java, volley] = workers.traces(&format!("servers-{number}"), &config);
            assert_eq!(volley, java, "{client} {servers}");
        }
    }
}

#[test]
fn what_fails_shows_the_first_lines_and_causes_of_java() {
    let kafka = Kafka::shared();
    let workers = Workers::start(kafka);
    let filled = |stem: &str, values: &'static [&'static str]| {
        let topic = kafka.topic(stem, 1);
        kafka.produce(&topic, values.len(), |n, _, value| {
            value.extend_from_slice(values[n].as_bytes());
            0
        });
        topic
    };
    let good = filled("good", &[r#"{"a":1}"#]);
    let bad = filled("bad", &[r#"{"a":1}"#, "bad json"]);
    let insertion = json!({
        "value.converter": "org.apache.kafka.connect.storage.StringConverter", "transforms": "x",
        "transforms.x.type": "org.apache.kafka.connect.transforms.InsertField$Value",
        "transforms.x.static.field": "a", "transforms.x.static.value": "b",
    });
    let lines = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(lines.path(), "line\n").unwrap();
    let lines = lines.path().display().to_string();
    let login = |client: &str| {
        let password =
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\"x\";";
        let key = |key: &str| format!("{client}.override.{key}");
        json!({
            key("bootstrap.servers"): kafka.sasl_bootstrap_servers(), key("security.protocol"): "SASL_PLAINTEXT",
            key("sasl.mechanism"): "PLAIN", key("sasl.jaas.config"): password,
        })
    };
    let mock = |class: &str, mode: &str| {
        json!({
            "connector.class": class, "topics": good, "mock_mode": mode, "delay_ms": "100",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        })
    };
    let cases = [
        ("converter", sink(&bad)),
        (
            "number",
            with(sink(&good), json!({ "value.converter": "org.apache.kafka.connect.converters.LongConverter" })),
        ),
        ("envelope", with(sink(&good), json!({ "value.converter.schemas.enable": "true" }))),
        ("transform", with(sink(&good), insertion.clone())),
        ("start", with(sink(&good), json!({ "file": "/no/such/dir/file" }))),
        ("put", mock("MockSinkConnector", "task-failure")),
        ("sink", mock("MockSinkConnector", "connector-failure")),
        ("poll", mock("MockSourceConnector", "task-failure")),
        ("source", mock("MockSourceConnector", "connector-failure")),
        ("source-transform", with(source(&lines, &good), insertion)),
        (
            "creation",
            with(
                source(&lines, &kafka.unique("creation")),
                json!({
                    "topic.creation.default.replication.factor": "3", "topic.creation.default.partitions": "1",
                }),
            ),
        ),
        ("letters", with(sink(&good), json!({ "errors.deadletterqueue.topic.name": kafka.unique("letters") }))),
        ("reset", with(sink(&good), json!({ "consumer.override.auto.offset.reset": "none" }))),
        ("sink-login", with(sink(&good), login("consumer"))),
        ("source-login", with(source(&lines, &good), login("producer"))),
    ];
    for (name, config) in cases {
        let [java, volley] = workers.traces(name, &config);
        assert_eq!(volley[0], java[0], "{name}: {volley:?}, {java:?}");
        let classes = |trace: &[String]| trace.iter().map(|line| class_of(line).to_owned()).collect::<Vec<_>>();
        let (of_java, of_volley) = (classes(&java), classes(&volley));
        assert!(of_java.starts_with(&of_volley), "{name}: {volley:?}, {java:?}");
        assert!(of_volley.len() >= of_java.len().min(2), "{name}: {volley:?}, {java:?}");
        if name != "start" && java.len() > 1 {
            assert!(volley[1] == java[1] || name == "number", "{name}: {volley:?}, {java:?}");
        }
    }
}
