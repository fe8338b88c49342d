//! What passes between the stages of a sink task.
//!
//! ```text
//!  fetch ──Fetched──► convert ──Prepared──► put
//!    ▲                                       │
//!    └──────────── rewinds ──────────────────┘
//! ```
//!
//! Signals travel in line with the batches, so that each stage sees them in the order in which they happened.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::Sender;
use volley_api::{Error, Offsets, RawBatch, SinkBatch, TopicPartition};

use crate::memory_budget::Reservation;
use crate::task::sink::put_positions::Reached;

/// Batches between two stages: enough for both to work at once, more would only hold memory.
pub(crate) const STAGE_CAPACITY: usize = 4;

/// From fetch to convert.
pub(crate) enum Fetched {
    /// Consumed messages.
    Batch(FetchedBatch),
    /// Something that happened between batches.
    Signal(Signal),
}

/// Consumed messages with what the later stages need to know.
pub(crate) struct FetchedBatch {
    /// The messages.
    pub(crate) raw: Arc<RawBatch>,
    /// Their share of the memory budget, held until they are put.
    pub(crate) _reservation: Reservation,
    /// When they were fetched: see [`Generations`].
    pub(crate) generation: u64,
}

/// From convert to put.
pub(crate) enum Prepared {
    /// Records ready to be put.
    Batch {
        /// What they were made from.
        fetched: FetchedBatch,
        /// The records.
        batch: SinkBatch,
    },
    /// See [`Fetched::Signal`].
    Signal(Signal),
}

/// An event in line with the batches.
pub(crate) enum Signal {
    /// New partitions, where they begin, and the generation of their first batch.
    Assigned(Offsets, u64),
    /// Partitions to be given up once everything before is committed; the sender is told when it is.
    Revoked(Vec<TopicPartition>, Sender<()>),
    /// Partitions that are gone already.
    Lost(Vec<TopicPartition>),
    /// Partitions that were read behind their last record: there is none before these offsets that has not gone by.
    Reached(Reached),
    /// Commit soon.
    Commit,
    /// The task is to stop: deliver what is quickly delivered.
    Stop,
    /// A bounded task has read all of its partitions up to their ends: deliver everything, and note it if all are of these
    /// generations and nothing has to be read again.
    EndOfInput(HashMap<TopicPartition, u64>),
    /// Everything of a bounded connector is delivered, by all its tasks.
    Done,
    /// A stage failed; everything before it is still delivered.
    Failed(Error),
}

/// Numbers that tell batches of a partition from those fetched before it was assigned or rewound last. Only ever larger.
///
/// Batches that were under way at such a moment are dropped: put after it, they would leave a gap behind them.
#[derive(Debug, Default)]
pub(crate) struct Generations(AtomicU64);

impl Generations {
    /// A number larger than all before it.
    pub(crate) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// A partition to be read again.
#[derive(Clone, Debug)]
pub(crate) struct Rewind {
    pub(crate) partition: TopicPartition,
    pub(crate) offset: i64,
    /// The generation that it ends: in any other the partition has come anew since, and the rewind is none of it.
    pub(crate) replaces: u64,
    pub(crate) generation: u64,
}

/// Rewinds asked for by the put stage, for the fetch stage.
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
