//! What answers do to partitions.

use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::BrokerId;
use kafka_protocol::messages::fetch_response::{EpochEndOffset, PartitionData};
use volley_api::TopicPartition;

use super::partition::{Leader, Partition};
use super::partition_answer::{Leaders, take};
use super::session::Asked;
use super::session_tests::settings;
use super::shared::State;
use super::trouble::Trouble;
use crate::wire::Address;

const LEADER: i32 = 1;

fn name() -> TopicPartition {
    TopicPartition::new("t", 0)
}

fn state() -> State {
    let mut state = State::default();
    let generation = state.next_generation();
    let mut partition = Partition::new(generation, 10);
    partition.leader = Some(Leader { broker: LEADER, epoch: 5 });
    state.partitions.insert(name(), partition);
    for id in [LEADER, 2] {
        state.brokers.insert(id, Address::new("localhost", 9092 + id).unwrap());
    }
    state
}

fn planned(state: &State, broker: i32) -> Option<Asked> {
    // past every back-off
    let later = Instant::now() + Duration::from_secs(5);
    state.plan(broker, &settings(), later).0.remove(&name())
}

fn answer(state: &mut State, broker: i32, data: PartitionData) -> Leaders {
    let asked = planned(state, broker).unwrap();
    take(state, &settings(), broker, (&name(), &asked), data)
}

fn records(first: i64, last: i64, epoch: i32) -> Bytes {
    let mut bytes = first.to_be_bytes().to_vec();
    bytes.extend_from_slice(&15_i32.to_be_bytes());
    bytes.extend_from_slice(&epoch.to_be_bytes());
    bytes.push(2);
    bytes.extend_from_slice(&[0; 6]);
    bytes.extend_from_slice(&((last - first) as i32).to_be_bytes());
    bytes.into()
}

fn with_records(records: Bytes) -> PartitionData {
    PartitionData::default().with_records(Some(records))
}

fn with_error(error: ResponseError) -> PartitionData {
    PartitionData::default().with_error_code(error.code())
}

#[test]
fn the_next_request_goes_on_behind_what_came_before_it_is_read() {
    let mut state = state();
    assert_eq!(answer(&mut state, LEADER, with_records(records(10, 19, 4))), Leaders::Known);
    let next = planned(&state, LEADER).unwrap();
    assert_eq!((next.offset, next.fetched_epoch, next.leader_epoch), (20, 4, 5));
    assert_eq!((state.fetched.len(), state.waiting_bytes), (1, 27));
}

#[test]
fn an_answer_to_an_earlier_generation_is_dropped() {
    let mut state = state();
    let asked = planned(&state, LEADER).unwrap();
    let generation = state.next_generation();
    state.partitions.get_mut(&name()).unwrap().seek(generation, 10);
    take(&mut state, &settings(), LEADER, (&name(), &asked), with_records(records(10, 19, 4)));
    assert!(state.fetched.is_empty());
    state.partitions.clear();
    take(&mut state, &settings(), LEADER, (&name(), &asked), with_records(records(10, 19, 4)));
    assert!(state.fetched.is_empty());
}

#[test]
fn when_enough_waits_nothing_more_is_asked_for() {
    let mut state = state();
    assert!(planned(&state, LEADER).is_some());
    state.waiting_bytes = settings().max_waiting_bytes;
    assert!(planned(&state, LEADER).is_none());
}

#[test]
fn a_batch_that_is_cut_off_is_asked_for_with_a_larger_limit() {
    let mut state = state();
    let before = planned(&state, LEADER).unwrap();
    answer(&mut state, LEADER, with_records(records(10, 19, 4).slice(..20)));
    let next = planned(&state, LEADER).unwrap();
    assert_eq!((next.offset, next.max_bytes), (10, before.max_bytes * 2));
    answer(&mut state, LEADER, with_records(records(10, 19, 4)));
    assert_eq!(planned(&state, LEADER).unwrap().max_bytes, before.max_bytes);
}

#[test]
fn a_position_out_of_range_waits_for_a_seek() {
    let mut state = state();
    answer(&mut state, LEADER, with_error(ResponseError::OffsetOutOfRange));
    assert!(matches!(&state.take_troubles()[..], [Trouble::OutOfRange { offset: 10, .. }]));
    assert!(planned(&state, LEADER).is_none());
    let generation = state.next_generation();
    state.partitions.get_mut(&name()).unwrap().seek(generation, 30);
    assert_eq!(planned(&state, LEADER).unwrap().offset, 30);
}

#[test]
fn a_broker_that_does_not_lead_makes_leaders_outdated_and_nothing_else() {
    for error in [
        ResponseError::NotLeaderOrFollower,
        ResponseError::FencedLeaderEpoch,
        ResponseError::UnknownLeaderEpoch,
        ResponseError::UnknownTopicOrPartition,
        ResponseError::UnknownTopicId,
        ResponseError::InconsistentTopicId,
        ResponseError::KafkaStorageError,
    ] {
        let mut state = state();
        assert_eq!(answer(&mut state, LEADER, with_error(error)), Leaders::Outdated, "{error:?}");
        assert!(state.take_troubles().is_empty());
        let (plan, later) = state.plan(LEADER, &settings(), Instant::now());
        assert!(plan.is_empty() && later.is_some(), "it is left alone for a while");
        assert_eq!(planned(&state, LEADER).unwrap().offset, 10);
    }
}

#[test]
fn a_refusal_is_told_with_its_topic() {
    let mut state = state();
    answer(&mut state, LEADER, with_error(ResponseError::TopicAuthorizationFailed));
    let troubles = state.take_troubles();
    let [Trouble::Refused(error)] = &troubles[..] else { panic!("{troubles:?}") };
    assert!(!error.is_retriable() && error.to_string().contains("t-0"), "{error}");
}

#[test]
fn a_replica_nearby_is_asked_instead_of_the_leader_until_it_fails() {
    let mut state = state();
    answer(&mut state, LEADER, PartitionData::default().with_preferred_read_replica(BrokerId(2)));
    assert!(planned(&state, LEADER).is_none() && planned(&state, 2).is_some());
    answer(&mut state, 2, with_records(records(10, 19, 4)));
    assert_eq!(planned(&state, 2).unwrap().offset, 20);
    // it may be behind: only the leader knows whether that is out of range
    answer(&mut state, 2, with_error(ResponseError::OffsetOutOfRange));
    assert!(planned(&state, 2).is_none() && state.take_troubles().is_empty());
    assert_eq!(planned(&state, LEADER).unwrap().offset, 20);
}

#[test]
fn an_unknown_replica_nearby_makes_leaders_outdated() {
    let mut state = state();
    let data = PartitionData::default().with_preferred_read_replica(BrokerId(77));
    assert_eq!(answer(&mut state, LEADER, data), Leaders::Outdated);
    assert!(planned(&state, LEADER).is_some());
}

#[test]
fn a_truncated_log_is_read_again_from_where_it_is_the_same() {
    // what was read is the same as ever, or begins anew behind the last epoch that both have
    for (read_offset, expected, epoch) in [(10, 10, 2), (15, 15, 2), (25, 15, 3)] {
        let mut state = state();
        answer(&mut state, LEADER, with_records(records(10, 29, 4)));
        let partition = state.partitions.get_mut(&name()).unwrap();
        (partition.read_offset, partition.read_epoch) = (read_offset, 2);
        let diverging = EpochEndOffset::default().with_epoch(3).with_end_offset(15);
        answer(&mut state, LEADER, PartitionData::default().with_diverging_epoch(diverging));
        let next = planned(&state, LEADER).unwrap();
        assert_eq!((next.offset, next.fetched_epoch), (expected, epoch));
        assert_eq!((state.fetched.len(), state.waiting_bytes), (0, 0));
    }
}

#[test]
fn what_is_no_batch_is_told_and_not_asked_for_without_end() {
    let with_length = |length: i32| {
        let mut bytes = records(10, 19, 4).to_vec();
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        bytes
    };
    // a length that there cannot be, one without room for a header, and one of which the end never comes
    for bytes in [with_length(-1), with_length(3), with_length(i32::MAX)] {
        let mut state = state();
        for _ in 0..40 {
            assert_eq!(answer(&mut state, LEADER, with_records(bytes.clone().into())), Leaders::Known);
        }
        let troubles = state.take_troubles();
        let [Trouble::Refused(error)] = &troubles[..] else { panic!("{troubles:?}") };
        let text = error.to_string();
        assert!(error.kind() == volley_api::ErrorKind::Data && text.contains("t-0") && text.contains("10"), "{text}");
        assert!(state.plan(LEADER, &settings(), Instant::now()).0.is_empty(), "it is asked for again at once");
    }
}

#[test]
fn while_memory_is_scarce_nothing_is_asked_for_before_all_that_waits_is_read() {
    let mut state = state();
    state.is_sparing = true;
    answer(&mut state, LEADER, with_records(records(10, 12, 5)));
    assert!(planned(&state, LEADER).is_none());
    state.is_sparing = false;
    assert_eq!(planned(&state, LEADER).unwrap().offset, 13);
    state.is_sparing = true;
    let read = state.fetched.pop_front().unwrap();
    state.waiting_bytes -= read.records.len();
    assert_eq!(planned(&state, LEADER).unwrap().offset, 13);
}

#[test]
fn what_a_broker_that_led_before_thinks_of_a_partition_does_not_count() {
    let diverging = EpochEndOffset::default().with_epoch(3).with_end_offset(2);
    for data in [
        with_error(ResponseError::OffsetOutOfRange),
        with_error(ResponseError::NotLeaderOrFollower),
        with_error(ResponseError::TopicAuthorizationFailed),
        PartitionData::default().with_preferred_read_replica(BrokerId(LEADER)),
        PartitionData::default().with_diverging_epoch(diverging),
    ] {
        let mut state = state();
        let asked = planned(&state, LEADER).unwrap();
        // the leader moves while the request is on its way
        state.partitions.get_mut(&name()).unwrap().leader = Some(Leader { broker: 2, epoch: 6 });
        assert_eq!(take(&mut state, &settings(), LEADER, (&name(), &asked), data), Leaders::Known);
        assert!(state.take_troubles().is_empty());
        assert_eq!(state.plan(2, &settings(), Instant::now()).0[&name()].offset, 10, "it is asked for at once");
    }
}

#[test]
fn what_a_broker_that_led_before_has_read_goes_on_with_the_next_leader() {
    let mut state = state();
    let asked = planned(&state, LEADER).unwrap();
    state.partitions.get_mut(&name()).unwrap().leader = Some(Leader { broker: 2, epoch: 6 });
    take(&mut state, &settings(), LEADER, (&name(), &asked), with_records(records(10, 19, 4)));
    assert_eq!(planned(&state, 2).unwrap().offset, 20);
    assert_eq!(state.fetched.len(), 1);
}

#[test]
fn a_replica_nearby_that_failed_is_not_asked_any_more_and_the_leader_is() {
    let mut state = state();
    answer(&mut state, LEADER, PartitionData::default().with_preferred_read_replica(BrokerId(2)));
    assert!(state.partitions_of(2, Instant::now()).eq([&name()]));
    state.lose_nearby(LEADER, &settings());
    assert!(planned(&state, 2).is_some() && state.wants_replicas(Instant::now()));
    state.lose_nearby(2, &settings());
    assert!(planned(&state, LEADER).is_some() && planned(&state, 2).is_none());
    assert!(!state.wants_replicas(Instant::now()), "the leader would name it again");
    assert!(state.wants_replicas(Instant::now() + settings().metadata_age));
}

#[test]
fn a_seek_makes_an_earlier_position_out_of_range_void() {
    let mut state = state();
    answer(&mut state, LEADER, with_error(ResponseError::OffsetOutOfRange));
    let generation = state.next_generation();
    state.partitions.get_mut(&name()).unwrap().seek(generation, 30);
    state.drop_void();
    assert!(state.take_troubles().is_empty(), "the new position would be given up for it");
}

#[test]
fn a_partition_that_goes_away_out_of_range_is_not_told_of() {
    let mut state = state();
    answer(&mut state, LEADER, with_error(ResponseError::OffsetOutOfRange));
    state.partitions.clear();
    state.drop_void();
    assert!(state.take_troubles().is_empty());
}
