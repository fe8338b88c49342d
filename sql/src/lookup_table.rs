//! Lookup tables: files that are read when the transformation is created, and kept in memory.
//!
//! `.csv` (header row, comma) and `.tsv` (tab) files: the type of each column is inferred from all its values: whole
//! numbers, numbers, booleans, dates or texts. Whole numbers with leading zeros are texts, since they are codes.
//! `.json`, `.jsonl` and `.ndjson` files have one object on each line.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::csv::ReaderBuilder as CsvReader;
use arrow::csv::reader::Format;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::ReaderBuilder as JsonReader;
use arrow::json::reader::infer_json_schema;
use datafusion::datasource::MemTable;
use volley_api::{ConfigMap, Error, Result};

use crate::query::RECORDS;

/// Prefix of the keys of lookup tables.
pub(crate) const PREFIX: &str = "lookup.";
/// Suffix of the keys of their files.
pub(crate) const PATH_SUFFIX: &str = ".path";

/// A lookup table with its name in queries.
#[derive(Debug)]
pub(crate) struct LookupTable {
    pub(crate) name: String,
    rows: RecordBatch,
}

impl LookupTable {
    /// Reads all tables of `config`. Each file may have at most `max_bytes`.
    ///
    /// # Errors
    /// `Config`, naming the key, if a file cannot be read.
    pub(crate) fn read_all(config: &ConfigMap, max_bytes: u64) -> Result<Vec<Self>> {
        let named = config.iter().filter_map(|(key, path)| {
            let name = key.strip_prefix(PREFIX)?.strip_suffix(PATH_SUFFIX)?;
            (!name.is_empty() && name != "<name>").then_some((key, name, path.trim()))
        });
        named.map(|(key, name, path)| Self::read(key, name, Path::new(path), max_bytes)).collect()
    }

    /// The names of its columns.
    pub(crate) fn columns(&self) -> impl Iterator<Item = String> {
        self.rows.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>().into_iter()
    }

    fn read(key: &str, name: &str, path: &Path, max_bytes: u64) -> Result<Self> {
        if name == RECORDS {
            return Err(Error::config(format!("`{key}`: a lookup table cannot be named `{RECORDS}`")));
        }
        let shown = path.display();
        let failed = |error: ArrowError| {
            Error::config(format!("`{key}`: could not read the lookup table `{shown}`")).with_source(error)
        };
        let mut file = File::open(path).map_err(|error| failed(error.into()))?;
        let bytes = file.metadata().map_err(|error| failed(error.into()))?.len();
        if bytes > max_bytes {
            return Err(Error::config(format!(
                "`{key}`: the lookup table `{shown}` has {bytes} bytes; raise `lookup.max.bytes` ({max_bytes}) to hold it \
                 in memory"
            )));
        }
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(|error| failed(error.into()))?;
        // a byte order mark does not belong to the first column's name
        let content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&content);
        let rows = match extension.to_ascii_lowercase().as_str() {
            "csv" => read_csv(content, b',').map_err(failed)?,
            "tsv" => read_csv(content, b'\t').map_err(failed)?,
            "json" | "jsonl" | "ndjson" => read_json_lines(content).map_err(failed)?,
            _ => {
                return Err(Error::config(format!(
                    "`{key}`: `{shown}` is none of .csv, .tsv, .json, .jsonl and .ndjson (JSON: one object on each line)"
                )));
            }
        };
        Ok(Self { name: name.to_owned(), rows })
    }

    /// The table for queries.
    pub(crate) fn into_table(self) -> datafusion::error::Result<Arc<MemTable>> {
        Ok(Arc::new(MemTable::try_new(self.rows.schema(), vec![vec![self.rows]])?))
    }
}

fn read_csv(content: &[u8], delimiter: u8) -> std::result::Result<RecordBatch, ArrowError> {
    let format = Format::default().with_header(true).with_delimiter(delimiter);
    let (inferred, _) = format.infer_schema(content, None)?;
    let texts: SchemaRef = Arc::new(Schema::new(
        inferred.fields().iter().map(|field| Field::new(field.name(), DataType::Utf8, true)).collect::<Vec<_>>(),
    ));
    let reader = CsvReader::new(Arc::clone(&texts)).with_header(true).with_delimiter(delimiter).build(content)?;
    let batches = reader.collect::<std::result::Result<Vec<_>, _>>()?;
    typed(&concat_batches(&texts, &batches)?, &inferred)
}

/// Casts texts to the inferred types.
fn typed(texts: &RecordBatch, inferred: &Schema) -> std::result::Result<RecordBatch, ArrowError> {
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

fn read_json_lines(content: &[u8]) -> std::result::Result<RecordBatch, ArrowError> {
    let (schema, _) = infer_json_schema(content, None)?;
    let schema = Arc::new(schema);
    let batches = JsonReader::new(Arc::clone(&schema)).build(content)?.collect::<std::result::Result<Vec<_>, _>>()?;
    concat_batches(&schema, &batches)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(name: &str, content: &str) -> Result<LookupTable> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        File::create(&path).unwrap().write_all(content.as_bytes()).unwrap();
        let config = ConfigMap::from([("lookup.t.path".to_owned(), path.display().to_string())]);
        Ok(LookupTable::read_all(&config, 100)?.remove(0))
    }

    #[test]
    fn csv_columns_get_types_and_codes_stay_texts() {
        let table = read("t.csv", "code,n,rate,zip\nDE,1,0.5,01067\nFR,2,1,75001\n").unwrap();
        let schema = table.rows.schema();
        let types: Vec<_> = schema.fields().iter().map(|field| field.data_type().clone()).collect();
        assert_eq!(types, [DataType::Utf8, DataType::Int64, DataType::Float64, DataType::Utf8]);
        assert_eq!(table.rows.column(3).as_string::<i32>().value(0), "01067");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_name() {
        for (name, content) in [("t.csv", "\u{feff}code,n\nDE,1\n"), ("t.jsonl", "\u{feff}{\"code\":\"DE\",\"n\":1}\n")]
        {
            assert_eq!(read(name, content).unwrap().rows.schema().field(0).name(), "code");
        }
    }

    #[test]
    fn json_lines_are_read() {
        let table = read("t.jsonl", "{\"code\":\"DE\",\"n\":1}\n{\"code\":\"FR\"}\n").unwrap();
        assert_eq!((table.name.as_str(), table.rows.num_rows()), ("t", 2));
    }

    #[test]
    fn what_cannot_be_read_is_a_config_error_that_names_the_key() {
        let long = "a\n".repeat(100);
        for (name, content, reason) in
            [("t.csv", long.as_str(), "lookup.max.bytes"), ("t.xml", "", "none of"), ("t.json", "{", "could not read")]
        {
            let error = read(name, content).unwrap_err();
            assert_eq!(error.kind(), volley_api::ErrorKind::Config);
            assert!(error.to_string().starts_with("`lookup.t.path`: "), "{error}");
            assert!(error.to_string().contains(reason), "{error}");
        }
        let config = ConfigMap::from([("lookup.t.path".to_owned(), "/nowhere/t.csv".to_owned())]);
        assert!(LookupTable::read_all(&config, 100).is_err());
    }
}
