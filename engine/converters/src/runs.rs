//! Puts the rows of a batch that share a schema together.

use arrow::array::UInt32Array;
use volley_api::{Column, RowIndex, Run};

/// Adds a run of `column`, the values of the ascending `rows`.
pub(crate) fn put_run(rows: Vec<u32>, column: Column, runs: &mut Vec<Run>) {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return };
    let len = rows.len() as u32;
    let rows = if last - first + 1 == len {
        RowIndex::Contiguous { start: *first, len }
    } else {
        RowIndex::Selected(UInt32Array::from(rows))
    };
    runs.push(Run { rows, column });
}
