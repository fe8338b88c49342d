//! The fetcher against librdkafka's simulated cluster, which can be told what goes wrong.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::RDKafkaRespErr;
use volley_api::{ConfigMap, ErrorKind, Offsets, TopicPartition};

use super::Fetcher;
use crate::{FetchSettings, RebalanceListener, TopicSelection};

/// What takes longer never happens.
const DEADLINE: Duration = Duration::from_secs(30);

/// What the listener was told, in order.
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

fn cluster_with(topic: &str, partitions: i32) -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(topic, partitions, 1).unwrap();
    cluster
}

fn fetcher(
    cluster: &MockCluster<'static, DefaultProducerContext>,
    topic: &str,
    listener: Arc<dyn RebalanceListener>,
) -> Fetcher {
    let properties = [("bootstrap.servers", cluster.bootstrap_servers()), ("auto.offset.reset", "earliest".to_owned())];
    let properties: ConfigMap = properties.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
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
