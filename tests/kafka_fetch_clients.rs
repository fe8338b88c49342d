//! The two clients that fetch, librdkafka and the native one, beside each other.

use std::time::Duration;

use arrow::array::Array;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Offset, TopicPartitionList};
use volley_api::{ConfigMap, ErrorKind, TopicPartition};
use volley_kafka::Fetcher;

use crate::kafka_fetch::{collect, settings};
use crate::testbed::{Kafka, Message, Rebalances, wait_until};

const SOON: Duration = Duration::from_secs(60);
const CLIENTS: [&str; 2] = ["librdkafka", "native"];
const PARTITIONS: i32 = 3;
/// Larger than what either client asks for of one partition, and of all.
const HUGE: usize = 3 << 20;

fn given(kafka: &Kafka, client: &str, more: &[(&str, &str)]) -> ConfigMap {
    let mut given = kafka.properties(&[("auto.offset.reset", "earliest"), ("volley.fetch.client", client)]);
    given.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    given
}

fn producer(kafka: &Kafka, more: &[(&str, &str)]) -> BaseProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", kafka.bootstrap_servers()).set("linger.ms", "5");
    config.set("message.max.bytes", (2 * HUGE).to_string());
    for (key, value) in more {
        config.set(*key, *value);
    }
    config.create().unwrap()
}

/// Writes records of every shape into each partition. Returns how many.
fn write_shapes(producer: &BaseProducer, topic: &str, records: usize) -> usize {
    for number in 0..records {
        let key = format!("key-{number}");
        let value = vec![b'a' + (number % 26) as u8; number * 37 % 2_000];
        let headers = OwnedHeaders::new()
            .insert(Header { key: "number", value: Some(&number.to_string()) })
            .insert(Header { key: "number", value: None::<&str> })
            .insert(Header { key: "ü", value: Some("") });
        let record = BaseRecord::to(topic).partition(number as i32 % PARTITIONS);
        let record = record.timestamp(1_700_000_000_000 + (number * 7_919 % 1_000) as i64);
        let record = if number % 5 == 0 { record } else { record.key(&key) };
        let record = if number % 7 == 0 { record } else { record.payload(&value) };
        let record = if number % 3 == 0 { record.headers(headers) } else { record };
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(SOON).unwrap();
    records
}

/// Writes all there can be. Returns how many records were written, and how many of them were aborted.
fn fill(kafka: &Kafka, topic: &str) -> (usize, usize) {
    let (mut written, mut aborted) = (0, 0);
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        written += write_shapes(&producer(kafka, &[("compression.type", codec)]), topic, 500);
        let huge = vec![b'h'; HUGE];
        let plain = producer(kafka, &[("compression.type", codec)]);
        plain.send(BaseRecord::<[u8], [u8]>::to(topic).partition(0).payload(&huge)).map_err(|(e, _)| e).unwrap();
        plain.flush(SOON).unwrap();
        written += 1;
        // two at a time, so that their records are mixed
        let [keeper, quitter] = [true, false].map(|_| {
            let id = kafka.unique("transaction");
            let producer = producer(kafka, &[("compression.type", codec), ("transactional.id", &id)]);
            producer.init_transactions(SOON).unwrap();
            producer
        });
        for _ in 0..2 {
            keeper.begin_transaction().unwrap();
            quitter.begin_transaction().unwrap();
            for _ in 0..3 {
                written += write_shapes(&keeper, topic, 40);
                aborted += write_shapes(&quitter, topic, 40);
            }
            keeper.commit_transaction(SOON).unwrap();
            quitter.abort_transaction(SOON).unwrap();
        }
    }
    (written + aborted, aborted)
}

fn read(kafka: &Kafka, topic: &str, client: &str, isolation: &str, records: usize) -> Vec<Message> {
    let given = given(kafka, client, &[("isolation.level", isolation)]);
    let mut fetcher = Fetcher::connect(&given, settings(topic), Rebalances::new()).unwrap();
    let collected = collect(&mut fetcher, records);
    assert!(fetcher.poll(Duration::from_millis(700)).unwrap().is_empty(), "{client} reads more than was written");
    collected.all()
}

/// Formats 0 and 1 are not among it: brokers since 4.0 write format 2 only (KIP-724), whatever they are sent, and no producer
/// can send them older ones (KIP-896). Such message sets are read in the tests of `engine/kafka/src/records/`.
#[test]
fn both_clients_read_the_same_whatever_is_in_the_topic() {
    let kafka = Kafka::shared();
    for kind in ["CreateTime", "LogAppendTime"] {
        let configs = [("max.message.bytes", "10000000"), ("message.timestamp.type", kind)];
        let topic = kafka.topic_with("everything", PARTITIONS, &configs);
        let (all, aborted) = fill(kafka, &topic);
        for (isolation, records) in [("read_uncommitted", all), ("read_committed", all - aborted)] {
            let [expected, read] = CLIENTS.map(|client| read(kafka, &topic, client, isolation, records));
            let differs = expected.iter().zip(&read).find(|(one, other)| one != other);
            let differs = differs.map(|(one, other)| (one.partition, one.offset, other.offset, &one.key, &other.key));
            assert!(expected == read, "{kind}, {isolation}: {} and {}, {differs:?}", expected.len(), read.len());
        }
    }
}

/// Reads up to the record of this offset.
fn read_up_to(kafka: &Kafka, topic: &str, client: &str, last: i64) -> Vec<Message> {
    let mut fetcher = Fetcher::connect(&given(kafka, client, &[]), settings(topic), Rebalances::new()).unwrap();
    let mut messages = Vec::new();
    wait_until(SOON, "the last record", || {
        for batch in fetcher.poll(Duration::from_millis(100)).unwrap() {
            messages.extend((0..batch.len()).map(|row| Message {
                offset: batch.origin.offsets[row],
                timestamp: batch.origin.timestamps[row],
                key: batch.keys.is_valid(row).then(|| batch.keys.value(row).to_vec()),
                value: batch.values.is_valid(row).then(|| batch.values.value(row).to_vec()),
                ..Message::default()
            }));
        }
        messages.last().is_some_and(|message| message.offset >= last).then_some(())
    });
    messages
}

/// What the broker has compacted has gaps, within batches and of whole batches.
#[test]
fn both_clients_read_the_same_of_a_topic_that_was_compacted() {
    let kafka = Kafka::shared();
    let configs = [("cleanup.policy", "compact"), ("segment.ms", "100"), ("min.cleanable.dirty.ratio", "0.01")];
    let topic = kafka.topic_with("compacted", 1, &configs);
    let mut written = 0;
    let mut write = |records: usize| {
        kafka.produce(&topic, records, |number, key, value| {
            // one in ten is never written again
            let name = if number % 10 == 0 { written + number } else { number % 7 };
            key.extend_from_slice(format!("key-{name}").as_bytes());
            value.extend_from_slice(format!("{number} of {records}").as_bytes());
            0
        });
        written += records;
        written
    };
    write(2_000);
    wait_until(SOON * 2, "the broker has compacted the topic", || {
        // what comes later closes the segment that is to be compacted
        let written = write(50);
        (kafka.read_topic(&topic).len() < written - 1_000).then_some(())
    });
    wait_until(SOON, "the clients read without being overtaken by the broker", || {
        let last = kafka.read_topic(&topic).last().unwrap().offset;
        let [before, read, after] =
            ["librdkafka", "native", "librdkafka"].map(|client| read_up_to(kafka, &topic, client, last));
        if before != after {
            return None;
        }
        assert!(before == read, "{} and {} records", before.len(), read.len());
        let is_gap = |pair: &[Message]| pair[1].offset > pair[0].offset + 1;
        assert!(read.windows(2).any(is_gap), "nothing was compacted");
        Some(())
    });
}

fn write_numbers(kafka: &Kafka, topic: &str, records: usize) {
    kafka.produce(topic, records, |number, _, value| {
        value.extend_from_slice(number.to_string().as_bytes());
        0
    });
}

fn delete_before(kafka: &Kafka, partition: &TopicPartition, offset: i64) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", kafka.bootstrap_servers()).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&partition.topic, partition.partition, Offset::Offset(offset)).unwrap();
    let deleted = futures::executor::block_on(admin.delete_records(&list, &AdminOptions::new())).unwrap();
    assert!(deleted.elements()[0].error().is_ok());
}

fn next_offset(fetcher: &mut Fetcher) -> i64 {
    let next = || fetcher.poll(Duration::from_millis(100)).unwrap().into_iter().next();
    wait_until(SOON, "a batch", next).origin.range.first
}

#[test]
fn a_position_that_the_log_has_lost_begins_anew_where_the_reset_policy_says() {
    let kafka = Kafka::shared();
    for client in CLIENTS {
        let topic = kafka.topic("overtaken", 1);
        let partition = TopicPartition::new(topic.as_str(), 0);
        write_numbers(kafka, &topic, 100);
        let mut fetcher = Fetcher::connect(&given(kafka, client, &[]), settings(&topic), Rebalances::new()).unwrap();
        assert_eq!(collect(&mut fetcher, 100).count(), 100);
        delete_before(kafka, &partition, 60);
        fetcher.seek(&partition, 10).unwrap();
        assert_eq!(next_offset(&mut fetcher), 60, "{client}");
    }
}

#[test]
fn a_position_that_the_log_has_lost_is_a_config_error_without_a_reset_policy() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("overtaken-none", 1);
    let partition = TopicPartition::new(topic.as_str(), 0);
    write_numbers(kafka, &topic, 100);
    let group = kafka.unique("group");
    kafka.admin().alter_group_offsets(&group, &[(partition.clone(), 5)].into()).unwrap();
    let given = given(kafka, "native", &[("group.id", &group), ("auto.offset.reset", "none")]);
    let mut fetcher = Fetcher::connect(&given, settings(&topic), Rebalances::new()).unwrap();
    assert_eq!(next_offset(&mut fetcher), 5);
    delete_before(kafka, &partition, 60);
    fetcher.seek(&partition, 10).unwrap();
    let error = wait_until(SOON, "an error", || fetcher.poll(Duration::from_millis(100)).err());
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains(&partition.to_string()), "{error}");
}

#[test]
fn a_topic_that_is_deleted_and_made_again_is_read_from_its_beginning() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("again", 1);
    write_numbers(kafka, &topic, 50);
    let mut fetcher = Fetcher::connect(&given(kafka, "native", &[]), settings(&topic), Rebalances::new()).unwrap();
    assert_eq!(collect(&mut fetcher, 50).count(), 50);
    assert!(kafka.admin().delete_topic(&topic).unwrap());
    wait_until(SOON, "the topic is gone", || kafka.admin().topic(&topic).unwrap().is_none().then_some(()));
    kafka.create_topic(&topic, 1, &[]);
    // more than before, so that the old position is within the new log
    write_numbers(kafka, &topic, 80);
    let mut offsets = Vec::new();
    wait_until(SOON, "all of the new topic", || {
        for batch in fetcher.poll(Duration::from_millis(100)).unwrap() {
            offsets.extend(batch.origin.offsets.iter().copied());
        }
        (offsets.len() >= 80).then_some(())
    });
    assert_eq!(offsets, Vec::from_iter(0..80));
}

#[test]
fn consumers_share_the_threads_that_fetch() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("threads", 2);
    write_numbers(kafka, &topic, 100);
    let connect = || Fetcher::connect(&given(kafka, "native", &[]), settings(&topic), Rebalances::new()).unwrap();
    let mut fetchers: Vec<Fetcher> = (0..8).map(|_| connect()).collect();
    for fetcher in &mut fetchers {
        assert_eq!(collect(fetcher, 100).count(), 100);
    }
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    let threads = names.filter(|name| name.trim() == "kafka-fetch").count();
    // two that fetch, and those that look up names for a while
    assert!((2..=6).contains(&threads), "{threads} threads fetch for {} consumers", fetchers.len());
}
