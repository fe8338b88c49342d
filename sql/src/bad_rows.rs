//! Finds the rows that make a query fail: splits a failing batch in half until each failing part is a single row.

use arrow::array::RecordBatch;
use datafusion::error::{DataFusionError, Result};

use crate::plan::{QueryPlan, may_be_a_bad_row};

/// The result of a batch without its bad rows.
#[derive(Debug, Default)]
pub(crate) struct Executed {
    /// Results of the parts, in the order of the rows.
    pub(crate) results: Vec<RecordBatch>,
    /// Bad rows, ascending, each with its error.
    pub(crate) bad: Vec<(usize, DataFusionError)>,
}

/// Executes `plan` for all rows of `input` that do not fail.
///
/// # Errors
/// Errors that no row causes.
pub(crate) fn execute_good_rows(plan: &QueryPlan, input: &RecordBatch) -> Result<Executed> {
    let mut executed = Executed::default();
    execute_part(plan, input, 0, input.num_rows(), &mut executed)?;
    Ok(executed)
}

fn execute_part(plan: &QueryPlan, input: &RecordBatch, start: usize, len: usize, done: &mut Executed) -> Result<()> {
    match plan.execute(input.slice(start, len)) {
        Ok(result) => done.results.push(result),
        Err(error) if !may_be_a_bad_row(&error) => return Err(error),
        Err(error) if len <= 1 => done.bad.push((start, error)),
        Err(_) => {
            let half = len / 2;
            execute_part(plan, input, start, half, done)?;
            execute_part(plan, input, start + half, len - half, done)?;
        }
    }
    Ok(())
}
