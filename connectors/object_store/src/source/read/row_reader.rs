//! Reads the rows of a file.

use std::sync::Arc;

use super::FileFormat;
use super::arrow_rows::ArrowRows;
use super::avro_rows::AvroRows;
use super::csv_rows::CsvRows;
use super::json_rows::{JsonDecoder, JsonRows};
use super::line_rows::LineRows;
use super::parquet_rows::ParquetRows;
use crate::source::file_rows::FileRows;
use crate::source::store::StoreFile;
use crate::source::trouble::{FileTrouble, Read};

/// The rows of a file from front to back. Nothing is asked of it after a trouble.
pub(in crate::source) trait RowReader: Send {
    /// The next rows, about as many as it was made for; `None` at the end of the file.
    fn next_rows(&mut self) -> Read<Option<FileRows>>;
}

/// How a file is read.
#[derive(Debug)]
pub(in crate::source) struct ReadPlan<'a> {
    /// What it is.
    pub(in crate::source) format: FileFormat,
    /// The row to begin with.
    pub(in crate::source) first_row: u64,
    /// Most rows that are read at once.
    pub(in crate::source) max_rows: usize,
    /// The topic that the rows go to.
    pub(in crate::source) topic: &'a Arc<str>,
    /// Makes columns of JSON.
    pub(in crate::source) json: &'a JsonDecoder,
}

/// Opens a file.
pub(in crate::source) fn row_reader(file: StoreFile, plan: &ReadPlan<'_>) -> Read<Box<dyn RowReader>> {
    if file.size() == 0 && plan.format.is_never_empty() {
        // so does a file of HDFS look that nothing has been flushed to yet
        let empty = || FileTrouble::corrupt("it is empty, and a file of this format never is");
        return Err(if file.may_be_open() { FileTrouble::Unfinished } else { empty() });
    }
    let file = Arc::new(file);
    let (first_row, max_rows) = (plan.first_row, plan.max_rows);
    Ok(match plan.format {
        FileFormat::Parquet => Box::new(ParquetRows::open(file, first_row, max_rows)?),
        FileFormat::JsonLines => Box::new(JsonRows::open(&file, first_row, max_rows, (plan.json, plan.topic))?),
        FileFormat::Avro => Box::new(AvroRows::open(&file, first_row, max_rows)?),
        FileFormat::Arrow => Box::new(ArrowRows::open(&file, first_row, max_rows)?),
        FileFormat::Csv => Box::new(CsvRows::open(&file, first_row, max_rows)?),
        FileFormat::Bytes => Box::new(LineRows::open(&file, first_row, max_rows)?),
    })
}
