//! Rejecting some rows of a batch.

use arrow::array::UInt32Array;
use volley_api::{Column, Error, Records, RejectedRow, Result, Stage, Transformed};

/// Rejects the rows whose `column` is not null and for which `is_bad` holds; the others are kept.
pub(crate) fn reject_rows(
    records: Records,
    column: &Column,
    class: &str,
    error: &Error,
    is_bad: impl Fn(usize) -> bool,
) -> Result<Transformed> {
    let (bad, good): (Vec<u32>, Vec<u32>) =
        (0..records.len() as u32).partition(|row| !column.is_null(*row as usize) && is_bad(*row as usize));
    if bad.is_empty() {
        return Ok(Transformed::of(records));
    }
    let rejected = bad.iter().map(|row| RejectedRow {
        row: records.rows.input_row(*row as usize),
        stage: Stage::Transformation,
        class: class.to_owned(),
        error: error.clone(),
    });
    let rejected = rejected.collect();
    let kept = if good.is_empty() { Vec::new() } else { vec![records.take(&UInt32Array::from(good))?] };
    Ok(Transformed { records: kept, rejected })
}
