//! The part of a batch that goes to one topic, and the token of each of its messages.

use std::sync::Arc;

use arrow::buffer::ScalarBuffer;
use volley_api::RowIndex;

use crate::task::source::polled_batch::PolledBatch;
use crate::task::source::produce::acknowledgements::BatchId;

/// Messages of one batch that go to one topic.
#[derive(Clone, Debug)]
pub(crate) struct BatchPart {
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
    /// The row of the batch that each row was made from.
    pub(crate) rows: RowIndex,
}

impl BatchPart {
    /// The timestamp of a row as the producer takes it: `None` if it has none.
    pub(crate) fn timestamp(&self, row: usize) -> Option<i64> {
        self.timestamps.get(row).copied().filter(|timestamp| *timestamp >= 0)
    }
}

/// Goes with a message to the producer, and comes back with its delivery. Tokens are ordered as their messages were sent
/// first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MessageToken {
    /// The number of the batch part, from [`InFlight::open_part`].
    ///
    /// [`InFlight::open_part`]: crate::task::source::produce::in_flight::InFlight::open_part
    pub(crate) part: u32,
    /// The row in the part.
    pub(crate) row: u32,
}

impl From<MessageToken> for u64 {
    fn from(token: MessageToken) -> Self {
        Self::from(token.part) << 32 | Self::from(token.row)
    }
}

impl From<u64> for MessageToken {
    fn from(token: u64) -> Self {
        // each half is 32 bits wide
        Self { part: (token >> 32) as u32, row: token as u32 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_survives_its_way_through_the_producer(part in any::<u32>(), row in any::<u32>()) {
            let token = MessageToken { part, row };
            prop_assert_eq!(MessageToken::from(u64::from(token)), token);
        }
    }
}
