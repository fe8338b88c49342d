//! What a sink commits: where it stands in each of its partitions, records or not, so that its lag is 0 when it has read all.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::json;
use volley_api::{Offsets, TopicPartition};

use crate::testbed::{ConnectWorker, Kafka, Mode, Vendor, standalone_properties, wait_until};

const SOON: Duration = Duration::from_secs(60);
const PARTITIONS: i32 = 4;
const RECORDS: i64 = 10;

/// Writes some records to a partition in one transaction.
fn transact(producer: &BaseProducer, topic: &str, partition: i32, commits: bool) {
    producer.begin_transaction().unwrap();
    for _ in 0..RECORDS {
        producer.send(BaseRecord::<(), str>::to(topic).partition(partition).payload("a record")).unwrap();
    }
    producer.flush(SOON).unwrap();
    if commits {
        producer.commit_transaction(SOON).unwrap();
    } else {
        producer.abort_transaction(SOON).unwrap();
    }
}

/// A topic with committed and aborted transactions, and a partition that has nothing.
fn transactional_topic(kafka: &Kafka) -> String {
    let topic = kafka.topic("positions", PARTITIONS);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", kafka.bootstrap_servers())
        .set("transactional.id", kafka.unique("transaction"))
        .create()
        .unwrap();
    producer.init_transactions(SOON).unwrap();
    transact(&producer, &topic, 0, true);
    transact(&producer, &topic, 2, false);
    transact(&producer, &topic, 3, true);
    transact(&producer, &topic, 3, false);
    topic
}

fn ends(kafka: &Kafka, topic: &str) -> Offsets {
    let client: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", kafka.bootstrap_servers()).create().unwrap();
    let end = |partition| client.fetch_watermarks(topic, partition, SOON).unwrap().1;
    (0..PARTITIONS).map(|partition| (TopicPartition::new(topic, partition), end(partition))).collect()
}

fn reaches_the_ends_of_a_transactional_topic(isolation: &str) {
    let kafka = Kafka::shared();
    let topic = transactional_topic(kafka);
    let mut worker =
        ConnectWorker::start(Vendor::Volley, Mode::Standalone, &standalone_properties(&kafka.bootstrap_servers()));
    let sink = kafka.unique("sink");
    let config = json!({
        "connector.class": "FileStreamSink",
        "topics": topic,
        "file": worker.directory().join("records"),
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "consumer.override.isolation.level": isolation,
    });
    assert_eq!(worker.ask("PUT", &format!("/connectors/{sink}/config"), Some(&config)).0, 201);
    let ends = ends(kafka, &topic);
    assert_eq!(ends.values().copied().collect::<Vec<_>>(), [11, 0, 11, 22]);
    let group = format!("connect-{sink}");
    let mut committed = Offsets::new();
    wait_until(SOON, &format!("{group} has no lag"), || {
        committed = kafka.admin().group_offsets(&group).unwrap();
        (committed == ends).then_some(())
    });
    worker.stop();
    let records = std::fs::read_to_string(worker.directory().join("records")).unwrap().lines().count() as i64;
    assert_eq!(records, if isolation == "read_committed" { 2 * RECORDS } else { 4 * RECORDS });
}

#[test]
fn a_sink_commits_the_position_behind_transaction_markers_and_of_partitions_without_records() {
    reaches_the_ends_of_a_transactional_topic("read_uncommitted");
}

#[test]
fn a_sink_commits_the_position_behind_aborted_records_that_it_is_not_given() {
    reaches_the_ends_of_a_transactional_topic("read_committed");
}

#[test]
fn a_sink_of_empty_topics_commits_where_it_begins() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("positions", 2);
    let worker =
        ConnectWorker::start(Vendor::Volley, Mode::Standalone, &standalone_properties(&kafka.bootstrap_servers()));
    let sink = kafka.unique("sink");
    let config =
        json!({"connector.class": "FileStreamSink", "topics": topic, "file": worker.directory().join("records")});
    assert_eq!(worker.ask("PUT", &format!("/connectors/{sink}/config"), Some(&config)).0, 201);
    let starts: Offsets = (0..2).map(|partition| (TopicPartition::new(topic.as_str(), partition), 0)).collect();
    wait_until(SOON, "the starts are committed", || {
        (kafka.admin().group_offsets(&format!("connect-{sink}")).unwrap() == starts).then_some(())
    });
}
