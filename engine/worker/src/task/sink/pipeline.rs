//! The messages between the stages of a sink task.
//!
//! ```text
//!  fetch ──Fetched──► convert ──Prepared──► put
//!    ▲                                       │
//!    └──────────── rewinds ──────────────────┘
//! ```
//!
//! Signals travel in order with the batches, so each stage sees events in the order in which they happened.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::Sender;
use volley_api::{Error, Offsets, RawBatch, SinkBatch, TopicPartition};

use crate::memory_budget::Reservation;
use crate::task::sink::put::put_positions::Reached;

/// Number of batches between two stages. It lets both work at the same time; more would only use memory.
pub(crate) const STAGE_CAPACITY: usize = 2;
/// The same for a task with a chain of its own. Its batches are small, and it takes many with one call.
pub(crate) const MESSAGES_CAPACITY: usize = 16;

/// From fetch to convert.
pub(crate) enum Fetched {
    /// Consumed messages.
    Batch(FetchedBatch),
    /// An event between batches.
    Signal(Signal),
}

/// Consumed messages with the data for later stages.
pub(crate) struct FetchedBatch {
    /// The messages.
    pub(crate) raw: Arc<RawBatch>,
    /// Their share of the memory budget, held until they are put.
    pub(crate) _reservation: Reservation,
    /// The generation of their partition when they were fetched: see [`Generations`].
    pub(crate) generation: u64,
}

/// From convert to put.
pub(crate) enum Prepared {
    /// Records ready to be put.
    Batch {
        /// The messages of the records.
        fetched: FetchedBatch,
        /// The records.
        batch: SinkBatch,
    },
    /// See [`Fetched::Signal`].
    Signal(Signal),
}

/// An event, in order with the batches.
pub(crate) enum Signal {
    /// New partitions with their start offsets, and the generation of their first batch.
    Assigned(Offsets, u64),
    /// Partitions to give up once everything before is committed. The sender is notified then.
    Revoked(Vec<TopicPartition>, Sender<()>),
    /// Partitions that are already lost.
    Lost(Vec<TopicPartition>),
    /// Partitions that were read past their last record: every record before these offsets has been passed on.
    Reached(Reached),
    /// Commit soon.
    Commit,
    /// The task is to stop: deliver as much as is possible quickly.
    Stop,
    /// A bounded task has read all its partitions up to their ends: deliver everything. Note it as delivered if all
    /// partitions are still of these generations and no offset has to be read again.
    EndOfInput(HashMap<TopicPartition, u64>),
    /// All tasks of a bounded connector have delivered everything.
    Done,
    /// A stage failed; everything before it is still delivered.
    Failed(Error),
}

/// Increasing numbers that distinguish batches of a partition from those that were fetched before its last assignment
/// or rewind.
///
/// Older batches that are in flight at that moment are dropped: putting them later would leave a gap behind them.
#[derive(Debug, Default)]
pub(crate) struct Generations(AtomicU64);

impl Generations {
    /// The next number.
    pub(crate) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// A partition to be read again.
#[derive(Clone, Debug)]
pub(crate) struct Rewind {
    pub(crate) partition: TopicPartition,
    pub(crate) offset: i64,
    /// The generation that it ends. If the partition has another generation by now, it was assigned again, and the
    /// rewind is ignored.
    pub(crate) replaces: u64,
    pub(crate) generation: u64,
}

/// Rewinds from the put stage to the fetch stage.
#[derive(Debug, Default)]
pub(crate) struct Rewinds(Mutex<Vec<Rewind>>);

impl Rewinds {
    pub(crate) fn push(&self, rewind: Rewind) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(rewind);
    }

    pub(crate) fn take(&self) -> Vec<Rewind> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
