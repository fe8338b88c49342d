//! The topics that a fetcher consumes, and the limits of a batch.

use std::time::Duration;

/// Which topics to consume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicSelection {
    /// These.
    Topics(Vec<String>),
    /// All topics whose whole name matches this Java regular expression, including topics created later; never Kafka's
    /// internal ones. Volley matches the names, not the broker. Possessive quantifiers, look-around and back references
    /// work. Java's Unicode category names (`\p{IsAlphabetic}`, `\p{javaLowerCase}`) do not.
    Pattern(String),
}

/// The limits of a batch. The first limit that is reached closes it.
#[derive(Clone, Debug)]
pub struct FetchSettings {
    /// Which topics to consume.
    pub topics: TopicSelection,
    /// Maximum rows of a batch.
    pub max_rows: usize,
    /// Bytes of keys and values at which a batch is closed; it may exceed them by one message.
    pub max_bytes: usize,
    /// How long the first row of a batch may wait for further rows.
    pub linger: Duration,
}

/// Largest effective `max_bytes`: Arrow's 32-bit offsets must hold a full batch and one more message.
const MAX_BATCH_BYTES: usize = 512 << 20;

/// All open batches together may hold as many bytes as this many full ones. Beyond that the largest is closed.
const OPEN_BATCHES: usize = 4;

/// Many small batches may be open: the limit is at least this many bytes.
const OPEN_BYTES: usize = 16 << 20;

impl FetchSettings {
    /// The same settings, with `max_bytes` limited to the capacity of a batch.
    pub(crate) fn bounded(mut self) -> Self {
        self.max_rows = self.max_rows.clamp(1, i32::MAX as usize);
        self.max_bytes = self.max_bytes.clamp(1, MAX_BATCH_BYTES);
        self
    }

    /// Bytes that all open batches together may hold.
    pub(crate) fn max_open_bytes(&self) -> usize {
        (self.max_bytes * OPEN_BATCHES).max(OPEN_BYTES)
    }
}
