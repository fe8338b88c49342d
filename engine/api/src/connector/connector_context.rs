//! What a running connector may ask of the worker.

use std::fmt;
use std::sync::Arc;

use crate::source::offset_reader::{no_offsets, offset_of};
use crate::{Error, Metrics, OffsetReader, Result, SourceOffset, SourcePartition};

type OnReconfiguration = Arc<dyn Fn() + Send + Sync>;
type OnError = Arc<dyn Fn(Error) + Send + Sync>;

/// Given to a connector when it starts. It may be cloned and used from any thread.
#[derive(Clone)]
pub struct ConnectorContext {
    /// Connector name.
    pub connector: String,
    reconfigure: OnReconfiguration,
    raise: OnError,
    offsets: Arc<dyn OffsetReader>,
    metrics: Metrics,
}

impl ConnectorContext {
    /// The context of `connector`, with nobody who listens and no stored offsets.
    pub fn new(connector: impl Into<String>) -> Self {
        Self {
            connector: connector.into(),
            reconfigure: Arc::new(|| {}),
            raise: Arc::new(|_| {}),
            offsets: no_offsets(),
            metrics: Metrics::default(),
        }
    }

    /// The same context with who listens for [`ConnectorContext::request_task_reconfiguration`]. It MUST NOT block.
    #[must_use]
    pub fn on_reconfiguration(mut self, listener: impl Fn() + Send + Sync + 'static) -> Self {
        self.reconfigure = Arc::new(listener);
        self
    }

    /// The same context with who listens for [`ConnectorContext::raise_error`]. It MUST NOT block.
    #[must_use]
    pub fn on_error(mut self, listener: impl Fn(Error) + Send + Sync + 'static) -> Self {
        self.raise = Arc::new(listener);
        self
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

    /// Asks for [`crate::RunningConnector::task_configs`] to be called again.
    pub fn request_task_reconfiguration(&self) {
        (self.reconfigure)();
    }

    /// Puts the connector into FAILED with this error.
    pub fn raise_error(&self, error: Error) {
        (self.raise)(error);
    }

    /// The stored offset of a source partition, if any; a sink connector has none.
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

    /// The connector's metrics, which the worker shows.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

impl fmt::Debug for ConnectorContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectorContext").field("connector", &self.connector).finish_non_exhaustive()
    }
}
