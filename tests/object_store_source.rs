//! What `ObjectStoreSink` has taken out of a topic, `ObjectStoreSource` brings back.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::testbed::Kafka;
use crate::worker_process::Volley;

const SOON: Duration = Duration::from_secs(120);
const PARTITIONS: i32 = 3;
const ROWS: usize = 20_000;

/// A value without nulls, which stand for a field that is not there.
fn value_of(number: usize) -> Value {
    json!({
        "id": number,
        "name": format!("näme \"{number}\""),
        "price": number as f64 / 8.0,
        "ok": number.is_multiple_of(3),
        "tags": [number, number + 1],
        "at": { "x": -(number as i64) },
    })
}

fn export(kafka: &Kafka, volley: &Volley, topic: &str, url: &str, format: &str) {
    volley.worker(&kafka.bootstrap_servers(), &[]);
    // each has a consumer group of its own, which begins at the start of the topic
    let name = format!("{topic}-{format}");
    let keys = [
        ("name", name.as_str()),
        ("connector.class", "ObjectStoreSink"),
        ("topics", topic),
        ("tasks.max", "2"),
        ("store.url", url),
        ("flush.size", "3000"),
        ("format.class", format),
        ("volley.mode", "bounded"),
    ];
    volley.file("sink.properties", &keys);
    run(volley, "sink.properties");
}

fn run(volley: &Volley, connector: &str) {
    let end = volley.run(SOON, &["standalone", "worker.properties", connector, "--until-done"]);
    assert!(end.status.success(), "{}", end.log);
}

/// The values of each partition, in their order.
fn values(kafka: &Kafka, topic: &str) -> BTreeMap<i32, Vec<Value>> {
    let mut values: BTreeMap<i32, Vec<Value>> = BTreeMap::new();
    for message in kafka.read_topic(topic) {
        let value = serde_json::from_slice(&message.value.unwrap()).unwrap();
        values.entry(message.partition).or_default().push(value);
    }
    values
}

#[test]
fn what_the_sink_has_exported_is_replayed_in_order_and_only_once() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("exported", PARTITIONS);
    kafka.produce(&topic, ROWS, |number, _, value| {
        value.extend_from_slice(value_of(number).to_string().as_bytes());
        number as i32 % PARTITIONS
    });
    let expected = values(kafka, &topic);
    for format in ["Parquet", "JsonLines", "Avro", "Arrow"] {
        let volley = Volley::new();
        let url = format!("file://{}", volley.path("lake").display());
        export(kafka, &volley, &topic, &url, format);
        let back = kafka.topic("back", PARTITIONS);
        let keys = [
            ("name", back.as_str()),
            ("connector.class", "ObjectStoreSource"),
            ("tasks.max", "2"),
            ("store.url", &url),
            ("path", &format!("topics/{topic}")),
            ("topic", &back),
            ("key.field", "id"),
            ("keep.partition", "true"),
            ("volley.mode", "bounded"),
        ];
        volley.file("source.properties", &keys);
        run(&volley, "source.properties");
        let came = values(kafka, &back);
        for (partition, expected) in &expected {
            let came = &came[partition];
            assert_eq!(came.len(), expected.len(), "{format}: rows of partition {partition}");
            let other = came.iter().zip(expected).find(|(came, expected)| came != expected);
            assert_eq!(other, None, "{format}: in partition {partition}, the first that came and what was expected");
        }
        let keyed = kafka.read_topic(&back);
        assert!(keyed.iter().all(|message| message.key.is_some()), "{format}");
        // nothing is new
        run(&volley, "source.properties");
        assert_eq!(kafka.read_topic(&back).len(), ROWS, "{format}");
    }
}

#[test]
fn columns_of_hive_s_directories_are_fields_to_which_sql_gives_a_type() {
    let kafka = Kafka::shared();
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    for (directory, id) in
        [("day=2026-11-30/country=a%2Fb", 1), ("day=2026-12-01/country=__HIVE_DEFAULT_PARTITION__", 2)]
    {
        let directory = volley.path("lake").join(directory);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("part-0.json"), json!({ "id": id }).to_string()).unwrap();
    }
    let topic = kafka.topic("hive", 1);
    let keys = [
        ("name", topic.as_str()),
        ("connector.class", "ObjectStoreSource"),
        ("store.url", &format!("file://{}", volley.path("lake").display())),
        ("topic", &topic),
        ("partition.columns", "*"),
        ("transforms", "sql"),
        ("transforms.sql.type", "Sql"),
        ("transforms.sql.query", "SELECT * REPLACE (CAST(day AS DATE) AS day) FROM records"),
        ("volley.mode", "bounded"),
    ];
    volley.file("source.properties", &keys);
    run(&volley, "source.properties");
    let expected = [
        // days since 1970
        json!({"id": 1, "day": 20_787, "country": "a/b"}),
        // a null of JSON without a schema
        json!({"id": 2, "day": 20_788}),
    ];
    assert_eq!(values(kafka, &topic)[&0], expected);
}
