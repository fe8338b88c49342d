//! An open batch: messages of one partition, with keys and values in two contiguous buffers.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{BinaryArray, NullBufferBuilder};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use volley_api::{OffsetRange, Origin, RawBatch, RawHeader, RawHeaders, TimestampType, TopicPartition};

/// A message as it is added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incoming<'a> {
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) timestamp_type: TimestampType,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
}

impl Incoming<'_> {
    pub(crate) fn bytes(&self) -> usize {
        self.key.map_or(0, <[u8]>::len) + self.value.map_or(0, <[u8]>::len)
    }
}

/// The size of the partition's last batch, as an estimate for the next.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BatchSize {
    pub(crate) rows: usize,
    key_bytes: usize,
    value_bytes: usize,
}

#[derive(Debug)]
pub(crate) struct BatchBuilder {
    opened: Instant,
    keys: BytesBuilder,
    values: BytesBuilder,
    offsets: Vec<i64>,
    timestamps: Vec<i64>,
    timestamp_type: TimestampType,
    headers: Option<RawHeaders>,
    header_names: Vec<Arc<str>>,
}

/// Number of header names that are kept for reuse. Topics mostly have a handful.
const HEADER_NAMES: usize = 16;

impl BatchBuilder {
    pub(crate) fn new(guess: BatchSize) -> Self {
        Self {
            opened: Instant::now(),
            keys: BytesBuilder::new(guess.rows, guess.key_bytes),
            values: BytesBuilder::new(guess.rows, guess.value_bytes),
            offsets: Vec::with_capacity(guess.rows),
            timestamps: Vec::with_capacity(guess.rows),
            timestamp_type: TimestampType::default(),
            headers: None,
            header_names: Vec::new(),
        }
    }

    pub(crate) fn opened(&self) -> Instant {
        self.opened
    }

    pub(crate) fn rows(&self) -> usize {
        self.offsets.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.keys.bytes.len() + self.values.bytes.len()
    }

    pub(crate) fn size(&self) -> BatchSize {
        BatchSize { rows: self.rows(), key_bytes: self.keys.bytes.len(), value_bytes: self.values.bytes.len() }
    }

    /// Whether the message can follow those in the batch: its offset is higher, and its timestamp is of the same type.
    /// The offset is not higher after the broker's log was truncated.
    pub(crate) fn fits(&self, message: &Incoming<'_>) -> bool {
        self.offsets.last().is_none_or(|last| *last < message.offset && self.timestamp_type == message.timestamp_type)
    }

    /// Adds a message without headers.
    pub(crate) fn push(&mut self, message: &Incoming<'_>) {
        self.keys.push(message.key);
        self.values.push(message.value);
        self.offsets.push(message.offset);
        self.timestamps.push(message.timestamp);
        self.timestamp_type = message.timestamp_type;
        if let Some(headers) = &mut self.headers {
            headers.push(Vec::new());
        }
    }

    /// Adds headers to the message added last.
    pub(crate) fn set_headers(&mut self, headers: Vec<RawHeader>) {
        let rows = self.rows();
        let all = self.headers.get_or_insert_with(|| vec![Vec::new(); rows]);
        if let Some(last) = all.last_mut() {
            *last = headers;
        }
    }

    /// The shared form of a header name.
    pub(crate) fn header_name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.header_names.iter().find(|known| &***known == name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        if self.header_names.len() < HEADER_NAMES {
            self.header_names.push(Arc::clone(&name));
        }
        name
    }

    /// The batch; `None` if no message was added.
    pub(crate) fn close(self, partition: &TopicPartition) -> Option<RawBatch> {
        let range = OffsetRange { first: *self.offsets.first()?, end: *self.offsets.last()? + 1 };
        let origin = Origin {
            partition: partition.clone(),
            range,
            offsets: ScalarBuffer::from(self.offsets),
            timestamps: ScalarBuffer::from(self.timestamps),
            timestamp_type: self.timestamp_type,
        };
        Some(RawBatch {
            origin: Arc::new(origin),
            keys: self.keys.finish(),
            values: self.values.finish(),
            headers: self.headers.map(Arc::new),
        })
    }
}

#[derive(Debug)]
struct BytesBuilder {
    bytes: Vec<u8>,
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl BytesBuilder {
    fn new(rows: usize, bytes: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self { bytes: Vec::with_capacity(bytes), ends, nulls: NullBufferBuilder::new(rows) }
    }

    fn push(&mut self, value: Option<&[u8]>) {
        match value {
            Some(value) => {
                self.bytes.extend_from_slice(value);
                self.nulls.append_non_null();
            }
            None => self.nulls.append_null(),
        }
        self.ends.push(i32::try_from(self.bytes.len()).expect("a batch is closed before it reaches 2 GiB"));
    }

    fn finish(mut self) -> BinaryArray {
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        BinaryArray::new(ends, Buffer::from_vec(self.bytes), self.nulls.finish())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;
    use proptest::prelude::*;

    use super::*;

    fn message<'a>(offset: i64, key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> Incoming<'a> {
        Incoming { offset, timestamp: -1, timestamp_type: TimestampType::CreateTime, key, value }
    }

    #[test]
    fn headers_are_absent_until_a_row_has_some() {
        let partition = TopicPartition::new("t", 0);
        let mut plain = BatchBuilder::new(BatchSize::default());
        plain.push(&message(5, None, Some(b"a")));
        assert!(plain.close(&partition).unwrap().headers.is_none());

        let mut builder = BatchBuilder::new(BatchSize::default());
        builder.push(&message(5, None, Some(b"a")));
        builder.push(&message(7, None, None));
        let name = builder.header_name("h");
        builder.set_headers(vec![RawHeader { name, value: None }]);
        builder.push(&message(8, None, None));
        let batch = builder.close(&partition).unwrap();
        let headers = batch.headers.unwrap();
        assert_eq!(headers.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1, 0]);
        assert_eq!(batch.origin.range, OffsetRange { first: 5, end: 9 });
    }

    #[test]
    fn a_message_of_another_timestamp_type_or_an_earlier_one_begins_a_batch_of_its_own() {
        let mut builder = BatchBuilder::new(BatchSize::default());
        let appended =
            |offset| Incoming { timestamp_type: TimestampType::LogAppendTime, ..message(offset, None, None) };
        assert!(builder.fits(&appended(5)));
        builder.push(&appended(5));
        assert!(builder.fits(&appended(6)) && !builder.fits(&message(6, None, None)) && !builder.fits(&appended(5)));
        let batch = builder.close(&TopicPartition::new("t", 0)).unwrap();
        assert_eq!(batch.origin.timestamp_type, TimestampType::LogAppendTime);
    }

    #[test]
    fn nothing_added_is_no_batch() {
        assert!(BatchBuilder::new(BatchSize::default()).close(&TopicPartition::new("t", 0)).is_none());
    }

    type Row = (Option<Vec<u8>>, Option<Vec<u8>>);

    proptest! {
        #[test]
        fn every_byte_and_null_comes_back(rows in prop::collection::vec(any::<Row>(), 1..50)) {
            let mut builder = BatchBuilder::new(BatchSize { rows: 3, key_bytes: 1, value_bytes: 1 });
            for (offset, (key, value)) in (0..).zip(&rows) {
                builder.push(&message(offset, key.as_deref(), value.as_deref()));
            }
            let batch = builder.close(&TopicPartition::new("t", 0)).unwrap();
            let column = |array: &BinaryArray| -> Vec<Option<Vec<u8>>> {
                (0..array.len()).map(|row| array.is_valid(row).then(|| array.value(row).to_vec())).collect()
            };
            let keys: Vec<_> = rows.iter().map(|row| row.0.clone()).collect();
            let values: Vec<_> = rows.iter().map(|row| row.1.clone()).collect();
            prop_assert_eq!(column(&batch.keys), keys);
            prop_assert_eq!(column(&batch.values), values);
        }
    }
}
