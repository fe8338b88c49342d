//! The committed offsets of the group: reads and writes them at its coordinator.

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka_protocol::error::{ParseResponseErrorCode, ResponseError};
use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::{GroupId, OffsetCommitRequest, OffsetFetchRequest, OffsetFetchResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use volley_api::{Error, GroupMetadata, OffsetMetadata, Offsets, Result, TopicPartition};

use super::cluster::{Cluster, error_in};
use crate::broker_error;
use crate::questions::code_of;

/// The highest versions that name topics, and do not give their ids.
const NAMES: i16 = 9;

/// The first version of OffsetFetch with a list of groups, and the first that can leave out what a transaction has not committed yet.
const GROUPS: i16 = 8;
const STABLE: i16 = 7;

/// The first versions of OffsetCommit with static members, and with epochs of leaders.
const STATIC: i16 = 7;

/// One attempt to commit. The inner error is an answer, which another attempt does not change.
pub(super) async fn commit(
    cluster: &Cluster,
    who: &GroupMetadata,
    offsets: &Offsets,
    metadata: &OffsetMetadata,
) -> Result<Result<()>> {
    let coordinator = cluster.coordinator().await?;
    let request = |version| commit_request(who, offsets, metadata, version);
    let response = cluster.call(&coordinator, NAMES, request).await.inspect_err(|_| cluster.forget_coordinator())?;
    let mut partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    let Some(error) = partitions.find_map(|partition| partition.error_code.err()) else { return Ok(Ok(())) };
    let told = broker_error::from_code("commit offsets", code_of(error.code()));
    match error {
        ResponseError::NotCoordinator | ResponseError::CoordinatorNotAvailable => {
            cluster.forget_coordinator();
            Err(told)
        }
        ResponseError::CoordinatorLoadInProgress
        | ResponseError::UnknownTopicOrPartition
        | ResponseError::RequestTimedOut => Err(told),
        ResponseError::RebalanceInProgress | ResponseError::IllegalGeneration | ResponseError::UnknownMemberId => {
            Ok(Err(Error::retriable(format!(
                "could not commit offsets of group {}: {}",
                cluster.group(),
                if error == ResponseError::RebalanceInProgress {
                    "it is rebalancing"
                } else {
                    "it has gone on without this member"
                }
            ))
            .with_exception("org.apache.kafka.clients.consumer.CommitFailedException")))
        }
        _ => Ok(Err(told)),
    }
}

fn commit_request(
    who: &GroupMetadata,
    offsets: &Offsets,
    metadata: &OffsetMetadata,
    version: i16,
) -> OffsetCommitRequest {
    let mut topics: BTreeMap<&Arc<str>, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
    for (partition, offset) in offsets {
        let committed = OffsetCommitRequestPartition::default()
            .with_partition_index(partition.partition)
            .with_committed_offset(*offset)
            .with_committed_metadata(Some(StrBytes::from_string(metadata.get(partition).cloned().unwrap_or_default())));
        topics.entry(&partition.topic).or_default().push(committed);
    }
    let topics = topics.into_iter().map(|(topic, partitions)| {
        OffsetCommitRequestTopic::default().with_name(topic_name(topic)).with_partitions(partitions)
    });
    let request = OffsetCommitRequest::default()
        .with_group_id(group_id(&who.group_id))
        .with_generation_id_or_member_epoch(who.generation)
        .with_member_id(StrBytes::from_string(who.member_id.clone()))
        .with_topics(topics.collect());
    match &who.instance_id {
        Some(instance) if version >= STATIC => {
            request.with_group_instance_id(Some(StrBytes::from_string(instance.clone())))
        }
        _ => request,
    }
}

/// One attempt to read what is committed; partitions without an offset are left out. With `stable` it fails while a transaction
/// that commits offsets is open.
pub(super) async fn committed(cluster: &Cluster, partitions: &[TopicPartition], stable: bool) -> Result<Offsets> {
    let coordinator = cluster.coordinator().await?;
    let request = |version| fetch_request(cluster.group(), partitions, stable, version);
    let response = cluster.call(&coordinator, NAMES, request).await.inspect_err(|_| cluster.forget_coordinator())?;
    offsets_in(response).inspect_err(|error| {
        if broker_error::is_coordinator_moving(error) {
            cluster.forget_coordinator();
        }
    })
}

fn fetch_request(group: &str, partitions: &[TopicPartition], stable: bool, version: i16) -> OffsetFetchRequest {
    let mut topics: BTreeMap<&Arc<str>, Vec<i32>> = BTreeMap::new();
    for partition in partitions {
        topics.entry(&partition.topic).or_default().push(partition.partition);
    }
    let topics = topics.into_iter();
    let request = OffsetFetchRequest::default().with_require_stable(stable && version >= STABLE);
    if version >= GROUPS {
        let topics = topics.map(|(topic, numbers)| {
            OffsetFetchRequestTopics::default().with_name(topic_name(topic)).with_partition_indexes(numbers)
        });
        let asked =
            OffsetFetchRequestGroup::default().with_group_id(group_id(group)).with_topics(Some(topics.collect()));
        return request.with_groups(vec![asked]);
    }
    let topics = topics.map(|(topic, numbers)| {
        OffsetFetchRequestTopic::default().with_name(topic_name(topic)).with_partition_indexes(numbers)
    });
    request.with_group_id(group_id(group)).with_topics(Some(topics.collect()))
}

fn offsets_in(response: OffsetFetchResponse) -> Result<Offsets> {
    const ACTION: &str = "read committed offsets";
    let group = response.groups.first();
    if let Some(error) = error_in(group.map_or(response.error_code, |group| group.error_code), ACTION) {
        return Err(error);
    }
    let old = response.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|p| (&topic.name, p.partition_index, p.committed_offset, p.error_code))
    });
    let new = group.iter().flat_map(|group| &group.topics).flat_map(|topic| {
        topic.partitions.iter().map(|p| (&topic.name, p.partition_index, p.committed_offset, p.error_code))
    });
    let mut offsets = Offsets::new();
    for (topic, number, offset, code) in old.chain(new) {
        let partition = TopicPartition::new(topic.as_str(), number);
        if let Some(error) = error_in(code, &format!("read the committed offset of {partition}")) {
            return Err(error);
        }
        if offset >= 0 {
            offsets.insert(partition, offset);
        }
    }
    Ok(offsets)
}

fn group_id(group: &str) -> GroupId {
    GroupId(StrBytes::from_string(group.to_owned()))
}

fn topic_name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::messages::offset_fetch_response::{
        OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
    };
    use kafka_protocol::protocol::Encodable;

    use super::*;

    #[test]
    fn requests_can_be_encoded_in_every_version() {
        let partition = TopicPartition::new("t", 3);
        let offsets = Offsets::from([(partition.clone(), 5)]);
        let (group_id, member_id, instance_id) = ("g".to_owned(), "m".to_owned(), Some("i".to_owned()));
        let who = GroupMetadata { group_id, generation: 3, member_id, instance_id };
        let metadata = OffsetMetadata::from([(partition.clone(), "mark".to_owned())]);
        for version in 2..=NAMES {
            commit_request(&who, &offsets, &metadata, version).encode(&mut BytesMut::new(), version).unwrap();
        }
        for version in 1..=NAMES {
            let request = fetch_request("g", std::slice::from_ref(&partition), true, version);
            request.encode(&mut BytesMut::new(), version).unwrap();
        }
    }

    #[test]
    fn an_error_of_one_partition_is_one_of_all_and_no_offset_is_none() {
        let answer = |codes: [i16; 2]| {
            let partitions = (0..).zip(codes).map(|(number, code)| {
                let offset = if number == 0 { 7 } else { -1 };
                OffsetFetchResponsePartitions::default()
                    .with_partition_index(number)
                    .with_committed_offset(offset)
                    .with_error_code(code)
            });
            let topic =
                OffsetFetchResponseTopics::default().with_name(topic_name("t")).with_partitions(partitions.collect());
            let group = OffsetFetchResponseGroup::default().with_topics(vec![topic]);
            offsets_in(OffsetFetchResponse::default().with_groups(vec![group]))
        };
        assert_eq!(answer([0, 0]).unwrap(), Offsets::from([(TopicPartition::new("t", 0), 7)]));
        let error = answer([0, ResponseError::UnstableOffsetCommit.code()]).unwrap_err();
        assert!(error.is_retriable() && error.to_string().contains("t-1"), "{error}");
        assert!(!answer([ResponseError::TopicAuthorizationFailed.code(), 0]).unwrap_err().is_retriable());
    }
}
