//! What answers to Metadata do to partitions.

use std::time::{Duration, Instant};

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{BrokerId, MetadataResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;
use volley_api::TopicPartition;

use super::leaders::{request, take};
use super::partition::{Leader, Partition};
use super::session_tests::settings;
use super::shared::State;
use super::trouble::Trouble;

fn name() -> TopicPartition {
    TopicPartition::new("t", 0)
}

fn state() -> State {
    let mut state = State::default();
    let generation = state.next_generation();
    state.partitions.insert(name(), Partition::new(generation, 10));
    state
}

fn topic(id: u128, leader: i32, epoch: i32) -> MetadataResponseTopic {
    let partition = MetadataResponsePartition::default().with_leader_id(BrokerId(leader)).with_leader_epoch(epoch);
    MetadataResponseTopic::default()
        .with_name(Some(TopicName(StrBytes::from_static_str("t"))))
        .with_topic_id(Uuid::from_u128(id))
        .with_partitions(vec![partition])
}

fn response(topic: MetadataResponseTopic) -> MetadataResponse {
    let broker = |id: i32| {
        let host = StrBytes::from_static_str("localhost");
        MetadataResponseBroker::default().with_node_id(BrokerId(id)).with_host(host).with_port(9_000 + id)
    };
    MetadataResponse::default().with_brokers(vec![broker(1), broker(2)]).with_topics(vec![topic])
}

fn leader(state: &State) -> Option<Leader> {
    state.partitions[&name()].leader
}

#[test]
fn the_topics_of_assigned_partitions_are_asked_for() {
    assert_eq!(request(&State::default()), None);
    let topics = request(&state()).unwrap().topics.unwrap();
    assert_eq!(topics.len(), 1);
}

#[test]
fn a_partition_without_a_leader_leaves_the_answer_incomplete() {
    let mut state = state();
    assert!(!take(&mut state, response(topic(7, -1, 3))));
    assert!(take(&mut state, response(topic(7, 2, 3))));
    assert_eq!(leader(&state), Some(Leader { broker: 2, epoch: 3 }));
    assert_eq!(state.wanted_brokers(Instant::now())[&2].to_string(), "localhost:9002");
    assert!(!take(&mut state, response(topic(7, 3, 4))), "a leader whose address nobody knows");
}

#[test]
fn what_a_broker_that_is_behind_says_of_leaders_does_not_count() {
    let mut state = state();
    take(&mut state, response(topic(7, 2, 3)));
    take(&mut state, response(topic(7, 1, 2)));
    assert_eq!(leader(&state), Some(Leader { broker: 2, epoch: 3 }));
    take(&mut state, response(topic(7, 1, 4)));
    assert_eq!(leader(&state), Some(Leader { broker: 1, epoch: 4 }));
}

#[test]
fn a_topic_with_another_id_begins_anew() {
    let mut state = state();
    take(&mut state, response(topic(7, 2, 3)));
    let before = state.partitions[&name()].generation;
    take(&mut state, response(topic(8, 1, 0)));
    assert!(matches!(&state.troubles[..], [Trouble::OutOfRange { offset: 10, .. }]));
    assert_ne!(state.partitions[&name()].generation, before);
    assert_eq!(leader(&state), Some(Leader { broker: 1, epoch: 0 }), "epochs begin anew too");
    let later = Instant::now() + Duration::from_secs(5);
    assert!(state.plan(1, &settings(), later).0.is_empty(), "not fetched before a seek");
}

#[test]
fn a_topic_that_does_not_exist_is_waited_for() {
    let mut state = state();
    take(&mut state, response(topic(7, 2, 3)));
    let missing = topic(0, -1, -1).with_partitions(Vec::new());
    let missing = missing.with_error_code(ResponseError::UnknownTopicOrPartition.code());
    assert!(!take(&mut state, response(missing)));
    assert!(state.missing.contains("t") && state.troubles.is_empty() && leader(&state).is_none());
    assert!(take(&mut state, response(topic(7, 2, 3))));
    assert!(state.missing.is_empty());
}

#[test]
fn a_refusal_is_told() {
    let mut state = state();
    let refused = topic(0, -1, -1).with_error_code(ResponseError::TopicAuthorizationFailed.code());
    assert!(!take(&mut state, response(refused)));
    assert!(matches!(&state.troubles[..], [Trouble::Refused(_)]));
}
