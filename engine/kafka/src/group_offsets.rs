//! Offsets of groups that one is no member of: all of them in one answer, and forgetting single ones, for neither of which
//! librdkafka has a call.

use std::time::Duration;

use kafka_protocol::error::{ParseResponseErrorCode, ResponseError};
use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{
    GroupId, OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse, OffsetFetchRequest,
    OffsetFetchResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use volley_api::{ConfigMap, Error, Offsets, Result, TopicPartition};

use crate::group::refusal;
use crate::questions::{CoordinatorAnswer, Questions, not_ready};
use crate::wire::Connection;

const HAS_MEMBERS: &str = "org.apache.kafka.common.errors.GroupSubscribedToTopicException";

/// Asks coordinators. Blocks the calling thread.
#[derive(Debug)]
pub(crate) struct GroupOffsets(Questions);

impl GroupOffsets {
    /// For the cluster that `properties` name; an answer is waited for up to `timeout`.
    pub(crate) fn new(properties: &ConfigMap, timeout: Duration) -> Result<Self> {
        Questions::new(properties, timeout).map(Self)
    }

    /// All committed offsets of a group; none if there is no such group.
    pub(crate) fn all(&self, group: &str) -> Result<Offsets> {
        self.0.ask_coordinator(group, async |connection| self.fetch(connection, group).await)
    }

    async fn fetch(&self, connection: &mut Connection, group: &str) -> Result<CoordinatorAnswer<Offsets>> {
        let request = |version| fetch_request(group, version);
        let response = connection.call(self.0.within(), request).await?;
        let committed = committed_in(response);
        match committed.error {
            None => Ok(Ok(committed.offsets)),
            Some(ResponseError::GroupIdNotFound) => Ok(Ok(Offsets::new())),
            Some(error) => not_ready(error).ok_or_else(|| refusal("read the offsets of", group, error)).map(Err),
        }
    }

    /// Sets committed offsets of a group without members, all in one request.
    pub(crate) fn set(&self, group: &str, offsets: &Offsets) -> Result<()> {
        let asked = self.0.ask_coordinator(group, async |connection| {
            let request = commit_request(group, offsets);
            let response = connection.call(self.0.within(), |_| request).await?;
            commit_outcome(group, &response)
        });
        asked.flatten()
    }

    /// Forgets the committed offsets of some partitions of a group, all in one request. It is no error if there are none.
    pub(crate) fn remove(&self, group: &str, partitions: &[TopicPartition]) -> Result<()> {
        self.0.ask_coordinator(group, async |connection| self.delete(connection, group, partitions).await).flatten()
    }

    /// That the group has members is an answer, not a reason to ask again.
    async fn delete(
        &self,
        connection: &mut Connection,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<CoordinatorAnswer<Result<()>>> {
        let request = delete_request(group, partitions);
        let response = connection.call(self.0.within(), |_| request).await?;
        match response.error_code.err() {
            None => Ok(Ok(partition_errors(group, &response))),
            Some(ResponseError::GroupIdNotFound) => Ok(Ok(Ok(()))),
            Some(ResponseError::NonEmptyGroup) => Ok(Ok(Err(has_members(group)))),
            Some(error) => not_ready(error).ok_or_else(|| refusal("forget offsets of", group, error)).map(Err),
        }
    }
}

/// As one who is no member commits.
fn commit_request(group: &str, offsets: &Offsets) -> OffsetCommitRequest {
    let mut topics: Vec<OffsetCommitRequestTopic> = Vec::new();
    for (partition, offset) in offsets {
        let committed = OffsetCommitRequestPartition::default()
            .with_partition_index(partition.partition)
            .with_committed_offset(*offset)
            .with_committed_metadata(Some(StrBytes::default()));
        match topics.iter_mut().find(|topic| topic.name.as_str() == &*partition.topic) {
            Some(topic) => topic.partitions.push(committed),
            None => topics.push(
                OffsetCommitRequestTopic::default()
                    .with_name(TopicName(StrBytes::from_string(partition.topic.to_string())))
                    .with_partitions(vec![committed]),
            ),
        }
    }
    OffsetCommitRequest::default()
        .with_group_id(group_id(group))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(topics)
}

/// That the group has members is an answer, not a reason to ask again.
fn commit_outcome(group: &str, response: &OffsetCommitResponse) -> Result<CoordinatorAnswer<Result<()>>> {
    use ResponseError::{IllegalGeneration, NonEmptyGroup, RebalanceInProgress, UnknownMemberId};
    let mut partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    match partitions.find_map(|partition| partition.error_code.err()) {
        None => Ok(Ok(Ok(()))),
        Some(UnknownMemberId | IllegalGeneration | RebalanceInProgress | NonEmptyGroup) => {
            Ok(Ok(Err(Error::retriable(format!("could not set offsets of group {group}: it has members")))))
        }
        Some(error) => not_ready(error).ok_or_else(|| refusal("set the offsets of", group, error)).map(Err),
    }
}

fn has_members(group: &str) -> Error {
    Error::retriable(format!("could not forget offsets of group {group}: it has members")).with_exception(HAS_MEMBERS)
}

fn group_id(group: &str) -> GroupId {
    GroupId(StrBytes::from_string(group.to_owned()))
}

fn fetch_request(group: &str, version: i16) -> OffsetFetchRequest {
    // No list of topics stands for all of them.
    match version {
        ..=7 => OffsetFetchRequest::default().with_group_id(group_id(group)).with_topics(None),
        _ => OffsetFetchRequest::default()
            .with_groups(vec![OffsetFetchRequestGroup::default().with_group_id(group_id(group)).with_topics(None)]),
    }
}

struct Committed {
    error: Option<ResponseError>,
    offsets: Offsets,
}

/// Since version 8 there is a list of groups.
fn committed_in(response: OffsetFetchResponse) -> Committed {
    let mut offsets = Offsets::new();
    let mut take = |topic: &TopicName, partition: i32, offset: i64, error: i16| {
        if offset >= 0 && error == 0 {
            offsets.insert(TopicPartition::new(topic.as_str(), partition), offset);
        }
    };
    for topic in &response.topics {
        for found in &topic.partitions {
            take(&topic.name, found.partition_index, found.committed_offset, found.error_code);
        }
    }
    let group = response.groups.into_iter().next();
    for topic in group.iter().flat_map(|group| &group.topics) {
        for found in &topic.partitions {
            take(&topic.name, found.partition_index, found.committed_offset, found.error_code);
        }
    }
    let code = group.map_or(response.error_code, |group| group.error_code);
    Committed { error: code.err(), offsets }
}

fn delete_request(group: &str, partitions: &[TopicPartition]) -> OffsetDeleteRequest {
    let mut topics: Vec<OffsetDeleteRequestTopic> = Vec::new();
    for partition in partitions {
        let index = OffsetDeleteRequestPartition::default().with_partition_index(partition.partition);
        match topics.iter_mut().find(|topic| topic.name.as_str() == &*partition.topic) {
            Some(topic) => topic.partitions.push(index),
            None => topics.push(
                OffsetDeleteRequestTopic::default()
                    .with_name(TopicName(StrBytes::from_string(partition.topic.to_string())))
                    .with_partitions(vec![index]),
            ),
        }
    }
    OffsetDeleteRequest::default().with_group_id(group_id(group)).with_topics(topics)
}

fn partition_errors(group: &str, response: &OffsetDeleteResponse) -> Result<()> {
    for topic in &response.topics {
        for partition in &topic.partitions {
            match partition.error_code.err() {
                None => {}
                Some(ResponseError::GroupSubscribedToTopic) => return Err(has_members(group)),
                Some(error) => {
                    return Err(Error::config(format!(
                        "could not forget the offset of {}-{} of group {group}: the broker says {error:?}",
                        topic.name.as_str(),
                        partition.partition_index
                    )));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::messages::offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic};
    use kafka_protocol::messages::offset_fetch_response::{
        OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
        OffsetFetchResponseTopic, OffsetFetchResponseTopics,
    };
    use kafka_protocol::protocol::Encodable;

    use super::*;

    #[test]
    fn all_offsets_can_be_asked_for_in_every_version_that_can() {
        for version in 2..=9 {
            fetch_request("g", version).encode(&mut BytesMut::new(), version).unwrap();
        }
    }

    #[test]
    fn a_group_with_members_is_not_asked_again() {
        let answered = |error: ResponseError| {
            let partition = OffsetCommitResponsePartition::default().with_error_code(error.code());
            let topic = OffsetCommitResponseTopic::default().with_partitions(vec![partition]);
            commit_outcome("g", &OffsetCommitResponse::default().with_topics(vec![topic]))
        };
        for error in [ResponseError::UnknownMemberId, ResponseError::RebalanceInProgress] {
            let refused = answered(error).unwrap().unwrap().unwrap_err();
            assert!(refused.is_retriable() && refused.to_string().contains("has members"), "{refused}");
        }
        assert!(answered(ResponseError::NotCoordinator).unwrap().is_err(), "asked again");
        assert!(!answered(ResponseError::GroupAuthorizationFailed).unwrap_err().is_retriable());
    }

    #[test]
    fn answers_of_old_and_new_versions_read_alike() {
        let name = || TopicName(StrBytes::from_static_str("t"));
        let old = [(0, 5), (1, -1)].map(|(index, offset)| {
            OffsetFetchResponsePartition::default().with_partition_index(index).with_committed_offset(offset)
        });
        let old = OffsetFetchResponseTopic::default().with_name(name()).with_partitions(old.into());
        let new = [(0, 5), (1, -1)].map(|(index, offset)| {
            OffsetFetchResponsePartitions::default().with_partition_index(index).with_committed_offset(offset)
        });
        let new = OffsetFetchResponseTopics::default().with_name(name()).with_partitions(new.into());
        let new = OffsetFetchResponseGroup::default().with_topics(vec![new]);
        let expected = Offsets::from([(TopicPartition::new("t", 0), 5)]);
        assert_eq!(committed_in(OffsetFetchResponse::default().with_topics(vec![old])).offsets, expected);
        assert_eq!(committed_in(OffsetFetchResponse::default().with_groups(vec![new])).offsets, expected);
        let refused = OffsetFetchResponseGroup::default().with_error_code(ResponseError::NotCoordinator.code());
        let refused = committed_in(OffsetFetchResponse::default().with_groups(vec![refused]));
        assert_eq!(refused.error, Some(ResponseError::NotCoordinator));
    }
}
