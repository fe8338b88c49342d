//! The producer of a source task, from the side of whoever has messages for it.
//!
//! The producer is made when there is something to send, and closed after a long time without a message: it has threads and
//! connections.

use std::time::{Duration, Instant};

use volley_api::{Error, Result};
use volley_kafka::{Delivery, Outgoing};

use crate::task::source::produce::batch_part::MessageToken;
use crate::task::source::produce::record_producer::RecordProducer;

/// Time without messages after which the producer is closed.
const PRODUCER_IDLE: Duration = Duration::from_secs(300);

/// Makes a producer.
pub(crate) type ProducerFactory = Box<dyn Fn() -> Result<Box<dyn RecordProducer>> + Send>;

/// What became of a message that was handed to the producer.
#[derive(Debug)]
pub(crate) enum Handover {
    /// The producer has it. A delivery will follow.
    Taken,
    /// The producer has no room for it now.
    Full,
    /// Its topic or partition is not there (any more): the producer takes it when it is.
    NoTopic(Error),
    /// The producer will never take it.
    Refused(Error),
}

/// Owns the producer.
pub(crate) struct Outbox {
    new_producer: ProducerFactory,
    producer: Option<Box<dyn RecordProducer>>,
    /// Since when the producer has had no room; `None` if it took the last message or refused it.
    full_since: Option<Instant>,
    /// Since when nothing is in flight; `None` after a message, until somebody asks.
    idle_since: Option<Instant>,
}

impl Outbox {
    /// Without a producer.
    pub(crate) fn new(new_producer: ProducerFactory) -> Self {
        Self { new_producer, producer: None, full_since: None, idle_since: None }
    }

    /// The producer. It is made now if there is none.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn producer(&mut self) -> Result<&mut dyn RecordProducer> {
        let producer = match &mut self.producer {
            Some(producer) => producer,
            none => none.insert((self.new_producer)()?),
        };
        Ok(&mut **producer)
    }

    /// Whether there is a producer.
    pub(crate) fn has_producer(&self) -> bool {
        self.producer.is_some()
    }

    /// Hands over a message, without waiting. A message that finds no room is refused once there has been none for the
    /// producer's `max.block.ms`.
    ///
    /// # Errors
    /// If there is no producer and none can be made.
    pub(crate) fn hand_over(&mut self, message: &Outgoing<'_>, token: MessageToken) -> Result<Handover> {
        self.idle_since = None;
        let handover = match self.producer()?.try_send(message, token.into()) {
            Ok(true) => Handover::Taken,
            Ok(false) => return self.on_full(message.topic),
            Err(error) if volley_kafka::is_missing_topic(&error) => Handover::NoTopic(error),
            Err(error) => Handover::Refused(error),
        };
        self.full_since = None;
        Ok(handover)
    }

    fn on_full(&mut self, topic: &str) -> Result<Handover> {
        let full_since = *self.full_since.get_or_insert_with(Instant::now);
        let (max_block, error) = self.producer()?.max_block(topic);
        if full_since.elapsed() < max_block {
            return Ok(Handover::Full);
        }
        self.full_since = None;
        Ok(Handover::Refused(error))
    }

    /// What became of messages since the last call. Waits for at least one, for at most `max_wait`; not at all without a
    /// producer.
    pub(crate) fn deliveries(&mut self, max_wait: Duration) -> Vec<Delivery> {
        self.producer.as_mut().map(|producer| producer.deliveries(max_wait)).unwrap_or_default()
    }

    /// Closes the producer if nothing has been in flight for a long time. To be called while nothing is. Returns whether
    /// it was closed now.
    pub(crate) fn close_if_idle(&mut self) -> bool {
        self.close_if_idle_for(PRODUCER_IDLE)
    }

    fn close_if_idle_for(&mut self, limit: Duration) -> bool {
        let idle_since = *self.idle_since.get_or_insert_with(Instant::now);
        idle_since.elapsed() >= limit && self.producer.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::source::fake_producer::{FakeProducer, unknown_topic};
    use crate::task::source::source_world::world;

    const TOKEN: MessageToken = MessageToken { part: 0, row: 0 };

    fn message(value: &str) -> Outgoing<'_> {
        let value = Some(value.as_bytes());
        Outgoing { topic: "topic", partition: None, timestamp: None, key: None, value, headers: &[] }
    }

    #[test]
    fn a_message_for_which_there_is_no_room_for_too_long_is_refused() {
        let world = world(true);
        world.change(|state| {
            state.is_full = true;
            state.max_block = Some(Duration::from_millis(20));
        });
        let mut outbox = Outbox::new(FakeProducer::factory(&world));
        let start = Instant::now();
        let error = loop {
            match outbox.hand_over(&message("2"), TOKEN).unwrap() {
                Handover::Full => std::thread::yield_now(),
                Handover::Refused(error) => break error,
                other => panic!("{other:?}"),
            }
        };
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert_eq!(error.to_string(), "told to stay full");
        // the next message has as much time
        assert!(matches!(outbox.hand_over(&message("2"), TOKEN), Ok(Handover::Full)));
        world.change(|state| state.is_full = false);
        assert!(matches!(outbox.hand_over(&message("2"), TOKEN), Ok(Handover::Taken)));
        assert!(outbox.full_since.is_none());
    }

    #[test]
    fn a_message_is_refused_for_good_or_until_its_topic_is_there() {
        let world = world(true);
        let mut outbox = Outbox::new(FakeProducer::factory(&world));
        assert!(matches!(outbox.hand_over(&message("refused"), TOKEN), Ok(Handover::Refused(_))));
        world.change(|state| state.unknown_topics = 1);
        let handover = outbox.hand_over(&message("1"), TOKEN).unwrap();
        assert!(matches!(handover, Handover::NoTopic(error) if error.to_string() == unknown_topic().to_string()));
    }

    #[test]
    fn the_producer_is_made_for_the_first_message_and_closed_after_a_long_time_without_one() {
        let world = world(true);
        let mut outbox = Outbox::new(FakeProducer::factory(&world));
        assert!(outbox.deliveries(Duration::ZERO).is_empty());
        assert!(!outbox.close_if_idle());
        assert!(!outbox.has_producer());
        outbox.hand_over(&message("1"), TOKEN).unwrap();
        assert!(!outbox.close_if_idle());
        assert!(outbox.close_if_idle_for(Duration::ZERO));
        outbox.hand_over(&message("1"), TOKEN).unwrap();
        assert_eq!(world.state.lock().unwrap().producers, 2);
    }
}
