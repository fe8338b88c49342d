//! What the answer about one partition means.

use std::time::Instant;

use bytes::Bytes;
use kafka_protocol::error::{ParseResponseErrorCode, ResponseError};
use kafka_protocol::messages::fetch_response::{EpochEndOffset, PartitionData};
use rdkafka::types::{RDKafkaErrorCode as Code, RDKafkaRespErr};
use tracing::{debug, warn};
use volley_api::{Error, TopicPartition};

use super::batch_headers::BatchHeaders;
use super::partition::NearbyReplica;
use super::session::Asked;
use super::settings::NativeSettings;
use super::shared::{FetchedPartition, State};
use crate::broker_error;
use crate::records::AbortedTransaction;

/// What the answer says of who is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Leaders {
    /// The same broker.
    Known,
    /// Another one, which is known.
    Moved,
    /// It has to be found out.
    Outdated,
}

/// Takes the answer of `broker` about a partition into the state, unless the partition has moved on meanwhile.
pub(super) fn take(
    state: &mut State,
    settings: &NativeSettings,
    broker: i32,
    (name, asked): (&TopicPartition, &Asked),
    data: PartitionData,
) -> Leaders {
    let Some(partition) = state.partitions.get_mut(name) else { return Leaders::Known };
    if partition.generation != asked.generation || partition.fetch_offset != asked.offset {
        return Leaders::Known;
    }
    let is_leader = partition.leader.is_some_and(|leader| leader.broker == broker);
    let is_nearby = partition.nearby.is_some_and(|nearby| nearby.broker == broker);
    if !is_leader && !is_nearby && data.records.as_ref().is_none_or(Bytes::is_empty) {
        // it was asked while it led: what it thinks of the partition now says nothing
        return Leaders::Known;
    }
    if let Some(error) = data.error_code.err() {
        return take_error(state, settings, broker, (name, asked), error);
    }
    if data.diverging_epoch.end_offset >= 0 && data.diverging_epoch.epoch >= 0 {
        truncate(state, (name, asked), &data.diverging_epoch);
        return Leaders::Known;
    }
    if data.preferred_read_replica.0 >= 0 {
        let nearby = data.preferred_read_replica.0;
        if !state.brokers.contains_key(&nearby) {
            return Leaders::Outdated;
        }
        debug!(partition = %name, nearby, "the leader names a replica to fetch from");
        partition.nearby = Some(NearbyReplica { broker: nearby, until: Instant::now() + settings.metadata_age });
        return Leaders::Moved;
    }
    if let Some(records) = data.records.filter(|records| !records.is_empty()) {
        let aborted = data.aborted_transactions.unwrap_or_default().into_iter().map(|transaction| AbortedTransaction {
            producer_id: transaction.producer_id.0,
            first_offset: transaction.first_offset,
        });
        take_records(state, settings, (name, asked), records, aborted.collect());
    }
    Leaders::Known
}

fn take_records(
    state: &mut State,
    settings: &NativeSettings,
    (name, asked): (&TopicPartition, &Asked),
    records: Bytes,
    aborted: Vec<AbortedTransaction>,
) {
    let Some(partition) = state.partitions.get_mut(name) else { return };
    let headers = BatchHeaders::read(&records);
    match headers.next_offset {
        Some(next) if next > asked.offset => {
            partition.fetch_offset = next;
            partition.fetched_epoch = headers.leader_epoch.unwrap_or(-1);
            partition.max_bytes = None;
            partition.not_before = None;
        }
        Some(_) => {
            // nothing new in it: asked again at once, the answer would be the same
            partition.not_before = Some(Instant::now() + settings.connection.retry_backoff);
            return;
        }
        None if headers.is_malformed || asked.max_bytes == i32::MAX => {
            partition.not_before = Some(Instant::now() + settings.connection.retry_backoff);
            let error =
                format!("could not read {name} from offset {} on: what the broker sends is no batch", asked.offset);
            state.refuse(Error::data(error));
            return;
        }
        None => {
            let limit = asked.max_bytes.saturating_mul(2);
            debug!(partition = %name, limit, "a batch is larger than `max.partition.fetch.bytes`, asking for more");
            partition.max_bytes = Some(limit);
            return;
        }
    }
    state.waiting_bytes += records.len();
    state.fetched.push_back(FetchedPartition {
        partition: name.clone(),
        generation: asked.generation,
        offset: asked.offset,
        records,
        aborted,
    });
}

fn take_error(
    state: &mut State,
    settings: &NativeSettings,
    broker: i32,
    (name, asked): (&TopicPartition, &Asked),
    error: ResponseError,
) -> Leaders {
    let Some(partition) = state.partitions.get_mut(name) else { return Leaders::Known };
    let was_nearby = partition.nearby.take_if(|nearby| nearby.broker == broker).is_some();
    let leaders = if was_nearby { Leaders::Moved } else { Leaders::Known };
    partition.not_before = Some(Instant::now() + settings.connection.retry_backoff);
    match error {
        // a replica may be behind its leader
        ResponseError::OffsetOutOfRange if was_nearby => leaders,
        // the leader may not know the epoch any more of what was fetched last
        ResponseError::OffsetOutOfRange if asked.fetched_epoch >= 0 => {
            partition.fetched_epoch = -1;
            Leaders::Known
        }
        ResponseError::OffsetOutOfRange => {
            partition.is_out_of_range = true;
            state.out_of_range.insert(name.clone(), asked.offset);
            Leaders::Known
        }
        ResponseError::NotLeaderOrFollower
        | ResponseError::FencedLeaderEpoch
        | ResponseError::UnknownLeaderEpoch
        | ResponseError::LeaderNotAvailable
        | ResponseError::ReplicaNotAvailable
        | ResponseError::OffsetNotAvailable
        | ResponseError::KafkaStorageError
        | ResponseError::UnknownTopicOrPartition
        | ResponseError::UnknownTopicId
        | ResponseError::InconsistentTopicId => {
            debug!(partition = %name, broker, ?error, "the broker does not lead the partition, asking who does");
            Leaders::Outdated
        }
        error => {
            let refusal = refusal(name, asked.offset, error);
            match refusal.is_retriable() {
                true => warn!(partition = %name, broker, ?error, "could not fetch from a partition, retrying"),
                false => state.refuse(refusal),
            }
            leaders
        }
    }
}

/// The error of the broker, with what cannot be fetched.
pub(super) fn refusal(partition: &TopicPartition, offset: i64, error: ResponseError) -> Error {
    if error == ResponseError::CorruptMessage {
        return Error::data(format!(
            "could not fetch {partition} from offset {offset} on: the broker finds its log corrupt there"
        ));
    }
    let code = RDKafkaRespErr::try_from(i32::from(error.code())).map_or(Code::Unknown, Code::from);
    broker_error::from_code(&format!("fetch {partition}"), code)
}

/// The log was cut off before the position, and has other records there now (KIP-320).
fn truncate(state: &mut State, (name, asked): (&TopicPartition, &Asked), diverging: &EpochEndOffset) {
    let end = diverging.end_offset.min(asked.offset);
    warn!(
        partition = %name,
        position = asked.offset,
        end,
        "the log of the partition was truncated, reading goes on where it still was the same"
    );
    let generation = state.next_generation();
    if let Some(partition) = state.partitions.get_mut(name) {
        partition.truncate(generation, end, diverging.epoch);
    }
    state.drop_void();
}
