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
use super::partition::{Leader, NearbyReplica, Partition};
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
    assert!(matches!(&state.take_troubles()[..], [Trouble::OutOfRange { offset: 10, .. }]));
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
    assert!(state.missing.contains("t") && state.take_troubles().is_empty() && leader(&state).is_none());
    assert!(take(&mut state, response(topic(7, 2, 3))));
    assert!(state.missing.is_empty());
}

#[test]
fn a_refusal_is_told() {
    let mut state = state();
    let refused = topic(0, -1, -1).with_error_code(ResponseError::TopicAuthorizationFailed.code());
    assert!(!take(&mut state, response(refused)));
    assert!(matches!(&state.take_troubles()[..], [Trouble::Refused(_)]));
}

#[test]
fn a_broker_that_is_behind_does_not_bring_back_a_topic_that_was_deleted() {
    let mut state = state();
    take(&mut state, response(topic(7, 2, 3)));
    take(&mut state, response(topic(8, 1, 0)));
    let generation = state.next_generation();
    state.partitions.get_mut(&name()).unwrap().seek(generation, 0);
    state.drop_void();
    assert!(take(&mut state, response(topic(7, 2, 3))));
    assert_eq!(leader(&state), Some(Leader { broker: 1, epoch: 0 }));
    assert_eq!(state.topic_ids["t"], Uuid::from_u128(8));
    assert!(state.take_troubles().is_empty(), "it would be read a second time");
    assert_eq!(state.plan(1, &settings(), Instant::now()).0[&name()].topic_id, Uuid::from_u128(8));
}

#[test]
fn a_broker_that_is_behind_does_not_name_the_leader_of_a_partition_that_has_none() {
    let mut state = state();
    take(&mut state, response(topic(7, 2, 3)));
    assert!(!take(&mut state, response(topic(7, -1, 4))));
    assert!(!take(&mut state, response(topic(7, 2, 3))), "that one has lost it");
    assert_eq!(leader(&state), None);
    assert!(!take(&mut state, response(topic(7, -1, -1))), "a broker that knows no epoch");
    assert!(!take(&mut state, response(topic(7, 2, 3))));
    assert!(take(&mut state, response(topic(7, 2, 5))));
}

#[test]
fn a_broker_that_is_behind_does_not_take_a_leader_away() {
    let mut state = state();
    take(&mut state, response(topic(7, 2, 5)));
    take(&mut state, response(topic(7, -1, 4)));
    assert_eq!(leader(&state), Some(Leader { broker: 2, epoch: 5 }));
}

#[test]
fn a_replica_nearby_that_is_gone_is_not_asked_any_more() {
    let mut state = state();
    take(&mut state, response(topic(7, 2, 3)));
    let until = Instant::now() + Duration::from_secs(300);
    state.partitions.get_mut(&name()).unwrap().nearby = Some(NearbyReplica { broker: 1, until });
    take(&mut state, response(topic(7, 2, 3)));
    assert_eq!(state.partitions[&name()].broker(Instant::now()), Some(1));
    let mut without = response(topic(7, 2, 3));
    without.brokers.retain(|broker| broker.node_id.0 != 1);
    take(&mut state, without);
    assert_eq!(state.partitions[&name()].broker(Instant::now()), Some(2));
}

#[test]
fn every_partition_of_a_topic_that_was_made_again_is_told_of_however_many_they_are() {
    let mut state = State::default();
    let all = 1_000;
    for number in 0..all {
        let generation = state.next_generation();
        state.partitions.insert(TopicPartition::new("t", number), Partition::new(generation, 10));
    }
    let topic = |id: u128| topic(id, 1, 0).with_partitions(Vec::new());
    take(&mut state, response(topic(7)));
    take(&mut state, response(topic(8)));
    assert_eq!(state.take_troubles().len(), all as usize);
}
