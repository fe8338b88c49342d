//! What the commands print: previews of real records, and answers to what is wrong.

use std::time::Duration;

use volley_api::RawHeader;
use volley_kafka::{Outgoing, Producer};

use crate::testbed::{Kafka, wait_until};
use crate::worker_process::Volley;

const SOON: Duration = Duration::from_secs(60);

/// Sends values, each with the header `trace` if it has one.
fn produce(kafka: &Kafka, topic: &str, records: &[(&str, Option<&str>)]) {
    let mut producer = Producer::connect(&kafka.properties(&[])).unwrap();
    for (token, (value, trace)) in records.iter().enumerate() {
        let headers: Vec<_> =
            trace.iter().map(|trace| RawHeader { name: "trace".into(), value: Some((*trace).into()) }).collect();
        let value = Some(value.as_bytes());
        let record = Outgoing { topic, partition: Some(0), timestamp: None, key: None, value, headers: &headers };
        producer.send(&record, token as u64).unwrap();
    }
    producer.flush(SOON).unwrap();
}

#[test]
fn a_preview_shows_headers_text_and_nulls_as_they_are_and_obeys_nothing() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("preview", 1);
    produce(
        kafka,
        &topic,
        &[
            (r#"{"city":"Köln","s":"\u001b[31mred\n"}"#, Some("007")),
            (r#"{"city":"Köln","s":""}"#, Some("null")),
            (r#"{"city":"Köln","s":null}"#, Some("1.10")),
            (r#"{"city":"Köln","s":"no header"}"#, None),
            (r#"{"city":"Bonn","s":"other"}"#, Some("1")),
        ],
    );
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    volley.file(
        "sink.properties",
        &[
            ("name", "p"),
            ("connector.class", "Blackhole"),
            ("topics", &topic),
            ("transforms", "traced,sql"),
            ("transforms.traced.type", "Filter"),
            ("transforms.traced.predicate", "has_trace"),
            ("transforms.traced.negate", "true"),
            ("predicates", "has_trace"),
            ("predicates.has_trace.type", "HasHeaderKey"),
            ("predicates.has_trace.name", "trace"),
            ("transforms.sql.type", "Sql"),
            ("transforms.sql.query", "SELECT s, _headers['trace'] AS trace FROM records WHERE city = 'Köln'"),
        ],
    );
    let end = volley.run(SOON, &["preview", "worker.properties", "sink.properties"]);
    assert!(end.status.success(), "{}\n{}", end.stdout, end.log);
    assert!(!end.stdout.contains('\u{1b}'), "{}", end.stdout);
    let (_, after_sql) = end.stdout.split_once("== after Sql: 3 rows").expect(&end.stdout);
    let rows: Vec<Vec<&str>> = after_sql
        .lines()
        .filter(|line| line.starts_with("| ") && !line.contains("_offset"))
        .map(|line| line.split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    let expected =
        [["0", "NULL", r"\u{1b}[31mred\n", "007"], ["1", "NULL", "\"\"", "null"], ["2", "NULL", "NULL", "1.10"]];
    assert_eq!(rows, expected, "{}", end.stdout);
}

#[test]
fn what_a_valid_configuration_does_not_promise_is_told_when_it_is_checked_and_when_it_is_created() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("promises", 1);
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let url = format!("file://{}", volley.path("out").display());
    let sink = [
        ("name", "by-clock"),
        ("connector.class", "io.confluent.connect.hdfs.HdfsSinkConnector"),
        ("topics", &topic),
        ("hdfs.url", &url),
        ("format.class", "io.confluent.connect.hdfs.json.JsonFormat"),
        ("flush.size", "1000"),
        ("partitioner.class", "io.confluent.connect.storage.partitioner.DailyPartitioner"),
        ("locale", "en"),
        ("timezone", "UTC"),
        ("hadoop.home", "/opt/hadoop"),
    ];
    volley.file("sink.properties", &sink);
    let told = [
        "these keys have no effect here: hadoop.home",
        "directories are named by the clock: after a crash, records may",
    ];
    let end = volley.run(SOON, &["validate", "sink.properties"]);
    let (_, notes) = end.stdout.split_once("by-clock is valid\n").expect(&end.stdout);
    assert!(told.iter().all(|text| notes.contains(&format!("  note: {text}"))), "{}", end.stdout);
    let worker = volley.start(&["standalone", "worker.properties", "sink.properties"]);
    wait_until(SOON, "the worker has told it too", || {
        told.iter().all(|text| worker.log().contains(text)).then_some(())
    });
}

#[test]
fn an_unknown_class_is_answered_with_what_is_near_and_where_all_are() {
    let volley = Volley::new();
    volley.worker("127.0.0.1:1", &[]);
    volley.file("lines.properties", &[("name", "l"), ("connector.class", "FileStreamSorce"), ("topic", "t")]);
    let commands: [&[&str]; 3] = [
        &["standalone", "worker.properties", "lines.properties"],
        &["validate", "lines.properties"],
        &["preview", "worker.properties", "lines.properties"],
    ];
    for arguments in commands {
        std::fs::remove_file(volley.path("log")).ok();
        let end = volley.run(SOON, arguments);
        let expected = "error: `connector.class` of lines.properties: there is no connector `FileStreamSorce`. Similar: \
                        FileStreamSource. `volley plugins` lists all\n";
        assert_eq!((end.log.as_str(), end.status.code()), (expected, Some(3)), "{arguments:?}");
    }
    let other =
        [("name", "l"), ("connector.class", "FileStreamSource"), ("topic", "t"), ("value.converter", "JsonConvertr")];
    volley.file("other.properties", &other);
    let end = volley.run(SOON, &["validate", "other.properties"]);
    let expected = "Class JsonConvertr could not be found. Similar: org.apache.kafka.connect.json.JsonConverter.\n";
    assert!(end.stdout.ends_with(expected), "{}", end.stdout);
    std::fs::remove_file(volley.path("log")).ok();
    let end = volley.run(SOON, &["plugins", "RegexRooter"]);
    let expected = "error: there is no plug-in `RegexRooter`. Similar: \
                    org.apache.kafka.connect.transforms.RegexRouter. `volley plugins` lists all\n";
    assert_eq!((end.log.as_str(), end.status.code()), (expected, Some(1)));
}
