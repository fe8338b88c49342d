//! What a consumer's keys say about its group.

use std::time::Duration;

use rdkafka::ClientConfig;
use volley_api::{ConfigMap, Result};

use crate::assignors::{Assignor, strategies};
use crate::broker_error;
use crate::group::GroupSettings;
use crate::wire::ConnectionSettings;

/// Java's and librdkafka's.
const SESSION_MS: u64 = 45_000;
const HEARTBEAT_MS: u64 = 3_000;
const POLL_INTERVAL_MS: u64 = 300_000;

/// The protocol type of consumers.
const CONSUMER: &str = "consumer";

/// Settings of a consumer.
#[derive(Debug)]
pub(crate) struct OwnSettings {
    pub(super) connection: ConnectionSettings,
    pub(super) client: String,
    /// `None` without `group.id`.
    pub(super) group: Option<GroupSettings>,
    /// `partition.assignment.strategy`
    pub(super) assignors: Vec<Assignor>,
    /// `client.rack`
    pub(super) rack: Option<String>,
    /// How often topics are looked up.
    pub(super) refresh: Duration,
    pub(super) read_committed: bool,
    /// `allow.auto.create.topics`: whether the broker may create topics that are asked for.
    pub(super) creates_topics: bool,
}

impl OwnSettings {
    /// From Java's keys, and their translation for librdkafka, which checks the values.
    ///
    /// # Errors
    /// `Config`, naming the key whose value is wrong.
    pub(crate) fn read(properties: &ConfigMap, config: &ClientConfig, in_group: bool) -> Result<Self> {
        drop(config.create_native_config().map_err(|error| broker_error::from_client("make a consumer", &error))?);
        let text = |key| config.get(key).map(str::trim).filter(|value| !value.is_empty());
        let millis =
            |key, default| Duration::from_millis(text(key).and_then(|value| value.parse().ok()).unwrap_or(default));
        let group = GroupSettings {
            session_timeout: millis("session.timeout.ms", SESSION_MS),
            rebalance_timeout: millis("max.poll.interval.ms", POLL_INTERVAL_MS),
            heartbeat_interval: millis("heartbeat.interval.ms", HEARTBEAT_MS),
            group_instance_id: text("group.instance.id").map(str::to_owned),
            ..GroupSettings::new(text("group.id").unwrap_or_default(), CONSUMER)
        };
        if in_group {
            group.check()?;
        }
        let connection = ConnectionSettings::read(properties)?;
        Ok(Self {
            client: config.get("client.id").unwrap_or("volley").to_owned(),
            connection,
            group: in_group.then_some(group),
            assignors: strategies(text("partition.assignment.strategy")),
            rack: text("client.rack").map(str::to_owned),
            refresh: millis("topic.metadata.refresh.interval.ms", 10_000).max(Duration::from_secs(1)),
            read_committed: text("isolation.level") == Some("read_committed"),
            creates_topics: text("allow.auto.create.topics").is_some_and(|value| value.eq_ignore_ascii_case("true")),
        })
    }

    /// Whether a member of such settings joins with what it owns.
    pub(super) fn is_cooperative(&self) -> bool {
        self.assignors.iter().all(|assignor| assignor.is_cooperative())
    }
}

/// Whether a consumer with this configuration is a member of the kind that is known here.
pub(crate) fn is_known_protocol(config: &ClientConfig) -> bool {
    config.get("group.protocol").is_none_or(|protocol| protocol.eq_ignore_ascii_case("classic"))
}
