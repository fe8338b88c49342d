//! The batches that travel through a task: raw as consumed, and records in columns.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, NullArray, UInt32Array, new_null_array};
use arrow::buffer::ScalarBuffer;
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef};

use crate::{Headers, OffsetRange, RawHeaders, Result, TimestampType, TopicPartition};

/// Where the rows of a sink's batch stand in Kafka. Shared by the raw batch and all records made from it.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The partition consumed from, before any transformation.
    pub partition: TopicPartition,
    /// What the batch covers: `[first offset, last offset + 1)`. Rows that are filtered or rejected still count.
    pub range: OffsetRange,
    /// Offset of each row, ascending.
    pub offsets: ScalarBuffer<i64>,
    /// Who set the timestamps of the rows.
    pub timestamp_type: TimestampType,
    /// Record timestamp of each row, milliseconds since 1970-01-01 UTC; -1 = none.
    pub timestamps: ScalarBuffer<i64>,
}

/// Messages of ONE topic-partition as consumed. Kept until its records are acknowledged, because a rejected row goes to
/// the dead letter queue with its original bytes.
#[derive(Clone, Debug)]
pub struct RawBatch {
    /// Coordinates of the rows.
    pub origin: Arc<Origin>,
    /// Key bytes; null = null key. Same length as `values`.
    pub keys: BinaryArray,
    /// Value bytes; null = null value (tombstone).
    pub values: BinaryArray,
    /// Headers of each row; `None` when no row has any.
    pub headers: Option<Arc<RawHeaders>>,
}

impl RawBatch {
    /// Number of messages.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The first `rows` messages, which cover the offsets before that of the next one. Nothing is copied but headers.
    #[must_use]
    pub fn head(&self, rows: usize) -> Self {
        if rows >= self.len() {
            return self.clone();
        }
        let origin = Origin {
            partition: self.origin.partition.clone(),
            range: OffsetRange { first: self.origin.range.first, end: self.origin.offsets[rows] },
            offsets: self.origin.offsets.slice(0, rows),
            timestamp_type: self.origin.timestamp_type,
            timestamps: self.origin.timestamps.slice(0, rows),
        };
        Self {
            origin: Arc::new(origin),
            keys: self.keys.slice(0, rows),
            values: self.values.slice(0, rows),
            headers: self.headers.as_ref().map(|headers| Arc::new(headers[..rows].to_vec())),
        }
    }

    /// Bytes of keys and values.
    pub fn bytes(&self) -> usize {
        self.keys.values().len() + self.values.values().len()
    }
}

/// An Arrow array with its field: the key or the value of records.
///
/// A value is usually a struct; it may be any type (StringConverter gives Utf8). Null = Connect's null.
#[derive(Clone, Debug)]
pub struct Column {
    /// Name (of no meaning at the root), type, nullability, and Connect's schema metadata: see [`crate::schema`].
    pub field: FieldRef,
    /// The values; its type is the field's.
    pub array: ArrayRef,
}

impl Column {
    /// A column; `array` MUST have the field's type.
    pub fn new(field: FieldRef, array: ArrayRef) -> Self {
        debug_assert_eq!(field.data_type(), array.data_type());
        Self { field, array }
    }

    /// `len` nulls without a schema.
    pub fn nulls(len: usize) -> Self {
        Self { field: Arc::new(Field::new("value", DataType::Null, true)), array: Arc::new(NullArray::new(len)) }
    }

    /// `len` nulls of the given field.
    pub fn nulls_of(field: FieldRef, len: usize) -> Self {
        let array = new_null_array(field.data_type(), len);
        Self { field, array }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.array.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.array.is_empty()
    }

    /// Whether the value of `row` is Connect's null. Unlike the array's own bitmap, this knows the Null type.
    pub fn is_null(&self, row: usize) -> bool {
        self.array.data_type() == &DataType::Null || self.array.is_null(row)
    }

    /// The values at `rows`, in that order.
    pub fn take(&self, rows: &UInt32Array) -> Result<Self> {
        Ok(Self { field: Arc::clone(&self.field), array: take(&self.array, rows, None)? })
    }

    /// `len` values from `offset` on, without copying.
    #[must_use]
    pub fn slice(&self, offset: usize, len: usize) -> Self {
        Self { field: Arc::clone(&self.field), array: self.array.slice(offset, len) }
    }
}

/// For each row of some records, which row of the pipeline's input batch it came from. Ascending (UNNEST repeats a row).
#[derive(Clone, Debug, PartialEq)]
pub enum RowIndex {
    /// Rows `start..start + len` of the input batch.
    Contiguous {
        /// First input row.
        start: u32,
        /// Number of rows.
        len: u32,
    },
    /// The listed input rows.
    Selected(UInt32Array),
}

impl RowIndex {
    /// All `len` rows of a batch.
    pub fn all(len: usize) -> Self {
        Self::Contiguous { start: 0, len: u32::try_from(len).expect("a batch has fewer than 2^32 rows") }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Contiguous { len, .. } => *len as usize,
            Self::Selected(rows) => rows.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The input row of row `row`.
    pub fn input_row(&self, row: usize) -> usize {
        match self {
            Self::Contiguous { start, .. } => *start as usize + row,
            Self::Selected(rows) => rows.value(row) as usize,
        }
    }

    /// The input rows of all rows.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).map(|row| self.input_row(row))
    }

    /// The index of the rows at `rows`, in that order.
    #[must_use]
    pub fn take(&self, rows: &UInt32Array) -> Self {
        let taken = rows.values().iter().map(|row| self.input_row(*row as usize) as u32);
        Self::Selected(UInt32Array::from_iter_values(taken))
    }

    /// `len` rows from `offset` on.
    #[must_use]
    pub fn slice(&self, offset: usize, len: usize) -> Self {
        match self {
            Self::Contiguous { start, .. } => Self::Contiguous { start: start + offset as u32, len: len as u32 },
            Self::Selected(rows) => Self::Selected(rows.slice(offset, len)),
        }
    }
}

/// Records of ONE topic with ONE schema, in columns. All parts have the same number of rows, in the order of the input.
#[derive(Clone, Debug)]
pub struct Records {
    /// Topic; a transformation may have changed it.
    pub topic: Arc<str>,
    /// Kafka partition: the one consumed from (sink), the one asked for or `None` (source).
    pub kafka_partition: Option<i32>,
    /// Keys.
    pub key: Column,
    /// Values.
    pub value: Column,
    /// Timestamp of each row, ms since 1970-01-01 UTC, -1 = none; a transformation may have changed it.
    pub timestamps: ScalarBuffer<i64>,
    /// Headers of each row; `None` when no row has any.
    pub headers: Option<Arc<Headers>>,
    /// Which input row each row came from.
    pub rows: RowIndex,
    /// Where the INPUT rows stand in Kafka; `None` in a source. Index it through `rows`.
    pub origin: Option<Arc<Origin>>,
}

impl Records {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Kafka offset of row `row`; `None` in a source.
    pub fn offset(&self, row: usize) -> Option<i64> {
        self.origin.as_ref().map(|origin| origin.offsets[self.rows.input_row(row)])
    }

    /// The rows at `rows`, in that order.
    pub fn take(&self, rows: &UInt32Array) -> Result<Self> {
        let headers = self.headers.as_ref().map(|headers| {
            Arc::new(rows.values().iter().map(|row| headers[*row as usize].clone()).collect::<Headers>())
        });
        Ok(Self {
            topic: Arc::clone(&self.topic),
            kafka_partition: self.kafka_partition,
            key: self.key.take(rows)?,
            value: self.value.take(rows)?,
            timestamps: rows.values().iter().map(|row| self.timestamps[*row as usize]).collect(),
            headers,
            rows: self.rows.take(rows),
            origin: self.origin.clone(),
        })
    }

    /// `len` rows from `offset` on, columns without copying.
    #[must_use]
    pub fn slice(&self, offset: usize, len: usize) -> Self {
        Self {
            topic: Arc::clone(&self.topic),
            kafka_partition: self.kafka_partition,
            key: self.key.slice(offset, len),
            value: self.value.slice(offset, len),
            timestamps: self.timestamps.slice(offset, len),
            headers: self.headers.as_ref().map(|headers| Arc::new(headers[offset..offset + len].to_vec())),
            rows: self.rows.slice(offset, len),
            origin: self.origin.clone(),
        }
    }
}
