//! The settings of a distributed worker for its group and for exactly-once sources.

use std::time::Duration;

use volley_api::{ConfigMap, Error, Result};
use volley_net::MacAlgorithm;

use super::distributed_definition::distributed_config_def;
use super::{WorkerConfig, WorkerMode};
use crate::group::ConnectProtocol;

/// Java's `default.api.timeout.ms` and `retry.backoff.ms`.
const DEFAULT_API_TIMEOUT: Duration = Duration::from_secs(60);

/// The JDK creates no shorter keys.
const SHORTEST_KEY_BITS: i64 = 40;

/// `exactly.once.source.support`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExactlyOnceSourceSupport {
    /// Off.
    Disabled,
    /// The leader writes in transactions already; tasks do not yet.
    Preparing,
    /// On.
    Enabled,
}

impl WorkerConfig {
    /// A distributed worker's configuration. Variables (`${provider:path:key}`) MUST be resolved already: see
    /// [`crate::worker_file::WorkerFile`]. Unknown keys are kept, for the clients.
    ///
    /// # Errors
    /// `Config`, naming the first key that is missing or wrong.
    pub fn distributed(originals: ConfigMap) -> Result<Self> {
        let config = Self::parse(&distributed_config_def(), originals, WorkerMode::Distributed)?;
        config.check_session_keys()?;
        config.warn_of_topic_settings();
        Ok(config)
    }

    fn check_session_keys(&self) -> Result<()> {
        let algorithm = self.inter_worker_signature_algorithm();
        if !self.inter_worker_verification_algorithms().iter().any(|accepted| accepted == algorithm) {
            return Err(Error::config(format!(
                "Invalid value {algorithm} for configuration inter.worker.signature.algorithm: Signature algorithm must be \
                 present in inter.worker.verification.algorithms list"
            )));
        }
        let Some(bits) = self.parsed().long("inter.worker.key.size") else { return Ok(()) };
        let name = self.inter_worker_key_generation_algorithm();
        // generating a key is the most reliable check
        let too_short = |_| Error::config(format!("Key length must be at least {SHORTEST_KEY_BITS} bits"));
        let made =
            u32::try_from(bits).map_err(too_short).and_then(|bits| MacAlgorithm::named(name)?.generate_key(Some(bits)));
        made.map(drop).map_err(|reason| {
            Error::config(format!("Unable to create key generator with algorithm {name} and key size {bits}: {reason}"))
        })
    }

    fn text(&self, key: &str) -> &str {
        self.parsed().string(key).unwrap_or_default()
    }

    /// `group.id`
    pub fn group_id(&self) -> &str {
        self.text("group.id")
    }

    /// `session.timeout.ms`
    pub fn session_timeout(&self) -> Duration {
        self.millis("session.timeout.ms")
    }

    /// `heartbeat.interval.ms`
    pub fn heartbeat_interval(&self) -> Duration {
        self.millis("heartbeat.interval.ms")
    }

    /// `rebalance.timeout.ms`
    pub fn rebalance_timeout(&self) -> Duration {
        self.millis("rebalance.timeout.ms")
    }

    /// `connect.protocol`
    pub fn connect_protocol(&self) -> ConnectProtocol {
        ConnectProtocol::from_config(self.text("connect.protocol")).unwrap_or(ConnectProtocol::Sessioned)
    }

    /// `scheduled.rebalance.max.delay.ms`
    pub fn scheduled_rebalance_max_delay(&self) -> Duration {
        self.millis("scheduled.rebalance.max.delay.ms")
    }

    /// `worker.sync.timeout.ms`
    pub fn worker_sync_timeout(&self) -> Duration {
        self.millis("worker.sync.timeout.ms")
    }

    /// `worker.unsync.backoff.ms`
    pub fn worker_unsync_backoff(&self) -> Duration {
        self.millis("worker.unsync.backoff.ms")
    }

    /// `inter.worker.key.generation.algorithm`
    pub fn inter_worker_key_generation_algorithm(&self) -> &str {
        self.text("inter.worker.key.generation.algorithm")
    }

    /// `inter.worker.key.size`, in bits; `None` = the algorithm's default.
    pub fn inter_worker_key_size(&self) -> Option<usize> {
        self.parsed().long("inter.worker.key.size").and_then(|bits| usize::try_from(bits).ok())
    }

    /// `inter.worker.key.ttl.ms`; `None` = keys are never renewed.
    pub fn inter_worker_key_ttl(&self) -> Option<Duration> {
        Some(self.millis("inter.worker.key.ttl.ms")).filter(|ttl| !ttl.is_zero())
    }

    /// `inter.worker.signature.algorithm`
    pub fn inter_worker_signature_algorithm(&self) -> &str {
        self.text("inter.worker.signature.algorithm")
    }

    /// `inter.worker.verification.algorithms`
    pub fn inter_worker_verification_algorithms(&self) -> &[String] {
        self.parsed().list("inter.worker.verification.algorithms")
    }

    /// `exactly.once.source.support`; `Disabled` on a standalone worker.
    pub fn exactly_once_source_support(&self) -> ExactlyOnceSourceSupport {
        match self.text("exactly.once.source.support").to_ascii_lowercase().as_str() {
            "preparing" => ExactlyOnceSourceSupport::Preparing,
            "enabled" => ExactlyOnceSourceSupport::Enabled,
            _ => ExactlyOnceSourceSupport::Disabled,
        }
    }

    /// Whether source tasks may deliver exactly once.
    pub fn exactly_once_source_enabled(&self) -> bool {
        self.exactly_once_source_support() == ExactlyOnceSourceSupport::Enabled
    }

    /// Whether the leader writes the config topic in transactions, which fences a former leader.
    pub fn transactional_leader_enabled(&self) -> bool {
        self.exactly_once_source_support() != ExactlyOnceSourceSupport::Disabled
    }

    /// `default.api.timeout.ms`: the time limit for a request to the cluster with its retries.
    pub fn default_api_timeout(&self) -> Duration {
        self.client_millis("default.api.timeout.ms").unwrap_or(DEFAULT_API_TIMEOUT)
    }

    /// `retry.backoff.ms`
    pub fn retry_backoff(&self) -> Duration {
        self.client_millis("retry.backoff.ms").unwrap_or(Duration::from_millis(100))
    }

    fn client_millis(&self, key: &str) -> Option<Duration> {
        self.originals().get(key)?.trim().parse().ok().map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::distributed_config as config;

    fn refusal(more: &[(&str, &str)]) -> String {
        config(more).unwrap_err().to_string()
    }

    #[test]
    fn defaults_are_those_of_kafka_connect() {
        let config = config(&[]).unwrap();
        assert_eq!(config.session_timeout(), Duration::from_secs(10));
        assert_eq!(config.heartbeat_interval(), Duration::from_secs(3));
        assert_eq!(config.rebalance_timeout(), Duration::from_secs(60));
        assert_eq!(config.scheduled_rebalance_max_delay(), Duration::from_secs(300));
        assert_eq!(config.worker_sync_timeout(), Duration::from_secs(3));
        assert_eq!(config.worker_unsync_backoff(), Duration::from_secs(300));
        assert_eq!(config.connect_protocol(), ConnectProtocol::Sessioned);
        assert_eq!(config.inter_worker_key_ttl(), Some(Duration::from_secs(3600)));
        assert_eq!(config.inter_worker_key_size(), None);
        assert_eq!(config.inter_worker_verification_algorithms(), ["HmacSHA256"]);
        assert_eq!(config.exactly_once_source_support(), ExactlyOnceSourceSupport::Disabled);
        assert_eq!(config.default_api_timeout(), Duration::from_secs(60));
    }

    #[test]
    fn every_missing_key_is_named_as_java_names_it() {
        for key in ["group.id", "config.storage.topic", "offset.storage.topic", "status.storage.topic"] {
            let mut properties = config(&[]).unwrap().originals().clone();
            properties.shift_remove(key);
            let error = WorkerConfig::distributed(properties).unwrap_err().to_string();
            assert_eq!(error, format!("Missing required configuration \"{key}\" which has no default value."));
        }
    }

    #[test]
    fn protocol_and_exactly_once_support_are_read_in_any_case() {
        let read = config(&[("connect.protocol", "EAGER"), ("exactly.once.source.support", "Preparing")]).unwrap();
        assert_eq!(read.connect_protocol(), ConnectProtocol::Eager);
        assert!(read.transactional_leader_enabled() && !read.exactly_once_source_enabled());
        assert_eq!(
            refusal(&[("connect.protocol", "x")]),
            "Invalid value x for configuration connect.protocol: Invalid Connect protocol compatibility"
        );
        assert_eq!(
            refusal(&[("exactly.once.source.support", "x")]),
            "Invalid value x for configuration exactly.once.source.support: String must be one of (case insensitive): \
             DISABLED, ENABLED, PREPARING"
        );
    }

    #[test]
    fn session_keys_that_cannot_work_are_refused_as_java_refuses_them() {
        assert_eq!(
            refusal(&[("inter.worker.verification.algorithms", "HmacSHA1")]),
            "Invalid value HmacSHA256 for configuration inter.worker.signature.algorithm: Signature algorithm must be \
             present in inter.worker.verification.algorithms list"
        );
        assert_eq!(
            refusal(&[("inter.worker.key.size", "7")]),
            "Unable to create key generator with algorithm HmacSHA256 and key size 7: Key length must be at least 40 bits"
        );
        assert!(refusal(&[("inter.worker.signature.algorithm", "nope")]).contains("nope not available"));
        assert!(refusal(&[("inter.worker.verification.algorithms", "")]).contains("At least one"));
        assert!(refusal(&[("inter.worker.verification.algorithms", "nope,HmacSHA256")]).contains("nope not available"));
        assert_eq!(config(&[("inter.worker.key.ttl.ms", "0")]).unwrap().inter_worker_key_ttl(), None);
        config(&[
            ("inter.worker.signature.algorithm", "HmacSHA1"),
            ("inter.worker.verification.algorithms", "HmacSHA1,HmacSHA256"),
        ])
        .unwrap();
    }

    #[test]
    fn unknown_keys_are_kept() {
        let config = config(&[("producer.linger.ms", "5"), ("from.the.future", "x")]).unwrap();
        assert_eq!(config.originals()["from.the.future"], "x");
    }

    #[test]
    fn numbers_out_of_bounds_are_refused() {
        for (key, value) in [
            ("scheduled.rebalance.max.delay.ms", "-1"),
            ("config.storage.replication.factor", "0"),
            ("status.storage.partitions", "-2"),
            ("send.buffer.bytes", "-2"),
            ("request.timeout.ms", "-1"),
            ("session.timeout.ms", ""),
        ] {
            assert!(refusal(&[(key, value)]).contains(key), "{key}");
        }
        config(&[("config.storage.replication.factor", "-1"), ("status.storage.partitions", "-1")]).unwrap();
    }
}
