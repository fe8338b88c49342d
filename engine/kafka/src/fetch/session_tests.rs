//! A session beside a broker that keeps to KIP-227: whatever is asked for in which order, both agree on what is wanted.

use std::collections::BTreeMap;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::FetchRequest;
use proptest::prelude::*;
use uuid::Uuid;
use volley_api::{ConfigMap, TopicPartition};

use super::session::{Asked, NAMES_ONLY, Plan, Session};
use super::settings::NativeSettings;
use crate::{ClientRole, translate};

pub(super) fn settings() -> NativeSettings {
    let given = ConfigMap::new();
    NativeSettings::read(&given, &translate(&given, ClientRole::Consumer).config).unwrap()
}

fn asked(topic_id: Uuid, offset: i64) -> Asked {
    Asked { topic_id, generation: 1, offset, leader_epoch: 3, fetched_epoch: -1, max_bytes: 1000 }
}

/// What a broker remembers: the offset of each partition of each topic, by name or id.
#[derive(Debug, Default)]
struct Broker {
    id: i32,
    epoch: i32,
    wanted: BTreeMap<(String, i32), i64>,
}

impl Broker {
    fn take(&mut self, request: &FetchRequest, next_id: i32) -> Option<ResponseError> {
        if request.session_epoch == 0 {
            *self = Self { id: next_id, epoch: 1, wanted: BTreeMap::new() };
        } else if request.session_id != self.id {
            return Some(ResponseError::FetchSessionIdNotFound);
        } else if request.session_epoch != self.epoch {
            return Some(ResponseError::InvalidFetchSessionEpoch);
        } else {
            self.epoch += 1;
        }
        let key = |name: &str, id: Uuid| if id.is_nil() { name.to_owned() } else { id.to_string() };
        for topic in &request.topics {
            for partition in &topic.partitions {
                let key = (key(&topic.topic, topic.topic_id), partition.partition);
                self.wanted.insert(key, partition.fetch_offset);
            }
        }
        for topic in &request.forgotten_topics_data {
            for partition in &topic.partitions {
                let known = self.wanted.remove(&(key(&topic.topic, topic.topic_id), *partition));
                assert!(known.is_some(), "{topic:?} is forgotten, and was never wanted");
            }
        }
        None
    }
}

fn wanted(plan: &Plan, version: i16) -> BTreeMap<(String, i32), i64> {
    let name = |partition: &TopicPartition, asked: &Asked| match version > NAMES_ONLY {
        true => asked.topic_id.to_string(),
        false => partition.topic.to_string(),
    };
    plan.iter().map(|(partition, asked)| ((name(partition, asked), partition.partition), asked.offset)).collect()
}

proptest! {
    #[test]
    fn the_broker_wants_what_the_last_request_wants_whatever_came_before(
        version in prop::sample::select(vec![7_i16, 11, 12, 13, 17]),
        plans in prop::collection::vec(
            (prop::collection::btree_map((0_usize..3, 0_i32..3), 0_i64..3, 0..6), [0_u128..2, 0..2, 0..2], any::<bool>()),
            1..20)
    ) {
        let (mut session, mut broker) = (Session::default(), Broker::default());
        for (number, (partitions, lives, is_forgetful)) in plans.into_iter().enumerate() {
            let id = |topic: usize| Uuid::from_u128(1 + topic as u128 * 2 + lives[topic]);
            let plan: Plan = partitions.into_iter().map(|((topic, partition), offset)| {
                (TopicPartition::new(format!("t{topic}"), partition), asked(id(topic), offset))
            }).collect();
            if is_forgetful {
                broker.id = -1;
            }
            loop {
                let request = session.request(version, &plan, &settings());
                let error = broker.take(&request, number as i32 + 1);
                if session.accept(broker.id, error) {
                    break;
                }
            }
            prop_assert_eq!(&broker.wanted, &wanted(&plan, version));
            for (partition, asked) in &plan {
                let id = if version > NAMES_ONLY { asked.topic_id } else { Uuid::nil() };
                prop_assert_eq!(session.asked(&partition.topic, id, partition.partition), Some((partition, asked)));
            }
        }
    }
}

#[test]
fn what_has_not_changed_is_not_said_again() {
    let mut session = Session::default();
    let mut plan = Plan::from([(TopicPartition::new("t", 0), asked(Uuid::max(), 5))]);
    assert_eq!(session.request(13, &plan, &settings()).topics.len(), 1);
    assert!(session.accept(9, None));
    let next = session.request(13, &plan, &settings());
    assert_eq!((next.session_id, next.session_epoch, next.topics.len()), (9, 1, 0));
    assert!(session.accept(9, None));
    plan.insert(TopicPartition::new("t", 0), asked(Uuid::max(), 6));
    assert_eq!(session.request(13, &plan, &settings()).topics[0].partitions[0].fetch_offset, 6);
}

#[test]
fn a_broker_that_keeps_no_session_is_told_everything_each_time() {
    let mut session = Session::default();
    let plan = Plan::from([(TopicPartition::new("t", 0), asked(Uuid::max(), 5))]);
    for _ in 0..3 {
        let request = session.request(13, &plan, &settings());
        assert_eq!((request.session_id, request.session_epoch, request.topics.len()), (0, 0, 1));
        assert!(session.accept(0, None));
    }
    assert_eq!(session.farewell(), None);
}

#[test]
fn before_sessions_there_are_none() {
    let plan = Plan::from([(TopicPartition::new("t", 0), asked(Uuid::nil(), 5))]);
    let request = Session::default().request(6, &plan, &settings());
    assert_eq!((request.session_id, request.session_epoch, request.topics.len()), (0, -1, 1));
}

#[test]
fn without_a_session_each_partition_is_asked_for_first_in_its_turn() {
    let id = Uuid::from_u128(7);
    let plan: Plan = (0..3).map(|number| (TopicPartition::new("t", number), asked(id, 5))).collect();
    let mut session = Session::default();
    let firsts: Vec<i32> = (0..6)
        .map(|_| {
            let request = session.request(13, &plan, &settings());
            let all: usize = request.topics.iter().map(|topic| topic.partitions.len()).sum();
            assert_eq!(all, 3);
            // the broker has no room for a session
            assert!(session.accept(0, None));
            request.topics[0].partitions[0].partition
        })
        .collect();
    assert_eq!(firsts, [0, 1, 2, 0, 1, 2]);
}
