//! Rows of a file to batches of records.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray, make_array};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, TimeUnit, TimestampMillisecondType};
use volley_api::schema::{has_schema, without_schema};
use volley_api::{Column, Error, Records, Result, RowIndex, Run, SourceBatch, SourcePartition, in_row_order};

use super::config::{KEY_FIELD, TIMESTAMP_FIELD};
use super::file_rows::FileRows;
use super::partition_columns::PathColumns;
use super::store::FileVersion;
use super::stored_offset::offset;

/// Timestamp of records without one: the client sets the time of sending.
const NO_TIMESTAMP: i64 = -1;

/// Makes records of the rows of one file.
#[derive(Debug)]
pub(super) struct RecordMaker {
    /// Where they go.
    pub(super) topic: Arc<str>,
    /// The Kafka partition that they go to; `None`: by their keys.
    pub(super) kafka_partition: Option<i32>,
    /// Their source partition.
    pub(super) partition: SourcePartition,
    /// Which file it is.
    pub(super) version: FileVersion,
    /// Fields that the path of the file has.
    pub(super) path_columns: PathColumns,
    /// The field whose value is the key.
    pub(super) key_field: Option<Arc<str>>,
    /// The field whose value is the timestamp.
    pub(super) timestamp_field: Option<Arc<str>>,
}

impl RecordMaker {
    /// The rows as batches, in the order of the file. Rows of several schemas may take turns: then there is a batch for each
    /// turn. The last one covers all of `rows`; one without records does where nothing else is left.
    ///
    /// # Errors
    /// `Config` if a field that is named is not there, or of another type.
    pub(super) fn batches(&self, rows: FileRows) -> Result<Vec<SourceBatch>> {
        let (first, end) = (rows.first, rows.end());
        let records = rows.runs.into_iter().map(|run| self.records(run)).collect::<Result<Vec<_>>>()?;
        let mut batches: Vec<_> = in_row_order(&records)
            .into_iter()
            .map(|(index, rows)| {
                let mut piece = records[index].slice(rows.start, rows.len());
                let next = first + piece.rows.input_row(piece.len() - 1) as u64 + 1;
                piece.rows = RowIndex::all(piece.len());
                self.batch(piece, next)
            })
            .collect();
        match batches.last_mut() {
            Some(last) => last.offset = offset(end, &self.version, false),
            None => batches.push(self.batch(self.no_records(), end)),
        }
        Ok(batches)
    }

    /// A batch without records, whose offset says that the file has been read.
    pub(super) fn end(&self, row: u64) -> SourceBatch {
        let offset = offset(row, &self.version, true);
        SourceBatch { offset, ..self.batch(self.no_records(), row) }
    }

    fn batch(&self, records: Records, next_row: u64) -> SourceBatch {
        let offset = offset(next_row, &self.version, false);
        SourceBatch { records, partition: self.partition.clone(), offset }
    }

    fn records(&self, run: Run) -> Result<Records> {
        let value = self.path_columns.add_to(run.column)?;
        let len = value.len();
        let key = self.key_field.as_deref().map(|name| key(&value, name)).transpose()?;
        let timestamps = self.timestamp_field.as_deref().map(|name| timestamps(&value, name)).transpose()?;
        Ok(Records {
            topic: Arc::clone(&self.topic),
            kafka_partition: self.kafka_partition,
            key: key.flatten().unwrap_or_else(|| Column::nulls(len)),
            value,
            timestamps: timestamps.flatten().unwrap_or_else(|| vec![NO_TIMESTAMP; len].into()),
            headers: None,
            rows: run.rows,
            origin: None,
        })
    }

    fn no_records(&self) -> Records {
        Records {
            topic: Arc::clone(&self.topic),
            kafka_partition: self.kafka_partition,
            key: Column::nulls(0),
            value: Column::nulls(0),
            timestamps: Vec::new().into(),
            headers: None,
            rows: RowIndex::all(0),
            origin: None,
        }
    }
}

/// The values of a field as keys; `None` where a value without a schema has no such field.
fn key(value: &Column, name: &str) -> Result<Option<Column>> {
    let Some((field, array)) = field(value, name, KEY_FIELD)? else { return Ok(None) };
    let field = match has_schema(&value.field) {
        true => field.as_ref().clone(),
        false => without_schema(field.as_ref().clone()),
    };
    // a value that is null has a null key
    let is_nullable = field.is_nullable() || array.null_count() > 0;
    Ok(Some(Column::new(Arc::new(field.with_nullable(is_nullable)), array)))
}

/// The values of a field as timestamps, in milliseconds.
fn timestamps(value: &Column, name: &str) -> Result<Option<ScalarBuffer<i64>>> {
    let Some((field, array)) = field(value, name, TIMESTAMP_FIELD)? else { return Ok(None) };
    let times: ArrayRef = match field.data_type() {
        DataType::Null => return Ok(None),
        DataType::Timestamp(..)
        | DataType::Int64
        | DataType::Date32
        | DataType::Date64
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View => cast(&array, &DataType::Timestamp(TimeUnit::Millisecond, None))?,
        other => {
            return Err(Error::config(format!(
                "field `{name}` of `{TIMESTAMP_FIELD}` is a {other}; name one of timestamps, or of milliseconds as 64-bit \
                 integers"
            )));
        }
    };
    let times = times.as_primitive::<TimestampMillisecondType>();
    // Kafka has no timestamps before 1970
    Ok(Some(times.iter().map(|time| time.filter(|time| *time >= 0).unwrap_or(NO_TIMESTAMP)).collect()))
}

/// A field of the values, null where they are; `None` where values without a schema do not have it.
fn field(value: &Column, name: &str, config_key: &str) -> Result<Option<(FieldRef, ArrayRef)>> {
    let structs = value.array.as_struct_opt();
    let found = structs.and_then(|structs| {
        let (index, field) = structs.fields().find(name)?;
        Some((Arc::clone(field), within(structs, index)))
    });
    match found {
        Some((field, array)) => Ok(Some((field, array?))),
        None if !has_schema(&value.field) => Ok(None),
        None => Err(Error::config(format!(
            "there is no field `{name}`, which `{config_key}` names; its values are of type {}",
            value.field.data_type()
        ))),
    }
}

/// A column of structs, with the nulls of the structs.
fn within(structs: &StructArray, index: usize) -> Result<ArrayRef> {
    let column = structs.column(index);
    if structs.null_count() == 0 || column.data_type() == &DataType::Null {
        return Ok(Arc::clone(column));
    }
    let nulls = NullBuffer::union(structs.nulls(), column.nulls());
    let data = column.to_data().into_builder().nulls(nulls).build()?;
    Ok(make_array(data))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray, UInt32Array};
    use arrow::datatypes::{Field, Fields};
    use volley_api::testing::{column, row_text};

    use super::*;

    fn maker(key_field: Option<&str>, timestamp_field: Option<&str>) -> RecordMaker {
        RecordMaker {
            topic: "t".into(),
            kafka_partition: Some(3),
            partition: SourcePartition::new(),
            version: FileVersion { size: 1, tag: "v".to_owned() },
            path_columns: PathColumns::default(),
            key_field: key_field.map(Arc::from),
            timestamp_field: timestamp_field.map(Arc::from),
        }
    }

    fn structs() -> Column {
        let fields =
            Fields::from(vec![Field::new("id", DataType::Int64, false), Field::new("at", DataType::Utf8, true)]);
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![9, 1, 2, 3]));
        let times =
            StringArray::from(vec![Some("x"), Some("1970-01-01T00:00:01Z"), None, Some("1960-01-01T00:00:00Z")]);
        let nulls = NullBuffer::from(vec![true, true, false, true]);
        // values that begin somewhere in the middle, as slices do
        column(StructArray::try_new(fields, vec![ids, Arc::new(times)], Some(nulls)).unwrap().slice(1, 3))
    }

    fn rows_of(runs: Vec<Run>, len: usize) -> FileRows {
        FileRows { first: 10, len, runs, rejected: Vec::new() }
    }

    #[test]
    fn fields_become_keys_and_timestamps_and_a_null_value_has_neither() {
        let run = Run { rows: RowIndex::all(3), column: structs() };
        let batches = maker(Some("id"), Some("at")).batches(rows_of(vec![run], 3)).unwrap();
        let [batch] = &batches[..] else { panic!("{batches:?}") };
        let keys: Vec<_> = (0..3).map(|row| row_text(&batch.records.key, row)).collect();
        assert_eq!(keys, ["Int64 1", "null", "Int64 3"]);
        assert!(batch.records.key.field.is_nullable());
        assert_eq!(&batch.records.timestamps[..], [1000, -1, -1]);
        assert_eq!((batch.records.kafka_partition, &batch.offset["row"]), (Some(3), &13.into()));
    }

    #[test]
    fn rows_of_two_schemas_in_turns_keep_their_order_and_their_offsets() {
        let ids = column(Int64Array::from(vec![0, 2]));
        let names = column(StringArray::from(vec!["1", "4"]));
        let run = |rows: Vec<u32>, column: Column| Run { rows: RowIndex::Selected(UInt32Array::from(rows)), column };
        let batches =
            maker(None, None).batches(rows_of(vec![run(vec![0, 2], ids), run(vec![1, 4], names)], 6)).unwrap();
        let seen: Vec<_> = batches
            .iter()
            .map(|batch| (row_text(&batch.records.value, 0), batch.offset["row"].as_u64().unwrap()))
            .collect();
        let expected = [("Int64 0", 11), ("Utf8 1", 12), ("Int64 2", 13), ("Utf8 4", 16)];
        assert_eq!(seen, expected.map(|(text, row)| (text.to_owned(), row)));
    }

    #[test]
    fn rows_that_are_all_left_out_move_the_offset() {
        let batches = maker(Some("id"), None).batches(rows_of(Vec::new(), 4)).unwrap();
        assert!(batches.len() == 1 && batches[0].records.is_empty() && batches[0].offset["row"] == 14);
        let end = maker(None, None).end(14);
        assert!(end.records.is_empty() && end.offset["done"] == true);
    }

    #[test]
    fn a_missing_field_is_an_error_where_there_is_a_schema() {
        let run = |column| Run { rows: RowIndex::all(3), column };
        let error = maker(Some("nope"), None).batches(rows_of(vec![run(structs())], 3)).unwrap_err();
        assert!(error.to_string().contains("`nope`") && error.to_string().contains("key.field"), "{error}");
        let mut schemaless = structs();
        schemaless.field = Arc::new(without_schema(schemaless.field.as_ref().clone()));
        let batches = maker(Some("nope"), Some("nope")).batches(rows_of(vec![run(schemaless)], 3)).unwrap();
        assert!((0..3).all(|row| batches[0].records.key.is_null(row)));
        let error = maker(None, Some("id")).batches(rows_of(vec![run(column(StringArray::from(vec!["a"; 3])))], 3));
        assert!(error.unwrap_err().to_string().contains("timestamp.field"));
    }
}
