//! What a fetcher consumes, and when it closes a batch.

use std::time::Duration;

/// Which topics to consume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicSelection {
    /// These.
    Topics(Vec<String>),
    /// All whose whole name matches this Java regular expression, now and later; never Kafka's internal ones. Matched
    /// here, not by the broker; possessive quantifiers, look-around and back references work, Java's Unicode category
    /// names (`\p{IsAlphabetic}`, `\p{javaLowerCase}`) do not.
    Pattern(String),
}

/// When a batch is closed: at the first limit that it reaches.
#[derive(Clone, Debug)]
pub struct FetchSettings {
    /// Which topics to consume.
    pub topics: TopicSelection,
    /// Most rows of a batch.
    pub max_rows: usize,
    /// Bytes of keys and values at which a batch is closed; it may exceed them by one message.
    pub max_bytes: usize,
    /// How long the first row of a batch may wait for others.
    pub linger: Duration,
}

/// Largest `max_bytes` in effect: Arrow's 32-bit offsets must hold a full batch and one message more.
const MAX_BATCH_BYTES: usize = 512 << 20;

/// Open batches of all partitions together may hold as many bytes as this many full ones; then the largest is closed.
const OPEN_BATCHES: usize = 4;

/// Small batches may be open in larger numbers: this many bytes in any case.
const OPEN_BYTES: usize = 16 << 20;

impl FetchSettings {
    /// The same, within what a batch can hold.
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
