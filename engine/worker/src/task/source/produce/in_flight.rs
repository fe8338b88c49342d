//! The messages that are in flight, and the source offsets that may be committed. Pure: it is told what happens, and does
//! nothing.
//!
//! A message is in flight from the moment it is sent until it is acknowledged, or its failure is tolerated:
//!
//! ```text
//!                    ┌──────────────── resent ◄── returned: kept in sending order
//!                    ▼                               ▲
//!  sent ──► with the producer ─┬─ topic is gone ─────┘
//!                              ├─ acknowledged ───────► settled
//!                              └─ failed ─┬─ skipped ─► settled
//!                                         └─ undelivered: in flight until the task ends
//! ```
//!
//! A batch is opened, then parts of it (one for each topic), then messages are sent. Each part and the batch are closed when
//! nothing more follows:
//!
//! ```ignore
//! let batch = in_flight.open_batch(partition, offset, false);
//! let part = in_flight.open_part(BatchPart { batch, topic, .. });
//! in_flight.on_sent(part, 2);
//! in_flight.close_part(part);
//! in_flight.close_batch(batch);
//! in_flight.on_acknowledged(part, 2);
//! assert_eq!(in_flight.take_committable().len(), 1);
//! ```

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use volley_api::{AcknowledgedBatch, AcknowledgedRow, SourceOffset, SourcePartition, TopicPartition};
use volley_kafka::{Outgoing, Returned};

use crate::task::source::produce::acknowledgements::{Acknowledgements, BatchId, SourceOffsets};
use crate::task::source::produce::batch_part::{BatchPart, MessageToken};
use crate::task::source::produce::transactions::OFFSET_PART;

#[derive(Debug)]
struct OpenPart {
    part: Arc<BatchPart>,
    /// Messages in flight.
    outstanding: usize,
    is_closed: bool,
}

/// A message that is to be sent again.
#[derive(Debug)]
pub(crate) struct ReturnedMessage {
    pub(crate) token: MessageToken,
    pub(crate) part: Arc<BatchPart>,
    content: Box<Returned>,
}

impl ReturnedMessage {
    pub(crate) fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            topic: &self.part.topic,
            partition: self.part.partition,
            timestamp: self.part.timestamp(self.token.row as usize),
            key: self.content.key.as_deref(),
            value: self.content.value.as_deref(),
            headers: &self.content.headers,
        }
    }
}

/// The messages in flight, their batches, and what is committable.
///
/// Part numbers come again after nearly 2^32 parts, when those before are long settled.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    acknowledgements: Acknowledgements,
    next_part: u32,
    parts: HashMap<u32, OpenPart>,
    /// They are sent again before all others.
    returned: BTreeMap<MessageToken, Arc<ReturnedMessage>>,
    undelivered: usize,
}

impl InFlight {
    /// With `keeps_rows` it keeps where each record is until its batch is acknowledged.
    pub(crate) fn new(keeps_rows: bool) -> Self {
        let acknowledgements = if keeps_rows { Acknowledgements::keeping_rows() } else { Acknowledgements::default() };
        Self { acknowledgements, ..Self::default() }
    }

    /// Opens a batch; see [`Acknowledgements::open`].
    pub(crate) fn open_batch(
        &mut self,
        partition: SourcePartition,
        offset: SourceOffset,
        counts_if_empty: bool,
    ) -> BatchId {
        self.acknowledgements.open(partition, offset, counts_if_empty)
    }

    /// All messages of the batch are sent.
    pub(crate) fn close_batch(&mut self, batch: BatchId) {
        self.acknowledgements.close(batch);
    }

    /// Opens a part of a batch. Returns its number.
    pub(crate) fn open_part(&mut self, part: BatchPart) -> u32 {
        let number = self.next_part;
        self.next_part = if number + 1 == OFFSET_PART { 0 } else { number + 1 };
        self.parts.insert(number, OpenPart { part: Arc::new(part), outstanding: 0, is_closed: false });
        number
    }

    /// No more messages of the part follow.
    pub(crate) fn close_part(&mut self, number: u32) {
        if let Some(open) = self.parts.get_mut(&number) {
            open.is_closed = true;
        }
        self.forget_if_settled(number);
    }

    /// A part that is open or has messages in flight.
    pub(crate) fn part(&self, number: u32) -> Option<&Arc<BatchPart>> {
        self.parts.get(&number).map(|open| &open.part)
    }

    /// `messages` more of the part are in flight. MUST be called before any of their deliveries is noted.
    pub(crate) fn on_sent(&mut self, part: u32, messages: usize) {
        if let Some(open) = self.parts.get_mut(&part) {
            open.outstanding += messages;
            self.acknowledgements.sent(open.part.batch, messages);
        }
    }

    /// A message is in Kafka, at this partition and offset. MUST be called before it is noted as acknowledged.
    pub(crate) fn on_stored(&mut self, token: MessageToken, (partition, offset): (i32, i64)) {
        if !self.acknowledgements.keeps_rows() {
            return;
        }
        let Some(part) = self.parts.get(&token.part).map(|open| Arc::clone(&open.part)) else { return };
        let row = AcknowledgedRow {
            row: part.rows.input_row(token.row as usize),
            partition: TopicPartition::new(Arc::clone(&part.topic), partition),
            offset,
        };
        self.acknowledgements.add_row(part.batch, row);
    }

    /// See [`Acknowledgements::take_settled`].
    pub(crate) fn take_settled(&mut self) -> Vec<AcknowledgedBatch> {
        self.acknowledgements.take_settled()
    }

    /// `messages` of the part are acknowledged. Returns the part; `None` if none of its messages are in flight.
    pub(crate) fn on_acknowledged(&mut self, number: u32, messages: usize) -> Option<Arc<BatchPart>> {
        let part = self.remove(number, messages)?;
        self.acknowledgements.acknowledged(part.batch, messages);
        Some(part)
    }

    /// A message has failed, and is tolerated: it counts as acknowledged.
    pub(crate) fn on_skipped(&mut self, token: MessageToken) {
        self.returned.remove(&token);
        self.on_acknowledged(token.part, 1);
    }

    /// A message has failed, and the task fails with it: it is in flight until the end.
    pub(crate) fn on_undelivered(&mut self, token: MessageToken) {
        self.returned.remove(&token);
        if self.remove(token.part, 1).is_some() {
            self.undelivered += 1;
        }
    }

    /// A message comes back, to be sent again. Returns its part.
    pub(crate) fn on_returned(&mut self, token: MessageToken, content: Box<Returned>) -> Option<Arc<BatchPart>> {
        let part = Arc::clone(self.part(token.part)?);
        let message = ReturnedMessage { token, part: Arc::clone(&part), content };
        self.returned.insert(token, Arc::new(message));
        Some(part)
    }

    /// A message that had come back is with the producer again.
    pub(crate) fn on_resent(&mut self, token: MessageToken) {
        self.returned.remove(&token);
    }

    /// Whether messages are to be sent again.
    pub(crate) fn has_returned(&self) -> bool {
        !self.returned.is_empty()
    }

    /// The message that is to be sent again next: of those that have come back, the one that was sent first.
    pub(crate) fn first_returned(&self) -> Option<Arc<ReturnedMessage>> {
        self.returned.first_key_value().map(|(_, message)| Arc::clone(message))
    }

    /// Messages in flight.
    pub(crate) fn outstanding(&self) -> usize {
        self.acknowledgements.outstanding()
    }

    /// Whether every batch is sent and acknowledged.
    pub(crate) fn is_settled(&self) -> bool {
        self.acknowledgements.is_settled()
    }

    /// Whether no message in flight will be acknowledged unless those that have come back are sent again.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.outstanding() == self.undelivered + self.returned.len()
    }

    /// The offsets that became committable since they were last taken.
    pub(crate) fn take_committable(&mut self) -> SourceOffsets {
        self.acknowledgements.take_committable()
    }

    /// Gives offsets back that could not be committed; newer ones of the same partitions stay.
    pub(crate) fn restore(&mut self, offsets: SourceOffsets) {
        self.acknowledgements.restore(offsets);
    }

    /// Takes messages out of their part: no more is to come of them.
    fn remove(&mut self, number: u32, messages: usize) -> Option<Arc<BatchPart>> {
        let open = self.parts.get_mut(&number)?;
        open.outstanding = open.outstanding.checked_sub(messages)?;
        let part = Arc::clone(&open.part);
        self.forget_if_settled(number);
        Some(part)
    }

    fn forget_if_settled(&mut self, number: u32) {
        if self.parts.get(&number).is_some_and(|open| open.is_closed && open.outstanding == 0) {
            self.parts.remove(&number);
        }
    }
}
