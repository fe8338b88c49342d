//! Source tasks.

use std::sync::Arc;
use std::time::Duration;

use crate::{ConfigMap, Records, Result, SourceOffset, SourcePartition};

/// What a source task may ask of the worker.
#[derive(Clone)]
pub struct SourceContext {
    /// Connector name.
    pub connector: String,
    /// Task number, from 0.
    pub task: usize,
    /// The stored offset of a source partition, if any.
    pub offset: Arc<dyn Fn(&SourcePartition) -> Result<Option<SourceOffset>> + Send + Sync>,
}

impl std::fmt::Debug for SourceContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceContext")
            .field("connector", &self.connector)
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}

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

/// One task of a source connector. Life cycle: `start`, `poll` and `commit` (any number of times), `stop`. All on one
/// thread. An error of `poll` of kind `Retriable` means "nothing for now": it is polled again after a wait that grows with
/// each such error in a row. Any other puts the task into FAILED.
pub trait SourceTask: Send {
    /// Opens what the task reads and finds its position by `context.offset`.
    fn start(&mut self, context: SourceContext, config: &ConfigMap) -> Result<()>;

    /// The next records, waiting for them at most about `max_wait`. A batch should hold a thousand rows or more where the
    /// source has them; smaller ones cost speed, not correctness.
    fn poll(&mut self, max_wait: Duration) -> Result<Polled>;

    /// Closes everything. Called once after `start`, whether or not that succeeded.
    fn stop(&mut self);

    /// All records up to these offsets are delivered and the offsets stored. An error is logged and changes nothing.
    fn commit(&mut self, _delivered: &[(SourcePartition, SourceOffset)]) -> Result<()> {
        Ok(())
    }
}
