//! Sends messages, and sends again those that have come back: always in the order in which they were sent first, as Kafka's
//! Java producer does.
//!
//! ```text
//!  batch part ─► topic ready? ─► rows ─► returned messages first ─► hand over ─► room? ─► noted as sent
//! ```
//!
//! A missing topic is waited for however long it takes, and a full producer for `max.block.ms`. All waits poll deliveries; a
//! stop ends them.

use std::time::{Duration, Instant};

use tracing::warn;
use volley_api::{Error, Records, Result};
use volley_kafka::{Outgoing, Returned};

use crate::task::control::Wanted;
use crate::task::source::produce::batch_part::{BatchPart, MessageToken};
use crate::task::source::produce::delivery_tracker::DeliveryTracker;
use crate::task::source::produce::in_flight::ReturnedMessage;
use crate::task::source::produce::outbox::Handover;
use crate::task::source::produce::record_serializer::{SerializedRecords, SerializedRow};
use crate::task::source::produce::topic_wait::TopicWait;
use crate::task::source::produce::topics::TopicStep;

/// Time between two tries to hand over a message for which there is no room.
const ROOM_POLL: Duration = Duration::from_millis(5);
/// Time for acknowledgements that a stop leaves after the last message.
const SETTLING: Duration = Duration::from_secs(1);

/// Messages that the producer has taken and that are not noted as sent yet.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    messages: usize,
    bytes: u64,
}

impl Taken {
    fn add(&mut self, message: &Outgoing<'_>) {
        self.messages += 1;
        self.bytes += (message.key.map_or(0, <[u8]>::len) + message.value.map_or(0, <[u8]>::len)) as u64;
    }
}

/// How a try to send a message again ended.
enum Resend {
    /// The message is with the producer, or its failure is tolerated.
    Done,
    /// Its topic is not there; try again after this time.
    WaitForTopic(Duration),
    /// Its topic is there, and takes no messages yet.
    NotYet(Error),
    /// The producer has no room.
    WaitForRoom,
}

/// Sends messages and follows them.
pub(crate) struct MessageSender {
    pub(crate) tracker: DeliveryTracker,
}

impl MessageSender {
    /// Sends all rows of a part. Returns `false` if the task is to stop before that: then some are not sent.
    ///
    /// # Errors
    /// What the task fails with.
    pub(crate) fn send(&mut self, part: BatchPart, records: &Records, serialized: &SerializedRecords) -> Result<bool> {
        let refusal = match self.await_topic(&part)? {
            TopicStep::Ready => None,
            TopicStep::Refused(error) => Some(error),
            TopicStep::WaitAtMost(_) => return Ok(false),
        };
        self.tracker.begin_transaction_for(&part.topic)?;
        let part = self.tracker.in_flight.open_part(part);
        let outcome = match refusal {
            None => self.send_rows(part, records, serialized),
            Some(error) => self.refuse_rows(part, records, serialized, &error).map(|()| true),
        };
        self.tracker.in_flight.close_part(part);
        outcome
    }

    /// Waits until the topic takes messages or refuses them. Still to be waited for: the task is to stop before that.
    fn await_topic(&mut self, part: &BatchPart) -> Result<TopicStep> {
        loop {
            let step = self.tracker.prepare_topic(&part.topic)?;
            let TopicStep::WaitAtMost(wait) = step else { return Ok(step) };
            if self.tracker.control.is_stopping() {
                return Ok(step);
            }
            self.tracker.poll_deliveries(wait)?;
        }
    }

    fn send_rows(&mut self, part: u32, records: &Records, serialized: &SerializedRecords) -> Result<bool> {
        let mut taken = Taken::default();
        let is_sent = self.hand_over_rows(part, records, serialized, &mut taken);
        self.note_sent(part, &mut taken);
        Ok(is_sent? && self.resend()?)
    }

    fn hand_over_rows(
        &mut self,
        part: u32,
        records: &Records,
        serialized: &SerializedRecords,
        taken: &mut Taken,
    ) -> Result<bool> {
        // each message is handed over by itself: that is the producer's interface
        for row in 0..records.len() {
            let Some(content) = serialized.row(row) else { continue };
            if self.tracker.control.is_abandoned() {
                return Ok(false);
            }
            if self.tracker.in_flight.has_returned() {
                self.note_sent(part, taken);
                if !self.resend()? {
                    return Ok(false);
                }
            }
            let message = outgoing(records, row, content);
            // a batch has less than 2^32 rows
            let token = MessageToken { part, row: row as u32 };
            match self.tracker.outbox.hand_over(&message, token)? {
                Handover::Taken => taken.add(&message),
                handover => {
                    self.note_sent(part, taken);
                    if !self.hand_over_late(&message, token, handover)? {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    /// Counts messages that the producer has taken. Deliveries MUST NOT be polled before.
    fn note_sent(&mut self, part: u32, taken: &mut Taken) {
        let Taken { messages, bytes } = std::mem::take(taken);
        if messages > 0 {
            self.tracker.in_flight.on_sent(part, messages);
            if let Some(transactions) = &mut self.tracker.transactions {
                transactions.on_sent(messages);
            }
            self.tracker.metrics.bytes(bytes);
        }
    }

    /// Hands over a message that the producer did not take at once. Returns `false` if the task is to stop before that.
    fn hand_over_late(&mut self, message: &Outgoing<'_>, token: MessageToken, first: Handover) -> Result<bool> {
        let mut taken = Taken::default();
        taken.add(message);
        match self.await_room(message, token, first)? {
            Handover::Taken => self.note_sent(token.part, &mut taken),
            Handover::Full => return Ok(false),
            Handover::NoTopic(_) if self.tracker.transactions.is_some() => return Ok(false),
            Handover::NoTopic(error) => {
                self.note_sent(token.part, &mut taken);
                self.tracker.on_returned(token, Box::new(content(message)), &error);
                // what was sent before it may come back too, and goes first
                self.tracker.poll_deliveries(Duration::ZERO)?;
            }
            Handover::Refused(error) => {
                // it counts as sent: the batch is not without messages
                self.tracker.in_flight.on_sent(token.part, 1);
                self.tracker.on_failed(token, error)?;
            }
        }
        Ok(true)
    }

    /// Waits until the producer has room for a message. Still full: the task is to stop before that.
    fn await_room(&mut self, message: &Outgoing<'_>, token: MessageToken, first: Handover) -> Result<Handover> {
        let mut handover = first;
        // within a transaction nothing is sent again, so that a message waits here for its topic
        let waits_for_topic = self.tracker.transactions.is_some();
        let is_to_wait = |handover: &Handover| match handover {
            Handover::Full => true,
            Handover::NoTopic(_) => waits_for_topic,
            Handover::Taken | Handover::Refused(_) => false,
        };
        while is_to_wait(&handover) && !self.is_too_late_to_send() {
            self.tracker.poll_deliveries(ROOM_POLL)?;
            handover = self.tracker.outbox.hand_over(message, token)?;
        }
        Ok(handover)
    }

    /// Whether a stop leaves no time to send more: what is sent must be acknowledged and committed too.
    fn is_too_late_to_send(&self) -> bool {
        matches!(self.tracker.control.wanted(), Wanted::Stopped { deadline } if Instant::now() + SETTLING >= deadline)
    }

    /// The topic is refused: each message to it fails.
    fn refuse_rows(
        &mut self,
        part: u32,
        records: &Records,
        serialized: &SerializedRecords,
        error: &Error,
    ) -> Result<()> {
        for row in (0..records.len()).filter(|row| serialized.row(*row).is_some()) {
            self.tracker.in_flight.on_sent(part, 1);
            self.tracker.on_failed(MessageToken { part, row: row as u32 }, error.clone())?;
        }
        Ok(())
    }

    /// Sends again what has come back, however long it takes until its topic is there. Returns `false` if the task is to
    /// stop before that.
    ///
    /// # Errors
    /// What the task fails with.
    pub(crate) fn resend(&mut self) -> Result<bool> {
        if !self.tracker.in_flight.has_returned() {
            return Ok(true);
        }
        let mut wait = TopicWait::new();
        // more may come back in each wait, and what was sent first goes first
        while let Some(message) = self.tracker.in_flight.first_returned() {
            if self.tracker.control.is_abandoned() {
                return Ok(false);
            }
            let (is_over, max_wait) = match self.resend_one(&message)? {
                Resend::Done => {
                    wait.reset();
                    continue;
                }
                Resend::WaitForRoom => (self.is_too_late_to_send(), ROOM_POLL),
                Resend::WaitForTopic(max_wait) => (self.tracker.control.is_stopping(), max_wait),
                Resend::NotYet(error) => {
                    if wait.takes_reminder() {
                        let task = &self.tracker.id;
                        warn!(%task, %error, "the topic takes no messages yet, waiting until it does");
                    }
                    (self.tracker.control.is_stopping(), wait.next_wait())
                }
            };
            if is_over {
                return Ok(false);
            }
            self.tracker.poll_deliveries(max_wait)?;
        }
        Ok(true)
    }

    fn resend_one(&mut self, message: &ReturnedMessage) -> Result<Resend> {
        let (token, topic) = (message.token, &message.part.topic);
        let handover = match self.tracker.prepare_topic(topic)? {
            TopicStep::Ready => self.tracker.outbox.hand_over(&message.outgoing(), token)?,
            TopicStep::Refused(error) => Handover::Refused(error),
            TopicStep::WaitAtMost(wait) => return Ok(Resend::WaitForTopic(wait)),
        };
        match handover {
            Handover::Taken => self.tracker.in_flight.on_resent(token),
            Handover::Full => return Ok(Resend::WaitForRoom),
            Handover::NoTopic(error) => {
                self.tracker.topics.on_lost(topic);
                return Ok(Resend::NotYet(error));
            }
            Handover::Refused(error) => self.tracker.on_failed(token, error)?,
        }
        Ok(Resend::Done)
    }
}

fn outgoing<'a>(records: &'a Records, row: usize, (key, value, headers): SerializedRow<'a>) -> Outgoing<'a> {
    Outgoing {
        topic: &records.topic,
        partition: records.kafka_partition,
        timestamp: Some(records.timestamps[row]).filter(|timestamp| *timestamp >= 0),
        key,
        value,
        headers,
    }
}

fn content(message: &Outgoing<'_>) -> Returned {
    Returned {
        key: message.key.map(<[u8]>::to_vec),
        value: message.value.map(<[u8]>::to_vec),
        headers: message.headers.to_vec(),
    }
}
