//! A connector: checks a configuration and divides the work into tasks.

use std::sync::Arc;

use crate::{ConfigDef, ConfigIssue, ConfigMap, Error, Result, SourceOffset, SourcePartition};

/// Which way a connector moves data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectorKind {
    /// Into Kafka.
    Source,
    /// Out of Kafka.
    Sink,
}

/// Whether a source has an ability (KIP-618).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It has.
    Supported,
    /// It has not.
    Unsupported,
}

/// What a running connector may ask of the worker.
#[derive(Clone)]
pub struct ConnectorContext {
    /// Connector name.
    pub connector: String,
    /// Asks for [`Connector::task_configs`] to be called again.
    pub request_task_reconfiguration: Arc<dyn Fn() + Send + Sync>,
    /// Puts the connector into FAILED with this error.
    pub raise_error: Arc<dyn Fn(Error) + Send + Sync>,
}

impl std::fmt::Debug for ConnectorContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectorContext").field("connector", &self.connector).finish_non_exhaustive()
    }
}

/// One configured connector. Life cycle: `start`, `task_configs` (any number of times), `stop`. The worker calls it off
/// its control threads, one call at a time, each with a deadline.
pub trait Connector: Send {
    /// The keys of this connector, without those that every connector has.
    fn config_def(&self) -> ConfigDef;

    /// The configurations of the tasks, at most `max_tasks`. `config` is the connector's; what is returned for each task
    /// is all the task will see.
    fn task_configs(&mut self, config: &ConfigMap, max_tasks: usize) -> Result<Vec<ConfigMap>>;

    /// Checks that go beyond single keys. Called without `start`; MUST NOT change anything outside.
    fn validate(&self, _config: &ConfigMap) -> Vec<ConfigIssue> {
        Vec::new()
    }

    /// Called before the first `task_configs`.
    fn start(&mut self, _context: ConnectorContext, _config: &ConfigMap) -> Result<()> {
        Ok(())
    }

    /// Called once after a successful `start`.
    fn stop(&mut self) {}

    /// Whether its tasks will end by themselves: a source that has an end. Told to who waits for bounded connectors.
    fn is_bounded(&self, _config: &ConfigMap) -> bool {
        false
    }

    /// KIP-875: checks offsets that a user wants to set (`None` = forget). `Ok(true)`: the connector vouches for them.
    fn alter_offsets(
        &mut self,
        _config: &ConfigMap,
        _offsets: &[(SourcePartition, Option<SourceOffset>)],
    ) -> Result<bool> {
        Ok(false)
    }

    /// KIP-618: whether a source, configured so, can deliver exactly once; `None`: it does not say. Called without `start`.
    fn exactly_once_support(&self, _config: &ConfigMap) -> Result<Option<Support>> {
        Ok(None)
    }

    /// KIP-618: whether a source, configured so, can say itself where transactions end. Called without `start`.
    fn can_define_transaction_boundaries(&self, _config: &ConfigMap) -> Result<Option<Support>> {
        Ok(Some(Support::Unsupported))
    }
}

/// `max_tasks` copies of `config`: the task configurations of a connector whose tasks are all alike.
pub fn task_configs_for_all(config: &ConfigMap, max_tasks: usize) -> Vec<ConfigMap> {
    vec![config.clone(); max_tasks]
}
