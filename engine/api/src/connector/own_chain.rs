//! What tasks need that convert and transform by themselves.

use crate::ConfigMap;

/// For the tasks of a connector that [has its own chain](crate::Connector::has_own_chain): what the worker would make converters
/// and transformations of, and what its loop would know. MUST NOT be logged: variables are resolved.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnChain {
    /// The connector's configuration.
    pub connector_config: ConfigMap,
    /// The worker's own keys of converters: `key.converter`, `value.converter`, `header.converter`, and what begins with one of
    /// these and a dot.
    pub worker_config: ConfigMap,
    /// Largest number of messages that one put of a sink has.
    pub max_poll_records: usize,
    /// Whether a source's records are produced in transactions: then it delivers exactly once.
    pub exactly_once: bool,
}

impl std::fmt::Debug for OwnChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnChain").field("max_poll_records", &self.max_poll_records).finish_non_exhaustive()
    }
}
