//! The dead letters of a Java worker and of Volley, from the same faulty records, beside each other; and Kafka's own scenarios
//! of error tolerance (KIP-298).

use std::time::Duration;

use serde_json::{Value, json};

use crate::testbed::{ConnectWorker, Kafka, Message, Mode, Vendor, java_properties, standalone_properties, wait_until};

const SOON: Duration = Duration::from_secs(60);
const RECORDS: usize = 1000;
const TRACE: &str = "__connect.errors.exception.stacktrace";

/// Makes key and value of a record from its number.
type Make = fn(usize) -> (String, String);

/// Ten of a thousand records are faulty.
fn is_faulty(number: usize) -> bool {
    number % 100 == 42
}

/// A topic in which `good` and `faulty` make key and value of a record from its number.
fn filled(kafka: &Kafka, stem: &str, good: Make, faulty: Make) -> String {
    let topic = kafka.topic(stem, 1);
    kafka.produce(&topic, RECORDS, |number, key, value| {
        let record = if is_faulty(number) { faulty(number) } else { good(number) };
        key.extend_from_slice(record.0.as_bytes());
        value.extend_from_slice(record.1.as_bytes());
        0
    });
    topic
}

fn good(number: usize) -> (String, String) {
    (format!(r#"{{"id":{number}}}"#), format!(r#"{{"n":"{number}"}}"#))
}

fn faulty_value(number: usize) -> (String, String) {
    let value =
        ["{\"n\":", "nul", "{\"n\" 1}", "\"open", "[1 2]", "[1,", "{\"n\":tru}", "}", "\u{1}", "{'n':1}"][number / 100];
    (format!(r#"{{"id":{number}}}"#), value.to_owned())
}

fn faulty_key(number: usize) -> (String, String) {
    (format!(r#"{{"id":{number}"#), format!(r#"{{"n":"{number}"}}"#))
}

/// The converters are fine with these, and the cast is not.
fn faulty_cast(number: usize) -> (String, String) {
    let n = [
        r#""abc""#,
        r#""""#,
        r#""1.5""#,
        r#""99999999999""#,
        r#""0x1""#,
        r#"[1]"#,
        r#"{"a":1}"#,
        r#""1 ""#,
        r#"" 1""#,
        r#""NaN""#,
    ];
    (format!(r#"{{"id":{number}}}"#), format!(r#"{{"n":{}}}"#, n[number / 100]))
}

fn sink(topic: &str, file: &str, dead: &str, tolerance: &str) -> Value {
    json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": file,
        "key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false",
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "errors.tolerance": tolerance, "errors.deadletterqueue.topic.name": dead,
        "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.deadletterqueue.context.headers.enable": "true",
    })
}

fn cast() -> Value {
    json!({
        "transforms": "cast", "transforms.cast.type": "org.apache.kafka.connect.transforms.Cast$Value",
        "transforms.cast.spec": "n:int32",
    })
}

fn text(bytes: &Option<Vec<u8>>) -> String {
    String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned()
}

/// The names of the exceptions in a trace, from the outermost to the cause.
fn classes(trace: &str) -> Vec<String> {
    let lines = trace.lines().filter(|line| !line.starts_with(['\t', ' ']) && !line.trim().is_empty());
    lines
        .map(|line| line.strip_prefix("Caused by: ").unwrap_or(line))
        .map(|line| line.split_once(": ").map_or(line, |(class, _)| class).to_owned())
        .collect()
}

/// What does not differ between workers: a letter without its place in the queue, the name of its connector, and its trace.
fn compared(mut letter: Message, connector: &str) -> (Message, String) {
    (letter.partition, letter.offset) = (0, 0);
    let mut trace = None;
    for (name, value) in &mut letter.headers {
        if name == "__connect.errors.connector.name" {
            assert_eq!(value.take(), Some(connector.as_bytes().to_vec()));
        } else if name == TRACE {
            trace = value.take();
        }
    }
    (letter, String::from_utf8(trace.expect("a trace")).unwrap())
}

fn letters(worker: &ConnectWorker, kafka: &Kafka, name: &str, config: &Value, dead: &str) -> Vec<(Message, String)> {
    let (status, answer) = worker.ask("PUT", &format!("/connectors/{name}/config"), Some(config));
    assert_eq!(status, 201, "{name}: {answer}");
    let group = format!("connect-{name}");
    wait_until(SOON, "everything is committed", || {
        let committed = kafka.admin().group_offsets(&group).unwrap_or_default();
        committed.values().any(|offset| *offset == RECORDS as i64).then_some(())
    });
    assert_eq!(worker.ask("DELETE", &format!("/connectors/{name}"), None).0, 204);
    kafka.read_topic(dead).into_iter().map(|letter| compared(letter, name)).collect()
}

#[test]
fn ten_faulty_records_of_a_thousand_become_the_dead_letters_of_java_byte_for_byte() {
    assert_dead_letters_are_java_s(&[]);
}

#[test]
fn faulty_records_of_a_connector_in_java_become_the_same_dead_letters() {
    assert_dead_letters_are_java_s(&java_properties(&["connect-file"]));
}

/// `more`: properties of the worker that is Volley.
fn assert_dead_letters_are_java_s(more: &[(&'static str, String)]) {
    let kafka = Kafka::shared();
    let mut properties = standalone_properties(&kafka.bootstrap_servers());
    let java = ConnectWorker::launch(Vendor::Java, Mode::Standalone, &properties);
    properties.extend_from_slice(more);
    let volley = ConnectWorker::start(Vendor::Volley, Mode::Standalone, &properties);
    java.await_ready();
    let cases: [(&str, Make, Value); 3] =
        [("value", faulty_value, json!({})), ("key", faulty_key, json!({})), ("cast", faulty_cast, cast())];
    for (case, faulty, more) in cases {
        let topic = filled(kafka, case, good, faulty);
        let of = |worker: &ConnectWorker, vendor: &str| {
            let dead = kafka.topic(&format!("dead-{vendor}"), 1);
            let mut config = sink(&topic, "/dev/null", &dead, "all");
            config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            letters(worker, kafka, &format!("{topic}-{vendor}"), &config, &dead)
        };
        let (java, volley) = (of(&java, "java"), of(&volley, "volley"));
        let records = |letters: &[(Message, String)]| -> Vec<String> {
            letters.iter().map(|(letter, _)| format!("{} {}", text(&letter.key), text(&letter.value))).collect()
        };
        assert_eq!(records(&volley), records(&java), "{case}");
        assert_eq!(volley.len(), 10, "{case}");
        for ((java, java_trace), (volley, trace)) in java.into_iter().zip(volley) {
            let texts = |letter: &Message| -> Vec<(String, String)> {
                let text = |value: &Option<Vec<u8>>| {
                    String::from_utf8_lossy(value.as_deref().unwrap_or_default()).into_owned()
                };
                letter.headers.iter().map(|(name, value)| (name.clone(), text(value))).collect()
            };
            assert_eq!(texts(&volley), texts(&java), "{case}");
            assert_eq!(volley, java, "{case}");
            assert_eq!(trace.lines().next(), java_trace.lines().next(), "{case}");
            let (ours, of_java) = (classes(&trace), classes(&java_trace));
            assert!(of_java.starts_with(&ours) && !ours.is_empty(), "{case}: {trace}\n\n{java_trace}");
        }
    }
}

#[test]
fn without_tolerance_the_first_faulty_record_is_a_dead_letter_and_a_restart_goes_on_from_it() {
    let kafka = Kafka::shared();
    let topic = filled(kafka, "none", good, faulty_value);
    let dead = kafka.topic("dead-none", 1);
    let volley =
        ConnectWorker::start(Vendor::Volley, Mode::Standalone, &standalone_properties(&kafka.bootstrap_servers()));
    let file = volley.directory().join("out.txt");
    let name = format!("{topic}-sink");
    let path = format!("/connectors/{name}");
    let config = |tolerance| sink(&topic, &file.display().to_string(), &dead, tolerance);
    let failed = || {
        let (_, status) = volley.ask("GET", &format!("{path}/status"), None);
        (status["tasks"][0]["state"] == "FAILED").then(|| status["tasks"][0]["trace"].as_str().unwrap().to_owned())
    };
    let committed = || kafka.admin().group_offsets(&format!("connect-{name}")).unwrap().into_values().max();
    let offsets = |letters: Vec<Message>| -> Vec<String> {
        let offset = |letter: &Message| {
            let header = letter.headers.iter().find(|(name, _)| name == "__connect.errors.offset").unwrap();
            String::from_utf8(header.1.clone().unwrap()).unwrap()
        };
        letters.iter().map(offset).collect()
    };

    assert_eq!(volley.ask("PUT", &format!("{path}/config"), Some(&config("none"))).0, 201);
    let trace = wait_until(SOON, "the task fails", failed);
    assert!(trace.contains("Tolerance exceeded in error handler"), "{trace}");
    assert_eq!(offsets(kafka.read_topic(&dead)), ["42"]);
    assert_eq!(committed(), Some(42));
    // a restart stands before the same record again
    assert_eq!(volley.ask("POST", &format!("{path}/restart?includeTasks=true"), None).0, 202);
    wait_until(SOON, "the same record is a dead letter again", || (kafka.read_topic(&dead).len() == 2).then_some(()));
    wait_until(SOON, "the task fails again", failed);
    assert_eq!(offsets(kafka.read_topic(&dead)), ["42", "42"]);
    assert_eq!(committed(), Some(42));
    // and one that may skip it goes on behind it, with nothing missing or repeated
    assert_eq!(volley.ask("PUT", &format!("{path}/config"), Some(&config("all"))).0, 200);
    wait_until(SOON, "everything is committed", || (committed() == Some(RECORDS as i64)).then_some(()));
    let expected: Vec<String> = (0..RECORDS).filter(|n| !is_faulty(*n)).map(|n| format!("{{n={n}}}")).collect();
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().collect::<Vec<_>>(), expected);
    let all: Vec<String> =
        [42, 42].into_iter().chain((0..RECORDS).filter(|n| is_faulty(*n))).map(|n| n.to_string()).collect();
    assert_eq!(offsets(kafka.read_topic(&dead)), all);
}
