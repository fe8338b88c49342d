//! The fetcher against a real broker: completeness, order, batch limits, positions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::Array;
use volley_api::{ConfigMap, ErrorKind, Offsets, RawBatch, RawHeader, TimestampType, TopicPartition};
use volley_kafka::{FetchSettings, Fetcher, Outgoing, Producer, TopicSelection};

use crate::testbed::{Kafka, Message, Rebalance, Rebalances, properties, wait_until};

const SOON: Duration = Duration::from_secs(30);

pub(crate) fn settings(topic: &str) -> FetchSettings {
    FetchSettings {
        topics: TopicSelection::Topics(vec![topic.to_owned()]),
        max_rows: 10_000,
        max_bytes: 1 << 20,
        linger: Duration::from_millis(50),
    }
}

fn sink_properties(kafka: &Kafka, group: &str) -> ConfigMap {
    kafka.properties(&[("group.id", group), ("auto.offset.reset", "earliest")])
}

fn fetcher(kafka: &Kafka, topic: &str, listener: &Arc<Rebalances>) -> Fetcher {
    let group = kafka.unique("group");
    Fetcher::connect(&sink_properties(kafka, &group), settings(topic), Arc::clone(listener) as _).unwrap()
}

/// The messages of batches, which must ascend within each partition and stay within what each batch says of itself.
#[derive(Default)]
pub(crate) struct Collected(BTreeMap<TopicPartition, Vec<Message>>);

impl Collected {
    fn add(&mut self, batch: &RawBatch) {
        let origin = &batch.origin;
        assert!(!batch.is_empty());
        assert_eq!(origin.offsets.len(), batch.len());
        assert_eq!(batch.keys.len(), batch.len());
        assert_eq!((origin.range.first, origin.range.end), (origin.offsets[0], origin.offsets[batch.len() - 1] + 1));
        let messages = self.0.entry(origin.partition.clone()).or_default();
        for row in 0..batch.len() {
            assert!(messages.last().is_none_or(|last| last.offset < origin.offsets[row]), "out of order");
            messages.push(Message {
                partition: origin.partition.partition,
                offset: origin.offsets[row],
                timestamp: origin.timestamps[row],
                key: batch.keys.is_valid(row).then(|| batch.keys.value(row).to_vec()),
                value: batch.values.is_valid(row).then(|| batch.values.value(row).to_vec()),
                headers: batch.headers.iter().flat_map(|headers| &headers[row]).map(header).collect(),
            });
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    pub(crate) fn all(self) -> Vec<Message> {
        self.0.into_values().flatten().collect()
    }
}

fn header(header: &RawHeader) -> (String, Option<Vec<u8>>) {
    (header.name.to_string(), header.value.clone())
}

pub(crate) fn collect(fetcher: &mut Fetcher, count: usize) -> Collected {
    let mut collected = Collected::default();
    collect_into(&mut collected, fetcher, count);
    collected
}

fn collect_into(collected: &mut Collected, fetcher: &mut Fetcher, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while collected.count() < count {
        assert!(Instant::now() < deadline, "only {} of {count} messages came", collected.count());
        for batch in fetcher.poll(Duration::from_millis(200)).unwrap() {
            collected.add(&batch);
        }
    }
}

fn number(value: usize, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(format!("{{\"number\":{value},\"text\":\"some more text\"}}").as_bytes());
}

#[test]
fn every_message_comes_once_in_order_and_unchanged() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("complete", 4);
    kafka.produce(&topic, 200_000, |n, key, value| {
        key.extend_from_slice(&n.to_be_bytes());
        number(n, value);
        (n % 7 % 4) as i32
    });
    let listener = Rebalances::new();
    let mut fetcher = fetcher(kafka, &topic, &listener);
    let collected = collect(&mut fetcher, 200_000);
    assert_eq!(listener.owned().len(), 4);
    assert_eq!(fetcher.assignment().len(), 4);
    assert!(collected.all() == kafka.read_topic(&topic), "the messages differ");
    assert_eq!(fetcher.buffered_bytes(), 0);
    assert!(fetcher.poll(Duration::from_millis(100)).unwrap().is_empty());
}

#[test]
fn a_batch_tells_who_set_its_timestamps() {
    let kafka = Kafka::shared();
    for kind in [TimestampType::CreateTime, TimestampType::LogAppendTime] {
        let topic = kafka.topic_with("timestamps", 1, &[("message.timestamp.type", &kind.to_string())]);
        kafka.produce(&topic, 1, |n, _, value| {
            number(n, value);
            0
        });
        let mut fetcher = fetcher(kafka, &topic, &Rebalances::new());
        let batch = wait_until(SOON, "a batch", || fetcher.poll(Duration::from_millis(100)).unwrap().pop());
        assert_eq!(batch.origin.timestamp_type, kind);
    }
}

#[test]
fn a_batch_closes_at_rows_bytes_or_linger() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("limits", 1);
    kafka.produce(&topic, 1_000, |_, _, value| {
        value.resize(100, b'x');
        0
    });
    let sizes = |settings: FetchSettings| {
        let group = kafka.unique("group");
        let mut fetcher = Fetcher::connect(&sink_properties(kafka, &group), settings, Rebalances::new()).unwrap();
        let (mut sizes, mut rows) = (Vec::new(), 0);
        while rows < 1_000 {
            for batch in fetcher.poll(SOON).unwrap() {
                sizes.push(batch.len());
                rows += batch.len();
            }
        }
        sizes
    };
    let patient = FetchSettings { linger: SOON, ..settings(&topic) };
    assert_eq!(sizes(FetchSettings { max_rows: 250, ..patient.clone() }), [250; 4]);
    assert_eq!(sizes(FetchSettings { max_bytes: 20_000, ..patient }), [200; 5]);
    let started = Instant::now();
    let hasty = FetchSettings { linger: Duration::from_millis(300), ..settings(&topic) };
    assert_eq!(sizes(hasty).iter().sum::<usize>(), 1_000);
    assert!(started.elapsed() < SOON / 2);
}

#[test]
fn nulls_headers_and_timestamps_come_through() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("shapes", 1);
    let mut producer = Producer::connect(&kafka.properties(&[])).unwrap();
    let headers = [
        RawHeader { name: "a".into(), value: Some(b"1".to_vec()) },
        RawHeader { name: "a".into(), value: None },
        RawHeader { name: "ü".into(), value: Some(Vec::new()) },
    ];
    let shapes: [(Option<&[u8]>, Option<&[u8]>, &[RawHeader]); 5] = [
        (None, Some(b"value"), &[]),
        (Some(b"key"), None, &headers),
        (Some(b""), Some(b""), &[]),
        (None, None, &headers[..1]),
        (Some(&[0, 159, 255]), Some(&[0]), &[]),
    ];
    for (row, (key, value, headers)) in shapes.iter().enumerate() {
        let timestamp = Some(1_700_000_000_000 + row as i64);
        let message = Outgoing { topic: &topic, partition: Some(0), timestamp, key: *key, value: *value, headers };
        producer.send(&message, row as u64).unwrap();
    }
    producer.flush(SOON).unwrap();
    let collected = collect(&mut fetcher(kafka, &topic, &Rebalances::new()), shapes.len()).all();
    for (row, (message, (key, value, headers))) in collected.iter().zip(shapes).enumerate() {
        assert_eq!(message.key.as_deref(), key, "row {row}");
        assert_eq!(message.value.as_deref(), value, "row {row}");
        assert_eq!(message.timestamp, 1_700_000_000_000 + row as i64);
        assert_eq!(message.headers, headers.iter().map(header).collect::<Vec<_>>(), "row {row}");
    }
    assert_eq!(collected, kafka.read_topic(&topic));
}

#[test]
fn a_seek_moves_back_and_forth_and_drops_what_is_buffered() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("seek", 2);
    kafka.produce(&topic, 20_000, |n, _, value| {
        number(n, value);
        (n % 2) as i32
    });
    let group = kafka.unique("group");
    let small = FetchSettings { max_rows: 100, ..settings(&topic) };
    let mut fetcher = Fetcher::connect(&sink_properties(kafka, &group), small, Rebalances::new()).unwrap();
    let target = TopicPartition::new(topic.as_str(), 1);
    let next_of_target = |fetcher: &mut Fetcher| {
        wait_until(SOON, "a batch of the partition", || {
            let batches = fetcher.poll(Duration::from_millis(100)).unwrap();
            batches.into_iter().find(|batch| batch.origin.partition == target)
        })
    };
    assert_eq!(next_of_target(&mut fetcher).origin.range.first, 0);
    for offset in [5_000, 17, 9_950, 0, 4_321, 4_320] {
        fetcher.seek(&target, offset).unwrap();
        assert_eq!(next_of_target(&mut fetcher).origin.range.first, offset);
    }
    let stranger = TopicPartition::new("stranger", 0);
    assert_eq!(fetcher.seek(&stranger, 0).unwrap_err().kind(), ErrorKind::Fatal);
}

#[test]
fn pausing_loses_and_repeats_nothing() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("pause", 3);
    kafka.produce(&topic, 150_000, |n, _, value| {
        number(n, value);
        (n % 3) as i32
    });
    let group = kafka.unique("group");
    let small = FetchSettings { max_rows: 1_000, ..settings(&topic) };
    let mut fetcher = Fetcher::connect(&sink_properties(kafka, &group), small, Rebalances::new()).unwrap();
    let mut collected = Collected::default();
    let partition = |n| TopicPartition::new(topic.as_str(), n);

    collect_into(&mut collected, &mut fetcher, 20_000);
    fetcher.pause_all();
    // Past the time for which the queue is simply left alone.
    for _ in 0..15 {
        assert!(fetcher.poll(Duration::from_millis(100)).unwrap().is_empty());
    }
    assert!(fetcher.is_paused());
    fetcher.resume_all();
    collect_into(&mut collected, &mut fetcher, 40_000);

    for _ in 0..20 {
        fetcher.pause_all();
        assert!(fetcher.poll(Duration::from_millis(10)).unwrap().is_empty());
        fetcher.resume_all();
        let count = collected.count() + 2_000;
        collect_into(&mut collected, &mut fetcher, count);
    }

    fetcher.pause(&[partition(1)]).unwrap();
    let before = collected.0[&partition(1)].len();
    let others = 100_000 + before;
    collect_into(&mut collected, &mut fetcher, others);
    assert_eq!(collected.0[&partition(1)].len(), before);
    fetcher.pause_all();
    fetcher.resume_all();
    assert!(fetcher.poll(Duration::from_millis(300)).unwrap().is_empty());
    fetcher.resume(&[partition(1)]).unwrap();
    collect_into(&mut collected, &mut fetcher, 150_000);
    assert!(collected.all() == kafka.read_topic(&topic), "the messages differ");
}

#[test]
fn consumption_resumes_from_the_committed_offset() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("resume", 2);
    kafka.produce(&topic, 1_000, |n, _, value| {
        number(n, value);
        (n % 2) as i32
    });
    let group = kafka.unique("group");
    let zero = TopicPartition::new(topic.as_str(), 0);
    let one = TopicPartition::new(topic.as_str(), 1);
    let both = [zero.clone(), one.clone()];
    {
        let mut fetcher =
            Fetcher::connect(&sink_properties(kafka, &group), settings(&topic), Rebalances::new()).unwrap();
        collect(&mut fetcher, 1_000);
        let committer = fetcher.committer();
        assert_eq!(committer.committed(&both).unwrap(), Offsets::new());
        committer.commit(&Offsets::from([(zero.clone(), 123)])).unwrap();
        assert_eq!(committer.committed(&both).unwrap(), Offsets::from([(zero.clone(), 123)]));
        assert_eq!(committer.beginning_offsets(&both).unwrap(), Offsets::from([(zero.clone(), 0), (one.clone(), 0)]));
        assert_eq!(committer.end_offsets(&both).unwrap(), Offsets::from([(zero.clone(), 500), (one.clone(), 500)]));
        fetcher.close();
        assert_eq!(committer.commit(&Offsets::from([(zero.clone(), 1)])).unwrap_err().kind(), ErrorKind::Fatal);
    }
    let listener = Rebalances::new();
    let mut latest = sink_properties(kafka, &group);
    latest.insert("auto.offset.reset".to_owned(), "latest".to_owned());
    let mut fetcher = Fetcher::connect(&latest, settings(&topic), Arc::clone(&listener) as _).unwrap();
    let messages = collect(&mut fetcher, 377).all();
    assert_eq!(listener.events(), [Rebalance::Assigned(Offsets::from([(zero, 123), (one, 500)]))]);
    assert_eq!((messages[0].partition, messages[0].offset, messages.len()), (0, 123, 377));
}

#[test]
fn a_committed_offset_beyond_the_log_falls_back_to_the_reset_policy() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("beyond", 1);
    kafka.produce(&topic, 10, |n, _, value| {
        number(n, value);
        0
    });
    let group = kafka.unique("group");
    let partition = TopicPartition::new(topic.as_str(), 0);
    kafka.admin().alter_group_offsets(&group, &Offsets::from([(partition.clone(), 5_000)])).unwrap();
    let listener = Rebalances::new();
    let mut fetcher =
        Fetcher::connect(&sink_properties(kafka, &group), settings(&topic), Arc::clone(&listener) as _).unwrap();
    assert_eq!(collect(&mut fetcher, 10).count(), 10);
    assert_eq!(listener.events(), [Rebalance::Assigned(Offsets::from([(partition, 0)]))]);
}

#[test]
fn no_position_and_no_reset_policy_is_a_config_error() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("noreset", 1);
    let group = kafka.unique("group");
    let given = kafka.properties(&[("group.id", &group), ("auto.offset.reset", "none")]);
    let mut fetcher = Fetcher::connect(&given, settings(&topic), Rebalances::new()).unwrap();
    let error = wait_until(SOON, "an error", || fetcher.poll(Duration::from_millis(100)).err());
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains(&topic), "{error}");
}

#[test]
fn a_pattern_finds_matching_topics_now_and_later() {
    let kafka = Kafka::shared();
    let stem = kafka.unique("pattern");
    let (first, second, other) = (format!("{stem}-a"), format!("{stem}-b1"), format!("x-{stem}-a"));
    kafka.create_topic(&first, 1, &[]);
    kafka.create_topic(&other, 1, &[]);
    for topic in [&first, &other] {
        kafka.produce(topic, 10, |n, _, value| {
            number(n, value);
            0
        });
    }
    let group = kafka.unique("group");
    let pattern = TopicSelection::Pattern(format!("{stem}-(a|b\\d++)"));
    let settings = FetchSettings { topics: pattern, ..settings("") };
    let listener = Rebalances::new();
    let mut fetcher = Fetcher::connect(&sink_properties(kafka, &group), settings, Arc::clone(&listener) as _).unwrap();
    listener.commit_with(fetcher.committer());
    let mut collected = collect(&mut fetcher, 10);
    listener.delivered(&TopicPartition::new(first.as_str(), 0), 10);
    kafka.create_topic(&second, 1, &[]);
    kafka.produce(&second, 10, |n, _, value| {
        number(n, value);
        0
    });
    collect_into(&mut collected, &mut fetcher, 20);
    let topics: Vec<_> = listener.owned().into_iter().map(|partition| partition.topic.to_string()).collect();
    assert_eq!(topics, [first, second]);
    assert!(collected.0.keys().all(|partition| partition.topic.starts_with(&stem)));
}

#[test]
fn without_a_group_all_partitions_are_read() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("unjoined", 3);
    kafka.produce(&topic, 300, |n, _, value| {
        number(n, value);
        (n % 3) as i32
    });
    let given = kafka.properties(&[("auto.offset.reset", "earliest")]);
    let mut fetcher = Fetcher::connect(&given, settings(&topic), Rebalances::new()).unwrap();
    assert!(collect(&mut fetcher, 300).all() == kafka.read_topic(&topic));
}

#[test]
fn a_topic_that_does_not_exist_yet_is_waited_for() {
    let kafka = Kafka::shared();
    let topic = kafka.unique("later");
    let mut fetcher = fetcher(kafka, &topic, &Rebalances::new());
    for _ in 0..10 {
        assert!(fetcher.poll(Duration::from_millis(100)).unwrap().is_empty());
    }
    kafka.create_topic(&topic, 1, &[]);
    kafka.produce(&topic, 5, |n, _, value| {
        number(n, value);
        0
    });
    assert_eq!(collect(&mut fetcher, 5).count(), 5);
}

#[test]
fn an_unreachable_broker_is_no_error() {
    let given = properties(&[("bootstrap.servers", "127.0.0.1:1"), ("group.id", "g")]);
    let mut fetcher = Fetcher::connect(&given, settings("t"), Rebalances::new()).unwrap();
    for _ in 0..10 {
        assert!(fetcher.poll(Duration::from_millis(100)).unwrap().is_empty());
    }
    let started = Instant::now();
    fetcher.close();
    assert!(started.elapsed() < Duration::from_secs(5), "closing took {:?}", started.elapsed());
}

#[test]
fn a_wrong_password_is_a_config_error_and_a_right_one_is_none() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("password", 1);
    kafka.produce(&topic, 10, |n, _, value| {
        number(n, value);
        0
    });
    let group = kafka.unique("group");
    let with_password = |password: &str| {
        let jaas = format!(
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\"{password}\";"
        );
        let given = properties(&[
            ("bootstrap.servers", &kafka.sasl_bootstrap_servers()),
            ("group.id", &group),
            ("auto.offset.reset", "earliest"),
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.jaas.config", &jaas),
        ]);
        Fetcher::connect(&given, settings(&topic), Rebalances::new()).unwrap()
    };
    let mut refused = with_password("wrong-secret");
    let error = wait_until(SOON, "a refusal", || refused.poll(Duration::from_millis(100)).err());
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!error.trace().contains("wrong-secret"), "{error:?}");
    assert_eq!(collect(&mut with_password("alice-secret"), 10).count(), 10);
}

#[test]
fn a_bad_property_is_a_config_error_that_names_it() {
    let given = properties(&[("bootstrap.servers", "127.0.0.1:1"), ("group.id", "g"), ("session.timeout.ms", "soon")]);
    let error = Fetcher::connect(&given, settings("t"), Rebalances::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("session.timeout.ms"), "{error}");
}

#[test]
fn trailing_transaction_markers_count_as_drained() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("markers", 1);
    let transaction = |commit: bool| {
        use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
        let producer: BaseProducer = rdkafka::ClientConfig::new()
            .set("bootstrap.servers", kafka.bootstrap_servers())
            .set("transactional.id", kafka.unique("transaction"))
            .create()
            .unwrap();
        producer.init_transactions(SOON).unwrap();
        producer.begin_transaction().unwrap();
        for _ in 0..3 {
            producer.send(BaseRecord::<[u8], [u8]>::to(&topic).payload(b"x".as_slice())).map_err(|(e, _)| e).unwrap();
        }
        if commit {
            producer.commit_transaction(SOON).unwrap()
        } else {
            producer.flush(SOON).unwrap();
            producer.abort_transaction(SOON).unwrap();
        }
    };
    transaction(true);
    transaction(false);
    let group = kafka.unique("group");
    let mut given = sink_properties(kafka, &group);
    given.insert("isolation.level".to_owned(), "read_committed".to_owned());
    let mut fetcher = Fetcher::connect(&given, settings(&topic), Rebalances::new()).unwrap();
    let collected = collect(&mut fetcher, 3);
    let last = collected.all().last().unwrap().offset;
    let partition = TopicPartition::new(topic.as_str(), 0);
    let end = wait_until(SOON, "the last stable offset passes the aborted transaction", || {
        let ends = fetcher.committer().end_offsets(std::slice::from_ref(&partition)).unwrap();
        (ends[&partition] == 8).then_some(8)
    });
    let committer = fetcher.committer();
    assert!(committer.is_drained(&partition, last + 1, end).unwrap());
    assert!(!committer.is_drained(&partition, 1, end).unwrap());
    assert!(committer.is_drained(&partition, end, end).unwrap());
}
