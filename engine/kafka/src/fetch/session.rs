//! Fetch sessions (KIP-227): the broker remembers which partitions are wanted, so that a request names only what has
//! changed since the one before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use kafka_protocol::messages::{FetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;
use volley_api::TopicPartition;

use super::settings::NativeSettings;

/// The first version with sessions, with epochs of leaders, with the rack, with the epoch of what was fetched, and with ids
/// instead of names.
const SESSIONS: i16 = 7;
const RACKS: i16 = 11;
const FETCHED_EPOCHS: i16 = 12;
const TOPIC_IDS: i16 = 13;

/// The highest version to use where the cluster does not tell the id of each topic.
pub(super) const NAMES_ONLY: i16 = TOPIC_IDS - 1;

/// A session's epoch: of the request that begins one, and of the one that ends it.
const INITIAL: i32 = 0;
const FINAL: i32 = -1;

/// A partition as a request asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) topic_id: Uuid,
    pub(super) generation: u64,
    pub(super) offset: i64,
    pub(super) leader_epoch: i32,
    pub(super) fetched_epoch: i32,
    pub(super) max_bytes: i32,
}

/// All partitions that a request is about.
pub(super) type Plan = BTreeMap<TopicPartition, Asked>;

/// The session with one broker.
#[derive(Debug, Default)]
pub(super) struct Session {
    id: i32,
    epoch: i32,
    /// What the broker was told last.
    told: Plan,
    names: HashMap<Uuid, Arc<str>>,
    /// Requests that named all partitions.
    whole_requests: usize,
}

impl Session {
    /// The request for the partitions of `plan`. It counts as sent.
    pub(super) fn request(&mut self, version: i16, plan: &Plan, settings: &NativeSettings) -> FetchRequest {
        let in_session = version >= SESSIONS;
        let is_whole = !in_session || self.epoch == INITIAL;
        let is_new = |partition: &TopicPartition, asked: &Asked| {
            is_whole || self.told.get(partition).is_none_or(|told| !says_the_same(told, asked))
        };
        // A broker fills its answer in the order of the request. In a session it takes turns by itself.
        let first = if is_whole { self.whole_requests % plan.len().max(1) } else { 0 };
        let in_turn = plan.iter().skip(first).chain(plan.iter().take(first));
        let topics = topics_of(in_turn.filter(|(partition, asked)| is_new(partition, asked)), version);
        self.whole_requests = self.whole_requests.wrapping_add(usize::from(is_whole));
        let mut forgotten = Vec::new();
        if !is_whole {
            // By name, a topic that was made again is the same to the broker, which forgets after it has added.
            let is_gone = |(partition, told): &(&TopicPartition, &Asked)| {
                plan.get(*partition).is_none_or(|asked| version >= TOPIC_IDS && asked.topic_id != told.topic_id)
            };
            forgotten = forgotten_of(self.told.iter().filter(is_gone), version);
        }
        self.told.clone_from(plan);
        self.names = plan.iter().map(|(partition, asked)| (asked.topic_id, Arc::clone(&partition.topic))).collect();
        let request = FetchRequest::default()
            .with_max_wait_ms(i32::try_from(settings.max_wait.as_millis()).unwrap_or(i32::MAX))
            .with_min_bytes(settings.min_bytes)
            .with_max_bytes(settings.max_bytes)
            .with_isolation_level(i8::from(settings.read_committed))
            .with_topics(topics)
            .with_forgotten_topics_data(forgotten);
        let request = if version >= RACKS { request.with_rack_id(settings.rack.clone()) } else { request };
        match in_session {
            true => request.with_session_id(self.id).with_session_epoch(self.epoch),
            false => request,
        }
    }

    /// The request that ends the session, if there is one.
    pub(super) fn farewell(&self) -> Option<FetchRequest> {
        let is_open = self.id != 0 && self.epoch != INITIAL;
        is_open.then(|| FetchRequest::default().with_session_id(self.id).with_session_epoch(FINAL))
    }

    /// Takes the head of an answer. `false` if the session is over and the partitions say nothing.
    pub(super) fn accept(&mut self, session_id: i32, error: Option<ResponseError>) -> bool {
        if error.is_some() {
            self.reset();
            return false;
        }
        match session_id {
            // the broker keeps none, because it has too many
            0 => (self.id, self.epoch) = (0, INITIAL),
            id => {
                self.id = id;
                self.epoch = if self.epoch == i32::MAX { 1 } else { self.epoch + 1 };
            }
        }
        true
    }

    /// The next request begins a new session, and ends this one.
    pub(super) fn reset(&mut self) {
        self.epoch = INITIAL;
    }

    /// The partition that an answer is about, and how it was asked for.
    pub(super) fn asked(&self, name: &str, id: Uuid, partition: i32) -> Option<(&TopicPartition, &Asked)> {
        let topic = if id.is_nil() { Arc::from(name) } else { Arc::clone(self.names.get(&id)?) };
        self.told.get_key_value(&TopicPartition::new(topic, partition))
    }
}

/// A generation is nothing that the broker knows of.
fn says_the_same(told: &Asked, asked: &Asked) -> bool {
    *told == Asked { generation: told.generation, ..*asked }
}

fn topics_of<'a>(partitions: impl Iterator<Item = (&'a TopicPartition, &'a Asked)>, version: i16) -> Vec<FetchTopic> {
    let mut topics: Vec<(Arc<str>, FetchTopic)> = Vec::new();
    for (partition, asked) in partitions {
        let wanted = FetchPartition::default()
            .with_partition(partition.partition)
            .with_current_leader_epoch(asked.leader_epoch)
            .with_fetch_offset(asked.offset)
            .with_last_fetched_epoch(if version >= FETCHED_EPOCHS { asked.fetched_epoch } else { -1 })
            .with_partition_max_bytes(asked.max_bytes);
        match topics.last_mut() {
            Some((name, topic)) if *name == partition.topic => topic.partitions.push(wanted),
            _ => {
                let topic = match version >= TOPIC_IDS {
                    true => FetchTopic::default().with_topic_id(asked.topic_id),
                    false => FetchTopic::default().with_topic(name_of(&partition.topic)),
                };
                topics.push((Arc::clone(&partition.topic), topic.with_partitions(vec![wanted])));
            }
        }
    }
    topics.into_iter().map(|(_, topic)| topic).collect()
}

fn forgotten_of<'a>(
    partitions: impl Iterator<Item = (&'a TopicPartition, &'a Asked)>,
    version: i16,
) -> Vec<ForgottenTopic> {
    let mut numbers: BTreeMap<(Arc<str>, Uuid), BTreeSet<i32>> = BTreeMap::new();
    for (partition, told) in partitions {
        numbers.entry((Arc::clone(&partition.topic), told.topic_id)).or_default().insert(partition.partition);
    }
    let topic = |((name, id), numbers): ((Arc<str>, Uuid), BTreeSet<i32>)| {
        let topic = ForgottenTopic::default().with_partitions(numbers.into_iter().collect());
        if version >= TOPIC_IDS { topic.with_topic_id(id) } else { topic.with_topic(name_of(&name)) }
    };
    numbers.into_iter().map(topic).collect()
}

fn name_of(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}
