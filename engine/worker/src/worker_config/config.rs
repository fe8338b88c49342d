//! The worker's parsed configuration.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use volley_api::{Config, ConfigDef, ConfigMap, Error, Result};
use volley_kafka::check_bootstrap_list;

use super::definition::{common_config_def, standalone_config_def};

/// The mode of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerMode {
    /// Alone, with an offset file.
    Standalone,
    /// In a group, which stores its state in three topics.
    Distributed,
}

/// The worker's configuration: its own keys parsed, everything else kept as written.
#[derive(Clone)]
pub struct WorkerConfig {
    mode: WorkerMode,
    parsed: Config,
    originals: ConfigMap,
}

/// The limits of a task's batch; the first that is reached closes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Rows.
    pub max_rows: usize,
    /// Bytes of keys and values.
    pub max_bytes: usize,
    /// Time since its first row.
    pub linger: Duration,
}

impl WorkerConfig {
    /// A standalone worker's configuration. Variables (`${provider:path:key}`) MUST be resolved already: see
    /// [`crate::worker_file::WorkerFile`].
    ///
    /// # Errors
    /// `Config`, naming the first key that is missing or wrong.
    pub fn standalone(originals: ConfigMap) -> Result<Self> {
        Self::parse(&standalone_config_def(), originals, WorkerMode::Standalone)
    }

    /// The configuration in a worker file: that of a distributed worker if it has a group. Variables as above.
    ///
    /// # Errors
    /// `Config`, naming the first key that is missing or wrong.
    pub fn of_either_mode(originals: ConfigMap) -> Result<Self> {
        if originals.contains_key("group.id") { Self::distributed(originals) } else { Self::standalone(originals) }
    }

    pub(super) fn parse(def: &ConfigDef, originals: ConfigMap, mode: WorkerMode) -> Result<Self> {
        let parsed = def.parse(&originals)?;
        check_bootstrap_list(&originals)?;
        Ok(Self { mode, parsed, originals })
    }

    /// The mode of the worker.
    pub fn mode(&self) -> WorkerMode {
        self.mode
    }

    /// All given keys, with variables resolved.
    pub fn originals(&self) -> &ConfigMap {
        &self.originals
    }

    /// The typed keys.
    pub fn parsed(&self) -> &Config {
        &self.parsed
    }

    /// `bootstrap.servers`, comma separated.
    pub fn bootstrap_servers(&self) -> String {
        self.parsed.list("bootstrap.servers").join(",")
    }

    /// `offset.flush.interval.ms`
    pub fn offset_flush_interval(&self) -> Duration {
        self.millis("offset.flush.interval.ms")
    }

    /// `offset.flush.timeout.ms`
    pub fn offset_flush_timeout(&self) -> Duration {
        self.millis("offset.flush.timeout.ms")
    }

    /// `task.shutdown.graceful.timeout.ms`
    pub fn task_shutdown_timeout(&self) -> Duration {
        self.millis("task.shutdown.graceful.timeout.ms")
    }

    /// `topic.creation.enable`
    pub fn topic_creation_enabled(&self) -> bool {
        self.parsed.boolean("topic.creation.enable")
    }

    /// `topic.tracking.enable`
    pub fn topic_tracking_enabled(&self) -> bool {
        self.parsed.boolean("topic.tracking.enable")
    }

    /// `topic.tracking.allow.reset`
    pub fn topic_tracking_reset_allowed(&self) -> bool {
        self.parsed.boolean("topic.tracking.allow.reset")
    }

    /// `offset.storage.file.filename`
    ///
    /// # Errors
    /// `Config`, on a worker without an offset file.
    pub fn offset_file(&self) -> Result<PathBuf> {
        let file = self.parsed.string("offset.storage.file.filename").filter(|file| !file.is_empty());
        file.map(PathBuf::from).ok_or_else(|| {
            Error::config("could not find a file name in `offset.storage.file.filename`: give the path of a file")
        })
    }

    /// `volley.memory.budget.bytes`
    pub fn memory_budget_bytes(&self) -> usize {
        self.unsigned("volley.memory.budget.bytes")
    }

    /// The limits of a connector's batches: its own `volley.batch.*`, or otherwise the worker's.
    ///
    /// # Errors
    /// `Config`, naming the key that is wrong.
    pub fn batch_limits(&self, connector_config: &ConfigMap) -> Result<BatchLimits> {
        let limit = |name: &str| self.own_number(name, connector_config);
        Ok(BatchLimits {
            max_rows: limit("volley.batch.max.rows")?,
            max_bytes: limit("volley.batch.max.bytes")?,
            linger: Duration::from_millis(limit("volley.batch.linger.ms")? as u64),
        })
    }

    /// A number that a connector may set itself: its own, or otherwise the worker's.
    pub(super) fn own_number(&self, name: &str, connector_config: &ConfigMap) -> Result<usize> {
        let Some(text) = connector_config.get(name) else { return Ok(self.unsigned(name)) };
        let def = common_config_def();
        let Some(key) = def.find(name) else { return Ok(self.unsigned(name)) };
        match key.parse(Some(text)) {
            (volley_api::ConfigValue::Long(number), issues) if issues.is_empty() => {
                Ok(usize::try_from(number).unwrap_or(usize::MAX))
            }
            (_, issues) => Err(Error::config(issues.into_iter().next().unwrap_or_default())),
        }
    }

    pub(super) fn millis(&self, key: &str) -> Duration {
        Duration::from_millis(self.unsigned(key) as u64)
    }

    fn unsigned(&self, key: &str) -> usize {
        usize::try_from(self.parsed.long(key).unwrap_or_default()).unwrap_or_default()
    }
}

impl fmt::Debug for WorkerConfig {
    /// Prints the keys only: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerConfig").field("keys", &self.originals.keys().collect::<Vec<_>>()).finish()
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    fn minimal(more: &[(&str, &str)]) -> ConfigMap {
        let mut config = config_map(&[
            ("key.converter", "JsonConverter"),
            ("value.converter", "JsonConverter"),
            ("offset.storage.file.filename", "/tmp/offsets"),
        ]);
        config.extend(config_map(more));
        config
    }

    #[test]
    fn defaults_are_those_of_kafka_connect() {
        let config = WorkerConfig::standalone(minimal(&[])).unwrap();
        assert_eq!(config.bootstrap_servers(), "localhost:9092");
        assert_eq!(config.offset_flush_interval(), Duration::from_secs(60));
        assert_eq!(config.task_shutdown_timeout(), Duration::from_secs(5));
        assert_eq!(config.parsed().list("listeners"), ["http://:8083"]);
    }

    #[test]
    fn a_missing_or_wrong_key_is_named() {
        let error =
            WorkerConfig::standalone(config_map(&[("key.converter", "x"), ("value.converter", "y")])).unwrap_err();
        assert!(error.to_string().contains("offset.storage.file.filename"), "{error}");
        let error = WorkerConfig::standalone(minimal(&[("listeners", "")])).unwrap_err();
        assert!(error.to_string().contains("listeners"), "{error}");
        let error = WorkerConfig::standalone(minimal(&[("offset.flush.interval.ms", "")])).unwrap_err();
        assert!(error.to_string().contains("Not a number of type LONG"), "{error}");
    }

    #[test]
    fn a_connector_may_set_its_own_batch_limits() {
        let config = WorkerConfig::standalone(minimal(&[("volley.batch.max.rows", "10")])).unwrap();
        let limits = config.batch_limits(&config_map(&[("volley.batch.linger.ms", "7")])).unwrap();
        assert_eq!((limits.max_rows, limits.linger), (10, Duration::from_millis(7)));
        assert!(config.batch_limits(&config_map(&[("volley.batch.max.rows", "none")])).is_err());
    }

    #[test]
    fn debug_shows_no_values() {
        let config = WorkerConfig::standalone(minimal(&[("sasl.jaas.config", "hunter2")])).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
