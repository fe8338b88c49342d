//! What the produce stage needs of a Kafka producer.

use std::time::Duration;

use volley_api::{Error, Result};
use volley_kafka::{Delivery, Outgoing, Producer};

/// Sends messages to Kafka. Used by one thread.
pub(crate) trait RecordProducer {
    /// Hands over a message. Returns `false` if there is no room for it now. Its delivery has the same `token`.
    ///
    /// # Errors
    /// If the message will never be taken.
    fn try_send(&mut self, message: &Outgoing<'_>, token: u64) -> Result<bool>;

    /// How long a message may wait for room, and the error of a message that has waited longer.
    fn max_block(&self, topic: &str) -> (Duration, Error);

    /// What became of messages since the last call. Waits for at least one, for at most `max_wait`.
    fn deliveries(&mut self, max_wait: Duration) -> Vec<Delivery>;

    /// Whether a topic exists, waiting at most `timeout` for the broker, which may create it now.
    ///
    /// # Errors
    /// `Retriable` when the broker does not answer in time; else it refuses.
    fn has_topic(&self, topic: &str, timeout: Duration) -> Result<bool>;
}

impl RecordProducer for Producer {
    fn try_send(&mut self, message: &Outgoing<'_>, token: u64) -> Result<bool> {
        Self::try_send(self, message, token)
    }

    fn max_block(&self, topic: &str) -> (Duration, Error) {
        (Self::max_block(self), self.stayed_full(topic))
    }

    fn deliveries(&mut self, max_wait: Duration) -> Vec<Delivery> {
        Self::deliveries(self, max_wait)
    }

    fn has_topic(&self, topic: &str, timeout: Duration) -> Result<bool> {
        Self::has_topic(self, topic, timeout)
    }
}
