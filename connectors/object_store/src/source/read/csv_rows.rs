//! CSV files with a line of column names. Every value is a text; an empty cell is null.

use std::io;
use std::sync::Arc;

use arrow::csv::ReaderBuilder;
use arrow::csv::reader::{BufReader, Format};
use arrow::datatypes::{DataType, Field, Schema};

use super::column_rows::Pieces;
use super::decompressed::decompressed;
use super::row_reader::RowReader;
use crate::source::file_rows::FileRows;
use crate::source::store::{FileStream, StoreFile, StreamTrouble};
use crate::source::trouble::Read;

type Input = Box<dyn io::BufRead + Send>;

/// The rows of one file.
pub(super) struct CsvRows {
    batches: BufReader<Input>,
    pieces: Pieces,
    trouble: StreamTrouble,
}

impl CsvRows {
    /// From row `first_row` on.
    pub(super) fn open(file: &Arc<StoreFile>, first_row: u64, max_rows: usize) -> Read<Self> {
        let names = names(file)?;
        let schema: Schema = Schema::new(names);
        let stream = FileStream::new(file);
        let trouble = stream.trouble();
        let input = decompressed(stream)?;
        let batches = ReaderBuilder::new(Arc::new(schema))
            .with_header(true)
            .with_batch_size(max_rows)
            .build_buffered(input)
            .map_err(|error| trouble.behind(error))?;
        Ok(Self { batches, pieces: Pieces::new(first_row, max_rows), trouble })
    }
}

/// The columns, by the first line.
fn names(file: &Arc<StoreFile>) -> Read<Vec<Field>> {
    let stream = FileStream::new(file);
    let trouble = stream.trouble();
    let input = decompressed(stream)?;
    let inferred = Format::default().with_header(true).infer_schema(input, Some(0));
    let (schema, _) = inferred.map_err(|error| trouble.behind(error))?;
    Ok(schema.fields().iter().map(|field| Field::new(field.name(), DataType::Utf8, true)).collect())
}

impl RowReader for CsvRows {
    fn next_rows(&mut self) -> Read<Option<FileRows>> {
        let (batches, trouble) = (&mut self.batches, &self.trouble);
        self.pieces.next(|| batches.next().transpose().map_err(|error| trouble.behind(error)))
    }
}
