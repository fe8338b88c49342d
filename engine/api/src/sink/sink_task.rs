//! Sink tasks.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{ConfigMap, Offsets, Origin, Records, RejectedRow, Result, TopicPartition};

/// Records of one consumed batch, ready to be written.
#[derive(Clone, Debug)]
pub struct SinkBatch {
    /// Coordinates of the consumed batch. Its `range` counts as delivered once this batch is, also where no row remains.
    pub origin: Arc<Origin>,
    /// What conversion and transformations made of it; possibly nothing.
    pub records: Vec<Records>,
}

#[derive(Debug, Default)]
struct Requests {
    rewinds: Vec<(TopicPartition, i64)>,
    commit: bool,
}

/// What a sink task may ask of the worker. Requests are carried out after the call in which they were made.
#[derive(Clone, Debug)]
pub struct SinkContext {
    /// Connector name.
    pub connector: String,
    /// Task number, from 0.
    pub task: usize,
    requests: Arc<Mutex<Requests>>,
}

impl SinkContext {
    /// The context of task `task` of `connector`.
    pub fn new(connector: impl Into<String>, task: usize) -> Self {
        Self { connector: connector.into(), task, requests: Arc::default() }
    }

    /// Asks to be given the records of `partition` from `offset` on again. What was on its way is dropped: the next batch
    /// of the partition that is put begins at `offset` or later.
    pub fn rewind(&self, partition: TopicPartition, offset: i64) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).rewinds.push((partition, offset));
    }

    /// Asks for an offset commit soon, not only at the next interval.
    pub fn request_commit(&self) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).commit = true;
    }

    /// For the worker: takes the rewinds asked for.
    pub fn take_rewinds(&self) -> Vec<(TopicPartition, i64)> {
        std::mem::take(&mut self.requests.lock().unwrap_or_else(PoisonError::into_inner).rewinds)
    }

    /// For the worker: takes the wish for a commit.
    pub fn take_commit_request(&self) -> bool {
        std::mem::take(&mut self.requests.lock().unwrap_or_else(PoisonError::into_inner).commit)
    }
}

/// What a sink has written so far; for display.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SinkProgress {
    /// Files being written.
    pub open_files: u64,
    /// Files completed since the task started.
    pub complete_files: u64,
    /// Bytes of the completed files.
    pub written_bytes: u64,
}

/// One task of a sink connector, on one thread. Life cycle: `start`; then `open` and `close` as partitions come and go,
/// `put`, `tick`, `flush` and `pre_commit` between; `stop`.
///
/// Batches of a partition are put in offset order, each exactly once unless the task asks for a rewind.
///
/// # Errors
/// `Retriable` from `put`: nothing of the batch took effect; the worker pauses fetching and puts the same batch again
/// after a short wait. `Retriable` from the other calls: the worker calls again later. Any other kind: FAILED. A sink
/// decides itself after how long a retriable condition becomes a failure.
pub trait SinkTask: Send {
    /// Parses the configuration and connects.
    fn start(&mut self, context: SinkContext, config: &ConfigMap) -> Result<()>;

    /// Takes a batch. Rows that can never be written are returned as rejected (stage `TaskPut`, `row` an INPUT row).
    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>>;

    /// Given the offset before which everything was put, per partition, at first its start: the offsets that may be
    /// committed, since every record before them is durably delivered. A partition left out keeps its committed offset. One
    /// for which all is returned that was put is committed up to the offset given here, which may lie behind transaction
    /// markers. Nothing at all means that the task keeps its offsets elsewhere, and nothing is committed.
    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets>;

    /// Closes everything. Called once after `start`, whether or not that succeeded.
    fn stop(&mut self);

    /// New partitions, each with the offset at which its first batch may begin (the committed one, or the partition's
    /// start).
    fn open(&mut self, _partitions: &Offsets) -> Result<()> {
        Ok(())
    }

    /// Partitions that go away; their buffered records are forgotten. `flush`, `pre_commit` and a commit came before if
    /// the worker still owned them.
    fn close(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        Ok(())
    }

    /// Completes what is buffered for these partitions, so that `pre_commit` can return all of it: at a pause in the
    /// assignment, a stop, or the end of a bounded run.
    fn flush(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        Ok(())
    }

    /// Called several times a second, whether or not there are records: for what depends on the clock.
    fn tick(&mut self) -> Result<()> {
        Ok(())
    }

    /// Bytes that the task holds in memory beyond the current batch.
    fn buffered_bytes(&self) -> usize {
        0
    }

    /// Frees memory: completes the largest thing that is buffered. Called while the worker is over its memory budget.
    fn relieve(&mut self) -> Result<()> {
        Ok(())
    }

    /// What has been written so far.
    fn progress(&self) -> SinkProgress {
        SinkProgress::default()
    }
}
