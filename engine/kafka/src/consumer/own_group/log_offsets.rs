//! Offsets in the logs of partitions, which their leaders know.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use kafka_protocol::error::{ParseResponseErrorCode, ResponseError};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{BrokerId, ListOffsetsRequest, ListOffsetsResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use rdkafka::Offset;
use tokio::time::timeout;
use volley_api::{Error, Result, TopicPartition};

use super::cluster::{Cluster, error_in};
use crate::consumer::partition_offsets::KnownOffsets;
use crate::wire::Address;

/// The version with epochs of leaders; later ones know more times, which are not asked for.
const VERSION: i16 = 6;
const EPOCHS: i16 = 4;

/// How long one broker may take to answer, while others have.
const EACH: Duration = Duration::from_secs(5);

/// A consumer, and no broker.
const NO_REPLICA: BrokerId = BrokerId(-1);

/// What of each partition is asked for.
fn timestamp(which: Offset) -> i64 {
    match which {
        Offset::Beginning => -2,
        Offset::Offset(time) => time,
        _ => -1,
    }
}

#[derive(Clone, Debug)]
struct Wanted {
    partition: TopicPartition,
    leader_epoch: i32,
}

/// One attempt to ask all leaders: as `list_known_offsets` does with librdkafka.
pub(super) async fn list(
    cluster: &Cluster,
    partitions: &[TopicPartition],
    which: Offset,
    read_committed: bool,
) -> Result<KnownOffsets> {
    let mut known = KnownOffsets::default();
    let leaders = leaders_of(cluster, partitions, &mut known).await?;
    let asked = leaders.iter().map(|(address, wanted)| ask(cluster, address, wanted, timestamp(which), read_committed));
    for answer in join_all(asked).await {
        match answer {
            Ok(response) => take(&mut known, &response, matches!(which, Offset::Offset(_)))?,
            Err(error) if error.is_retriable() => known.trouble = Some(error),
            Err(error) => return Err(error),
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

async fn ask(
    cluster: &Cluster,
    leader: &Address,
    wanted: &[Wanted],
    timestamp: i64,
    read_committed: bool,
) -> Result<ListOffsetsResponse> {
    let request = |version| request(wanted, timestamp, read_committed, version);
    match timeout(EACH, cluster.call(leader, VERSION, request)).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::retriable(format!("broker {leader} did not say offsets within {EACH:?}"))),
    }
}

async fn leaders_of(
    cluster: &Cluster,
    partitions: &[TopicPartition],
    known: &mut KnownOffsets,
) -> Result<Vec<(Address, Vec<Wanted>)>> {
    let mut topics: Vec<_> = partitions.iter().map(|partition| partition.topic.to_string()).collect();
    topics.sort_unstable();
    topics.dedup();
    let metadata = cluster.metadata(Some(topics)).await?;
    let mut leaders = BTreeMap::new();
    for topic in &metadata.topics {
        let Some(name) = &topic.name else { continue };
        match topic.error_code.err() {
            None | Some(ResponseError::LeaderNotAvailable | ResponseError::UnknownTopicOrPartition) => {}
            Some(error) => {
                let action = format!("look up topic {}", name.as_str());
                return Err(error_in(error.code(), &action).unwrap_or_else(|| Error::retriable(action)));
            }
        }
        for partition in topic.partitions.iter().filter(|partition| partition.leader_id.0 >= 0) {
            let leader = (partition.leader_id.0, partition.leader_epoch);
            leaders.insert(TopicPartition::new(name.as_str(), partition.partition_index), leader);
        }
    }
    let mut asked: BTreeMap<i32, (Address, Vec<Wanted>)> = BTreeMap::new();
    for partition in partitions {
        let leader = leaders.get(partition);
        let found = leader.and_then(|(broker, epoch)| Some((*broker, *epoch, cluster.address_of(*broker)?)));
        let Some((broker, leader_epoch, address)) = found else {
            known.trouble = Some(Error::retriable(format!("could not read the offsets of {partition}: no leader")));
            continue;
        };
        let (_, wanted) = asked.entry(broker).or_insert_with(|| (address, Vec::new()));
        wanted.push(Wanted { partition: partition.clone(), leader_epoch });
    }
    Ok(asked.into_values().collect())
}

fn request(wanted: &[Wanted], timestamp: i64, read_committed: bool, version: i16) -> ListOffsetsRequest {
    let mut topics: BTreeMap<&Arc<str>, Vec<ListOffsetsPartition>> = BTreeMap::new();
    for Wanted { partition, leader_epoch } in wanted {
        let asked = ListOffsetsPartition::default().with_partition_index(partition.partition).with_timestamp(timestamp);
        let asked = if version >= EPOCHS { asked.with_current_leader_epoch(*leader_epoch) } else { asked };
        topics.entry(&partition.topic).or_default().push(asked);
    }
    let topics = topics.into_iter().map(|(topic, partitions)| {
        let name = TopicName(StrBytes::from_string(topic.to_string()));
        ListOffsetsTopic::default().with_name(name).with_partitions(partitions)
    });
    let request = ListOffsetsRequest::default().with_replica_id(NO_REPLICA).with_topics(topics.collect());
    if version >= 2 { request.with_isolation_level(i8::from(read_committed)) } else { request }
}

fn take(known: &mut KnownOffsets, response: &ListOffsetsResponse, is_of_time: bool) -> Result<()> {
    for topic in &response.topics {
        for answer in &topic.partitions {
            let partition = TopicPartition::new(topic.name.as_str(), answer.partition_index);
            match error_in(answer.error_code, &format!("read the offsets of {partition}")) {
                Some(error) if error.is_retriable() => known.trouble = Some(error),
                Some(error) => return Err(error),
                // no record is of this time or later
                None if answer.offset < 0 && is_of_time => {
                    known.offsets.insert(partition, i64::MAX);
                }
                None if answer.offset < 0 => {}
                None => {
                    known.offsets.insert(partition, answer.offset);
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::protocol::Encodable;

    use super::*;

    #[test]
    fn requests_can_be_encoded_in_every_version() {
        let wanted = [Wanted { partition: TopicPartition::new("t", 1), leader_epoch: 4 }];
        for version in 1..=VERSION {
            request(&wanted, -1, true, version).encode(&mut BytesMut::new(), version).unwrap();
        }
    }
}
