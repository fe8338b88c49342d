//! Columns of a file as the values of records: a row is a struct.

use std::sync::Arc;

use arrow::array::{RecordBatch, StructArray};
use arrow::datatypes::{DataType, Field};
use volley_api::{Column, RowIndex, Run};

use crate::source::file_rows::FileRows;
use crate::source::trouble::{FileTrouble, Read};

/// The rows of a batch, the first of which is row `first` of the file.
pub(super) fn rows_of(batch: &RecordBatch, first: u64) -> Read<FileRows> {
    let fields = batch.schema_ref().fields();
    let len = batch.num_rows();
    let structs = StructArray::try_new_with_length(fields.clone(), batch.columns().to_vec(), None, len)
        .map_err(FileTrouble::corrupt)?;
    let field = Arc::new(Field::new("value", DataType::Struct(fields.clone()), false));
    let run = Run { rows: RowIndex::all(len), column: Column::new(field, Arc::new(structs)) };
    Ok(FileRows { first, len, runs: vec![run], rejected: Vec::new() })
}

/// Batches of any length, given out from some row on in pieces.
#[derive(Debug)]
pub(super) struct Pieces {
    /// What is left of the last batch.
    rest: Option<RecordBatch>,
    /// The row of the file that comes next.
    next_row: u64,
    /// Rows to leave out first.
    skip: u64,
    max_rows: usize,
}

impl Pieces {
    /// Pieces of up to `max_rows` rows of a file from row `first_row` on.
    pub(super) fn new(first_row: u64, max_rows: usize) -> Self {
        Self { rest: None, next_row: first_row, skip: first_row, max_rows }
    }

    /// The next piece, out of the batches that `next_batch` gives.
    pub(super) fn next(&mut self, mut next_batch: impl FnMut() -> Read<Option<RecordBatch>>) -> Read<Option<FileRows>> {
        loop {
            let Some(batch) = self.rest.take() else {
                self.rest = next_batch()?;
                match self.rest {
                    Some(_) => continue,
                    None => return Ok(None),
                }
            };
            let rows = batch.num_rows();
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(rows);
            self.skip -= skipped as u64;
            let len = (rows - skipped).min(self.max_rows);
            if len == 0 {
                continue;
            }
            let end = skipped + len;
            self.rest = (end < rows).then(|| batch.slice(end, rows - end));
            let piece = rows_of(&batch.slice(skipped, len), self.next_row)?;
            self.next_row = piece.end();
            return Ok(Some(piece));
        }
    }
}
