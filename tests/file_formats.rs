//! What stands in the files that a worker writes.

use std::path::Path;
use std::time::Duration;

use crate::testbed::Kafka;
use crate::worker_process::Volley;

/// Writes all of a topic as lines of JSON, with further keys of the connector, and returns the lines of its one file.
fn lines_of(kafka: &Kafka, topic: &str, more: &[(&str, &str)]) -> Vec<String> {
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let url = format!("file://{}", volley.path("out").display());
    let keys = [
        ("name", topic),
        ("connector.class", "ObjectStoreSink"),
        ("topics", topic),
        ("store.url", url.as_str()),
        ("format.class", "JsonLines"),
        ("volley.mode", "bounded"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter.schemas.enable", "false"),
    ];
    volley.file("sink.properties", &[&keys, more].concat());
    let end =
        volley.run(Duration::from_secs(120), &["standalone", "worker.properties", "sink.properties", "--until-done"]);
    assert!(end.status.success(), "{}", end.log);
    let file = volley.path("out").join(format!("topics/{topic}/partition=0/{topic}+0+0000000000.json"));
    std::fs::read_to_string(Path::new(&file)).unwrap().lines().map(str::to_owned).collect()
}

fn topic_of(kafka: &Kafka, messages: &[&str]) -> String {
    let topic = kafka.topic("lines", 1);
    kafka.produce(&topic, messages.len(), |number, _, value| {
        value.extend_from_slice(messages[number].as_bytes());
        0
    });
    topic
}

#[test]
fn json_with_nothing_in_between_is_written_byte_for_byte() {
    let kafka = Kafka::shared();
    let messages = [r#"{"b":1.10, "a":[1,  2e3], "b":2}"#, r#""text \u00e9""#, "12345678901234567890123", r#"{ }"#];
    let topic = topic_of(kafka, &messages);
    assert_eq!(lines_of(kafka, &topic, &[]), messages);
    // a transformation looks into the values: these are written anew
    let rename = [
        ("transforms", "r"),
        ("transforms.r.type", "org.apache.kafka.connect.transforms.RegexRouter"),
        ("transforms.r.regex", "nothing"),
        ("transforms.r.replacement", "x"),
    ];
    let topic = topic_of(kafka, &messages);
    let rewritten = lines_of(kafka, &topic, &rename);
    assert_eq!(rewritten.len(), messages.len());
    assert!(!rewritten[0].contains(' ') && rewritten[0].contains(r#""b":2"#), "{}", rewritten[0]);
}

#[test]
fn a_message_that_is_no_json_is_skipped_and_one_of_several_lines_becomes_one() {
    let kafka = Kafka::shared();
    let topic = topic_of(kafka, &[r#"{"a":1}"#, "{\"a\":", "{\n  \"a\": 2\n}\n", r#"{"a":3}"#]);
    let skipping = [("errors.tolerance", "all"), ("behavior.on.null.values", "ignore")];
    assert_eq!(lines_of(kafka, &topic, &skipping), [r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#]);
}
