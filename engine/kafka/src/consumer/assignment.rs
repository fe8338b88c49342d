//! The partitions that a fetcher owns, and the open batch of each.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use rdkafka::message::{BorrowedMessage, Headers, Message, Timestamp};
use tracing::warn;
use volley_api::{RawBatch, RawHeader, TimestampType, TopicPartition};

use crate::FetchSettings;
use crate::records::{
    BatchBuilder, BatchLimits, BatchSize, Decompressor, Incoming, ReadEnd, RecordCursor, RecordsError,
};

/// Largest number of rows for which a new batch reserves memory; beyond that it grows as it fills.
const RESERVED_ROWS: usize = 8192;

#[derive(Debug)]
struct Owned {
    partition: TopicPartition,
    paused: bool,
    builder: Option<BatchBuilder>,
    last_size: BatchSize,
}

impl Owned {
    fn close(&mut self) -> Option<RawBatch> {
        let builder = self.builder.take()?;
        if builder.rows() <= RESERVED_ROWS {
            self.last_size = builder.size();
        }
        builder.close(&self.partition)
    }
}

/// The partition of the previous message. Consecutive messages are mostly of one partition.
#[derive(Clone, Copy, Debug)]
struct LastHit {
    topic: usize,
    partition: i32,
    index: usize,
}

/// Sorted by partition.
#[derive(Debug, Default)]
pub(crate) struct Assignment {
    owned: Vec<Owned>,
    open_bytes: usize,
    last_hit: Option<LastHit>,
}

impl Assignment {
    pub(crate) fn partitions(&self) -> Vec<TopicPartition> {
        self.owned.iter().map(|owned| owned.partition.clone()).collect()
    }

    pub(crate) fn contains(&self, partition: &TopicPartition) -> bool {
        self.find(&partition.topic, partition.partition).is_ok()
    }

    /// Whether the partition is owned and has no buffered messages.
    pub(crate) fn is_drained(&self, partition: &TopicPartition) -> bool {
        self.find(&partition.topic, partition.partition).is_ok_and(|at| self.owned[at].builder.is_none())
    }

    pub(crate) fn add(&mut self, partition: TopicPartition) {
        self.last_hit = None;
        if let Err(at) = self.find(&partition.topic, partition.partition) {
            let owned = Owned { partition, paused: false, builder: None, last_size: BatchSize::default() };
            self.owned.insert(at, owned);
        }
    }

    /// Removes a partition and its buffered messages.
    pub(crate) fn remove(&mut self, partition: &TopicPartition) {
        self.last_hit = None;
        if let Ok(at) = self.find(&partition.topic, partition.partition) {
            let owned = self.owned.remove(at);
            self.open_bytes -= owned.builder.map_or(0, |builder| builder.bytes());
        }
    }

    /// Drops the buffered messages of a partition.
    pub(crate) fn drop_open(&mut self, partition: &TopicPartition) {
        if let Ok(at) = self.find(&partition.topic, partition.partition) {
            let dropped = self.owned[at].builder.take();
            self.open_bytes -= dropped.map_or(0, |builder| builder.bytes());
        }
    }

    pub(crate) fn set_paused(&mut self, partition: &TopicPartition, paused: bool) {
        if let Ok(at) = self.find(&partition.topic, partition.partition) {
            self.owned[at].paused = paused;
        }
    }

    pub(crate) fn is_paused(&self, partition: &TopicPartition) -> bool {
        self.find(&partition.topic, partition.partition).is_ok_and(|at| self.owned[at].paused)
    }

    /// Bytes in open batches.
    pub(crate) fn open_bytes(&self) -> usize {
        self.open_bytes
    }

    /// Adds a message, and puts the batch into `closed` if it is full now. A message of a partition that is no longer
    /// owned is dropped.
    pub(crate) fn add_message(
        &mut self,
        message: &BorrowedMessage<'_>,
        settings: &FetchSettings,
        closed: &mut Vec<RawBatch>,
    ) {
        let Some(index) = self.index_of(message) else { return };
        let incoming = Incoming {
            offset: message.offset(),
            timestamp: message.timestamp().to_millis().unwrap_or(-1),
            timestamp_type: match message.timestamp() {
                Timestamp::LogAppendTime(_) => TimestampType::LogAppendTime,
                Timestamp::CreateTime(_) | Timestamp::NotAvailable => TimestampType::CreateTime,
            },
            key: message.key(),
            value: message.payload(),
        };
        if self.owned[index].builder.as_ref().is_some_and(|builder| !builder.fits(&incoming)) {
            self.close_at(index, closed);
        }
        let owned = &mut self.owned[index];
        let guess = owned.last_size;
        let builder = owned.builder.get_or_insert_with(|| BatchBuilder::new(guess));
        builder.push(&incoming);
        self.open_bytes += incoming.bytes();
        if let Some(headers) = message.headers() {
            let headers = raw_headers(builder, headers, &owned.partition, incoming.offset);
            builder.set_headers(headers);
        }
        if builder.rows() >= settings.max_rows || builder.bytes() >= settings.max_bytes {
            self.close_at(index, closed);
        } else if self.open_bytes > settings.max_open_bytes() {
            self.close_largest(closed);
        }
    }

    /// Reads fetched records of a partition into its batch, until that is full, which closes it, or nothing is left. Those of
    /// a partition that is no longer owned are not read.
    ///
    /// # Errors
    /// What was fetched are no records. Those before the bad one are in the batch.
    pub(crate) fn read_records(
        &mut self,
        partition: &TopicPartition,
        cursor: &mut RecordCursor,
        decompressor: &mut Decompressor,
        settings: &FetchSettings,
        closed: &mut Vec<RawBatch>,
    ) -> Result<ReadEnd, RecordsError> {
        let Ok(index) = self.find(&partition.topic, partition.partition) else { return Ok(ReadEnd::Exhausted) };
        let limits = BatchLimits { max_rows: settings.max_rows, max_bytes: settings.max_bytes };
        let owned = &mut self.owned[index];
        let mut builder = owned.builder.take().unwrap_or_else(|| BatchBuilder::new(owned.last_size));
        let before = builder.bytes();
        let end = cursor.read_into(&mut builder, limits, decompressor);
        self.open_bytes += builder.bytes() - before;
        let is_full = builder.rows() >= settings.max_rows || builder.bytes() >= settings.max_bytes;
        if builder.rows() > 0 {
            owned.builder = Some(builder);
        }
        if is_full || end == Ok(ReadEnd::Misfit) {
            self.close_at(index, closed);
        } else if self.open_bytes > settings.max_open_bytes() {
            self.close_largest(closed);
        }
        end
    }

    fn close_at(&mut self, index: usize, closed: &mut Vec<RawBatch>) {
        let owned = &mut self.owned[index];
        self.open_bytes -= owned.builder.as_ref().map_or(0, BatchBuilder::bytes);
        closed.extend(owned.close());
    }

    fn close_largest(&mut self, closed: &mut Vec<RawBatch>) {
        let bytes = |owned: &Owned| owned.builder.as_ref().map_or(0, BatchBuilder::bytes);
        let largest = self.owned.iter().enumerate().max_by_key(|(_, owned)| bytes(owned)).map(|(index, _)| index);
        if let Some(index) = largest {
            self.close_at(index, closed);
        }
    }

    /// Closes the batches whose first row has waited for `linger`; paused partitions keep theirs.
    pub(crate) fn close_lingering(&mut self, linger: Duration, now: Instant, closed: &mut Vec<RawBatch>) {
        for index in 0..self.owned.len() {
            let owned = &self.owned[index];
            let due = owned.builder.as_ref().is_some_and(|builder| now >= builder.opened() + linger);
            if due && !owned.paused {
                self.close_at(index, closed);
            }
        }
    }

    /// The time at which the linger of the next batch ends.
    pub(crate) fn next_linger(&self, linger: Duration) -> Option<Instant> {
        let unpaused = self.owned.iter().filter(|owned| !owned.paused);
        unpaused.filter_map(|owned| owned.builder.as_ref()).map(|builder| builder.opened() + linger).min()
    }

    fn index_of(&mut self, message: &BorrowedMessage<'_>) -> Option<usize> {
        let topic = message.topic_ptr() as usize;
        let partition = message.partition();
        match self.last_hit {
            Some(hit) if hit.topic == topic && hit.partition == partition => Some(hit.index),
            _ => {
                let index = self.find(message.topic(), partition).ok()?;
                self.last_hit = Some(LastHit { topic, partition, index });
                Some(index)
            }
        }
    }

    /// Forgets the partition of the last message: the address that identifies its topic may be reused.
    pub(crate) fn forget_last_hit(&mut self) {
        self.last_hit = None;
    }

    fn find(&self, topic: &str, partition: i32) -> Result<usize, usize> {
        self.owned.binary_search_by(|owned| match (*owned.partition.topic).cmp(topic) {
            Ordering::Equal => owned.partition.partition.cmp(&partition),
            unequal => unequal,
        })
    }
}

/// Copies a record's headers. rdkafka panics on a header name that is not UTF-8. Such a name becomes U+FFFD, and its
/// value is lost.
fn raw_headers<H: Headers>(
    builder: &mut BatchBuilder,
    headers: &H,
    partition: &TopicPartition,
    offset: i64,
) -> Vec<RawHeader> {
    (0..headers.count())
        .map(|index| {
            let header = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| headers.try_get(index)));
            match header {
                Ok(Some(header)) => {
                    RawHeader { name: builder.header_name(header.key), value: header.value.map(<[u8]>::to_vec) }
                }
                Ok(None) | Err(_) => {
                    warn!(%partition, offset, "a record header has a name that is not UTF-8, its value is dropped");
                    RawHeader { name: builder.header_name("\u{FFFD}"), value: None }
                }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use rdkafka::message::Header;

    use super::*;

    /// rdkafka's panic on a header name that is not UTF-8.
    struct BadName;

    impl Headers for BadName {
        fn count(&self) -> usize {
            2
        }

        fn try_get(&self, index: usize) -> Option<Header<'_, &[u8]>> {
            assert!(index == 0, "not UTF-8");
            Some(Header { key: "good", value: Some(b"v") })
        }
    }

    #[test]
    fn a_header_name_that_is_not_utf8_panics_nobody() {
        let mut builder = BatchBuilder::new(BatchSize::default());
        let headers = raw_headers(&mut builder, &BadName, &TopicPartition::new("t", 0), 0);
        assert_eq!(headers.iter().map(|header| &*header.name).collect::<Vec<_>>(), ["good", "\u{FFFD}"]);
    }
}
