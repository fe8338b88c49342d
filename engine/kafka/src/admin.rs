//! Administration of a Kafka cluster.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{DeleteGroupsRequest, DeleteTopicsRequest, DescribeConfigsRequest, GroupId, TopicName};
use kafka_protocol::protocol::StrBytes;
use rdkafka::types::RDKafkaErrorCode as Code;
use volley_api::{ConfigMap, Error, Offsets, Result, TopicPartition};

use crate::bootstrap::check_form;
use crate::group_offsets::GroupOffsets;
use crate::questions::{Questions, Whom, checked, only};
use crate::wire::{Connection, block_on};
use crate::{ClientRole, broker_error};

/// Java's `default.api.timeout.ms`.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Longer than any worker runs.
const FOR_EVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// The type of a resource that is a topic.
const TOPIC: i8 = 2;

/// A topic to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Name.
    pub name: String,
    /// Number of partitions; -1 = the broker's default.
    pub partitions: i32,
    /// Replicas of each partition; -1 = the broker's default.
    pub replication_factor: i32,
    /// Topic configuration.
    pub configs: BTreeMap<String, String>,
}

/// The description of a topic by the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDescription {
    /// Its id, which a topic that is deleted and made again does not keep; empty where the brokers tell none.
    pub id: String,
    /// Number of partitions.
    pub partitions: i32,
    /// Whether the topic is an internal one of Kafka.
    pub internal: bool,
}

/// Whether a topic is internal to Kafka. `topics.regex` never matches such a topic.
pub(crate) fn is_internal(topic: &str) -> bool {
    matches!(topic, "__consumer_offsets" | "__transaction_state" | "__share_group_state" | "__cluster_metadata")
}

/// Reads and changes the cluster. Every call blocks, for at most `default.api.timeout.ms`. After a second without an
/// answer, the reason is logged. Threads may share it.
pub struct Admin {
    questions: Questions,
    groups: GroupOffsets,
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").field("questions", &self.questions).finish_non_exhaustive()
    }
}

impl Admin {
    /// Makes the client. Does not wait for the broker.
    ///
    /// # Errors
    /// `Config` when a property has a bad value.
    pub fn connect(properties: &ConfigMap) -> Result<Self> {
        let timeout = match properties.get("default.api.timeout.ms") {
            None => TIMEOUT,
            Some(text) => text.trim().parse().map(Duration::from_millis).map_err(|error| {
                Error::config(format!("could not parse `default.api.timeout.ms` {text:?} as a number of ms"))
                    .with_source(error)
            })?,
        };
        check_form(properties, ClientRole::Admin)?;
        // Limits the time-out to an hour.
        let timeout = timeout.clamp(Duration::from_millis(1), Duration::from_secs(3600));
        Ok(Self { questions: Questions::new(properties, timeout)?, groups: GroupOffsets::new(properties, timeout)? })
    }

    /// The connections on which it asks.
    pub(crate) fn questions(&self) -> &Questions {
        &self.questions
    }

    /// The cluster's id.
    ///
    /// # Errors
    /// `Retriable` when no broker answers in time, with the reason as its source. `Config` when the cluster refuses the
    /// client. This holds for all calls.
    pub fn cluster_id(&self) -> Result<String> {
        let timeout = self.questions.timeout();
        block_on(|| self.cluster_id_within(timeout))
    }

    /// Waits without a time limit for the cluster's id.
    ///
    /// # Errors
    /// `Config` when the cluster refuses the client.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub async fn await_cluster_id(&self) -> Result<String> {
        self.cluster_id_within(FOR_EVER).await
    }

    async fn cluster_id_within(&self, timeout: Duration) -> Result<String> {
        let action = "ask for the cluster's id";
        let question =
            async |connection: &mut Connection| self.questions.metadata(connection, Some(Vec::new())).await.map(Ok);
        let metadata = self.questions.answer(action, Whom::Anybody, timeout, &question).await?;
        let id = metadata.ok().and_then(|metadata| metadata.cluster_id);
        id.map(|id| id.to_string()).ok_or_else(|| Error::fatal(format!("could not {action}: the broker has none")))
    }

    /// All topics.
    ///
    /// # Errors
    /// See [`Admin::cluster_id`].
    pub fn topics(&self) -> Result<BTreeMap<String, TopicDescription>> {
        let questions = &self.questions;
        let metadata = questions
            .ask("list topics", Whom::Anybody, async |connection| questions.metadata(connection, None).await.map(Ok))?;
        let topics = metadata.map(|metadata| metadata.topics).unwrap_or_default();
        Ok(topics.iter().filter_map(|topic| Some((topic.name.as_ref()?.to_string(), description(topic)))).collect())
    }

    /// One topic; `None` if it does not exist. Never creates it.
    ///
    /// # Errors
    /// See [`Admin::cluster_id`].
    pub fn topic(&self, name: &str) -> Result<Option<TopicDescription>> {
        check_name(name)?;
        let action = format!("look up topic {name}");
        let questions = &self.questions;
        let found = questions.ask(&action, Whom::Anybody, async |connection| {
            let topic = MetadataRequestTopic::default().with_name(Some(topic_name(name)));
            let metadata = questions.metadata(connection, Some(vec![topic])).await?;
            let Some(topic) = metadata.topics.first() else { return Ok(Err(Code::UnknownTopicOrPartition)) };
            Ok(checked(topic.error_code).map(|()| description(topic)))
        })?;
        match found {
            Ok(description) => Ok(Some(description)),
            Err(Code::UnknownTopicOrPartition | Code::UnknownTopic) => Ok(None),
            Err(code) => Err(broker_error::from_code(&action, code)),
        }
    }

    /// Creates a topic; `false` if it exists already. After a time-out the broker may still create it.
    ///
    /// # Errors
    /// `Config` when the cluster refuses it (name, replication factor, configuration, authorization), with the
    /// cluster's reason as the source; see also [`Admin::cluster_id`].
    pub fn create_topic(&self, topic: &NewTopic) -> Result<bool> {
        check_name(&topic.name)?;
        let action = format!("create topic {}", topic.name);
        let questions = &self.questions;
        // keeps the broker's message beside its code
        let words = parking_lot::Mutex::new(None);
        let created = questions.ask(&action, Whom::Controller, async |connection| {
            let request = |_| create_request(topic, questions.timeout());
            let response = connection.call(questions.within(), request).await?;
            *words.lock() = response.topics.first().and_then(|topic| topic.error_message.clone());
            Ok(only(response.topics.iter().map(|topic| topic.error_code)))
        })?;
        match created {
            Ok(()) => Ok(true),
            Err(Code::TopicAlreadyExists) => Ok(false),
            Err(code) => {
                let error = broker_error::from_code(&action, code);
                Err(match words.into_inner().filter(|_| !error.is_retriable()) {
                    Some(words) => error.with_source(words.to_string()),
                    None => error,
                })
            }
        }
    }

    /// Deletes a topic; `false` if it does not exist.
    ///
    /// # Errors
    /// See [`Admin::create_topic`].
    pub fn delete_topic(&self, name: &str) -> Result<bool> {
        check_name(name)?;
        let action = format!("delete topic {name}");
        let questions = &self.questions;
        let deleted = questions.ask(&action, Whom::Controller, async |connection| {
            let request = |version| delete_request(name, version, questions.timeout());
            let response = connection.call(questions.within(), request).await?;
            Ok(only(response.responses.iter().map(|topic| topic.error_code)))
        })?;
        match deleted {
            Ok(()) => Ok(true),
            Err(Code::UnknownTopicOrPartition | Code::UnknownTopic) => Ok(false),
            Err(code) => Err(broker_error::from_code(&action, code)),
        }
    }

    /// The configuration of a topic: all keys that have a value.
    ///
    /// # Errors
    /// `Retriable` if the topic does not exist; see also [`Admin::create_topic`].
    pub fn topic_config(&self, name: &str) -> Result<BTreeMap<String, String>> {
        check_name(name)?;
        let action = format!("read the configuration of topic {name}");
        let questions = &self.questions;
        let described = questions.ask(&action, Whom::Anybody, async |connection| {
            let resource = DescribeConfigsResource::default()
                .with_resource_type(TOPIC)
                .with_resource_name(text(name))
                .with_configuration_keys(None);
            let request = |_| DescribeConfigsRequest::default().with_resources(vec![resource]);
            let response = connection.call(questions.within(), request).await?;
            let Some(result) = response.results.into_iter().next() else { return Ok(Err(Code::Unknown)) };
            let entries = result.configs.into_iter();
            let entries = entries.filter_map(|entry| Some((entry.name.to_string(), entry.value?.to_string())));
            Ok(checked(result.error_code).map(|()| entries.collect()))
        })?;
        described.map_err(|code| broker_error::from_code(&action, code))
    }

    /// All committed offsets of a consumer group; empty if the group does not exist.
    ///
    /// # Errors
    /// See [`Admin::cluster_id`].
    pub fn group_offsets(&self, group: &str) -> Result<Offsets> {
        check_name(group)?;
        self.groups.all(group)
    }

    /// Sets committed offsets of a consumer group without members. Partitions not named keep theirs.
    ///
    /// # Errors
    /// `Retriable` when the group has members; see also [`Admin::cluster_id`].
    pub fn alter_group_offsets(&self, group: &str, offsets: &Offsets) -> Result<()> {
        check_name(group)?;
        if offsets.is_empty() {
            return Ok(());
        }
        self.groups.set(group, offsets)
    }

    /// Deletes the committed offsets of some partitions of a consumer group without members: all of them or none. Other
    /// partitions keep theirs.
    ///
    /// # Errors
    /// `Retriable` when the group has members; `Config` when the partition does not exist; see also
    /// [`Admin::cluster_id`].
    pub fn remove_group_offsets(&self, group: &str, partitions: &[TopicPartition]) -> Result<()> {
        check_name(group)?;
        if partitions.is_empty() {
            return Ok(());
        }
        self.groups.remove(group, partitions)
    }

    /// Deletes a consumer group and its offsets; `false` if it does not exist.
    ///
    /// # Errors
    /// `Retriable` when the group has members; see also [`Admin::cluster_id`].
    pub fn delete_group(&self, group: &str) -> Result<bool> {
        check_name(group)?;
        let action = format!("delete group {group}");
        let questions = &self.questions;
        let deleted = questions.ask(&action, Whom::CoordinatorOf(group), async |connection| {
            let request = |_| DeleteGroupsRequest::default().with_groups_names(vec![GroupId(text(group))]);
            let response = connection.call(questions.within(), request).await?;
            Ok(only(response.results.iter().map(|group| group.error_code)))
        })?;
        match deleted {
            Ok(()) => Ok(true),
            Err(Code::GroupIdNotFound) => Ok(false),
            Err(code) => Err(broker_error::from_code(&action, code)),
        }
    }
}

fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.contains('\0') {
        return Err(Error::config(format!("there can be no topic or group named `{}`", name.escape_debug())));
    }
    Ok(())
}

fn description(topic: &MetadataResponseTopic) -> TopicDescription {
    TopicDescription {
        id: if topic.topic_id.is_nil() { String::new() } else { topic.topic_id.to_string() },
        partitions: i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX),
        internal: topic.name.as_ref().is_some_and(|name| is_internal(name.as_str())),
    }
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}

fn millis(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
}

fn create_request(topic: &NewTopic, timeout: Duration) -> CreateTopicsRequest {
    let configs = topic
        .configs
        .iter()
        .map(|(key, value)| CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value))));
    let topic = CreatableTopic::default()
        .with_name(topic_name(&topic.name))
        .with_num_partitions(topic.partitions)
        .with_replication_factor(i16::try_from(topic.replication_factor).unwrap_or(-1))
        .with_configs(configs.collect());
    CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(millis(timeout))
}

/// Since version 6 of the request, each topic is an object.
fn delete_request(name: &str, version: i16, timeout: Duration) -> DeleteTopicsRequest {
    let request = DeleteTopicsRequest::default().with_timeout_ms(millis(timeout));
    match version {
        ..=5 => request.with_topic_names(vec![topic_name(name)]),
        _ => request.with_topics(vec![DeleteTopicState::default().with_name(Some(topic_name(name)))]),
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::protocol::{Encodable, Message};

    use super::*;

    #[test]
    fn topics_can_be_created_and_deleted_in_every_version() {
        let topic = NewTopic { name: "t".to_owned(), partitions: 1, replication_factor: -1, configs: BTreeMap::new() };
        let range = CreateTopicsRequest::VERSIONS;
        for version in range.min..=range.max {
            create_request(&topic, Duration::from_secs(1)).encode(&mut BytesMut::new(), version).unwrap();
        }
        let range = DeleteTopicsRequest::VERSIONS;
        for version in range.min..=range.max {
            delete_request("t", version, Duration::from_secs(1)).encode(&mut BytesMut::new(), version).unwrap();
        }
    }
}
