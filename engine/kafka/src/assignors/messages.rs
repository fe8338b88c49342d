//! What members of a consumer group say to each other: `ConsumerProtocolSubscription` and `ConsumerProtocolAssignment`, each
//! behind its version in two bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::consumer_protocol_assignment::TopicPartition as AssignedPartitions;
use kafka_protocol::messages::consumer_protocol_subscription::TopicPartition as OwnedPartitions;
use kafka_protocol::messages::{ConsumerProtocolAssignment, ConsumerProtocolSubscription, TopicName};
use kafka_protocol::protocol::{Encodable, StrBytes};
use volley_api::{Error, Result, TopicPartition};

/// The highest version of both. A reader of an older one ignores what it does not know behind it.
const LATEST: i16 = 3;

/// A member without a generation.
const NO_GENERATION: i32 = -1;

/// What a member wants, and has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subscription {
    /// Sorted.
    pub(crate) topics: Vec<String>,
    pub(crate) owned: Vec<TopicPartition>,
    /// In which `owned` was assigned; -1 where unknown.
    pub(crate) generation: i32,
    /// `client.rack`
    pub(crate) rack: Option<String>,
    /// What an assignor adds.
    pub(crate) user_data: Option<Bytes>,
}

impl Subscription {
    /// In the latest version, as Java's consumers do.
    pub(crate) fn encode(&self) -> Bytes {
        let text = |text: &String| StrBytes::from_string(text.clone());
        let owned = by_topic(&self.owned).into_iter().map(|(topic, partitions)| {
            OwnedPartitions::default().with_topic(topic_name(topic)).with_partitions(partitions)
        });
        let message = ConsumerProtocolSubscription::default()
            .with_topics(self.topics.iter().map(text).collect())
            .with_user_data(self.user_data.clone())
            .with_owned_partitions(owned.collect())
            .with_generation_id(self.generation)
            .with_rack_id(self.rack.as_ref().map(text));
        behind_version(&message)
    }

    /// What another member has sent, in any version.
    ///
    /// # Errors
    /// `Fatal` when it is no subscription.
    pub(crate) fn decode(bytes: Bytes) -> Result<Self> {
        Self::read(bytes).ok_or_else(|| Error::fatal("a member's subscription cannot be read: it ends too early"))
    }

    fn read(mut bytes: Bytes) -> Option<Self> {
        let version = version_of(&mut bytes)?;
        let topics = list(&mut bytes, text)?;
        let user_data = data(&mut bytes)?;
        let owned = if version >= 1 { partitions_in(&mut bytes)? } else { Vec::new() };
        let generation = if version >= 2 { bytes.try_get_i32().ok()? } else { told_beside(user_data.as_ref()) };
        let rack = if version >= 3 { nullable_text(&mut bytes)? } else { None };
        Some(Self { topics, owned, generation, rack, user_data })
    }
}

/// Before version 2 Java's cooperative assignor tells the generation in four bytes beside the subscription.
fn told_beside(user_data: Option<&Bytes>) -> i32 {
    let told = user_data.and_then(|bytes| Some(i32::from_be_bytes(bytes.as_ref().try_into().ok()?)));
    told.unwrap_or(NO_GENERATION)
}

/// What the leader sends to a member.
pub(crate) fn assignment_message(partitions: &[TopicPartition]) -> Bytes {
    let assigned = by_topic(partitions).into_iter().map(|(topic, partitions)| {
        AssignedPartitions::default().with_topic(topic_name(topic)).with_partitions(partitions)
    });
    behind_version(&ConsumerProtocolAssignment::default().with_assigned_partitions(assigned.collect()))
}

/// What the leader has given to this member; nothing, where it has sent nothing.
///
/// # Errors
/// `Fatal` when it is no assignment.
pub(crate) fn assignment_of(mut bytes: Bytes) -> Result<Vec<TopicPartition>> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let read = version_of(&mut bytes).and_then(|_| partitions_in(&mut bytes));
    let mut partitions =
        read.ok_or_else(|| Error::fatal("the assignment of the group's leader cannot be read: it ends too early"))?;
    partitions.sort_unstable();
    partitions.dedup();
    Ok(partitions)
}

/// A version that is not known yet begins as the latest that is.
fn version_of(bytes: &mut Bytes) -> Option<i16> {
    if bytes.len() < 2 {
        return None;
    }
    let version = bytes.get_i16();
    (version >= 0).then_some(version.min(LATEST))
}

/// The elements of an array. What others send is not believed: its length reserves no memory.
fn list<T>(bytes: &mut Bytes, element: impl Fn(&mut Bytes) -> Option<T>) -> Option<Vec<T>> {
    let length = bytes.try_get_i32().ok()?;
    let mut elements = Vec::new();
    for _ in 0..length {
        elements.push(element(bytes)?);
    }
    Some(elements)
}

fn partitions_in(bytes: &mut Bytes) -> Option<Vec<TopicPartition>> {
    let topics = list(bytes, |bytes| Some((text(bytes)?, list(bytes, |bytes| bytes.try_get_i32().ok())?)))?;
    let of = |(topic, numbers): &(String, Vec<i32>)| {
        let topic: Arc<str> = topic.as_str().into();
        numbers.iter().map(|number| TopicPartition::new(Arc::clone(&topic), *number)).collect::<Vec<_>>()
    };
    Some(topics.iter().flat_map(of).collect())
}

fn text(bytes: &mut Bytes) -> Option<String> {
    nullable_text(bytes)?
}

/// Outside: whether it can be read; inside: null.
fn nullable_text(bytes: &mut Bytes) -> Option<Option<String>> {
    let length = bytes.try_get_i16().ok()?;
    let Ok(length) = usize::try_from(length) else { return Some(None) };
    let text = (length <= bytes.len()).then(|| bytes.split_to(length))?;
    String::from_utf8(text.to_vec()).ok().map(Some)
}

fn data(bytes: &mut Bytes) -> Option<Option<Bytes>> {
    let length = bytes.try_get_i32().ok()?;
    let Ok(length) = usize::try_from(length) else { return Some(None) };
    (length <= bytes.len()).then(|| Some(bytes.split_to(length)))
}

fn behind_version(message: &impl Encodable) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(LATEST);
    message.encode(&mut bytes, LATEST).expect("names of topics and lists are shorter than the broker lets them be");
    bytes.freeze()
}

fn by_topic(partitions: &[TopicPartition]) -> BTreeMap<&str, Vec<i32>> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for partition in partitions {
        topics.entry(&partition.topic).or_default().push(partition.partition);
    }
    topics
}

fn topic_name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}
