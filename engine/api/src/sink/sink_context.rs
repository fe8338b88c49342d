//! What a sink task may ask of the worker.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{
    ConfigMap, Error, Metrics, OwnChain, RawBatch, Result, SinkGroup, SinkRequests, TopicPartition, WorkerPlugins,
};

type IsAbandoned = Arc<dyn Fn() -> bool + Send + Sync>;
type ReadConfigs = Arc<dyn Fn() -> Result<ConfigMap> + Send + Sync>;

/// Takes rows that a task reports as bad, on any thread: see [`SinkContext::report`].
pub trait TakeReport: Send + Sync {
    /// Takes row `row` of `batch`, which failed in `class`.
    ///
    /// # Errors
    /// If it cannot be taken, or if no errors are tolerated.
    fn report(&self, batch: &Arc<RawBatch>, row: usize, class: &str, error: Error) -> Result<()>;
}

/// Given to a sink task when it starts. It may be cloned and used from any thread. What the task asks for is carried out
/// after the call of the task that is under way, or after the next one.
#[derive(Clone)]
pub struct SinkContext {
    /// Connector name.
    pub connector: String,
    /// Task number, from 0.
    pub task: usize,
    metrics: Metrics,
    plugins: WorkerPlugins,
    requests: SinkRequests,
    own_chain: Option<Arc<OwnChain>>,
    is_abandoned: IsAbandoned,
    reports: Option<Arc<dyn TakeReport>>,
    configs: Option<ReadConfigs>,
    group: Option<Arc<dyn SinkGroup>>,
}

impl SinkContext {
    /// The context of task `task` of `connector`, without plug-ins, and with nobody who takes reports.
    pub fn new(connector: impl Into<String>, task: usize) -> Self {
        Self {
            connector: connector.into(),
            task,
            metrics: Metrics::default(),
            plugins: WorkerPlugins::none(),
            requests: SinkRequests::default(),
            own_chain: None,
            is_abandoned: Arc::new(|| false),
            reports: None,
            configs: None,
            group: None,
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

    /// The same context with who takes [reports](SinkContext::report).
    #[must_use]
    pub fn with_reports(mut self, reports: Arc<dyn TakeReport>) -> Self {
        self.reports = Some(reports);
        self
    }

    /// The same context with who reads the task's configuration, its variables resolved anew.
    #[must_use]
    pub fn with_configs(mut self, read: impl Fn() -> Result<ConfigMap> + Send + Sync + 'static) -> Self {
        self.configs = Some(Arc::new(read));
        self
    }

    /// The same context with the task's consumer group.
    #[must_use]
    pub fn with_group(mut self, group: Arc<dyn SinkGroup>) -> Self {
        self.group = Some(group);
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

    /// What a task needs that converts and transforms by itself; `None` unless its connector says that it does.
    pub fn own_chain(&self) -> Option<&OwnChain> {
        self.own_chain.as_deref()
    }

    /// Whether the worker has given the task up: it was to stop, and did not in time. Nothing that it does counts any more. A task
    /// that waits for something else looks here again and again, and ends its wait.
    pub fn is_abandoned(&self) -> bool {
        (self.is_abandoned)()
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

    /// Asks to go on at `offset` of `partition`, before or behind where the task is; the last call counts. What was on its way
    /// is dropped. Records that are skipped so count as delivered: a task that keeps its offsets elsewhere knows. Where it goes
    /// back, the offset that counts as committed falls too.
    pub fn seek(&self, partition: TopicPartition, offset: i64) {
        self.requests.change(|requests| {
            requests.seeks.insert(partition, offset);
        });
    }

    /// Asks to be given the records of all partitions again from the last committed offset on, or from where the task began if it
    /// has committed nothing. For a task that cannot vouch for what was put since: then its `pre_commit` fails with
    /// `Retriable`.
    pub fn seek_to_committed(&self) {
        self.requests.change(|requests| {
            requests.seeks.clear();
            requests.to_committed = true;
        });
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

    /// Reports row `row` of `batch` as bad at once (KIP-610): when this returns, its dead letter is on its way, and no offset is
    /// committed before all such letters are acknowledged. `class`: the class of the task, for the report. `batch` need not be
    /// one that was put: a message by itself is enough.
    ///
    /// # Errors
    /// If errors are not tolerated, or the dead letter cannot be written. Then the task fails, too, after its call that is under
    /// way or the next one, and commits nothing more.
    pub fn report(&self, batch: &Arc<RawBatch>, row: usize, class: &str, error: Error) -> Result<()> {
        match &self.reports {
            Some(reports) => reports.report(batch, row, class, error),
            None => Err(Error::fatal("nobody takes reports of bad records here").with_source(error)),
        }
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

    /// The consumer group of the task: what it has committed, and as which member the task is in it.
    ///
    /// # Errors
    /// Where there is no group: in a preview, for example.
    pub fn group(&self) -> Result<&dyn SinkGroup> {
        self.group.as_deref().ok_or_else(|| Error::fatal("the task has no consumer group here"))
    }

    /// For the worker: what the task has asked for.
    pub fn requests(&self) -> &SinkRequests {
        &self.requests
    }
}

impl fmt::Debug for SinkContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkContext")
            .field("connector", &self.connector)
            .field("task", &self.task)
            .field("requests", &self.requests)
            .finish_non_exhaustive()
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing::raw_batch;

    fn partition() -> TopicPartition {
        TopicPartition::new("t", 0)
    }

    #[test]
    fn the_last_seek_of_a_partition_counts_and_one_to_the_committed_offsets_ends_those_before() {
        let context = SinkContext::new("c", 0);
        context.seek(partition(), 5);
        context.seek(partition(), 9);
        let seeks = |offset| BTreeMap::from([(partition(), offset)]);
        assert_eq!(context.requests().take_seeks(), (false, seeks(9)));
        context.seek(partition(), 5);
        context.seek_to_committed();
        assert_eq!(context.requests().take_seeks(), (true, BTreeMap::new()));
        context.seek_to_committed();
        context.seek(partition(), 7);
        assert_eq!(context.requests().take_seeks(), (true, seeks(7)));
        assert_eq!(context.requests().take_seeks(), (false, BTreeMap::new()));
    }

    #[test]
    fn a_report_that_nobody_takes_is_an_error_with_its_reason() {
        let batch = Arc::new(raw_batch("t", 0, 0, [None]));
        let error = SinkContext::new("c", 0).report(&batch, 0, "a.B", Error::data("bad")).unwrap_err();
        assert!(format!("{error:#}").ends_with(": bad"), "{error:#}");
    }
}
