//! What a transformation may ask of the worker.

use std::sync::Arc;

use crate::{Metrics, TopicReader, WorkerPlugins};

/// Given to a transformation when it is made. That of [`TransformationContext::default`] has nothing: the transformation
/// is made to check its configuration, and transforms nothing.
#[derive(Clone, Debug, Default)]
pub struct TransformationContext {
    is_running: bool,
    metrics: Metrics,
    plugins: WorkerPlugins,
    topics: Option<Arc<dyn TopicReader>>,
}

impl TransformationContext {
    /// The context in a task, with the task's metrics and the worker's plug-ins.
    pub fn of_task(metrics: Metrics, plugins: WorkerPlugins) -> Self {
        Self { is_running: true, metrics, plugins, topics: None }
    }

    /// The same context with this reader of topics.
    #[must_use]
    pub fn with_topics(mut self, topics: Arc<dyn TopicReader>) -> Self {
        self.topics = Some(topics);
        self
    }

    /// Whether the transformation is part of a task. Otherwise it MUST NOT start threads, or wait for others.
    pub fn is_running(&self) -> bool {
        self.is_running
    }

    /// The task's metrics, which the worker shows.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The worker's plug-ins.
    pub fn plugins(&self) -> &WorkerPlugins {
        &self.plugins
    }

    /// Reads topics as a whole; `None` outside of a task.
    pub fn topics(&self) -> Option<&Arc<dyn TopicReader>> {
        self.topics.as_ref()
    }
}
