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
    let bad = (0..records.len()).filter(|row| !column.is_null(*row) && is_bad(*row));
    let bad = bad.map(|row| (row, error.clone())).collect();
    reject(records, class, bad)
}

/// Rejects these rows, each for its own reason; the others are kept.
pub(crate) fn reject(records: Records, class: &str, bad: Vec<(usize, Error)>) -> Result<Transformed> {
    if bad.is_empty() {
        return Ok(Transformed::of(records));
    }
    let mut is_good = vec![true; records.len()];
    bad.iter().for_each(|(row, _)| is_good[*row] = false);
    let good: UInt32Array = (0..).zip(is_good).filter(|(_, is_good)| *is_good).map(|(row, _)| Some(row)).collect();
    let rejected = bad.into_iter().map(|(row, error)| RejectedRow {
        row: records.rows.input_row(row),
        stage: Stage::Transformation,
        class: class.to_owned(),
        error,
    });
    let rejected = rejected.collect();
    let kept = if good.is_empty() { Vec::new() } else { vec![records.take(&good)?] };
    Ok(Transformed { records: kept, rejected })
}
