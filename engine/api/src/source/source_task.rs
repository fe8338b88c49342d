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
/// position by [`crate::SourceContext::offset`]: see [`crate::PluginFactory`]. Life cycle: `poll` and `commit` (any number of
/// times), `stop`.
///
/// # Errors
/// `Retriable` from `poll` means "nothing for now": it is polled again after a wait that grows with each such error in a row.
/// Any other puts the task into FAILED.
pub trait SourceTask: Send {
    /// The next records, waiting for them at most about `max_wait`. A batch should hold a thousand rows or more where the
    /// source has them; smaller ones cost speed, not correctness.
    fn poll(&mut self, max_wait: Duration) -> Result<Polled>;

    /// Whether what the last `poll` began is still giving records, as of a task that reads in another process. It is polled
    /// again before a pause or a stop, until this is over: so what was read is delivered. It should be over soon.
    fn is_polling(&self) -> bool {
        false
    }

    /// Closes everything. Called once, at the end.
    fn stop(&mut self) {}

    /// All records up to these offsets are delivered and the offsets stored. An error is logged and changes nothing.
    fn commit(&mut self, _delivered: &[(SourcePartition, SourceOffset)]) -> Result<()> {
        Ok(())
    }

    /// Who is told of the task's records instead of [`SourceTask::commit`], while the task may be polling. Asked once, before the
    /// first poll. Costs a thread.
    fn delivery_listener(&mut self) -> Option<Box<dyn DeliveryListener>> {
        None
    }
}

/// Is told what became of the records of a source task, on a thread of its own. An error is logged and changes nothing.
pub trait DeliveryListener: Send {
    /// Whether it wants to be told where records are in Kafka. Asked once; costs memory for each record on its way.
    fn wants_acknowledgements(&self) -> bool;

    /// For one that wants it: batches, all of whose records Kafka has acknowledged. Those of a source partition come in order, and
    /// before the `commit` of their offset.
    fn acknowledged(&mut self, batches: &[AcknowledgedBatch]) -> Result<()>;

    /// All records up to these offsets are delivered and the offsets stored. Comes after every offset commit, at each interval,
    /// also with nothing new.
    fn commit(&mut self, delivered: &[(SourcePartition, SourceOffset)]) -> Result<()>;
}
