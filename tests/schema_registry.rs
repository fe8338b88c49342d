//! Avro, JSON Schema and Protobuf with a real Schema Registry: what is written, what is read, and what becomes of what cannot be
//! read.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::testbed::{Kafka, Registry, installed, wait_until};
use crate::worker_process::{Running, Volley, request};

const SOON: Duration = Duration::from_secs(60);
const JSON_SCHEMA: &str = "io.confluent.connect.json.JsonSchemaConverter";
const AVRO: &str = "io.confluent.connect.avro.AvroConverter";
const PROTOBUF: &str = "io.confluent.connect.protobuf.ProtobufConverter";

/// A standalone worker, and the registry.
struct Worker {
    volley: Volley,
    process: Running,
    rest: String,
    registry: &'static Registry,
}

impl Worker {
    fn start(kafka: &Kafka) -> Self {
        let registry = Registry::shared();
        let volley = Volley::new();
        volley.worker(&kafka.bootstrap_servers(), &[("offset.flush.interval.ms", "200")]);
        let mut process = volley.start(&["standalone", "worker.properties"]);
        let rest = process.rest();
        Self { volley, process, rest, registry }
    }

    /// Starts a connector whose values are Avro.
    fn create(&self, name: &str, config: Value, more: Value) {
        let mut config = config;
        let members = config.as_object_mut().unwrap();
        members.insert("value.converter".to_owned(), AVRO.into());
        members.insert("value.converter.schema.registry.url".to_owned(), self.registry.url().into());
        members.extend(more.as_object().unwrap().clone());
        let (status, body) = request(&self.rest, "PUT", &format!("/connectors/{name}/config"), Some(&config));
        assert_eq!(status, 201, "{name}: {body}");
    }

    /// A sink that writes each value as text into a file.
    fn print(&self, name: &str, topic: &str, more: Value) {
        let file = self.volley.path(name);
        self.create(name, json!({"connector.class": "FileStreamSink", "topics": topic, "file": file}), more);
    }

    fn printed(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.volley.path(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn await_task(&self, name: &str, state: &str) -> Value {
        wait_until(SOON, &format!("the task of {name} is {state}"), || {
            let status = request(&self.rest, "GET", &format!("/connectors/{name}/status"), None).1;
            let task = status["tasks"].get(0)?.clone();
            (task["state"] == state).then_some(task)
        })
    }
}

fn message(id: u32, data: &[u8]) -> Vec<u8> {
    [&[0], &id.to_be_bytes()[..], data].concat()
}

fn produce(kafka: &Kafka, topic: &str, messages: &[Vec<u8>]) {
    kafka.produce(topic, messages.len(), |number, _, value| {
        value.extend_from_slice(&messages[number]);
        0
    });
}

#[test]
fn what_a_source_writes_in_avro_is_registered_and_a_sink_reads_it() {
    let kafka = Kafka::shared();
    let worker = Worker::start(kafka);
    let topic = kafka.topic("avro", 1);
    let source = json!({
        "connector.class": "Datagen", "topic": topic, "rows": "3",
        "fields": "n, word", "fields.n.generator": "sequence", "fields.word.generator": "choice",
        "fields.word.values": "x",
    });
    worker.create("avro-source", source, json!({}));
    worker.print("avro-sink", &topic, json!({}));
    let lines = wait_until(SOON, "all rows", || Some(worker.printed("avro-sink")).filter(|lines| lines.len() == 3));
    assert_eq!(lines, ["Struct{n=0,word=x}", "Struct{n=1,word=x}", "Struct{n=2,word=x}"]);
    let latest = worker.registry.ask("GET", &format!("/subjects/{topic}-value/versions/latest"), None);
    let schema: Value = serde_json::from_str(latest["schema"].as_str().unwrap()).unwrap();
    assert_eq!((&schema["type"], &schema["fields"][0]["name"]), (&json!("record"), &json!("n")));
    let first = kafka.read_topic(&topic).remove(0).value.unwrap();
    assert_eq!(first[..5], message(latest["id"].as_u64().unwrap() as u32, &[]));
}

#[test]
fn versions_of_a_schema_in_turns_are_read_each_by_its_own() {
    let kafka = Kafka::shared();
    let worker = Worker::start(kafka);
    let topic = kafka.topic("versions", 1);
    let subject = format!("{topic}-value");
    let record = |more: &str| format!(r#"{{"type":"record","name":"R","fields":[{{"name":"a","type":"int"}}{more}]}}"#);
    let first = worker.registry.register(&subject, &record(""));
    let second = worker.registry.register(&subject, &record(r#",{"name":"b","type":"string","default":""}"#));
    let messages: Vec<_> = (0..50u8)
        .map(|n| if n % 2 == 0 { message(first, &[2 * n]) } else { message(second, &[2 * n, 2, b'x']) })
        .collect();
    produce(kafka, &topic, &messages);
    worker.print("versions", &topic, json!({}));
    let lines = wait_until(SOON, "all rows", || Some(worker.printed("versions")).filter(|lines| lines.len() == 50));
    let expected =
        (0..50).map(|n| if n % 2 == 0 { format!("Struct{{a={n}}}") } else { format!("Struct{{a={n},b=x}}") });
    assert_eq!(lines, expected.collect::<Vec<_>>());
}

#[test]
fn versions_in_turns_share_a_file_of_a_java_sink_with_backward_compatibility() {
    let kafka = Kafka::shared();
    let worker = Worker::start(kafka);
    let topic = kafka.topic("backward", 1);
    let subject = format!("{topic}-value");
    let record = |more: &str| format!(r#"{{"type":"record","name":"R","fields":[{{"name":"a","type":"int"}}{more}]}}"#);
    let first = worker.registry.register(&subject, &record(""));
    let second = worker.registry.register(&subject, &record(r#",{"name":"b","type":"string","default":"new"}"#));
    let messages: Vec<_> = (0..50u8)
        .map(|n| if n % 2 == 0 { message(first, &[2 * n]) } else { message(second, &[2 * n, 2, b'x']) })
        .collect();
    produce(kafka, &topic, &messages);
    let root = worker.volley.path("lake");
    let sink = json!({
        "connector.class": "io.confluent.connect.hdfs3.Hdfs3SinkConnector", "topics": topic,
        "store.url": format!("file://{}", root.display()), "flush.size": "49", "schema.compatibility": "BACKWARD",
        "format.class": "io.confluent.connect.hdfs3.json.JsonFormat",
    });
    worker.create("backward", sink, json!({}));
    let text = |first: u32, last: u32| {
        fs::read_to_string(root.join(format!("topics/{topic}/partition=0/{topic}+0+{first:010}+{last:010}.json"))).ok()
    };
    let newest = wait_until(SOON, "the file of the second version", || text(1, 49));
    assert_eq!(text(0, 0).as_deref(), Some("{\"a\":0}\n"));
    let expected = (1..50).map(|n| format!("{{\"a\":{n},\"b\":\"{}\"}}\n", if n % 2 == 0 { "new" } else { "x" }));
    assert_eq!(newest, expected.collect::<String>());
}

#[test]
fn a_message_that_is_no_avro_fails_the_task_as_in_java_or_goes_to_the_dead_letter_topic() {
    let kafka = Kafka::shared();
    let worker = Worker::start(kafka);
    let topic = kafka.topic("no-avro", 1);
    let id = worker.registry.register(&format!("{topic}-value"), "\"string\"");
    let good = message(id, &[2, b'x']);
    let bad = [b"{}".to_vec(), message(2_000_000_000, b"x"), message(id, &[9])];
    let messages: Vec<_> = bad.iter().flat_map(|bad| [good.clone(), bad.clone()]).chain([good.clone()]).collect();
    produce(kafka, &topic, &messages);

    worker.print("strict", &topic, json!({}));
    let trace = worker.await_task("strict", "FAILED")["trace"].as_str().unwrap().to_owned();
    for part in [
        "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler",
        &format!(
            "org.apache.kafka.connect.errors.DataException: Failed to deserialize data for topic {topic} to Avro:"
        ),
        "org.apache.kafka.common.errors.SerializationException: Unknown magic byte!",
    ] {
        assert!(trace.contains(part), "{part}: {trace}");
    }

    let dead = kafka.topic("no-avro-dead", 1);
    let tolerant = json!({
        "errors.tolerance": "all", "errors.deadletterqueue.topic.name": dead,
        "errors.deadletterqueue.topic.replication.factor": "1",
    });
    worker.print("tolerant", &topic, tolerant);
    wait_until(SOON, "the good rows", || (worker.printed("tolerant") == ["x", "x", "x", "x"]).then_some(()));
    wait_until(SOON, "the bad ones", || (kafka.read_topic(&dead).len() == bad.len()).then_some(()));
    let buried: Vec<_> = kafka.read_topic(&dead).into_iter().map(|message| message.value.unwrap()).collect();
    assert_eq!(buried, bad);
}

#[test]
fn a_registry_that_cannot_be_reached_is_named_and_its_password_is_not() {
    let kafka = Kafka::shared();
    let worker = Worker::start(kafka);
    let topic = kafka.topic("unreachable", 1);
    produce(kafka, &topic, &[message(1, b"x")]);
    let gone = json!({
        "value.converter.schema.registry.url": "http://alice:hush@127.0.0.1:1",
        "value.converter.max.retries": "1", "value.converter.retries.wait.ms": "1",
    });
    worker.print("gone", &topic, gone);
    let trace = worker.await_task("gone", "FAILED")["trace"].as_str().unwrap().to_owned();
    assert!(trace.contains("http://127.0.0.1:1"), "{trace}");
    assert!(!trace.contains("hush") && !worker.process.log().contains("hush"), "{trace}");
}

/// Runs Confluent's own serializers; what they print.
fn confluent(action: &str, kind: &str, kafka: &Kafka, registry: &Registry, topic: &str, more: &[&str]) -> String {
    let output = Command::new(installed("clients").join("bin/python"))
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/registry_messages.py"))
        .args([action, kind, &kafka.bootstrap_servers(), &registry.url(), topic])
        .args(more)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_confluents_serializers_write_is_read_and_what_is_written_they_read() {
    let kafka = Kafka::shared();
    let worker = Worker::start(kafka);
    let orders = [
        "Struct{id=1,state=OPEN,lines=[]}",
        "Struct{id=2,note=Grüße,state=CLOSED,lines=[1.5, -2.0]}",
        "Struct{id=-1125899906842624,note=,state=OPEN,lines=[0.1]}",
        "null",
    ];
    // a message within another of the same file, too
    let messages = [
        "Struct{id=1,state=OPEN,lines=[],stock={a=1}}",
        "Struct{payment_0=Struct{cash=Struct{currency=EUR,cents=-150}},id=2,note=Grüße,state=CLOSED,lines=[1.5, -2.0],stock={}}",
        "Struct{payment_0=Struct{card=},id=-1125899906842624,note=,state=OPEN,lines=[0.1],stock={}}",
        "Struct{shelf=7}",
        "null",
    ];
    for (kind, class, expected) in
        [("avro", AVRO, &orders[..]), ("json", JSON_SCHEMA, &orders), ("protobuf", PROTOBUF, &messages)]
    {
        let converter = json!({"value.converter": class});
        let (theirs, ours) = (kafka.topic(&format!("theirs-{kind}"), 1), kafka.topic(&format!("ours-{kind}"), 1));
        confluent("write", kind, kafka, worker.registry, &theirs, &[]);
        let sink = format!("their-{kind}");
        worker.print(&sink, &theirs, converter.clone());
        let lines = wait_until(SOON, "their orders", || {
            Some(worker.printed(&sink)).filter(|lines| lines.len() == expected.len())
        });
        assert_eq!(lines, expected, "{kind}");

        let source = json!({
            "connector.class": "Datagen", "topic": ours, "rows": "3",
            "fields": "n, word", "fields.n.generator": "sequence", "fields.word.generator": "choice",
            "fields.word.values": "x",
        });
        worker.create(&format!("our-{kind}"), source, converter);
        let read = confluent("read", kind, kafka, worker.registry, &ours, &["3"]);
        let read: Vec<Value> = read.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let expected: Vec<_> = (0..3).map(|n| json!({"n": n, "word": "x"})).collect();
        assert_eq!(read, expected, "{kind}");
    }
}
