//! What was handed to the producer together, and is acknowledged message by message.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::buffer::ScalarBuffer;

use crate::task::source::polled_batch::PolledBatch;
use crate::task::source::produce::acknowledgements::BatchId;

/// Messages of one batch that go to one topic.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    /// The batch.
    pub(crate) batch: BatchId,
    /// Where the messages go.
    pub(crate) topic: Arc<str>,
    /// What they were made from.
    pub(crate) polled: Arc<PolledBatch>,
    /// Their partition, if the source names one.
    pub(crate) partition: Option<i32>,
    /// Their timestamps, by row.
    pub(crate) timestamps: ScalarBuffer<i64>,
}

/// What a message carries to the producer and back: its parcel and its row there. Ordered as they are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Token {
    /// As given by [`Parcels::open`].
    pub(crate) parcel: u32,
    /// The row in the records.
    pub(crate) row: u32,
}

impl From<Token> for u64 {
    fn from(token: Token) -> Self {
        Self::from(token.parcel) << 32 | Self::from(token.row)
    }
}

impl From<u64> for Token {
    fn from(token: u64) -> Self {
        // each half is 32 bits wide
        Self { parcel: (token >> 32) as u32, row: token as u32 }
    }
}

#[derive(Debug)]
struct Open {
    parcel: Parcel,
    outstanding: usize,
    is_closed: bool,
}

/// The parcels on their way, by number. Numbers come again after so many parcels that those before are long done.
#[derive(Debug, Default)]
pub(crate) struct Parcels {
    next: u32,
    open: HashMap<u32, Open>,
}

impl Parcels {
    /// Opens a parcel; its number.
    pub(crate) fn open(&mut self, parcel: Parcel) -> u32 {
        let number = self.next;
        self.next = number.wrapping_add(1);
        self.open.insert(number, Open { parcel, outstanding: 0, is_closed: false });
        number
    }

    /// A parcel some of whose messages have no fate yet.
    pub(crate) fn get(&self, number: u32) -> Option<&Parcel> {
        self.open.get(&number).map(|open| &open.parcel)
    }

    /// `messages` more are on their way.
    pub(crate) fn sent(&mut self, number: u32, messages: usize) {
        if let Some(open) = self.open.get_mut(&number) {
            open.outstanding += messages;
        }
    }

    /// No more messages follow.
    pub(crate) fn close(&mut self, number: u32) {
        if let Some(open) = self.open.get_mut(&number) {
            open.is_closed = true;
        }
        self.forget_if_done(number);
    }

    /// The fate of `messages` of a parcel is known.
    pub(crate) fn arrived(&mut self, number: u32, messages: usize) -> Option<Parcel> {
        let open = self.open.get_mut(&number)?;
        open.outstanding = open.outstanding.saturating_sub(messages);
        let parcel = open.parcel.clone();
        self.forget_if_done(number);
        Some(parcel)
    }

    fn forget_if_done(&mut self, number: u32) {
        if self.open.get(&number).is_some_and(|open| open.is_closed && open.outstanding == 0) {
            self.open.remove(&number);
        }
    }
}
