//! What a sink task may ask of the worker.

use std::sync::Arc;
use std::time::Duration;

use crate::{Error, Metrics, RawBatch, SinkRequests, TopicPartition, WorkerPlugins};

/// Given to a sink task when it starts. It may be cloned and used from any thread. What the task asks for is carried out
/// after the call of the task that is under way, or after the next one.
#[derive(Clone, Debug)]
pub struct SinkContext {
    /// Connector name.
    pub connector: String,
    /// Task number, from 0.
    pub task: usize,
    metrics: Metrics,
    plugins: WorkerPlugins,
    requests: SinkRequests,
}

impl SinkContext {
    /// The context of task `task` of `connector`, without plug-ins.
    pub fn new(connector: impl Into<String>, task: usize) -> Self {
        Self {
            connector: connector.into(),
            task,
            metrics: Metrics::default(),
            plugins: WorkerPlugins::none(),
            requests: SinkRequests::default(),
        }
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

    /// The task's metrics, which the worker shows.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The worker's plug-ins.
    pub fn plugins(&self) -> &WorkerPlugins {
        &self.plugins
    }

    /// The partitions assigned to the task, in order. Those that are being opened are among them, those that are being closed
    /// too.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.requests.assignment()
    }

    /// Asks to be given the records of `partition` from `offset` on again. What was on its way is dropped: the next batch
    /// of the partition that is put begins at `offset` or later.
    pub fn rewind(&self, partition: TopicPartition, offset: i64) {
        self.requests.change(|requests| requests.rewinds.push((partition, offset)));
    }

    /// Asks for an offset commit soon, not only at the next interval.
    pub fn request_commit(&self) {
        self.requests.change(|requests| requests.commit = true);
    }

    /// Puts no more batches of these partitions, also none that is on its way, until they are resumed. Partitions that are
    /// not assigned stay as they are. A rebalance ends a pause: a partition that is assigned anew is not paused.
    pub fn pause(&self, partitions: &[TopicPartition]) {
        self.set_paused(partitions, true);
    }

    /// Ends what [`SinkContext::pause`] has begun.
    pub fn resume(&self, partitions: &[TopicPartition]) {
        self.set_paused(partitions, false);
    }

    fn set_paused(&self, partitions: &[TopicPartition], paused: bool) {
        let entries = partitions.iter().map(|partition| (partition.clone(), paused));
        self.requests.change(|requests| requests.pauses.extend(entries));
    }

    /// For a `put` that fails with `Retriable`: how long the worker waits before it puts that batch again, this once.
    pub fn timeout(&self, wait: Duration) {
        self.requests.change(|requests| requests.timeout = Some(wait));
    }

    /// Reports row `row` of `batch` as bad, for a task that finds out after `put` has returned. The worker decides what
    /// becomes of it, as of a row that `put` rejects. MUST come before [`crate::SinkTask::pre_commit`] vouches for the row.
    ///
    /// `batch` is that of [`crate::SinkBatch::raw`]: a dead letter has its bytes. A task that keeps it counts it as buffered.
    pub fn reject(&self, batch: &Arc<RawBatch>, row: usize, error: Error) {
        let rejection = LateRejection { batch: Arc::clone(batch), row, error };
        self.requests.change(|requests| requests.rejections.push(rejection));
    }

    /// For the worker: what the task has asked for.
    pub fn requests(&self) -> &SinkRequests {
        &self.requests
    }
}

/// A row found bad after it was put.
#[derive(Clone, Debug)]
pub struct LateRejection {
    /// The messages that it was among.
    pub batch: Arc<RawBatch>,
    /// Its row there.
    pub row: usize,
    /// Why.
    pub error: Error,
}
