//! The table `records`: a batch's value fields and its metadata as columns.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Int32Array, Int64Array, MapBuilder, MapFieldNames, RecordBatch, RecordBatchOptions, StringArray,
    StringBuilder, StructArray, TimestampMillisecondArray, UInt32Array, make_array, new_null_array,
};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use volley_api::schema::timestamp_type;
use volley_api::{Column, Headers, Records, Result, Semantics, as_meant, meant_field};

use crate::header_text::header_text;

/// The hidden column with the row number in the batch. Ascending in the table.
pub(crate) const ROW_NUMBER: &str = "__volley_row";

/// The hidden column of a value without fields, so that `*` has a column. It is never in a result.
pub(crate) const NO_FIELD: &str = "__volley_no_field";

/// The only column of a value that is not a struct.
pub(crate) const WHOLE_VALUE: &str = "value";

/// Prefix of a value field with the name of a metadata column.
const SHADOWED_PREFIX: &str = "value.";

/// A column that does not come from the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetaColumn {
    Key,
    Topic,
    Partition,
    Offset,
    Timestamp,
    Headers,
}

impl MetaColumn {
    pub(crate) const ALL: [Self; 6] =
        [Self::Key, Self::Topic, Self::Partition, Self::Offset, Self::Timestamp, Self::Headers];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Key => "_key",
            Self::Topic => "_topic",
            Self::Partition => "_partition",
            Self::Offset => "_offset",
            Self::Timestamp => "_timestamp",
            Self::Headers => "_headers",
        }
    }

    pub(crate) fn is_named(name: &str) -> bool {
        Self::ALL.iter().any(|column| column.name() == name)
    }

    fn data_type(self, key: &FieldRef) -> DataType {
        match self {
            Self::Key => meant(key).data_type().clone(),
            Self::Topic => DataType::Utf8,
            Self::Partition => DataType::Int32,
            Self::Offset => DataType::Int64,
            Self::Timestamp => timestamp_type(),
            Self::Headers => headers_type(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// A field of the struct value.
    Field(usize),
    /// The value, which is not a struct.
    WholeValue,
    /// Replaces the fields of a struct without any.
    NoField,
    Meta(MetaColumn),
    RowNumber,
}

/// The columns for records of one key and value type. All are nullable, since a tombstone has no values.
#[derive(Clone, Debug)]
pub(crate) struct RecordsTable {
    key: FieldRef,
    value: FieldRef,
    sources: Vec<Source>,
    schema: SchemaRef,
}

impl RecordsTable {
    pub(crate) fn new(key: &FieldRef, value: &FieldRef) -> Self {
        let mut fields: Vec<Field> = Vec::new();
        let mut sources = Vec::new();
        match value.data_type() {
            DataType::Struct(children) if children.is_empty() => {
                fields.push(Field::new(NO_FIELD, DataType::Null, true));
                sources.push(Source::NoField);
            }
            DataType::Struct(children) => {
                for (index, child) in children.iter().enumerate() {
                    fields.push(meant(child).as_ref().clone().with_name(column_name(child.name())).with_nullable(true));
                    sources.push(Source::Field(index));
                }
            }
            _ => {
                fields.push(meant(value).as_ref().clone().with_name(WHOLE_VALUE).with_nullable(true));
                sources.push(Source::WholeValue);
            }
        }
        for column in MetaColumn::ALL {
            fields.push(Field::new(column.name(), column.data_type(key), true));
            sources.push(Source::Meta(column));
        }
        fields.push(Field::new(ROW_NUMBER, DataType::UInt32, false));
        sources.push(Source::RowNumber);
        let schema = Arc::new(Schema::new(fields));
        Self { key: Arc::clone(key), value: Arc::clone(value), sources, schema }
    }

    /// All columns, the row number last.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The columns that a user sees.
    pub(crate) fn visible_schema(&self) -> SchemaRef {
        let visible = &self.schema.fields()[..self.schema.fields().len() - 1];
        Arc::new(Schema::new(visible.to_vec()))
    }

    /// The field of the records behind a column, with its own name, nullability and metadata.
    pub(crate) fn original_field(&self, column: &str) -> Option<FieldRef> {
        let index = self.schema.index_of(column).ok()?;
        match self.sources[index] {
            Source::Field(child) => match self.value.data_type() {
                DataType::Struct(children) => children.get(child).map(Arc::clone),
                _ => None,
            },
            Source::WholeValue => Some(Arc::clone(&self.value)),
            Source::Meta(MetaColumn::Key) => Some(Arc::clone(&self.key)),
            Source::NoField | Source::Meta(_) | Source::RowNumber => None,
        }
    }

    /// The columns at `projection` of `records`, whose types MUST be this table's.
    pub(crate) fn batch(&self, records: &Records, projection: &[usize]) -> Result<RecordBatch> {
        let columns = projection.iter().map(|index| self.column(records, self.sources[*index]));
        let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
        let schema = Arc::new(self.schema.project(projection)?);
        let options = RecordBatchOptions::new().with_row_count(Some(records.len()));
        Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
    }

    fn column(&self, records: &Records, source: Source) -> Result<ArrayRef> {
        Ok(match source {
            Source::Field(index) => {
                let array = value_field(&records.value.array, index);
                match self.value.data_type() {
                    DataType::Struct(children) => meant_array(&children[index], array)?,
                    _ => array,
                }
            }
            Source::WholeValue => meant_array(&self.value, Arc::clone(&records.value.array))?,
            Source::NoField => new_null_array(&DataType::Null, records.len()),
            Source::Meta(MetaColumn::Key) => meant_array(&self.key, Arc::clone(&records.key.array))?,
            Source::Meta(column) => meta_column(records, column),
            Source::RowNumber => Arc::new(UInt32Array::from_iter_values(0..records.rows.len() as u32)),
        })
    }
}

/// The field as what Debezium's semantic types mean. Those of numbers stay, since no cast would give them back.
fn meant(field: &FieldRef) -> FieldRef {
    meant_field(field, Semantics::Times).unwrap_or_else(|| Arc::clone(field))
}

fn meant_array(field: &FieldRef, array: ArrayRef) -> Result<ArrayRef> {
    Ok(as_meant(&Column::new(Arc::clone(field), array), Semantics::Times)?.into_owned().array)
}

/// The column's name of a value field.
fn column_name(field: &str) -> String {
    if is_shadowed(field) { format!("{SHADOWED_PREFIX}{field}") } else { field.to_owned() }
}

/// The value field's name of a column: removes the prefix of shadowed names.
pub(crate) fn field_name(column: &str) -> &str {
    column.strip_prefix(SHADOWED_PREFIX).filter(|name| is_shadowed(name)).unwrap_or(column)
}

/// Whether a field of the value has the name of a metadata column.
pub(crate) fn is_shadowed(field: &str) -> bool {
    matches!(field, ROW_NUMBER | NO_FIELD) || MetaColumn::is_named(field)
}

/// A child of the value; null where the value is.
pub(crate) fn value_field(value: &ArrayRef, index: usize) -> ArrayRef {
    let Some(value) = value.as_any().downcast_ref::<StructArray>() else {
        return Arc::clone(value);
    };
    let child = value.column(index);
    let Some(nulls) = value.nulls().filter(|nulls| nulls.null_count() > 0) else {
        return Arc::clone(child);
    };
    if child.data_type() == &DataType::Null {
        return Arc::clone(child);
    }
    let nulls = NullBuffer::union(Some(nulls), child.nulls());
    match child.to_data().into_builder().nulls(nulls).build() {
        Ok(data) => make_array(data),
        // Only types without a bitmap (unions) refuse one; Connect has no such type.
        Err(_) => Arc::clone(child),
    }
}

fn meta_column(records: &Records, column: MetaColumn) -> ArrayRef {
    let len = records.len();
    match column {
        MetaColumn::Key => Arc::clone(&records.key.array),
        MetaColumn::Topic => Arc::new(StringArray::from_iter_values(std::iter::repeat_n(&*records.topic, len))),
        MetaColumn::Partition => Arc::new(Int32Array::from(vec![records.kafka_partition; len])),
        MetaColumn::Offset => match &records.origin {
            Some(origin) => {
                let offsets: ScalarBuffer<i64> = records.rows.iter().map(|row| origin.offsets[row]).collect();
                Arc::new(Int64Array::new(offsets, None))
            }
            None => Arc::new(Int64Array::new_null(len)),
        },
        MetaColumn::Timestamp => {
            let known: NullBuffer = records.timestamps.iter().map(|timestamp| *timestamp >= 0).collect();
            let nulls = Some(known).filter(|nulls| nulls.null_count() > 0);
            Arc::new(TimestampMillisecondArray::new(records.timestamps.clone(), nulls).with_timezone("UTC"))
        }
        MetaColumn::Headers => headers_column(records.headers.as_deref(), len),
    }
}

fn headers_type() -> DataType {
    let entries =
        Fields::from(vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
}

/// Headers as a map of texts; of several headers with one name, the last counts.
fn headers_column(headers: Option<&Headers>, len: usize) -> ArrayRef {
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    // Headers are stored by row.
    for row in 0..len {
        let row = headers.and_then(|headers| headers.get(row)).map_or(&[][..], Vec::as_slice);
        for (index, header) in row.iter().enumerate() {
            if row[index + 1..].iter().any(|later| later.name == header.name) {
                continue;
            }
            builder.keys().append_value(&header.name);
            builder.values().append_option(header_text(header));
        }
        // Fails only if the numbers of keys and values differ.
        let _ = builder.append(true);
    }
    Arc::new(builder.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use volley_api::{Header, RowIndex, Value};

    fn records() -> Records {
        let id: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let key: ArrayRef = Arc::new(StringArray::from(vec!["x", "y", "z"]));
        let fields =
            Fields::from(vec![Field::new("id", DataType::Int64, false), Field::new("_key", DataType::Utf8, true)]);
        let nulls = NullBuffer::from(vec![true, false, true]);
        let value = StructArray::try_new(fields.clone(), vec![id, key], Some(nulls)).unwrap();
        Records {
            topic: "orders".into(),
            kafka_partition: Some(3),
            key: Column::nulls(3),
            value: Column::new(Arc::new(Field::new("value", DataType::Struct(fields), true)), Arc::new(value)),
            timestamps: vec![5, -1, 7].into(),
            headers: Some(Arc::new(vec![
                vec![Header::new("a", Value::Int32(1)), Header::new("a", Value::String("last".into()))],
                vec![],
                vec![Header::new("b", Value::Null)],
            ])),
            rows: RowIndex::all(3),
            origin: None,
        }
    }

    #[test]
    fn columns_of_a_tombstone_are_null() {
        let records = records();
        let table = RecordsTable::new(&records.key.field, &records.value.field);
        let batch = table.batch(&records, &[0]).unwrap();
        assert_eq!(batch.column(0).as_ref(), &Int64Array::from(vec![Some(1), None, Some(3)]) as &dyn Array);
    }

    #[test]
    fn a_value_field_named_like_a_metadata_column_has_a_prefix() {
        let records = records();
        let table = RecordsTable::new(&records.key.field, &records.value.field);
        let visible = table.visible_schema();
        let names: Vec<_> = visible.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names, ["id", "value._key", "_key", "_topic", "_partition", "_offset", "_timestamp", "_headers"]);
        assert_eq!(field_name("value._key"), "_key");
        assert_eq!(field_name("value.x"), "value.x");
    }

    #[test]
    fn unknown_times_are_null_and_the_last_of_equal_headers_counts() {
        let records = records();
        let table = RecordsTable::new(&records.key.field, &records.value.field);
        let batch = table.batch(&records, &[6, 7]).unwrap();
        assert!(batch.column(0).is_null(1) && !batch.column(0).is_null(0));
        let shown = arrow::util::display::array_value_to_string(batch.column(1), 0).unwrap();
        assert_eq!(shown, "{a: last}");
    }
}
