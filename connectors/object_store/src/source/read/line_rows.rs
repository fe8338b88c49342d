//! Files of values that are bytes, each in a line.

use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{DataType, Field};
use volley_api::{Column, RowIndex, Run};

use super::lines::Lines;
use super::row_reader::RowReader;
use crate::source::file_rows::FileRows;
use crate::source::store::StoreFile;
use crate::source::trouble::Read;

/// The rows of one file.
pub(super) struct LineRows {
    lines: Lines,
    max_rows: usize,
}

impl LineRows {
    /// From row `first_row` on.
    pub(super) fn open(file: &Arc<StoreFile>, first_row: u64, max_rows: usize) -> Read<Self> {
        Ok(Self { lines: Lines::open(file, first_row)?, max_rows })
    }
}

impl RowReader for LineRows {
    fn next_rows(&mut self) -> Read<Option<FileRows>> {
        let Some(batch) = self.lines.next_batch(self.max_rows)? else { return Ok(None) };
        let len = batch.texts.len();
        let column = Column::new(Arc::new(Field::new("value", DataType::Binary, false)), Arc::new(batch.texts));
        let run = Run { rows: RowIndex::all(len), column };
        Ok(Some(FileRows { first: batch.first, len, runs: vec![run], rejected: Vec::new() }))
    }
}
