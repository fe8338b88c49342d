//! What was handed to the producer together, and is acknowledged message by message.

use std::collections::HashMap;
use std::sync::Arc;

use crate::task::acknowledgements::BatchId;
use crate::task::polled_batch::PolledBatch;

/// Messages of one batch that go to one topic.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    /// The batch.
    pub(crate) batch: BatchId,
    /// Where the messages go.
    pub(crate) topic: Arc<str>,
    /// What they were made from.
    pub(crate) polled: Arc<PolledBatch>,
}

#[derive(Debug)]
struct Open {
    parcel: Parcel,
    outstanding: usize,
    is_closed: bool,
}

/// The parcels on their way, by the token that their messages carry.
#[derive(Debug, Default)]
pub(crate) struct Parcels {
    next: u64,
    open: HashMap<u64, Open>,
}

impl Parcels {
    /// Opens a parcel; its token.
    pub(crate) fn open(&mut self, parcel: Parcel) -> u64 {
        let token = self.next;
        self.next += 1;
        self.open.insert(token, Open { parcel, outstanding: 0, is_closed: false });
        token
    }

    /// `messages` more are on their way.
    pub(crate) fn sent(&mut self, token: u64, messages: usize) {
        if let Some(open) = self.open.get_mut(&token) {
            open.outstanding += messages;
        }
    }

    /// No more messages follow.
    pub(crate) fn close(&mut self, token: u64) {
        if let Some(open) = self.open.get_mut(&token) {
            open.is_closed = true;
        }
        self.forget_if_done(token);
    }

    /// The fate of `messages` of a parcel is known.
    pub(crate) fn arrived(&mut self, token: u64, messages: usize) -> Option<Parcel> {
        let open = self.open.get_mut(&token)?;
        open.outstanding = open.outstanding.saturating_sub(messages);
        let parcel = open.parcel.clone();
        self.forget_if_done(token);
        Some(parcel)
    }

    fn forget_if_done(&mut self, token: u64) {
        if self.open.get(&token).is_some_and(|open| open.is_closed && open.outstanding == 0) {
            self.open.remove(&token);
        }
    }
}
