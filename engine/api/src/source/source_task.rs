//! Source tasks.

use std::time::Duration;

use crate::{Records, Result, SourceOffset, SourcePartition, TopicPartition};

/// Records of one source partition.
#[derive(Clone, Debug)]
pub struct SourceBatch {
    /// The records; `origin` is `None`, `rows` is [`crate::RowIndex::all`].
    pub records: Records,
    /// Where they come from.
    pub partition: SourcePartition,
    /// The position after the last of them: where to go on once all are delivered.
    pub offset: SourceOffset,
}

/// What a poll found.
#[derive(Clone, Debug)]
pub enum Polled {
    /// Records, in order.
    Batches(Vec<SourceBatch>),
    /// Nothing for now; the task has waited for about `max_wait`.
    Idle,
    /// Nothing, and nothing will come for this long. Returned at once: the worker does the waiting, which costs a task that
    /// has little to do next to nothing, and ends it early when something else is wanted of the task.
    IdleFor(Duration),
    /// Nothing, and there never will be: the source is bounded and at its end.
    Finished,
}

/// A polled batch, all of whose records Kafka has acknowledged.
#[derive(Clone, Debug, PartialEq)]
pub struct AcknowledgedBatch {
    /// Its source partition.
    pub partition: SourcePartition,
    /// The position after its last record.
    pub offset: SourceOffset,
    /// Where its records are in Kafka, by row. Rows that were filtered or rejected are missing, and those that failed where
    /// that is tolerated.
    pub rows: Vec<AcknowledgedRow>,
}

/// Where a record is in Kafka.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcknowledgedRow {
    /// Its row in the batch that was polled; a transformation may make several records of one row.
    pub row: usize,
    /// Topic and partition that it was written to.
    pub partition: TopicPartition,
    /// Its offset there; -1 where the producer does not ask for it (`acks=0`).
    pub offset: i64,
}

/// One task of a source connector, on one thread. It is started by being made, when it opens what it reads and finds its
/// position by [`crate::SourceContext::offset`]: see [`crate::PluginFactory`]. Life cycle: `poll`, `acknowledged` and `commit`
/// (any number of times), `stop`.
///
/// # Errors
/// `Retriable` from `poll` means "nothing for now": it is polled again after a wait that grows with each such error in a row.
/// Any other puts the task into FAILED.
pub trait SourceTask: Send {
    /// The next records, waiting for them at most about `max_wait`. A batch should hold a thousand rows or more where the
    /// source has them; smaller ones cost speed, not correctness.
    fn poll(&mut self, max_wait: Duration) -> Result<Polled>;

    /// Closes everything. Called once, at the end.
    fn stop(&mut self) {}

    /// All records up to these offsets are delivered and the offsets stored. An error is logged and changes nothing.
    fn commit(&mut self, _delivered: &[(SourcePartition, SourceOffset)]) -> Result<()> {
        Ok(())
    }

    /// Whether [`SourceTask::commit`] is called after every offset commit, which comes at each interval, also with nothing new
    /// to commit: for a task that counts on being called. Asked once.
    fn wants_every_commit(&self) -> bool {
        false
    }

    /// Whether the task wants to be told where its records are in Kafka. Asked once; costs memory for each record on its way.
    fn wants_acknowledgements(&self) -> bool {
        false
    }

    /// For a task that wants it: a batch, all of whose records Kafka has acknowledged. Those of a source partition come in
    /// order, and before the `commit` of their offset. An error is logged and changes nothing.
    fn acknowledged(&mut self, _batch: &AcknowledgedBatch) -> Result<()> {
        Ok(())
    }
}
