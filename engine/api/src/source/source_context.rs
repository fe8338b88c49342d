//! What a source task may ask of the worker.

use std::fmt;
use std::sync::Arc;

use crate::source::offset_reader::{no_offsets, offset_of};
use crate::{
    ConfigMap, Error, Metrics, OffsetReader, OwnChain, Result, SourceOffset, SourcePartition, TransactionContext,
    WorkerPlugins,
};

type IsAbandoned = Arc<dyn Fn() -> bool + Send + Sync>;
type ReadConfigs = Arc<dyn Fn() -> Result<ConfigMap> + Send + Sync>;

/// Given to a source task when it starts. It may be cloned and used from any thread.
#[derive(Clone)]
pub struct SourceContext {
    /// Connector name.
    pub connector: String,
    /// Task number, from 0.
    pub task: usize,
    offsets: Arc<dyn OffsetReader>,
    metrics: Metrics,
    plugins: WorkerPlugins,
    transactions: Option<TransactionContext>,
    own_chain: Option<Arc<OwnChain>>,
    is_abandoned: IsAbandoned,
    configs: Option<ReadConfigs>,
}

impl SourceContext {
    /// The context of task `task` of `connector`, without stored offsets, plug-ins or transactions.
    pub fn new(connector: impl Into<String>, task: usize) -> Self {
        Self {
            connector: connector.into(),
            task,
            offsets: no_offsets(),
            metrics: Metrics::default(),
            plugins: WorkerPlugins::none(),
            transactions: None,
            own_chain: None,
            is_abandoned: Arc::new(|| false),
            configs: None,
        }
    }

    /// The same context with stored offsets.
    #[must_use]
    pub fn with_offsets(mut self, offsets: Arc<dyn OffsetReader>) -> Self {
        self.offsets = offsets;
        self
    }

    /// The same context with these metrics.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// The same context with these plug-ins.
    #[must_use]
    pub fn with_plugins(mut self, plugins: WorkerPlugins) -> Self {
        self.plugins = plugins;
        self
    }

    /// The same context for a task that says where its transactions end.
    #[must_use]
    pub fn with_transactions(mut self, transactions: TransactionContext) -> Self {
        self.transactions = Some(transactions);
        self
    }

    /// The same context for a task that converts and transforms by itself.
    #[must_use]
    pub fn with_own_chain(mut self, own_chain: OwnChain) -> Self {
        self.own_chain = Some(Arc::new(own_chain));
        self
    }

    /// The same context with who knows whether the task is given up. It MUST NOT block.
    #[must_use]
    pub fn on_abandonment(mut self, is_abandoned: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.is_abandoned = Arc::new(is_abandoned);
        self
    }

    /// The same context with who reads the task's configuration, its variables resolved anew.
    #[must_use]
    pub fn with_configs(mut self, read: impl Fn() -> Result<ConfigMap> + Send + Sync + 'static) -> Self {
        self.configs = Some(Arc::new(read));
        self
    }

    /// The task's configuration with its variables resolved anew: a secret may have changed since the start. Asks config providers.
    /// MUST NOT be logged.
    ///
    /// # Errors
    /// That of a provider that cannot resolve a variable.
    pub fn configs(&self) -> Result<ConfigMap> {
        match &self.configs {
            Some(read) => read(),
            None => Err(Error::fatal("nobody knows the configuration of the task here")),
        }
    }

    /// What a task needs that converts and transforms by itself; `None` unless its connector says that it does.
    pub fn own_chain(&self) -> Option<&OwnChain> {
        self.own_chain.as_deref()
    }

    /// Whether the worker has given the task up: it was to stop, and did not in time. Nothing that it does counts any more. A task
    /// that waits for something else looks here again and again, and ends its wait.
    pub fn is_abandoned(&self) -> bool {
        (self.is_abandoned)()
    }

    /// The stored offset of a source partition, if any.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn offset(&self, partition: &SourcePartition) -> Result<Option<SourceOffset>> {
        offset_of(&*self.offsets, partition)
    }

    /// The stored offsets of many source partitions at once, in their order.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn offsets(&self, partitions: &[SourcePartition]) -> Result<Vec<Option<SourceOffset>>> {
        self.offsets.offsets(partitions)
    }

    /// The task's metrics, which the worker shows.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The worker's plug-ins.
    pub fn plugins(&self) -> &WorkerPlugins {
        &self.plugins
    }

    /// Where the task says that a transaction ends. `None` unless the worker delivers this connector exactly once and
    /// leaves the boundaries to it, as in Kafka Connect (KIP-618).
    pub fn transactions(&self) -> Option<&TransactionContext> {
        self.transactions.as_ref()
    }
}

impl fmt::Debug for SourceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceContext")
            .field("connector", &self.connector)
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}
