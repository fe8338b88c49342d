//! A dead letter, as it is read from its topic.

use arrow::array::{Array, BinaryArray};
use volley_api::{RawBatch, RawHeader, TopicPartition};

use super::error_headers::Reason;

/// A record of a dead letter topic.
#[derive(Clone, Debug)]
pub struct DeadLetter<'a> {
    /// Where it stands.
    pub partition: &'a TopicPartition,
    /// Where it stands there.
    pub offset: i64,
    /// Its time, ms since 1970-01-01 UTC: that of the rejected record, unless the topic has the broker's times.
    pub timestamp: Option<i64>,
    /// Key.
    pub key: Option<&'a [u8]>,
    /// Value.
    pub value: Option<&'a [u8]>,
    /// All headers, in order.
    pub headers: &'a [RawHeader],
    /// Why it is there.
    pub reason: Reason,
}

impl<'a> DeadLetter<'a> {
    /// The record in a row of a batch.
    pub(crate) fn at(batch: &'a RawBatch, row: usize) -> Self {
        let headers = batch.headers.as_ref().and_then(|headers| headers.get(row)).map_or(&[][..], Vec::as_slice);
        Self {
            partition: &batch.origin.partition,
            offset: batch.origin.offsets[row],
            timestamp: Some(batch.origin.timestamps[row]).filter(|timestamp| *timestamp >= 0),
            key: bytes(&batch.keys, row),
            value: bytes(&batch.values, row),
            headers,
            reason: Reason::read(headers),
        }
    }

    /// `topic-partition@offset`
    pub fn place(&self) -> String {
        format!("{}@{}", self.partition, self.offset)
    }
}

fn bytes(array: &BinaryArray, row: usize) -> Option<&[u8]> {
    array.is_valid(row).then(|| array.value(row))
}
