//! The formats of lookup files.
//!
//! CSV (header row, comma) and TSV (tab): the type of each column is inferred from all its values: whole numbers, numbers,
//! booleans, dates or texts. Whole numbers with leading zeros are texts, since they are codes. JSON has one object on each
//! line. Parquet has its own types.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::csv::ReaderBuilder as CsvReader;
use arrow::csv::reader::Format;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::ReaderBuilder as JsonReader;
use arrow::json::reader::infer_json_schema;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::table_file::{Failure, too_large};

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableFormat {
    Csv,
    Tsv,
    JsonLines,
    Parquet,
}

impl TableFormat {
    /// The format of that name, in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "csv" => Self::Csv,
            "tsv" => Self::Tsv,
            "json" | "jsonl" | "ndjson" => Self::JsonLines,
            "parquet" => Self::Parquet,
            _ => return None,
        })
    }

    /// As the name of the file at `path` ends.
    pub(super) fn of_file(path: &str) -> Option<Self> {
        let (_, extension) = path.rsplit_once('.')?;
        Self::named(extension)
    }

    /// The rows of a file. All columns are nullable. A panic of a decoder is a failure.
    pub(super) fn rows(self, content: &Bytes, max_bytes: u64) -> Result<RecordBatch, Failure> {
        let decoded = catch_unwind(AssertUnwindSafe(|| self.decode(content, max_bytes)));
        decoded.unwrap_or_else(|_| Err("it cannot be decoded".to_owned()))
    }

    fn decode(self, content: &Bytes, max_bytes: u64) -> Result<RecordBatch, Failure> {
        // a byte order mark does not belong to the first column's name
        let text = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
        let failed = |error: ArrowError| error.to_string();
        let rows = match self {
            Self::Csv => read_csv(text, b',').map_err(failed)?,
            Self::Tsv => read_csv(text, b'\t').map_err(failed)?,
            Self::JsonLines => read_json_lines(text).map_err(failed)?,
            Self::Parquet => read_parquet(content, max_bytes)?,
        };
        let nullable = |field: &Arc<Field>| field.as_ref().clone().with_nullable(true);
        let fields: Vec<Field> = rows.schema().fields().iter().map(nullable).collect();
        rows.with_schema(Arc::new(Schema::new(fields))).map_err(failed)
    }
}

fn read_csv(content: &[u8], delimiter: u8) -> Result<RecordBatch, ArrowError> {
    let format = Format::default().with_header(true).with_delimiter(delimiter);
    let (inferred, _) = format.infer_schema(content, None)?;
    let texts: SchemaRef = Arc::new(Schema::new(
        inferred.fields().iter().map(|field| Field::new(field.name(), DataType::Utf8, true)).collect::<Vec<_>>(),
    ));
    let reader = CsvReader::new(Arc::clone(&texts)).with_header(true).with_delimiter(delimiter).build(content)?;
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    typed(&concat_batches(&texts, &batches)?, &inferred)
}

/// Casts texts to the inferred types.
fn typed(texts: &RecordBatch, inferred: &Schema) -> Result<RecordBatch, ArrowError> {
    let mut columns: Vec<ArrayRef> = Vec::new();
    let mut fields = Vec::new();
    for (column, field) in texts.columns().iter().zip(inferred.fields()) {
        let numbers = field.data_type().is_numeric() && has_leading_zeros(column);
        let data_type =
            if numbers || field.data_type() == &DataType::Null { DataType::Utf8 } else { field.data_type().clone() };
        columns.push(cast(column, &data_type)?);
        fields.push(Field::new(field.name(), data_type, true));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

fn has_leading_zeros(column: &ArrayRef) -> bool {
    let coded = |text: &str| text.len() > 1 && text.starts_with('0') && !text.starts_with("0.");
    column.as_string::<i32>().iter().flatten().any(coded)
}

fn read_json_lines(content: &[u8]) -> Result<RecordBatch, ArrowError> {
    let (schema, _) = infer_json_schema(content, None)?;
    let schema = Arc::new(schema);
    let batches = JsonReader::new(Arc::clone(&schema)).build(content)?.collect::<Result<Vec<_>, _>>()?;
    concat_batches(&schema, &batches)
}

fn read_parquet(content: &Bytes, max_bytes: u64) -> Result<RecordBatch, Failure> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(content.clone()).map_err(|error| error.to_string())?;
    let schema = Arc::clone(builder.schema());
    let reader = builder.build().map_err(|error| error.to_string())?;
    let (mut batches, mut bytes) = (Vec::new(), 0);
    for batch in reader {
        let batch: RecordBatch = batch.map_err(|error| error.to_string())?;
        bytes += batch.get_array_memory_size() as u64;
        if bytes > max_bytes {
            return Err(too_large(bytes, max_bytes));
        }
        batches.push(batch);
    }
    concat_batches(&schema, &batches).map_err(|error| error.to_string())
}

/// The columns of `schema` out of `rows`, with their types. A column that is not there any more is null.
pub(super) fn conformed(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, Failure> {
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        columns.push(match rows.column_by_name(field.name()) {
            None => arrow::array::new_null_array(field.data_type(), rows.num_rows()),
            Some(column) => cast_all(column, field)?,
        });
    }
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(|error| error.to_string())
}

fn cast_all(column: &ArrayRef, field: &Field) -> Result<ArrayRef, Failure> {
    if column.data_type() == field.data_type() {
        return Ok(Arc::clone(column));
    }
    let cast = cast(column, field.data_type()).ok().filter(|cast| cast.null_count() == column.logical_null_count());
    cast.ok_or_else(|| {
        format!(
            "the values of its column `{}` were {} and are now {}; restart the task to take them as what they are",
            field.name(),
            field.data_type(),
            column.data_type()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(format: TableFormat, content: &str) -> RecordBatch {
        format.rows(&Bytes::from(content.to_owned()), 10_000).unwrap()
    }

    #[test]
    fn csv_columns_get_types_and_codes_stay_texts() {
        let table = rows(TableFormat::Csv, "code,n,rate,zip\nDE,1,0.5,01067\nFR,2,1,75001\n");
        let schema = table.schema();
        let types: Vec<_> = schema.fields().iter().map(|field| field.data_type().clone()).collect();
        assert_eq!(types, [DataType::Utf8, DataType::Int64, DataType::Float64, DataType::Utf8]);
        assert_eq!(table.column(3).as_string::<i32>().value(0), "01067");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_name() {
        for (format, content) in [
            (TableFormat::Csv, "\u{feff}code,n\nDE,1\n"),
            (TableFormat::JsonLines, "\u{feff}{\"code\":\"DE\",\"n\":1}\n"),
        ] {
            assert_eq!(rows(format, content).schema().field(0).name(), "code");
        }
    }

    #[test]
    fn what_is_read_again_has_the_columns_and_types_of_before() {
        let first = rows(TableFormat::Csv, "code,n,gone\nDE,1,x\n");
        let second = rows(TableFormat::Csv, "new,n,code\n1,2,7\n2,,8\n");
        let table = conformed(&second, &first.schema()).unwrap();
        assert_eq!(table.schema(), first.schema());
        assert_eq!(table.column(0).as_string::<i32>().value(1), "8");
        assert!(table.column(2).null_count() == 2 && table.column(1).null_count() == 1);
        let third = rows(TableFormat::Csv, "code,n\nDE,many\n");
        assert!(conformed(&third, &first.schema()).unwrap_err().contains("column `n` were Int64 and are now Utf8"));
    }

    #[test]
    fn parquet_is_read_and_its_rows_are_bounded_by_what_they_take_in_memory() {
        let table = rows(TableFormat::Csv, &format!("code,n\n{}", "DE,1\n".repeat(1_000)));
        let mut content = Vec::new();
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut content, table.schema(), None).unwrap();
        writer.write(&table).unwrap();
        writer.close().unwrap();
        let content = Bytes::from(content);
        assert_eq!(TableFormat::Parquet.rows(&content, 1 << 20).unwrap(), table);
        assert!(content.len() < 5_000);
        assert!(TableFormat::Parquet.rows(&content, 5_000).unwrap_err().contains("raise `lookup.max.bytes` (5000)"));
        assert!(TableFormat::Parquet.rows(&Bytes::from_static(b"no parquet"), 100).is_err());
    }
}
