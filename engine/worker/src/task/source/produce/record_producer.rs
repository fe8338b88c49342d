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

    /// Hurries messages along that wait for others, and waits for acknowledgements for at most `max_wait`.
    fn flush(&mut self, max_wait: Duration);

    /// Begins a transaction; see [`Producer::begin_transaction`].
    ///
    /// # Errors
    /// If there can be none.
    fn begin_transaction(&mut self) -> Result<()>;

    /// Commits the transaction; see [`Producer::commit_transaction`].
    ///
    /// # Errors
    /// `Retriable`: to be called again.
    fn commit_transaction(&mut self, max_wait: Duration) -> Result<()>;

    /// Aborts the transaction; see [`Producer::abort_transaction`].
    ///
    /// # Errors
    /// `Retriable`: to be called again.
    fn abort_transaction(&mut self, max_wait: Duration) -> Result<()>;

    /// Why the producer is of no use any more, if so.
    fn fatal_failure(&self) -> Option<Error>;

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

    fn flush(&mut self, max_wait: Duration) {
        // what is late is waited for by the caller, and what fails is among the deliveries
        let _ = Self::flush(self, max_wait);
    }

    fn begin_transaction(&mut self) -> Result<()> {
        Self::begin_transaction(self)
    }

    fn commit_transaction(&mut self, max_wait: Duration) -> Result<()> {
        Self::commit_transaction(self, max_wait)
    }

    fn abort_transaction(&mut self, max_wait: Duration) -> Result<()> {
        Self::abort_transaction(self, max_wait)
    }

    fn fatal_failure(&self) -> Option<Error> {
        Self::fatal_failure(self)
    }

    fn has_topic(&self, topic: &str, timeout: Duration) -> Result<bool> {
        Self::has_topic(self, topic, timeout)
    }
}
