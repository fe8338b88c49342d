//! Administration over connections of our own, for clients that show tokens: librdkafka asks for them where its Rust
//! interface lets nobody answer an admin client.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{
    DeleteGroupsRequest, DeleteTopicsRequest, DescribeConfigsRequest, GroupId, MetadataRequest, MetadataResponse,
    TopicName,
};
use kafka_protocol::protocol::StrBytes;
use rdkafka::types::{RDKafkaErrorCode as Code, RDKafkaRespErr};
use tokio::time::{Instant, sleep, timeout_at};
use volley_api::{ConfigMap, Error, Result};

use crate::admin::{NewTopic, TopicDescription, is_internal};
use crate::broker_error;
use crate::group::{Backoff, coordinator_of};
use crate::wire::{Address, Connection, ConnectionSettings, block_on};

const TIMED_OUT: &str = "org.apache.kafka.common.errors.TimeoutException";

/// The type of a resource that is a topic.
const TOPIC: i8 = 2;

/// What the broker answers: what was asked for, or its error.
pub(crate) type Answer<T> = std::result::Result<T, Code>;

/// Whom a question is for.
#[derive(Clone, Copy)]
enum Whom<'a> {
    Anybody,
    Controller,
    CoordinatorOf(&'a str),
}

/// Asks over connections that last for one question. Blocks the calling thread.
pub(crate) struct WireAdmin {
    settings: ConnectionSettings,
    timeout: Duration,
}

impl fmt::Debug for WireAdmin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireAdmin").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl WireAdmin {
    /// For the cluster that `properties` name; an answer is waited for up to `timeout`.
    pub(crate) fn new(properties: &ConfigMap, timeout: Duration) -> Result<Self> {
        Ok(Self { settings: ConnectionSettings::read(properties)?, timeout })
    }

    /// The cluster's id.
    pub(crate) fn cluster_id(&self) -> Result<String> {
        let action = "ask for the cluster's id";
        let metadata = self
            .ask(action, Whom::Anybody, async |connection| self.metadata(connection, Some(Vec::new())).await.map(Ok))?;
        let id = metadata.ok().and_then(|metadata| metadata.cluster_id);
        id.map(|id| id.to_string()).ok_or_else(|| Error::fatal(format!("could not {action}: the broker has none")))
    }

    /// All topics.
    pub(crate) fn topics(&self) -> Result<BTreeMap<String, TopicDescription>> {
        let metadata =
            self.ask("list topics", Whom::Anybody, async |connection| self.metadata(connection, None).await.map(Ok))?;
        let topics = metadata.map(|metadata| metadata.topics).unwrap_or_default();
        Ok(topics.iter().filter_map(|topic| Some((topic.name.as_ref()?.to_string(), description(topic)))).collect())
    }

    /// One topic, or the broker's error. Never creates it.
    pub(crate) fn topic(&self, name: &str) -> Result<Answer<TopicDescription>> {
        self.ask(&format!("look up topic {name}"), Whom::Anybody, async |connection| {
            let topic = MetadataRequestTopic::default().with_name(Some(topic_name(name)));
            let metadata = self.metadata(connection, Some(vec![topic])).await?;
            let Some(topic) = metadata.topics.first() else { return Ok(Err(Code::UnknownTopicOrPartition)) };
            Ok(checked(topic.error_code).map(|()| description(topic)))
        })
    }

    /// Creates a topic.
    pub(crate) fn create_topic(&self, topic: &NewTopic) -> Result<Answer<()>> {
        self.ask(&format!("create topic {}", topic.name), Whom::Controller, async |connection| {
            let request = |_| create_request(topic, self.timeout);
            let response = connection.call(self.within(), request).await?;
            Ok(only(response.topics.iter().map(|topic| topic.error_code)))
        })
    }

    /// Deletes a topic.
    pub(crate) fn delete_topic(&self, name: &str) -> Result<Answer<()>> {
        self.ask(&format!("delete topic {name}"), Whom::Controller, async |connection| {
            let request = |version| delete_request(name, version, self.timeout);
            let response = connection.call(self.within(), request).await?;
            Ok(only(response.responses.iter().map(|topic| topic.error_code)))
        })
    }

    /// The configuration of a topic: all keys that have a value.
    pub(crate) fn topic_config(&self, name: &str) -> Result<Answer<BTreeMap<String, String>>> {
        self.ask(&format!("read the configuration of topic {name}"), Whom::Anybody, async |connection| {
            let resource = DescribeConfigsResource::default()
                .with_resource_type(TOPIC)
                .with_resource_name(StrBytes::from_string(name.to_owned()))
                .with_configuration_keys(None);
            let request = |_| DescribeConfigsRequest::default().with_resources(vec![resource]);
            let response = connection.call(self.within(), request).await?;
            let Some(result) = response.results.into_iter().next() else { return Ok(Ok(BTreeMap::new())) };
            let entries = result.configs.into_iter();
            let entries = entries.filter_map(|entry| Some((entry.name.to_string(), entry.value?.to_string())));
            Ok(checked(result.error_code).map(|()| entries.collect()))
        })
    }

    /// Deletes a group and its offsets.
    pub(crate) fn delete_group(&self, group: &str) -> Result<Answer<()>> {
        self.ask(&format!("delete group {group}"), Whom::CoordinatorOf(group), async |connection| {
            let group = GroupId(StrBytes::from_string(group.to_owned()));
            let request = |_| DeleteGroupsRequest::default().with_groups_names(vec![group]);
            let response = connection.call(self.within(), request).await?;
            Ok(only(response.results.iter().map(|group| group.error_code)))
        })
    }

    fn within(&self) -> Duration {
        self.settings.request_timeout
    }

    async fn metadata(
        &self,
        connection: &mut Connection,
        topics: Option<Vec<MetadataRequestTopic>>,
    ) -> Result<MetadataResponse> {
        let request = |_| MetadataRequest::default().with_topics(topics).with_allow_auto_topic_creation(false);
        connection.call(self.within(), request).await
    }

    /// Puts a question, again and again until somebody answers it.
    fn ask<T: Send>(
        &self,
        action: &str,
        whom: Whom<'_>,
        question: impl AsyncFn(&mut Connection) -> Result<Answer<T>> + Send + Sync,
    ) -> Result<Answer<T>> {
        block_on(|| self.ask_until(action, whom, &question))
    }

    async fn ask_until<T>(
        &self,
        action: &str,
        whom: Whom<'_>,
        question: &impl AsyncFn(&mut Connection) -> Result<Answer<T>>,
    ) -> Result<Answer<T>> {
        let deadline = Instant::now() + self.timeout;
        let mut retry = Backoff::new(self.settings.retry_backoff, self.settings.retry_backoff_max);
        let mut reason = "no broker answered".to_owned();
        for server in self.settings.bootstrap_servers.iter().cycle() {
            let attempt = async {
                match self.connect(server, whom).await? {
                    Ok(mut connection) => question(&mut connection).await,
                    Err(code) => Ok(Err(code)),
                }
            };
            match timeout_at(deadline, attempt).await {
                Ok(Ok(Err(code))) if is_moving(code) => reason = format!("the broker says {code}"),
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) if error.is_retriable() => reason = error.to_string(),
                Ok(Err(error)) => return Err(error),
                Err(_) => break,
            }
            let pause = retry.next();
            if Instant::now() + pause >= deadline {
                break;
            }
            sleep(pause).await;
        }
        Err(Error::retriable(format!("could not {action}: no answer within {:?}", self.timeout))
            .with_exception(TIMED_OUT)
            .with_source(reason))
    }

    async fn connect(&self, server: &Address, whom: Whom<'_>) -> Result<Answer<Connection>> {
        let mut connection = Connection::open(server, &self.settings).await?;
        let address = match whom {
            Whom::Anybody => return Ok(Ok(connection)),
            Whom::Controller => {
                let metadata = self.metadata(&mut connection, Some(Vec::new())).await?;
                let controller = metadata.brokers.iter().find(|broker| broker.node_id == metadata.controller_id);
                controller.and_then(|broker| Address::new(&broker.host, broker.port))
            }
            Whom::CoordinatorOf(group) => match coordinator_of(&mut connection, group, self.within()).await? {
                Ok(address) => Some(address),
                Err(error) => return Ok(Err(code_of(error.code()))),
            },
        };
        // A cluster that names no controller passes such requests on itself.
        match address.filter(|address| address != connection.address()) {
            Some(address) => Connection::open(&address, &self.settings).await.map(Ok),
            None => Ok(Ok(connection)),
        }
    }
}

fn description(topic: &MetadataResponseTopic) -> TopicDescription {
    TopicDescription {
        partitions: i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX),
        internal: topic.name.as_ref().is_some_and(|name| is_internal(name.as_str())),
    }
}

fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

fn millis(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
}

fn create_request(topic: &NewTopic, timeout: Duration) -> CreateTopicsRequest {
    let text = |text: &str| StrBytes::from_string(text.to_owned());
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

/// Since version 6 topics have states.
fn delete_request(name: &str, version: i16, timeout: Duration) -> DeleteTopicsRequest {
    let request = DeleteTopicsRequest::default().with_timeout_ms(millis(timeout));
    match version {
        ..=5 => request.with_topic_names(vec![topic_name(name)]),
        _ => request.with_topics(vec![DeleteTopicState::default().with_name(Some(topic_name(name)))]),
    }
}

/// The error of the one thing that the request was about.
fn only(mut codes: impl Iterator<Item = i16>) -> Answer<()> {
    checked(codes.next().unwrap_or(-1))
}

fn checked(code: i16) -> Answer<()> {
    if code == 0 { Ok(()) } else { Err(code_of(code)) }
}

fn code_of(code: i16) -> Code {
    RDKafkaRespErr::try_from(i32::from(code)).map_or(Code::Unknown, Code::from)
}

/// Whether somebody else is to be asked, or the same one in a moment.
fn is_moving(code: Code) -> bool {
    code == Code::NotController || broker_error::is_coordinator_moving(&broker_error::from_code("ask", code))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
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

    #[test]
    fn no_code_panics() {
        for code in i16::MIN..=i16::MAX {
            let _ = is_moving(code_of(code));
        }
        assert_eq!(code_of(3), Code::UnknownTopicOrPartition);
        assert!(only(std::iter::empty()).is_err());
    }
}
