//! Sink tasks.

use std::sync::Arc;

use crate::{OffsetMetadata, Offsets, Origin, RawBatch, Records, RejectedRow, Result, TopicPartition};

/// Records of one consumed batch, ready to be written.
#[derive(Clone, Debug)]
pub struct SinkBatch {
    /// The messages as consumed. Their range counts as delivered once this batch is, also where no row remains.
    pub raw: Arc<RawBatch>,
    /// What conversion and transformations made of them; possibly nothing. One `Records` for each topic and schema: the rows
    /// of each ascend, and those of two may stand between each other. [`crate::in_row_order`] puts them in order for whoever
    /// needs it.
    pub records: Vec<Records>,
}

impl SinkBatch {
    /// Where the consumed messages stand in Kafka.
    pub fn origin(&self) -> &Arc<Origin> {
        &self.raw.origin
    }

    /// The partition that it was consumed from.
    pub fn partition(&self) -> &TopicPartition {
        &self.raw.origin.partition
    }

    /// Rows that remain.
    pub fn rows(&self) -> usize {
        self.records.iter().map(Records::len).sum()
    }
}

/// One task of a sink connector, on one thread. It is started by being made: see [`crate::PluginFactory`]. Life cycle: `open`
/// and `close` as partitions come and go, `put`, `tick`, `flush` and `pre_commit` between; `stop`.
///
/// Batches of a partition are put in offset order, each exactly once unless the task asks for a rewind.
///
/// # Errors
/// `Retriable` from `put`: nothing of the batch took effect; the worker pauses fetching and puts the same batch again
/// after a short wait. `Retriable` from the other calls: the worker calls again later. Any other kind: FAILED. A sink
/// decides itself after how long a retriable condition becomes a failure.
pub trait SinkTask: Send {
    /// Takes a batch. Rows that can never be written are returned as rejected (stage `TaskPut`, `row` an INPUT row). One that
    /// turns out bad later is reported by [`crate::SinkContext::reject`].
    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>>;

    /// For a task with a chain of its own: takes batches of any partitions with one call, and gives the rejected rows of each. Where
    /// they have more than [`crate::OwnChain::max_poll_records`] rows, they are for several puts: the first ones, at least one, may be put,
    /// and those behind, for which nothing is given, come with the next call. `Retriable` is said of all.
    fn put_together(&mut self, batches: &[SinkBatch]) -> Result<Vec<Vec<RejectedRow>>> {
        batches.iter().map(|batch| self.put(batch)).collect()
    }

    /// For a task with a chain of its own: what will be put after the next put, unless something else comes in between. So it may
    /// convert these while it puts those.
    fn announce(&mut self, _next: &[SinkBatch]) {}

    /// For a task with a chain of its own: of what the last call of `put` or `put_together` has left, or has said `Retriable` of, nothing
    /// is put again but what is read again. What it still knows to be wrong with it, it says here.
    fn withdrawn(&mut self) -> Result<()> {
        Ok(())
    }

    /// Given the offset before which everything was put, per partition, at first its start: the offsets that may be
    /// committed, since every record before them is durably delivered. A partition left out keeps its committed offset. One
    /// for which all is returned that was put is committed up to the offset given here, which may lie behind transaction
    /// markers. Nothing at all means that the task keeps its offsets elsewhere, and nothing is committed.
    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets>;

    /// What is to stand beside the offsets that the last [`SinkTask::pre_commit`] returned, in Kafka. Asked once after it.
    fn offset_metadata(&mut self) -> OffsetMetadata {
        OffsetMetadata::new()
    }

    /// Closes everything. Called once, at the end.
    fn stop(&mut self) {}

    /// New partitions, each with the offset at which its first batch may begin (the committed one, or the partition's
    /// start).
    fn open(&mut self, _partitions: &Offsets) -> Result<()> {
        Ok(())
    }

    /// Partitions that go away; their buffered records are forgotten. `flush`, `pre_commit` and a commit came before if
    /// the worker still owned them; of a task that [delivers once](SinkTask::delivers_once) the commit comes behind. Nothing is
    /// committed any more of a task that fails here.
    fn close(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        Ok(())
    }

    /// Completes what is buffered for these partitions, so that `pre_commit` can return all of it: at a pause in the
    /// assignment, a stop, or the end of a bounded run.
    fn flush(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        Ok(())
    }

    /// Whether asking once is enough: when partitions go away or the task stops, there is one `pre_commit`, and what it does not
    /// return is read again by whoever gets the partition. Otherwise the worker asks again until everything is delivered or time
    /// is up.
    fn delivers_once(&self) -> bool {
        false
    }

    /// For a bounded run: all records of the run that other tasks have not delivered already have been put here. Called again and
    /// again until it gives `true`: then the task has done what it does at the end, and what is left is to `flush`. A rewind or
    /// a new partition may come in between, and the end then comes again.
    fn end_of_input(&mut self) -> Result<bool> {
        Ok(true)
    }

    /// Called several times a second, whether or not there are records: for what depends on the clock, and for metrics.
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
}
