//! Rows of a file, as a reader gives them.

use arrow::array::UInt32Array;
use volley_api::{Error, RowIndex, Run};

/// Some rows of a file that follow each other.
#[derive(Debug, Default)]
pub(super) struct FileRows {
    /// Number of the first one in the file, from 0.
    pub(super) first: u64,
    /// How many rows of the file these are, with those that are in no run: rejected ones, and blank lines.
    pub(super) len: usize,
    /// Their values; rows are counted from `first`.
    pub(super) runs: Vec<Run>,
    /// Rows that cannot be read, ascending, and why; counted from `first`.
    pub(super) rejected: Vec<(usize, Error)>,
}

impl FileRows {
    /// The row behind these.
    pub(super) fn end(&self) -> u64 {
        self.first + self.len as u64
    }

    /// The first `len` of them, none of which is rejected.
    pub(super) fn head(self, len: usize) -> Self {
        let mut runs = Vec::with_capacity(self.runs.len());
        for run in self.runs {
            // a run may end with rows that are not wanted; they ascend
            let rows: Vec<u32> = run.rows.iter().take_while(|row| *row < len).map(|row| row as u32).collect();
            if !rows.is_empty() {
                let column = run.column.slice(0, rows.len());
                runs.push(Run { rows: RowIndex::Selected(UInt32Array::from(rows)), column });
            }
        }
        Self { first: self.first, len, runs, rejected: Vec::new() }
    }
}
