//! One field that InsertField adds: its name, whether it is required, and its values as a column.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, StringArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, TimestampMillisecondType};
use volley_api::{Records, schema};

/// Where the values of a field come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Topic,
    Partition,
    Offset,
    Timestamp,
    /// This text for every record.
    Static(Arc<str>),
}

/// A field to add.
#[derive(Clone, Debug)]
pub(crate) struct Insertion {
    pub(crate) name: String,
    pub(crate) is_optional: bool,
    pub(crate) source: Source,
}

impl Insertion {
    /// `spec` is a name that may end in `!` (required) or `?` (optional).
    pub(crate) fn parse(spec: &str, source: Source) -> Self {
        let (name, is_optional) = match (spec.strip_suffix('!'), spec.strip_suffix('?')) {
            (Some(name), _) => (name, false),
            (None, Some(name)) => (name, true),
            (None, None) => (spec, true),
        };
        Self { name: name.to_owned(), is_optional, source }
    }

    /// Whether row `row` has a value for it.
    pub(crate) fn is_present(&self, records: &Records, row: usize) -> bool {
        match self.source {
            Source::Partition => records.kafka_partition.is_some(),
            Source::Timestamp => records.timestamps[row] != -1,
            Source::Offset => records.origin.is_some(),
            Source::Topic | Source::Static(_) => true,
        }
    }

    /// Connect's type.
    pub(crate) fn schema_type(&self) -> &'static str {
        match self.source {
            Source::Partition => "INT32",
            Source::Offset | Source::Timestamp => "INT64",
            Source::Topic | Source::Static(_) => "STRING",
        }
    }

    /// The field. Without schema, fields may always be missing, and a timestamp is a number.
    pub(crate) fn field(&self, has_schema: bool) -> Field {
        let data_type = match self.source {
            Source::Topic | Source::Static(_) => DataType::Utf8,
            Source::Partition => DataType::Int32,
            Source::Offset => DataType::Int64,
            Source::Timestamp if has_schema => schema::timestamp_type(),
            Source::Timestamp => DataType::Int64,
        };
        let data_type = if !has_schema && data_type == DataType::Int32 { DataType::Int64 } else { data_type };
        Field::new(&self.name, data_type, self.is_optional || !has_schema)
    }

    /// The values, null where there is none.
    pub(crate) fn values(&self, records: &Records, has_schema: bool) -> ArrayRef {
        let len = records.len();
        match &self.source {
            Source::Topic => repeat(&records.topic, len),
            Source::Static(text) => repeat(text, len),
            Source::Partition if has_schema => {
                Arc::new((0..len).map(|_| records.kafka_partition).collect::<Int32Array>())
            }
            Source::Partition => {
                Arc::new((0..len).map(|_| records.kafka_partition.map(i64::from)).collect::<Int64Array>())
            }
            Source::Offset => Arc::new((0..len).map(|row| records.offset(row)).collect::<Int64Array>()),
            Source::Timestamp => {
                let present: NullBuffer = records.timestamps.iter().map(|time| *time != -1).collect();
                let numbers = Int64Array::new(records.timestamps.clone(), Some(present));
                match has_schema {
                    true => Arc::new(numbers.reinterpret_cast::<TimestampMillisecondType>().with_timezone("UTC")),
                    false => Arc::new(numbers),
                }
            }
        }
    }
}

fn repeat(text: &str, len: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, len)))
}
