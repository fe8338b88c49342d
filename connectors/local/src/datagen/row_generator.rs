//! Whole rows: all fields, the key, the timestamps.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StructArray, TimestampMillisecondArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use volley_api::{Column, Records, Result, RowIndex};

use super::field_generator::FieldGenerator;
use super::row_span::RowSpan;

/// Makes records, column by column.
#[derive(Clone, Debug)]
pub(super) struct RowGenerator {
    topic: Arc<str>,
    generators: Vec<FieldGenerator>,
    fields: Fields,
    value_field: FieldRef,
    key: Option<usize>,
    timestamp: Option<usize>,
}

impl RowGenerator {
    /// Rows of these fields for `topic`. `key`: the field that is the key as well; `timestamp`: the one that is the
    /// record timestamp as well, of type TIMESTAMP.
    pub(super) fn new(
        topic: &str,
        generators: Vec<FieldGenerator>,
        key: Option<usize>,
        timestamp: Option<usize>,
    ) -> Self {
        let fields: Fields = generators.iter().map(|generator| Arc::clone(&generator.field)).collect();
        let value_field = Arc::new(Field::new("value", DataType::Struct(fields.clone()), false));
        Self { topic: topic.into(), generators, fields, value_field, key, timestamp }
    }

    /// The records of a span of rows.
    pub(super) fn records(&self, span: RowSpan) -> Result<Records> {
        let columns = self.generators.iter().map(|generator| generator.fill(span)).collect::<Result<Vec<_>>>()?;
        let key = match self.key {
            Some(index) => Column::new(Arc::clone(&self.fields[index]), Arc::clone(&columns[index])),
            None => Column::nulls(span.len),
        };
        let timestamps = self.timestamps(&columns, span.len);
        let values = StructArray::try_new(self.fields.clone(), columns, None)?;
        Ok(Records {
            topic: Arc::clone(&self.topic),
            kafka_partition: None,
            key,
            value: Column::new(Arc::clone(&self.value_field), Arc::new(values)),
            timestamps,
            headers: None,
            rows: RowIndex::all(span.len),
            origin: None,
        })
    }

    fn timestamps(&self, columns: &[ArrayRef], len: usize) -> ScalarBuffer<i64> {
        let column =
            self.timestamp.and_then(|index| columns[index].as_any().downcast_ref::<TimestampMillisecondArray>());
        match column {
            None => vec![-1; len].into(),
            Some(times) if times.null_count() == 0 => times.values().clone(),
            Some(times) => times.iter().map(|time| time.unwrap_or(-1)).collect(),
        }
    }
}
