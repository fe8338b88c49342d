//! Arrow IPC files.

use std::sync::Arc;

use arrow::ipc::reader::FileReader;

use super::column_rows::Pieces;
use super::row_reader::RowReader;
use crate::source::file_rows::FileRows;
use crate::source::store::{FileStream, StoreFile, StreamTrouble};
use crate::source::trouble::Read;

/// The rows of one file, a record batch after the other.
pub(super) struct ArrowRows {
    batches: FileReader<FileStream>,
    pieces: Pieces,
    trouble: StreamTrouble,
}

impl ArrowRows {
    /// From row `first_row` on.
    pub(super) fn open(file: &Arc<StoreFile>, first_row: u64, max_rows: usize) -> Read<Self> {
        let stream = FileStream::new(file);
        let trouble = stream.trouble();
        let batches = FileReader::try_new(stream, None).map_err(|error| trouble.behind(error))?;
        Ok(Self { batches, pieces: Pieces::new(first_row, max_rows), trouble })
    }
}

impl RowReader for ArrowRows {
    fn next_rows(&mut self) -> Read<Option<FileRows>> {
        let (batches, trouble) = (&mut self.batches, &self.trouble);
        self.pieces.next(|| batches.next().transpose().map_err(|error| trouble.behind(error)))
    }
}
