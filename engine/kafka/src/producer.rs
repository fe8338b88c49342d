//! Producing.

use std::time::Duration;

use volley_api::{ConfigMap, Error, RawHeader, Result};

/// A message to be sent. Borrowed: the producer copies it.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Partition; `None` = by the key's hash, as Java's default partitioner does it, or any when there is no key.
    pub partition: Option<i32>,
    /// Milliseconds since 1970-01-01 UTC; `None` = now.
    pub timestamp: Option<i64>,
    /// Key.
    pub key: Option<&'a [u8]>,
    /// Value.
    pub value: Option<&'a [u8]>,
    /// Headers, in order.
    pub headers: &'a [RawHeader],
}

/// What became of a message.
#[derive(Debug)]
pub struct Delivery {
    /// The token it was sent with.
    pub token: u64,
    /// Partition and offset; or why it was not delivered, after all retries.
    pub result: Result<(i32, i64)>,
}

/// Sends messages and reports what became of each. Used by one thread.
#[derive(Debug)]
pub struct Producer {}

impl Producer {
    /// Makes the producer. Does not wait for the broker.
    ///
    /// # Errors
    /// `Config` when a property has a bad value.
    pub fn connect(_properties: &ConfigMap) -> Result<Self> {
        Err(Error::fatal("not built yet"))
    }

    /// Hands over a message, waiting up to `max.block.ms` while the queue is full. Its fate comes out of
    /// [`Producer::deliveries`] under `token`, unless an error is returned here.
    ///
    /// # Errors
    /// `Data` when it is larger than `max.request.size`; `Retriable` when the queue stayed full; `Fatal` otherwise.
    pub fn send(&mut self, _message: &Outgoing<'_>, _token: u64) -> Result<()> {
        Err(Error::fatal("not built yet"))
    }

    /// What became of messages since the last call, waiting for at least one up to `max_wait`. In the order of
    /// acknowledgement, which within a partition is the order of sending.
    pub fn deliveries(&mut self, _max_wait: Duration) -> Vec<Delivery> {
        Vec::new()
    }

    /// Waits until every message has a fate.
    ///
    /// # Errors
    /// `Retriable` when some have none within `timeout`.
    pub fn flush(&mut self, _timeout: Duration) -> Result<()> {
        Err(Error::fatal("not built yet"))
    }

    /// Messages handed over that have no fate yet.
    pub fn in_flight(&self) -> usize {
        0
    }
}
