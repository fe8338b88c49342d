//! Tests the fetcher against librdkafka's mock cluster, which can inject errors.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
use rdkafka::types::RDKafkaRespErr;
use volley_api::{ConfigMap, ErrorKind, Offsets, TopicPartition};

use super::Fetcher;
use crate::consumer::partition_offsets::KnownOffsets;
use crate::{FetchSettings, RebalanceListener, TopicSelection};

type Cluster = MockCluster<'static, DefaultProducerContext>;

/// A wait longer than this counts as never.
const DEADLINE: Duration = Duration::from_secs(30);

/// A call of the listener.
#[derive(Debug, PartialEq)]
enum Told {
    Assigned(Vec<TopicPartition>),
    Revoked(Vec<TopicPartition>),
    Lost(Vec<TopicPartition>),
}

#[derive(Debug, Default)]
struct Ear(Mutex<Vec<Told>>);

impl RebalanceListener for Ear {
    fn assigned(&self, positions: &Offsets) {
        self.0.lock().push(Told::Assigned(positions.keys().cloned().collect()));
    }

    fn revoked(&self, partitions: &[TopicPartition]) {
        self.0.lock().push(Told::Revoked(partitions.to_vec()));
    }

    fn lost(&self, partitions: &[TopicPartition]) {
        self.0.lock().push(Told::Lost(partitions.to_vec()));
    }
}

fn cluster_with(topic: &str, partitions: i32) -> Cluster {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(topic, partitions, 1).unwrap();
    cluster
}

fn fetcher(cluster: &Cluster, topic: &str, listener: Arc<dyn RebalanceListener>) -> Fetcher {
    fetcher_with(cluster, topic, listener, &LIBRDKAFKA)
}

fn fetcher_with(
    cluster: &Cluster,
    topic: &str,
    listener: Arc<dyn RebalanceListener>,
    more: &[(&str, &str)],
) -> Fetcher {
    let servers = cluster.bootstrap_servers();
    let properties = [("bootstrap.servers", servers.as_str()), ("auto.offset.reset", "earliest")];
    let properties = properties.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let properties: ConfigMap = properties.collect();
    let settings = FetchSettings {
        topics: TopicSelection::Topics(vec![topic.to_owned()]),
        max_rows: 1000,
        max_bytes: 1 << 20,
        linger: Duration::from_millis(1),
    };
    Fetcher::connect(&properties, settings, listener).unwrap()
}

fn partitions(topic: &str, numbers: std::ops::Range<i32>) -> Vec<TopicPartition> {
    numbers.map(|number| TopicPartition::new(topic, number)).collect()
}

#[test]
fn a_topic_whose_leaders_are_not_elected_yet_does_not_count_as_one_without_partitions() {
    let cluster = cluster_with("t", 2);
    let fetcher = fetcher(&cluster, "t", Arc::<Ear>::default());
    cluster.topic_error("t", RDKafkaRespErr::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE).unwrap();
    assert_eq!(fetcher.subscribed_partitions().unwrap_err().kind(), ErrorKind::Retriable);
    cluster.topic_error("t", RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED).unwrap();
    assert_eq!(fetcher.subscribed_partitions().unwrap_err().kind(), ErrorKind::Config);
    cluster.topic_error("t", RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART).unwrap();
    assert_eq!(fetcher.subscribed_partitions().unwrap(), []);
    cluster.topic_error("t", RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).unwrap();
    assert_eq!(fetcher.subscribed_partitions().unwrap(), partitions("t", 0..2));
}

#[test]
fn an_assignment_that_replaces_another_takes_away_what_was_not_revoked() {
    let cluster = cluster_with("t", 3);
    let ear = Arc::<Ear>::default();
    let mut fetcher = fetcher(&cluster, "t", Arc::clone(&ear) as _);
    fetcher.unjoined = None;
    for range in [0..2, 1..3] {
        fetcher.note_assign(partitions("t", range.clone()));
        let deadline = Instant::now() + DEADLINE;
        while fetcher.pending.is_some() {
            fetcher.poll(Duration::from_millis(10)).unwrap();
            assert!(Instant::now() < deadline);
        }
        assert_eq!(fetcher.assignment(), partitions("t", range));
    }
    let first = partitions("t", 0..2);
    let expected = [Told::Assigned(first.clone()), Told::Lost(first), Told::Assigned(partitions("t", 1..3))];
    assert_eq!(*ear.0.lock(), expected);
}

/// librdkafka ends the process if a partition is taken away while it is still being stopped (confluentinc/librdkafka#5573).
#[test]
fn an_assignment_that_replaces_another_may_be_revoked_at_once() {
    let cluster = cluster_with("t", 8);
    (0..8).for_each(|partition| produce(&cluster, "t", partition, 1));
    let mut fetcher = fetcher(&cluster, "t", Arc::<Ear>::default());
    fetcher.unjoined = None;
    let all = partitions("t", 0..8);
    let known =
        || KnownOffsets { offsets: all.iter().map(|partition| (partition.clone(), 0)).collect(), trouble: None };
    for _ in 0..80 {
        fetcher.assign(&all, known()).unwrap();
        fetcher.assign(&all, known()).unwrap();
        fetcher.revoke(&all, false).unwrap();
    }
}

const LIBRDKAFKA: [(&str, &str); 1] = [("volley.fetch.client", "librdkafka")];
const NATIVE: [(&str, &str); 1] = [("volley.fetch.client", "native")];
const EAGER: &str = "org.apache.kafka.clients.consumer.RangeAssignor";
const COOPERATIVE: &str = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";

#[test]
fn a_partition_without_a_leader_keeps_none_of_the_others_waiting() {
    let in_group = |strategy| [("group.id", "g"), ("partition.assignment.strategy", strategy)];
    let librdkafka = |group: &[_]| [group, &LIBRDKAFKA].concat();
    // librdkafka's mock of a cluster knows no members but its own
    let clients = [librdkafka(&[]), librdkafka(&in_group(EAGER)), librdkafka(&in_group(COOPERATIVE)), NATIVE.to_vec()];
    for client in &clients {
        let cluster = cluster_with("t", 3);
        (0..3).for_each(|partition| produce(&cluster, "t", partition, 10));
        cluster.partition_leader("t", 1, None).unwrap();
        let ear = Arc::<Ear>::default();
        let mut fetcher = fetcher_with(&cluster, "t", Arc::clone(&ear) as _, client);

        let mut rows = Rows::new();
        poll_until(&mut fetcher, &mut rows, |rows| rows.len() == 2 && rows.values().all(|rows| *rows == 10));
        let healthy = vec![TopicPartition::new("t", 0), TopicPartition::new("t", 2)];
        assert_eq!(fetcher.assignment(), healthy);

        cluster.partition_leader("t", 1, Some(1)).unwrap();
        let late = TopicPartition::new("t", 1);
        poll_until(&mut fetcher, &mut rows, |rows| rows.get(&late) == Some(&10));
        assert!(rows.values().all(|rows| *rows == 10), "{rows:?}");
        assert_eq!(*ear.0.lock(), [Told::Assigned(healthy), Told::Assigned(vec![late])]);
        assert_eq!(fetcher.assignment(), partitions("t", 0..3));
        fetcher.close();
        assert_eq!(ear.0.lock().pop(), Some(Told::Revoked(partitions("t", 0..3))));
    }
}

#[test]
fn partitions_that_all_have_no_leader_are_waited_for() {
    let cluster = cluster_with("t", 1);
    produce(&cluster, "t", 0, 10);
    cluster.partition_leader("t", 0, None).unwrap();
    let mut fetcher = fetcher(&cluster, "t", Arc::<Ear>::default());
    let mut rows = Rows::new();
    let deadline = Instant::now() + DEADLINE;
    while fetcher.leaderless.is_none() {
        fetcher.poll(Duration::from_millis(10)).unwrap();
        assert!(Instant::now() < deadline);
    }
    cluster.partition_leader("t", 0, Some(1)).unwrap();
    poll_until(&mut fetcher, &mut rows, |rows| rows.values().sum::<usize>() == 10);
}

#[test]
fn leaders_that_move_cost_no_record_and_repeat_none() {
    for client in [&LIBRDKAFKA, &NATIVE] {
        let cluster = MockCluster::new(3).unwrap();
        cluster.create_topic("t", 3, 3).unwrap();
        let mut fetcher = fetcher_with(&cluster, "t", Arc::<Ear>::default(), client);
        let mut rows = Rows::new();
        for round in 1..=4 {
            for partition in 0..3 {
                let leader = (round + partition) % 3 + 1;
                cluster.partition_leader("t", partition, Some(leader)).unwrap();
                produce(&cluster, "t", partition, 10);
            }
            let expected = round as usize * 10;
            poll_until(&mut fetcher, &mut rows, |rows| rows.len() == 3 && rows.values().all(|rows| *rows >= expected));
            assert!(rows.values().all(|rows| *rows == expected), "{client:?}: {rows:?}");
        }
    }
}

#[test]
fn a_broker_that_is_down_keeps_only_its_own_partitions_waiting() {
    let cluster = MockCluster::new(3).unwrap();
    cluster.create_topic("t", 3, 3).unwrap();
    for partition in 0..3 {
        cluster.partition_leader("t", partition, Some(partition + 1)).unwrap();
        produce(&cluster, "t", partition, 10);
    }
    let mut fetcher = fetcher_with(&cluster, "t", Arc::<Ear>::default(), &NATIVE);
    let mut rows = Rows::new();
    poll_until(&mut fetcher, &mut rows, |rows| rows.len() == 3 && rows.values().all(|rows| *rows == 10));
    (0..3).for_each(|partition| produce(&cluster, "t", partition, 5));
    poll_until(&mut fetcher, &mut rows, |rows| rows.values().all(|rows| *rows == 15));
    cluster.broker_down(2).unwrap();
    for partition in [0, 2] {
        produce(&cluster, "t", partition, 10);
    }
    let of = |rows: &Rows, partition| rows[&TopicPartition::new("t", partition)];
    poll_until(&mut fetcher, &mut rows, |rows| [of(rows, 0), of(rows, 1), of(rows, 2)] == [25, 15, 25]);
    cluster.broker_up(2).unwrap();
    produce(&cluster, "t", 1, 10);
    poll_until(&mut fetcher, &mut rows, |rows| rows.values().all(|rows| *rows == 25));
}

/// Number of rows read of each partition.
type Rows = BTreeMap<TopicPartition, usize>;

fn poll_until(fetcher: &mut Fetcher, rows: &mut Rows, is_enough: impl Fn(&Rows) -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_enough(rows) {
        for batch in fetcher.poll(Duration::from_millis(100)).unwrap() {
            *rows.entry(batch.origin.partition.clone()).or_default() += batch.len();
        }
        assert!(Instant::now() < deadline, "only {rows:?}");
    }
}

fn produce(cluster: &Cluster, topic: &str, partition: i32, messages: usize) {
    let mut config = ClientConfig::new();
    let producer: BaseProducer = config.set("bootstrap.servers", cluster.bootstrap_servers()).create().unwrap();
    for _ in 0..messages {
        let record = BaseRecord::<[u8], [u8]>::to(topic).partition(partition).payload(b"x");
        assert!(producer.send(record).is_ok());
    }
    producer.flush(DEADLINE).unwrap();
}
