//! The producer against a real broker.

use std::time::Duration;

use volley_api::{ErrorKind, RawHeader};
use volley_kafka::{Outgoing, Producer};

use crate::testbed::{Kafka, properties};

const SOON: Duration = Duration::from_secs(30);

fn value<'a>(topic: &'a str, partition: Option<i32>, value: &'a [u8]) -> Outgoing<'a> {
    Outgoing { topic, partition, timestamp: None, key: None, value: Some(value), headers: &[] }
}

#[test]
fn each_message_is_acknowledged_under_its_token_in_order() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("tokens", 2);
    let mut producer = Producer::connect(&kafka.properties(&[("linger.ms", "1")])).unwrap();
    for token in 0..10_000_u64 {
        producer.send(&value(&topic, Some((token % 2) as i32), token.to_string().as_bytes()), token).unwrap();
    }
    let mut offsets = [Vec::new(), Vec::new()];
    let mut count = 0;
    while count < 10_000 {
        let deliveries = producer.deliveries(SOON);
        assert!(!deliveries.is_empty(), "only {count} acknowledgements came");
        for delivery in deliveries {
            let (partition, offset) = delivery.result.unwrap();
            assert_eq!(partition as u64, delivery.token % 2);
            offsets[partition as usize].push((delivery.token, offset));
            count += 1;
        }
    }
    assert_eq!(producer.in_flight(), 0);
    for partition in &offsets {
        assert!(partition.is_sorted(), "acknowledged out of order");
    }
    for message in kafka.read_topic(&topic) {
        let token: u64 = String::from_utf8(message.value.unwrap()).unwrap().parse().unwrap();
        assert!(offsets[message.partition as usize].contains(&(token, message.offset)));
    }
}

#[test]
fn keys_go_to_the_partitions_that_javas_producer_chooses() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("partitioner", 10);
    let mut producer = Producer::connect(&kafka.properties(&[])).unwrap();
    // toPositive(murmur2(key)) % 10 of these keys, from murmur2's definition in the Java client.
    for key in ["a", "21", "foobar", "a-little-bit-long-string"] {
        let message = Outgoing { key: Some(key.as_bytes()), ..value(&topic, None, b"x") };
        producer.send(&message, 0).unwrap();
        producer.flush(SOON).unwrap();
        let (partition, _) = producer.deliveries(SOON).pop().unwrap().result.unwrap();
        assert_eq!(partition as u32, (murmur2(key.as_bytes()) & 0x7fff_ffff) % 10, "{key}");
    }
}

/// MurmurHash2, 32 bits, with the seed of Kafka's default partitioner.
fn murmur2(bytes: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ bytes.len() as u32;
    let mut chunks = bytes.chunks_exact(4);
    for chunk in &mut chunks {
        let k = u32::from_le_bytes(chunk.try_into().unwrap()).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ (k ^ (k >> 24)).wrapping_mul(M);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0_u32, |tail, byte| (tail << 8) | u32::from(*byte));
        hash = (hash ^ tail).wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[test]
fn headers_and_timestamps_arrive() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("headers", 1);
    let mut producer = Producer::connect(&kafka.properties(&[])).unwrap();
    let headers =
        [RawHeader { name: "x".into(), value: Some(vec![1, 2]) }, RawHeader { name: "x".into(), value: None }];
    let message = Outgoing { timestamp: Some(1_234_567_890_123), headers: &headers, ..value(&topic, Some(0), b"v") };
    producer.send(&message, 7).unwrap();
    producer.flush(SOON).unwrap();
    let read = kafka.read_topic(&topic).pop().unwrap();
    assert_eq!(read.timestamp, 1_234_567_890_123);
    assert_eq!(read.headers, [("x".to_owned(), Some(vec![1, 2])), ("x".to_owned(), None)]);
}

#[test]
fn a_message_too_large_for_the_client_is_a_data_error_at_once() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("large", 1);
    let mut producer = Producer::connect(&kafka.properties(&[("max.request.size", "100000")])).unwrap();
    let error = producer.send(&value(&topic, Some(0), &vec![0; 200_000]), 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.exception().ends_with("RecordTooLargeException"));
    producer.send(&value(&topic, Some(0), b"small"), 2).unwrap();
    producer.flush(SOON).unwrap();
    assert_eq!(producer.deliveries(SOON).len(), 1);
}

#[test]
fn a_message_too_large_for_the_broker_is_a_data_error_of_its_delivery() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("refused", 1);
    let mut producer = Producer::connect(&kafka.properties(&[("max.request.size", "30000000")])).unwrap();
    producer.send(&value(&topic, Some(0), &vec![0; 20_000_000]), 1).unwrap();
    producer.flush(SOON).unwrap();
    let delivery = producer.deliveries(SOON).pop().unwrap();
    assert_eq!(delivery.result.unwrap_err().kind(), ErrorKind::Data);
}

#[test]
fn a_large_message_passes_where_topic_and_client_allow_it() {
    let kafka = Kafka::shared();
    let topic = kafka.topic_with("roomy", 1, &[("max.message.bytes", "30000000")]);
    let mut producer = Producer::connect(&kafka.properties(&[("max.request.size", "30000000")])).unwrap();
    producer.send(&value(&topic, Some(0), &vec![7; 20_000_000]), 1).unwrap();
    producer.flush(SOON).unwrap();
    producer.deliveries(SOON).pop().unwrap().result.unwrap();
    assert_eq!(kafka.read_topic(&topic)[0].value.as_ref().unwrap().len(), 20_000_000);
}

#[test]
fn a_full_queue_blocks_for_max_block_ms_and_is_retriable() {
    let given = properties(&[
        ("bootstrap.servers", "127.0.0.1:1"),
        ("max.block.ms", "200"),
        ("queue.buffering.max.messages", "10"),
        ("client.id", "full"),
    ]);
    let mut producer = Producer::connect(&given).unwrap();
    let error = (0..100).find_map(|token| producer.send(&value("t", Some(0), b"x"), token).err()).unwrap();
    assert!(error.is_retriable(), "{error:?}");
    assert!(producer.flush(Duration::from_millis(50)).unwrap_err().is_retriable());
    assert_eq!(producer.in_flight(), 10);
}

#[test]
fn a_wrong_password_is_a_config_error_of_the_producer() {
    let kafka = Kafka::shared();
    let given = properties(&[
        ("bootstrap.servers", &kafka.sasl_bootstrap_servers()),
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", "PLAIN"),
        (
            "sasl.jaas.config",
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=alice password=wrong;",
        ),
    ]);
    let mut producer = Producer::connect(&given).unwrap();
    producer.send(&value("t", Some(0), b"x"), 1).unwrap();
    let error = producer.flush(SOON).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}
