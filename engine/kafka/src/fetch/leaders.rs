//! Who leads the assigned partitions, as a broker's answer to Metadata says.

use std::collections::BTreeSet;
use std::sync::Arc;

use kafka_protocol::error::{ParseResponseErrorCode, ResponseError};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{MetadataRequest, MetadataResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use tracing::{debug, warn};
use uuid::Uuid;
use volley_api::TopicPartition;

use super::partition::Leader;
use super::partition_answer::refusal;
use super::shared::State;
use crate::wire::Address;

/// Asks for the topics of all assigned partitions; `None` if there are none.
pub(super) fn request(state: &State) -> Option<MetadataRequest> {
    let topics: BTreeSet<&Arc<str>> = state.partitions.keys().map(|partition| &partition.topic).collect();
    let topic = |topic: &&Arc<str>| {
        MetadataRequestTopic::default().with_name(Some(TopicName(StrBytes::from_string(topic.to_string()))))
    };
    let topics: Vec<_> = topics.iter().map(topic).collect();
    let request = || MetadataRequest::default().with_topics(Some(topics.clone())).with_allow_auto_topic_creation(false);
    (!topics.is_empty()).then(request)
}

/// Takes an answer into the state. Returns whether every partition has a leader now.
pub(super) fn take(state: &mut State, response: MetadataResponse) -> bool {
    let address = |broker: &kafka_protocol::messages::metadata_response::MetadataResponseBroker| {
        Some((broker.node_id.0, Address::new(&broker.host, broker.port)?))
    };
    state.brokers = response.brokers.iter().filter_map(address).collect();
    for topic in response.topics {
        let Some(name) = topic.name.as_ref().map(|name| Arc::<str>::from(name.as_str())) else { continue };
        match topic.error_code.err() {
            None => take_topic(state, &name, &topic),
            Some(ResponseError::LeaderNotAvailable) => take_topic(state, &name, &topic),
            Some(ResponseError::UnknownTopicOrPartition | ResponseError::UnknownTopicId) => {
                if state.missing.insert(Arc::clone(&name)) {
                    warn!(topic = &*name, "the topic does not exist, its partitions wait for it");
                }
                lose_leaders(state, &name);
                // the next topic of this name begins its epochs anew
                let of_topic = state.partitions.iter_mut().filter(|(partition, _)| partition.topic == name);
                of_topic.for_each(|(_, partition)| partition.known_epoch = -1);
            }
            Some(error) => {
                let error = refusal(&TopicPartition::new(Arc::clone(&name), 0), 0, error);
                if !error.is_retriable() {
                    state.refuse(error);
                }
                lose_leaders(state, &name);
            }
        }
    }
    let brokers = &state.brokers;
    for partition in state.partitions.values_mut() {
        partition.nearby.take_if(|nearby| !brokers.contains_key(&nearby.broker));
    }
    state
        .partitions
        .values()
        .all(|partition| partition.leader.is_some_and(|leader| brokers.contains_key(&leader.broker)))
}

fn take_topic(state: &mut State, name: &Arc<str>, topic: &MetadataResponseTopic) {
    if state.retired_ids.contains(&topic.topic_id) {
        debug!(topic = &**name, "a broker names a topic that was deleted, which is ignored");
        return;
    }
    state.missing.remove(name);
    note_id(state, name, topic.topic_id);
    for answered in &topic.partitions {
        let key = TopicPartition::new(Arc::clone(name), answered.partition_index);
        let Some(partition) = state.partitions.get_mut(&key) else { continue };
        let found = Leader { broker: answered.leader_id.0, epoch: answered.leader_epoch };
        if found.epoch >= 0 && found.epoch < partition.known_epoch {
            debug!(partition = %key, "a broker names an earlier leader of a partition, which is ignored");
            continue;
        }
        let leader = (found.broker >= 0).then_some(found);
        if partition.leader != leader {
            partition.nearby = None;
        }
        partition.leader = leader;
        partition.known_epoch = partition.known_epoch.max(found.epoch);
    }
}

fn lose_leaders(state: &mut State, topic: &str) {
    for (_, partition) in state.partitions.iter_mut().filter(|(name, _)| &*name.topic == topic) {
        (partition.leader, partition.nearby) = (None, None);
    }
}

/// A topic with another id is another topic: what was read of the old one says nothing of where the new one begins.
fn note_id(state: &mut State, topic: &Arc<str>, id: Uuid) {
    let Some(known) = state.topic_ids.insert(Arc::clone(topic), id) else { return };
    if known == id || known.is_nil() || id.is_nil() {
        return;
    }
    warn!(topic = &**topic, "the topic was deleted and made again");
    state.retired_ids.insert(known);
    let names: Vec<_> = state.partitions.keys().filter(|name| name.topic == *topic).cloned().collect();
    for name in names {
        let generation = state.next_generation();
        let Some(partition) = state.partitions.get_mut(&name) else { continue };
        let offset = partition.read_offset;
        partition.drop_waiting(generation);
        (partition.leader, partition.nearby, partition.is_out_of_range) = (None, None, true);
        partition.known_epoch = -1;
        state.out_of_range.insert(name, offset);
    }
    state.drop_void();
}
