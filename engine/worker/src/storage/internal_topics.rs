//! Opens the internal topics of a group: creates those that are missing, and refuses unsuitable ones.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tracing::{debug, info};
use volley_api::{ConfigMap, Error, ErrorKind, Result};
use volley_kafka::{Admin, LogEnds, LogListener, LogSettings, NewTopic, ReadingSettings, TopicLog};

use crate::worker_config::{InternalTopic, LogClients};

/// How long brokers may not know a newly created topic.
const VISIBLE: Duration = Duration::from_secs(30);

/// Interval between two checks for it.
const VISIBLE_LOOK: Duration = Duration::from_millis(50);

/// How long reading a topic may make no progress when a worker starts.
const READ_LIMIT: Duration = Duration::from_secs(900);

const COMPACT: &str = "compact";

/// Opens internal topics. All calls block.
pub(super) struct InternalTopics {
    admin: ConfigMap,
    ends: Arc<LogEnds>,
    time_limit: Duration,
    backoff: Duration,
}

impl InternalTopics {
    /// `admin` are the properties of the client that creates topics and reads their end offsets. Creation is retried
    /// for `time_limit`, with `backoff` in between.
    pub(super) fn connect(admin: ConfigMap, time_limit: Duration, backoff: Duration) -> Result<Self> {
        let ends = Arc::new(LogEnds::connect(&admin)?);
        Ok(Self { admin, ends, time_limit, backoff })
    }

    /// Makes sure that a topic exists and is suitable, and reads all of it.
    ///
    /// # Errors
    /// `Config` when it is unsuitable or cannot be created, which a user has to change; `Retriable` when the brokers do
    /// not answer.
    pub(super) fn open(
        &self,
        topic: &InternalTopic,
        clients: LogClients,
        has_transactions: bool,
        listener: Box<dyn LogListener>,
    ) -> Result<TopicLog> {
        let partitions = self.ensure(topic)?;
        let reading =
            ReadingSettings { topic: topic.name.clone(), partitions, consumer: clients.consumer, has_transactions };
        let settings = LogSettings { reading, producer: clients.producer };
        TopicLog::start(&settings, Arc::clone(&self.ends), listener, READ_LIMIT)
    }

    /// Number of partitions of a topic that exists and is suitable.
    fn ensure(&self, topic: &InternalTopic) -> Result<i32> {
        let admin = Admin::connect(&self.admin)?;
        let is_new = self.create(&admin, topic)?;
        let partitions = await_visible(&admin, topic)?;
        if !is_new {
            check_policy(&admin, topic)?;
        }
        if topic.partitions == 1 && topic.key == "config.storage.topic" && partitions != 1 {
            return Err(Error::config(format!(
                "Topic '{}' supplied via the '{}' property is required to have a single partition in order to guarantee \
                 consistency of {}, but found {partitions} partitions.",
                topic.name, topic.key, topic.purpose
            )));
        }
        Ok(partitions)
    }

    /// Whether it was created; `false` if it existed already, or this worker may not create topics.
    fn create(&self, admin: &Admin, topic: &InternalTopic) -> Result<bool> {
        let new = NewTopic {
            name: topic.name.clone(),
            partitions: topic.partitions,
            replication_factor: topic.replication_factor,
            configs: with_policy(topic),
        };
        let deadline = Instant::now() + self.time_limit;
        let mut is_reported = false;
        loop {
            match admin.create_topic(&new) {
                Ok(true) => {
                    info!(topic = topic.name, partitions = topic.partitions, "created the topic of {}", topic.purpose);
                    return Ok(true);
                }
                Ok(false) => return Ok(false),
                Err(error) if is_not_authorized(&error) => {
                    info!(
                        topic = topic.name,
                        "the worker is not allowed to create topics, assuming that this one exists"
                    );
                    return Ok(false);
                }
                Err(error) if !may_pass(&error) || Instant::now() + self.backoff >= deadline => {
                    return Err(not_created(topic, error));
                }
                Err(error) if !std::mem::replace(&mut is_reported, true) => {
                    info!(topic = topic.name, reason = %error, "topic could not be created yet, retrying");
                }
                Err(_) => {}
            }
            thread::sleep(self.backoff);
        }
    }
}

fn with_policy(topic: &InternalTopic) -> std::collections::BTreeMap<String, String> {
    let mut configs = topic.configs.clone();
    configs.insert("cleanup.policy".to_owned(), COMPACT.to_owned());
    configs
}

/// Whether the error may be temporary. Too few brokers are, since others may still be starting.
fn may_pass(error: &Error) -> bool {
    error.is_retriable() || error.exception().ends_with("InvalidReplicationFactorException")
}

fn is_not_authorized(error: &Error) -> bool {
    ["TopicAuthorizationException", "ClusterAuthorizationException"]
        .iter()
        .any(|class| error.exception().ends_with(class))
}

fn not_created(topic: &InternalTopic, error: Error) -> Error {
    let setting = topic.settings;
    let message = format!(
        "could not create topic '{}' of the '{}' property with {} partitions and {} replicas: change '{setting}partitions' \
         and '{setting}replication.factor', or create it yourself, compacted",
        topic.name, topic.key, topic.partitions, topic.replication_factor
    );
    let kind = if error.is_retriable() { ErrorKind::Retriable } else { ErrorKind::Config };
    Error::new(kind, message).with_exception("org.apache.kafka.connect.errors.ConnectException").with_source(error)
}

fn await_visible(admin: &Admin, topic: &InternalTopic) -> Result<i32> {
    let deadline = Instant::now() + VISIBLE;
    loop {
        match admin.topic(&topic.name)? {
            Some(description) if description.partitions > 0 => return Ok(description.partitions),
            _ if Instant::now() >= deadline => {
                return Err(Error::config(format!(
                    "could not find topic '{}' of the '{}' property: create it, compacted, or allow the worker to",
                    topic.name, topic.key
                )));
            }
            _ => thread::sleep(VISIBLE_LOOK),
        }
    }
}

fn check_policy(admin: &Admin, topic: &InternalTopic) -> Result<()> {
    let configs = match admin.topic_config(&topic.name) {
        Ok(configs) => configs,
        Err(error) if is_not_authorized(&error) => {
            info!(
                topic = topic.name,
                "the worker is not allowed to see the configuration of the topic, assuming that it is compacted"
            );
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let policy = configs.get("cleanup.policy").map_or("", String::as_str);
    let mut policies: Vec<&str> = policy.split(',').map(str::trim).filter(|policy| !policy.is_empty()).collect();
    policies.dedup();
    if policies == [COMPACT] {
        debug!(topic = topic.name, "topic is compacted");
        return Ok(());
    }
    let (name, key, purpose) = (&topic.name, topic.key, topic.purpose);
    Err(Error::config(format!(
        "Topic '{name}' supplied via the '{key}' property is required to have 'cleanup.policy=compact' to guarantee \
         consistency and durability of {purpose}, but found the topic currently has 'cleanup.policy={policy}'. Continuing \
         would likely result in eventually losing {purpose} and problems restarting this Connect cluster in the future. \
         Change the '{key}' property in the Connect worker configurations to use a topic with 'cleanup.policy=compact'."
    )))
}
