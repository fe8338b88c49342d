//! Reads the first and the end offsets of partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;
use rdkafka::{Offset, TopicPartitionList};
use volley_api::{Error, Offsets, Result, TopicPartition};

use super::consumer_events::{NativeConsumer, list_of};
use crate::broker_error;
use crate::connection::Connection;

/// How long each broker may take by itself, once one of all of them has not answered in time.
const EACH_TIMEOUT: Duration = Duration::from_secs(2);

/// Offsets of partitions, as far as they are known at the moment.
#[derive(Debug, Default)]
pub(crate) struct KnownOffsets {
    pub(crate) offsets: Offsets,
    /// The reason why others are unknown, for one of them: mostly it has no leader.
    pub(crate) trouble: Option<Error>,
}

/// The first (`Offset::Beginning`) or the next (`Offset::End`) offset of each partition: one request to each broker. A number
/// (`Offset::Offset`) is a time, and asks for the first record of then or later; where there is none, the answer is `i64::MAX`.
///
/// # Errors
/// `Retriable` when a broker does not answer in time; `Config` when it refuses.
pub(crate) fn list_offsets(
    consumer: &NativeConsumer,
    connection: &Connection,
    partitions: &[TopicPartition],
    which: Offset,
    timeout: Duration,
) -> Result<Offsets> {
    let known = list_known_offsets(consumer, connection, partitions, which, timeout)?;
    known.trouble.map_or(Ok(known.offsets), Err)
}

/// The same, without the partitions whose offset is not known at the moment.
///
/// # Errors
/// As [`list_offsets`].
pub(crate) fn list_known_offsets(
    consumer: &NativeConsumer,
    connection: &Connection,
    partitions: &[TopicPartition],
    which: Offset,
    timeout: Duration,
) -> Result<KnownOffsets> {
    if partitions.is_empty() {
        return Ok(KnownOffsets::default());
    }
    // Kafka's ListOffsets takes -2 and -1 for a timestamp, and answers with the first and the next offset.
    let mut list = list_of(partitions);
    list.set_all_offsets(which).map_err(|error| broker_error::from_client("ask for offsets", &error))?;
    let outcome = consumer.offsets_for_times(list, timeout);
    if let Err(KafkaError::MetadataFetch(Code::UnknownPartition)) = &outcome {
        // the error where none of them has a leader
        let trouble = Error::retriable(format!("could not read the offsets of {}: no leader", partitions[0]));
        return Ok(KnownOffsets { offsets: Offsets::new(), trouble: Some(trouble) });
    }
    // librdkafka keeps what other brokers have answered to itself when one does not answer
    if let Err(KafkaError::MetadataFetch(Code::OperationTimedOut | Code::BrokerTransportFailure)) = &outcome
        && let Some(groups) = groups_by_leader(consumer, partitions)
    {
        let mut known = KnownOffsets::default();
        for group in groups {
            match list_known_offsets(consumer, connection, &group, which, timeout.min(EACH_TIMEOUT)) {
                Ok(found) => {
                    known.offsets.extend(found.offsets);
                    known.trouble = known.trouble.or(found.trouble);
                }
                Err(error) if error.is_retriable() => known.trouble = Some(error),
                Err(error) => return Err(error),
            }
        }
        return Ok(known);
    }
    let list = connection.outcome("read the partitions' offsets", outcome)?;
    known_in(&list, partitions, matches!(which, Offset::Offset(_)))
}

/// The partitions of each leader; `None` if all have the same, or no broker says who leads.
fn groups_by_leader(consumer: &NativeConsumer, partitions: &[TopicPartition]) -> Option<Vec<Vec<TopicPartition>>> {
    let topics: BTreeSet<&str> = partitions.iter().map(|partition| &*partition.topic).collect();
    let mut leaders = BTreeMap::new();
    for topic in topics {
        let metadata = consumer.fetch_metadata(Some(topic), EACH_TIMEOUT).ok()?;
        let found = metadata.topics().iter().find(|found| found.name() == topic)?;
        leaders.extend(found.partitions().iter().map(|partition| ((topic, partition.id()), partition.leader())));
    }
    let mut groups = BTreeMap::<i32, Vec<TopicPartition>>::new();
    for partition in partitions {
        let leader = leaders.get(&(&*partition.topic, partition.partition)).copied().unwrap_or(-1);
        groups.entry(leader).or_default().push(partition.clone());
    }
    (groups.len() > 1).then(|| groups.into_values().collect())
}

fn known_in(list: &TopicPartitionList, partitions: &[TopicPartition], is_of_time: bool) -> Result<KnownOffsets> {
    let mut known = KnownOffsets::default();
    for element in list.elements() {
        let partition = TopicPartition::new(element.topic(), element.partition());
        let problem = |error| broker_error::from_client(&format!("read the offsets of {partition}"), &error);
        match (element.error().map_err(problem), element.offset()) {
            (Err(error), _) if error.is_retriable() => known.trouble = Some(error),
            (Err(error), _) => return Err(error),
            (Ok(()), Offset::Offset(offset)) => {
                known.offsets.insert(partition, offset);
            }
            (Ok(()), Offset::End) if is_of_time => {
                known.offsets.insert(partition, i64::MAX);
            }
            (Ok(()), _) => {}
        }
    }
    let mut missing = partitions.iter().filter(|partition| !known.offsets.contains_key(partition));
    if known.trouble.is_none()
        && let Some(partition) = missing.next()
    {
        known.trouble = Some(Error::retriable(format!("the broker did not say the offsets of {partition}")));
    }
    Ok(known)
}
