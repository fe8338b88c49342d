//! Administration of a Kafka cluster.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigResource, NewTopic as NativeNewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::metadata::MetadataTopic;
use rdkafka::types::{RDKafkaErrorCode as Code, RDKafkaRespErr};
use rdkafka::{ClientConfig, Statistics};
use tracing::warn;
use volley_api::{ConfigMap, Error, Offsets, Result, TopicPartition};

use crate::committer::with_offsets;
use crate::connection::{Connection, Granted};
use crate::consumer_events::{ConsumerEvents, NativeConsumer};
use crate::creation_refusal::creation_refusal;
use crate::group_offsets::GroupOffsets;
use crate::token_polling::TokenPolling;
use crate::wire_admin::WireAdmin;
use crate::{ClientRole, broker_error, translate};

/// Java's `default.api.timeout.ms`.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long to look for the reason of a failure, and how often to see whether it has come.
const DIAGNOSIS: Duration = Duration::from_secs(3);
const DIAGNOSIS_STEP: Duration = Duration::from_millis(50);

/// Between two requests to a group's coordinator that is not ready.
const COORDINATOR_RETRY: Duration = Duration::from_millis(100);

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

/// What the cluster says of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDescription {
    /// Number of partitions.
    pub partitions: i32,
    /// Whether it is one of Kafka's own.
    pub internal: bool,
}

/// Whether a topic is one of Kafka's own, which `topics.regex` never matches.
pub(crate) fn is_internal(topic: &str) -> bool {
    matches!(topic, "__consumer_offsets" | "__transaction_state" | "__share_group_state" | "__cluster_metadata")
}

#[derive(Debug)]
struct AdminEvents(Arc<Connection>);

impl ClientContext for AdminEvents {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _config: Option<&str>) -> Granted {
        self.0.oauth_token()
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.0.log(level, facility, line);
    }

    fn stats(&self, _statistics: Statistics) {}

    fn stats_raw(&self, _statistics: &[u8]) {}

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.report(&error, reason);
    }
}

/// Who puts the questions.
enum Native {
    Librdkafka(AdminClient<AdminEvents>),
    Wire(Box<WireAdmin>),
}

/// Asks and changes the cluster. Every call blocks, up to `default.api.timeout.ms`. Shared freely between threads.
pub struct Admin {
    native: Native,
    connection: Arc<Connection>,
    config: ClientConfig,
    properties: ConfigMap,
    timeout: Duration,
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").field("connection", &self.connection).finish_non_exhaustive()
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
        let translation = translate(properties, ClientRole::Admin);
        let config = translation.config;
        let client = config.get("client.id").unwrap_or("volley");
        for warning in &translation.warnings {
            warn!(client, "{warning}");
        }
        let connection = Connection::of_client(properties, &config)?;
        // librdkafka counts in an int of milliseconds, an hour is beyond anybody's patience.
        let timeout = timeout.clamp(Duration::from_millis(1), Duration::from_secs(3600));
        let native = if connection.shows_tokens() {
            Native::Wire(Box::new(WireAdmin::new(properties, timeout)?))
        } else {
            let native = AdminClient::from_config_and_context(&config, AdminEvents(Arc::clone(&connection)));
            Native::Librdkafka(native.map_err(|error| broker_error::from_client("make an admin client", &error))?)
        };
        Ok(Self { native, connection, config, properties: properties.clone(), timeout })
    }

    /// As [`Connection::outcome`]. The admin client of rdkafka keeps error events to itself, so that after a failure another
    /// client is asked why.
    fn outcome<T>(&self, action: &str, result: KafkaResult<T>) -> Result<T> {
        if result.as_ref().is_err_and(is_connection_failure) {
            self.diagnose();
        }
        self.connection.outcome(action, result)
    }

    fn diagnose(&self) {
        let events = ConsumerEvents::new(Arc::clone(&self.connection));
        events.close();
        let Ok(probe) = self.config.create_with_context::<_, NativeConsumer>(events) else { return };
        let deadline = Instant::now() + DIAGNOSIS.min(self.timeout);
        while !self.connection.is_broken() && Instant::now() < deadline {
            probe.poll(DIAGNOSIS_STEP);
        }
    }

    fn options(&self) -> AdminOptions {
        AdminOptions::new().request_timeout(Some(self.timeout)).operation_timeout(Some(self.timeout))
    }

    /// The cluster's id.
    ///
    /// # Errors
    /// `Retriable` when the broker does not answer in time, `Config` when it refuses, as with all calls of this client.
    pub fn cluster_id(&self) -> Result<String> {
        let id = match &self.native {
            Native::Librdkafka(native) => native.inner().fetch_cluster_id(self.timeout),
            Native::Wire(native) => return native.cluster_id(),
        };
        match id {
            Some(id) => {
                self.connection.mark_up();
                Ok(id)
            }
            None => self.outcome("ask for the cluster's id", Err(timed_out())),
        }
    }

    /// All topics.
    ///
    /// # Errors
    /// See [`Admin::cluster_id`].
    pub fn topics(&self) -> Result<BTreeMap<String, TopicDescription>> {
        let metadata = match &self.native {
            Native::Librdkafka(native) => native.inner().fetch_metadata(None, self.timeout),
            Native::Wire(native) => return native.topics(),
        };
        let metadata = self.outcome("list topics", metadata)?;
        Ok(metadata.topics().iter().map(|topic| (topic.name().to_owned(), description(topic))).collect())
    }

    /// One topic; `None` if there is none of that name. Never creates it.
    ///
    /// # Errors
    /// See [`Admin::cluster_id`].
    pub fn topic(&self, name: &str) -> Result<Option<TopicDescription>> {
        check_name(name)?;
        let action = format!("look up topic {name}");
        let found = match &self.native {
            Native::Librdkafka(native) => {
                let metadata = native.inner().fetch_metadata(Some(name), self.timeout);
                let metadata = self.outcome(&action, metadata)?;
                let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == name) else { return Ok(None) };
                topic.error().map(Code::from).map_or_else(|| Ok(description(topic)), Err)
            }
            Native::Wire(native) => native.topic(name)?,
        };
        match found {
            Ok(description) => Ok(Some(description)),
            Err(Code::UnknownTopicOrPartition | Code::UnknownTopic) => Ok(None),
            Err(code) => Err(broker_error::from_code(&action, code)),
        }
    }

    /// Creates a topic; `false` if it exists already. Where the answer is that the time is over, it may be created later.
    ///
    /// # Errors
    /// `Config` when the cluster refuses it (name, replication factor, configuration, authorization), with the reason that
    /// it gives as the source; see also [`Admin::cluster_id`].
    pub fn create_topic(&self, topic: &NewTopic) -> Result<bool> {
        check_name(&topic.name)?;
        let action = format!("create topic {}", topic.name);
        let created = match &self.native {
            Native::Librdkafka(native) => {
                let outcome = block_on(native.create_topics([&native_topic(topic)], &self.options()));
                first(self.outcome(&action, outcome)?).map(|created| created.map(drop).map_err(|(_, code)| code))
            }
            Native::Wire(native) => Some(native.create_topic(topic)?),
        };
        match created {
            Some(Ok(())) => Ok(true),
            Some(Err(Code::TopicAlreadyExists)) => Ok(false),
            Some(Err(code)) => {
                let error = broker_error::from_code(&action, code);
                let reason = if error.is_retriable() { None } else { creation_refusal(&self.properties, topic) };
                Err(match reason {
                    Some(reason) => error.with_source(reason),
                    None => error,
                })
            }
            None => Err(no_answer(&action)),
        }
    }

    /// Deletes a topic; `false` if there was none.
    ///
    /// # Errors
    /// See [`Admin::create_topic`].
    pub fn delete_topic(&self, name: &str) -> Result<bool> {
        check_name(name)?;
        let action = format!("delete topic {name}");
        let deleted = match &self.native {
            Native::Librdkafka(native) => {
                let outcome = block_on(native.delete_topics(&[name], &self.options()));
                first(self.outcome(&action, outcome)?).map(|deleted| deleted.map(drop).map_err(|(_, code)| code))
            }
            Native::Wire(native) => Some(native.delete_topic(name)?),
        };
        match deleted {
            Some(Ok(())) => Ok(true),
            Some(Err(Code::UnknownTopicOrPartition | Code::UnknownTopic)) => Ok(false),
            Some(Err(code)) => Err(broker_error::from_code(&action, code)),
            None => Err(no_answer(&action)),
        }
    }

    /// The configuration of a topic: all keys that have a value.
    ///
    /// # Errors
    /// `Retriable` if there is no such topic; see also [`Admin::create_topic`].
    pub fn topic_config(&self, name: &str) -> Result<BTreeMap<String, String>> {
        check_name(name)?;
        let action = format!("read the configuration of topic {name}");
        let topic = ResourceSpecifier::Topic(name);
        let described = match &self.native {
            Native::Librdkafka(native) => {
                let outcome = block_on(native.describe_configs([&topic], &self.options()));
                let entries = |resource: ConfigResource| {
                    let entries = resource.entries.into_iter();
                    entries.filter_map(|entry| entry.value.map(|value| (entry.name, value))).collect()
                };
                first(self.outcome(&action, outcome)?).map(|described| described.map(entries))
            }
            Native::Wire(native) => Some(native.topic_config(name)?),
        };
        match described {
            // The client library leaves out why there is nothing; every topic has a configuration.
            Some(Ok(entries)) if BTreeMap::is_empty(&entries) => Err(match self.topic(name)? {
                Some(_) => broker_error::from_code(&action, Code::TopicAuthorizationFailed),
                None => broker_error::from_code(&action, Code::UnknownTopicOrPartition),
            }),
            Some(Ok(entries)) => Ok(entries),
            Some(Err(code)) => Err(broker_error::from_code(&action, code)),
            None => Err(no_answer(&action)),
        }
    }

    /// All committed offsets of a consumer group; empty if there is no such group.
    ///
    /// # Errors
    /// See [`Admin::cluster_id`].
    pub fn group_offsets(&self, group: &str) -> Result<Offsets> {
        check_name(group)?;
        GroupOffsets::new(&self.properties, self.timeout)?.all(group)
    }

    /// Sets committed offsets of a consumer group without members. Partitions not named keep theirs.
    ///
    /// # Errors
    /// `Retriable` when the group has members; see also [`Admin::cluster_id`].
    pub fn alter_group_offsets(&self, group: &str, offsets: &Offsets) -> Result<()> {
        if offsets.is_empty() {
            return Ok(());
        }
        let list = with_offsets(offsets)?;
        let consumer = Arc::new(self.consumer_in(group)?);
        let polled = Arc::clone(&consumer);
        let _polling = TokenPolling::start(&self.connection, move || drop(polled.poll(Duration::ZERO)))?;
        self.while_coordinator_moves(|| {
            let outcome = consumer.commit(&list, CommitMode::Sync);
            self.outcome(&format!("set offsets of group {group}"), outcome)
        })
    }

    /// Forgets the committed offsets of some partitions of a consumer group without members, all or none of them. Partitions
    /// not named keep theirs.
    ///
    /// # Errors
    /// `Retriable` when the group has members; `Config` when there is no such partition; see also [`Admin::cluster_id`].
    pub fn remove_group_offsets(&self, group: &str, partitions: &[TopicPartition]) -> Result<()> {
        check_name(group)?;
        if partitions.is_empty() {
            return Ok(());
        }
        GroupOffsets::new(&self.properties, self.timeout)?.remove(group, partitions)
    }

    // A consumer that never joins may still ask and commit in a group's name.
    fn consumer_in(&self, group: &str) -> Result<NativeConsumer> {
        let mut config = self.config.clone();
        config.set("group.id", group);
        let events = ConsumerEvents::new(Arc::clone(&self.connection));
        events.close();
        config
            .create_with_context(events)
            .map_err(|error| broker_error::from_client(&format!("make a consumer of group {group}"), &error))
    }

    /// Deletes a consumer group and its offsets; `false` if there was none.
    ///
    /// # Errors
    /// `Retriable` when the group has members; see also [`Admin::cluster_id`].
    pub fn delete_group(&self, group: &str) -> Result<bool> {
        let action = format!("delete group {group}");
        check_name(group)?;
        self.while_coordinator_moves(|| {
            let deleted = match &self.native {
                Native::Librdkafka(native) => {
                    let outcome = block_on(native.delete_groups(&[group], &self.options()));
                    first(self.outcome(&action, outcome)?).map(|deleted| deleted.map(drop).map_err(|(_, code)| code))
                }
                Native::Wire(native) => Some(native.delete_group(group)?),
            };
            match deleted {
                Some(Ok(())) => Ok(true),
                Some(Err(Code::GroupIdNotFound)) => Ok(false),
                Some(Err(code)) => Err(broker_error::from_code(&action, code)),
                None => Err(no_answer(&action)),
            }
        })
    }

    /// A group's first use makes the cluster find and load its coordinator, which is no reason to fail.
    fn while_coordinator_moves<T>(&self, request: impl Fn() -> Result<T>) -> Result<T> {
        let deadline = Instant::now() + self.timeout;
        loop {
            match request() {
                Err(error) if broker_error::is_coordinator_moving(&error) && Instant::now() < deadline => {
                    thread::sleep(COORDINATOR_RETRY);
                }
                outcome => return outcome,
            }
        }
    }
}

fn native_topic(topic: &NewTopic) -> NativeNewTopic<'_> {
    let replication = TopicReplication::Fixed(topic.replication_factor);
    let native = NativeNewTopic::new(&topic.name, topic.partitions, replication);
    topic.configs.iter().fold(native, |native, (key, value)| native.set(key, value))
}

fn description(topic: &MetadataTopic) -> TopicDescription {
    TopicDescription {
        partitions: i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX),
        internal: is_internal(topic.name()),
    }
}

fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.contains('\0') {
        return Err(Error::config(format!("there can be no topic or group named `{}`", name.escape_debug())));
    }
    Ok(())
}

fn first<T>(answers: Vec<T>) -> Option<T> {
    answers.into_iter().next()
}

fn no_answer(action: &str) -> Error {
    Error::retriable(format!("could not {action}: the broker's answer is empty"))
}

fn is_connection_failure(error: &KafkaError) -> bool {
    let code = match error {
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    };
    matches!(
        code,
        Some(Code::OperationTimedOut | Code::BrokerTransportFailure | Code::AllBrokersDown | Code::TimedOutQueue)
    )
}

fn timed_out() -> KafkaError {
    KafkaError::MetadataFetch(Code::from(RDKafkaRespErr::RD_KAFKA_RESP_ERR__TIMED_OUT))
}
