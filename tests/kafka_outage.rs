//! A broker that goes away and comes back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use volley_kafka::{FetchSettings, Fetcher, Outgoing, Producer, TopicSelection};

use crate::testbed::{Kafka, Rebalances, wait_until};

const SOON: Duration = Duration::from_secs(90);

#[test]
fn fetching_and_producing_go_on_after_an_outage() {
    let mut kafka = Kafka::start();
    let topic = kafka.topic("outage", 2);
    kafka.produce(&topic, 1_000, |n, _, value| {
        value.extend_from_slice(n.to_string().as_bytes());
        (n % 2) as i32
    });
    let listener = Rebalances::new();
    let settings = FetchSettings {
        topics: TopicSelection::Topics(vec![topic.clone()]),
        max_rows: 100,
        max_bytes: 1 << 20,
        linger: Duration::from_millis(20),
    };
    let given = kafka.properties(&[("group.id", "outage"), ("auto.offset.reset", "earliest")]);
    let mut fetcher = Fetcher::connect(&given, settings, Arc::clone(&listener) as _).unwrap();
    let mut counts: BTreeMap<(i32, i64), u32> = BTreeMap::new();
    let mut take = |fetcher: &mut Fetcher, wanted: usize| {
        for batch in fetcher.poll(Duration::from_millis(50)).unwrap() {
            for offset in batch.origin.offsets.iter() {
                *counts.entry((batch.origin.partition.partition, *offset)).or_default() += 1;
            }
        }
        assert!(counts.values().all(|count| *count == 1), "rows came more than once");
        (counts.len() == wanted).then_some(())
    };
    wait_until(SOON, "all rows before the outage", || take(&mut fetcher, 1_000));
    let mut producer = Producer::connect(&kafka.properties(&[("delivery.timeout.ms", "2147483647")])).unwrap();

    kafka.stop();
    for n in 0..500_u64 {
        let value = n.to_string();
        let partition = Some((n % 2) as i32);
        let message = Outgoing {
            topic: &topic,
            partition,
            timestamp: None,
            key: None,
            value: Some(value.as_bytes()),
            headers: &[],
        };
        producer.send(&message, n).unwrap();
    }
    assert!(producer.flush(Duration::from_millis(500)).unwrap_err().is_retriable());
    for _ in 0..10 {
        assert!(fetcher.poll(Duration::from_millis(50)).unwrap().is_empty());
    }
    let owned = listener.owned();
    let offsets = owned.iter().map(|partition| (partition.clone(), 500)).collect();
    let committer = fetcher.committer();

    kafka.restart();
    producer.flush(SOON).unwrap();
    assert!(producer.deliveries(Duration::ZERO).iter().all(|delivery| delivery.result.is_ok()));
    wait_until(SOON, "all rows after the outage", || take(&mut fetcher, 1_500));
    wait_until(SOON, "a commit succeeds", || {
        fetcher.poll(Duration::from_millis(20)).unwrap();
        committer.commit(&offsets).ok()
    });
}

#[test]
fn closing_during_an_outage_does_not_hang() {
    let mut kafka = Kafka::start();
    let topic = kafka.topic("closing", 2);
    let listener = Rebalances::new();
    let settings = FetchSettings {
        topics: TopicSelection::Topics(vec![topic]),
        max_rows: 100,
        max_bytes: 1 << 20,
        linger: Duration::from_millis(20),
    };
    let given = kafka.properties(&[("group.id", "closing")]);
    let mut fetcher = Fetcher::connect(&given, settings, Arc::clone(&listener) as _).unwrap();
    wait_until(SOON, "an assignment", || {
        fetcher.poll(Duration::from_millis(50)).unwrap();
        (listener.owned().len() == 2).then_some(())
    });
    kafka.stop();
    let started = std::time::Instant::now();
    fetcher.close();
    assert!(started.elapsed() < Duration::from_secs(15), "closing took {:?}", started.elapsed());
    assert!(listener.owned().is_empty());
}
