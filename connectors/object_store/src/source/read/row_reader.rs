//! Reads the rows of a file.

use std::sync::Arc;

use super::FileFormat;
use super::arrow_rows::ArrowRows;
use super::avro_rows::AvroRows;
use super::csv_rows::CsvRows;
use super::json_rows::JsonRows;
use super::line_rows::LineRows;
use super::parquet_rows::ParquetRows;
use crate::source::file_rows::FileRows;
use crate::source::store::StoreFile;
use crate::source::trouble::Read;

/// The rows of a file from front to back. Nothing is asked of it after a trouble.
pub(in crate::source) trait RowReader: Send {
    /// The next rows, about as many as it was made for; `None` at the end of the file.
    fn next_rows(&mut self) -> Read<Option<FileRows>>;
}

/// Reads `file` from row `first_row` on, up to `max_rows` rows at once.
pub(in crate::source) fn row_reader(
    format: FileFormat,
    file: StoreFile,
    first_row: u64,
    max_rows: usize,
) -> Read<Box<dyn RowReader>> {
    let file = Arc::new(file);
    Ok(match format {
        FileFormat::Parquet => Box::new(ParquetRows::open(file, first_row, max_rows)?),
        FileFormat::JsonLines => Box::new(JsonRows::open(&file, first_row, max_rows)?),
        FileFormat::Avro => Box::new(AvroRows::open(&file, first_row, max_rows)?),
        FileFormat::Arrow => Box::new(ArrowRows::open(&file, first_row, max_rows)?),
        FileFormat::Csv => Box::new(CsvRows::open(&file, first_row, max_rows)?),
        FileFormat::Bytes => Box::new(LineRows::open(&file, first_row, max_rows)?),
    })
}
