//! Kill -9 under configurations of Aiven's sinks: rows are there once, and files of keys show the last records.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::delivered_rows::{Found, assert_exactly_once, objects, texts_in_bucket};
use crate::exactly_once::{PARTITIONS, drain, drain_with_kills, numbered_topic};
use crate::rounds::{kills, rounds};
use crate::testbed::{Kafka, S3, wait_until};
use crate::worker_process::Volley;

const KEYS: usize = 50;
/// Records of each partition between two kills.
const PORTION: usize = 5_000;

/// A worker and the configuration of Aiven's S3 sink, which writes `topic` to a bucket of the same name.
fn aiven_s_sink(kafka: &Kafka, s3: &S3, topic: &str, more: &[(&str, &str)]) -> Volley {
    s3.create_bucket(topic);
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let endpoint = s3.endpoint();
    let name = format!("aiven-{topic}");
    let entries = [
        ("name", name.as_str()),
        ("connector.class", "io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector"),
        ("tasks.max", "2"),
        ("topics", topic),
        ("aws.access.key.id", S3::ACCESS_KEY_ID),
        ("aws.secret.access.key", S3::SECRET_ACCESS_KEY),
        ("aws.s3.bucket.name", topic),
        ("aws.s3.endpoint", &endpoint),
        ("aws.s3.region", S3::REGION),
        ("file.compression.type", "none"),
        ("value.converter", "org.apache.kafka.connect.converters.ByteArrayConverter"),
    ];
    volley.file("sink.properties", &[&entries[..], more].concat());
    volley
}

#[test]
fn killed_at_random_moments_every_offset_is_in_one_csv_file_of_aiven_s_sink() {
    let (kafka, s3) = (Kafka::shared(), S3::shared());
    let (factor, per_partition) = (rounds(1), 25_000 * rounds(1) as i64);
    let topic = numbered_topic(kafka, per_partition);
    let template = "{{timestamp:unit=yyyy}}/{{timestamp:unit=MM}}/{{timestamp:unit=dd}}/{{timestamp:unit=HH}}/\
                    {{topic}}-{{partition}}-{{start_offset}}.csv";
    let volley = aiven_s_sink(
        kafka,
        s3,
        &topic,
        &[
            ("file.name.template", template),
            ("file.name.timestamp.source", "EVENT"),
            ("file.max.records", "997"),
            ("format.output.fields", "value"),
            ("format.output.fields.value.encoding", "none"),
            ("rotate.schedule.interval.ms", "1000"),
        ],
    );
    drain_with_kills(&volley, 23, kills(5), 200 * factor, || objects(s3, &topic));
    let mut found = Found::new();
    for text in texts_in_bucket(s3, &topic).values() {
        for line in text.split('\n') {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            *found.entry((row["p"].as_i64().unwrap(), row["n"].as_i64().unwrap())).or_default() += 1;
        }
    }
    assert_exactly_once(&found, PARTITIONS, per_partition);
}

/// What the file of each key shows.
fn shown(s3: &S3, topic: &str) -> BTreeMap<String, usize> {
    let texts = texts_in_bucket(s3, topic).into_iter();
    texts.map(|(path, text)| (path, text.parse().unwrap())).collect()
}

#[test]
fn killed_at_random_moments_the_file_of_each_key_comes_to_show_its_last_record() {
    let (kafka, s3) = (Kafka::shared(), S3::shared());
    let topic = kafka.topic("keyed", PARTITIONS as i32);
    let volley = aiven_s_sink(
        kafka,
        s3,
        &topic,
        &[
            ("file.name.template", "state/{{partition}}/{{key}}"),
            ("format.output.fields", "value"),
            ("format.output.fields.value.encoding", "none"),
            ("rotate.schedule.interval.ms", "200"),
        ],
    );
    let kills = kills(5);
    let mut random = 29_usize;
    for round in 0..kills {
        kafka.produce(&topic, PORTION * PARTITIONS as usize, |number, key, value| {
            let n = round * PORTION + number / PARTITIONS as usize;
            key.extend_from_slice(format!("k{}", n % KEYS).as_bytes());
            value.extend_from_slice(n.to_string().as_bytes());
            (number % PARTITIONS as usize) as i32
        });
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let file = format!("state/{}/k{}", (random >> 33) % PARTITIONS as usize, (random >> 40) % KEYS);
        let mut worker = volley.start(&["standalone", "worker.properties", "sink.properties"]);
        wait_until(Duration::from_secs(60), "the moment of the kill", || {
            assert!(worker.is_running(), "the worker ended:\n{}", worker.log());
            (shown(s3, &topic).get(&file).copied() >= Some(round * PORTION)).then_some(())
        });
        worker.kill();
    }
    drain(&volley);
    let last = |key: usize| kills * PORTION - KEYS + key;
    let files = (0..PARTITIONS).flat_map(|partition| (0..KEYS).map(move |key| (partition, key)));
    let expected = files.map(|(partition, key)| (format!("state/{partition}/k{key}"), last(key))).collect();
    assert_eq!(shown(s3, &topic), expected);
}
