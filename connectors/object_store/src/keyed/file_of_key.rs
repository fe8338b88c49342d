//! The file of one key.

use bytes::Bytes;
use volley_api::TopicPartition;

/// Bytes that one costs besides its path and its contents, roughly.
const OVERHEAD: usize = 256;

/// A file with one record, not yet in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileOfKey {
    /// Where it goes.
    pub(super) path: String,
    /// All of it.
    pub(super) contents: Bytes,
    /// Where its record was consumed from.
    pub(super) partition: TopicPartition,
    /// The record's offset.
    pub(super) offset: i64,
    /// Offset of the first record that it stands for: from there on, no file shows what was read.
    pub(super) since: i64,
}

impl FileOfKey {
    /// Bytes of memory, roughly.
    pub(super) fn memory(&self) -> usize {
        self.path.len() + self.contents.len() + OVERHEAD
    }
}
