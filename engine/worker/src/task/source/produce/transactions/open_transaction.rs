//! What belongs to the transaction under way. Does no I/O.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use volley_api::{Error, SourceOffset, SourcePartition};

use crate::storage::OffsetBackingStore;
use crate::task::source::produce::acknowledgements::{SourceOffsets, key_of};
use crate::task::source::produce::committed_offsets::CommittedOffsets;
use crate::task::source::produce::transactions::TransactionBoundary;

/// The part number in the tokens of records of offsets, which are of no batch.
pub(crate) const OFFSET_PART: u32 = u32::MAX;

/// The transactions of one task.
pub(crate) struct Transactions {
    pub(super) boundary: TransactionBoundary,
    pub(super) store: Arc<dyn OffsetBackingStore>,
    pub(super) committed: Arc<CommittedOffsets>,
    /// Whether the producer has begun one.
    pub(super) is_open: bool,
    /// Whether only a part of a batch is in it, so that it must not be committed.
    is_torn: bool,
    /// Messages in it.
    pub(super) records: usize,
    /// The newest offset of each partition whose batches are in it as a whole.
    offsets: IndexMap<Arc<str>, (SourcePartition, SourceOffset)>,
    /// Records of offsets that are not acknowledged.
    pub(super) open_offsets: usize,
    /// Why a record of offsets was not written.
    pub(super) offset_failure: Option<Error>,
    /// When the last one ended.
    pub(super) last_end: Instant,
}

impl Transactions {
    /// None is open. Offsets go to the topic of `store`; those that are committed are noted in `committed`.
    pub(crate) fn new(
        boundary: TransactionBoundary,
        store: Arc<dyn OffsetBackingStore>,
        committed: Arc<CommittedOffsets>,
    ) -> Self {
        Self {
            boundary,
            store,
            committed,
            is_open: false,
            is_torn: false,
            records: 0,
            offsets: IndexMap::new(),
            open_offsets: 0,
            offset_failure: None,
            last_end: Instant::now(),
        }
    }

    /// The time for the first transaction begins now.
    pub(crate) fn begin(&mut self) {
        self.last_end = Instant::now();
    }

    /// Messages in the transaction under way.
    pub(crate) fn records(&self) -> usize {
        self.records
    }

    /// More messages are in it.
    pub(crate) fn on_sent(&mut self, messages: usize) {
        self.records += messages;
    }

    /// A batch is in it as a whole.
    pub(crate) fn add_batch(&mut self, partition: SourcePartition, offset: SourceOffset) {
        self.offsets.insert(key_of(&partition), (partition, offset));
    }

    /// A batch is in it that will never be whole.
    pub(crate) fn tear(&mut self) {
        self.is_torn = true;
    }

    /// Whether it can be committed at all.
    pub(super) fn is_whole(&self) -> bool {
        !self.is_torn
    }

    /// Whether nothing is to be committed.
    pub(super) fn is_empty(&self) -> bool {
        !self.is_open && self.offsets.is_empty()
    }

    /// The offsets to be committed.
    pub(super) fn take_offsets(&mut self) -> SourceOffsets {
        std::mem::take(&mut self.offsets).into_values().collect()
    }

    /// How long until the transaction under way is to end by itself.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        self.boundary.time_left(self.last_end).filter(|_| !self.is_empty())
    }
}
