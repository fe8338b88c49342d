//! Records: written fast, and read by the client library itself.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message as _};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use volley_api::ConfigMap;
use volley_kafka::{Admin, Outgoing, Producer};

use super::properties;

/// A record as it stands in Kafka.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

/// Produces many small messages fast; waits until all are acknowledged. `make` gives partition, key and value of each.
pub(super) fn produce<M>(properties: &ConfigMap, topic: &str, count: usize, mut make: M)
where
    M: FnMut(usize, &mut Vec<u8>, &mut Vec<u8>) -> i32,
{
    let settings = [("acks", "all"), ("linger.ms", "20"), ("compression.type", "lz4"), ("buffer.memory", "67108864")];
    let mut properties = properties.clone();
    properties.extend(settings.map(|(key, value)| (key.to_owned(), value.to_owned())));
    let mut producer = Producer::connect(&properties).unwrap();
    let (mut key, mut value) = (Vec::new(), Vec::new());
    let mut delivered = 0;
    for number in 0..count {
        key.clear();
        value.clear();
        let partition = Some(make(number, &mut key, &mut value));
        let key = (!key.is_empty()).then_some(key.as_slice());
        let outgoing = Outgoing { topic, partition, timestamp: None, key, value: Some(&value), headers: &[] };
        producer.send(&outgoing, number as u64).unwrap();
        if number % 10_000 == 0 {
            delivered += count_delivered(&mut producer, Duration::ZERO);
        }
    }
    producer.flush(Duration::from_secs(60)).unwrap();
    delivered += count_delivered(&mut producer, Duration::ZERO);
    assert_eq!(delivered, count);
}

/// All messages of a topic up to its present end, by partition and offset.
pub(super) fn read_topic(bootstrap_servers: &str, topic: &str) -> Vec<Message> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap_servers)
        .set("group.id", "testbed-never-joined")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("fetch.queue.backoff.ms", "5")
        .create()
        .unwrap();
    let admin = Admin::connect(&properties(&[("bootstrap.servers", bootstrap_servers)])).unwrap();
    let partitions = admin.topic(topic).unwrap().expect("the topic exists").partitions;
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let mut messages = Vec::new();
    let mut at_end = 0;
    let deadline = Instant::now() + Duration::from_secs(120);
    while at_end < partitions {
        assert!(Instant::now() < deadline, "could not read topic {topic} to its end");
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => messages.push(owned(&message)),
            Some(Err(KafkaError::PartitionEOF(_))) => at_end += 1,
            // it connects again by itself
            Some(Err(error)) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) => {}
            Some(Err(error)) => panic!("could not read topic {topic}: {error}"),
            None => {}
        }
    }
    messages.sort_by_key(|message| (message.partition, message.offset));
    messages
}

pub(super) fn count_delivered(producer: &mut Producer, wait: Duration) -> usize {
    let deliveries = producer.deliveries(wait);
    for delivery in &deliveries {
        delivery.result.as_ref().unwrap();
    }
    deliveries.len()
}

fn owned(message: &rdkafka::message::BorrowedMessage<'_>) -> Message {
    let headers = message.headers().map(|headers| {
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
    });
    Message {
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis().unwrap_or(-1),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
    }
}
