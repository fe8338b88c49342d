//! The transformation chain of a task: steps in order, each with an optional predicate (KIP-585).

use std::collections::HashSet;

use arrow::array::{BooleanArray, UInt32Array};
use volley_api::{Error, ErrorKind, Predicate, Records, Result, Stage, Transformation, Transformed};

use crate::task::errors::error_handler::{ErrorHandler, reject_rows};
use crate::task::transform::row_order::joined;

/// One transformation and when it applies.
pub(crate) struct Step {
    /// Class of the transformation, for error reports.
    pub(crate) class: String,
    /// The transformation.
    pub(crate) transformation: Box<dyn Transformation>,
    /// The rows it applies to; `None` = all.
    pub(crate) condition: Option<Condition>,
}

/// A predicate, possibly negated.
pub(crate) struct Condition {
    /// The predicate.
    pub(crate) predicate: Box<dyn Predicate>,
    /// Whether the transformation applies to the rows that do NOT match.
    pub(crate) negate: bool,
}

/// The configured steps, possibly none.
#[derive(Default)]
pub(crate) struct TransformChain {
    steps: Vec<Step>,
}

impl TransformChain {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        Self { steps }
    }

    /// The steps, for running them one by one.
    pub(crate) fn steps_mut(&mut self) -> impl Iterator<Item = &mut Step> {
        self.steps.iter_mut()
    }

    /// Runs the records through all steps. The rows of each topic and schema come out in the order of the input rows. What fails
    /// and may succeed later is tried again as `errors` says: a step whose call failed with all its rows, one that rejected rows
    /// with those only.
    ///
    /// # Errors
    /// What tolerance does not cover; bad rows are rejected rows.
    pub(crate) fn apply(&mut self, records: Vec<Records>, errors: &ErrorHandler) -> Result<Transformed> {
        let mut transformed = Transformed { records, rejected: Vec::new() };
        for step in &mut self.steps {
            let mut next = Vec::with_capacity(transformed.records.len());
            for records in transformed.records.into_iter().filter(|records| !records.is_empty()) {
                let mut outcome = step.apply_with_retries(records, errors)?;
                next.append(&mut outcome.records);
                transformed.rejected.append(&mut outcome.rejected);
            }
            transformed.records = next;
        }
        // A converter gives a run for each schema, and a transformation a part for each type.
        transformed.records = joined(transformed.records)?;
        Ok(transformed)
    }
}

impl Step {
    fn apply_with_retries(&mut self, records: Records, errors: &ErrorHandler) -> Result<Transformed> {
        let mut retries = errors.retries();
        let mut done = Transformed::default();
        let mut open = records;
        loop {
            let outcome = match self.apply(open.clone()) {
                Ok(outcome) => outcome,
                Err(error) if error.is_retriable() || error.kind() == ErrorKind::Data => {
                    if error.is_retriable() && retries.wait()? {
                        continue;
                    }
                    let rejected = reject_rows(open.rows.iter(), Stage::Transformation, &self.class, &error);
                    Transformed { records: Vec::new(), rejected }
                }
                Err(error) => return Err(error),
            };
            let (failed, rejected): (Vec<_>, Vec<_>) =
                outcome.rejected.into_iter().partition(|row| row.error.is_retriable());
            done.rejected.extend(rejected);
            let rows: HashSet<usize> = failed.iter().map(|row| row.row).collect();
            done.records.append(&mut without(outcome.records, &rows)?);
            if failed.is_empty() {
                break;
            }
            if !retries.wait()? {
                done.rejected.extend(failed);
                break;
            }
            open = open.take(&places(&open, |row| rows.contains(&row)))?;
        }
        if retries.is_retrying() {
            done.records = joined(done.records)?;
        }
        Ok(done)
    }

    /// Applies the transformation to the rows that its condition selects.
    pub(crate) fn apply(&mut self, records: Records) -> Result<Transformed> {
        let Some(condition) = &mut self.condition else { return self.transform(records) };
        let matches = match condition.predicate.test(&records) {
            Ok(matches) => matches,
            Err(error) => return self.reject_all(&records, error),
        };
        let (inside, outside) = split(&matches, condition.negate);
        if outside.is_empty() {
            return self.transform(records);
        }
        if inside.is_empty() {
            return Ok(Transformed::of(records));
        }
        let kept = records.take(&outside)?;
        let mut outcome = self.transform(records.take(&inside)?)?;
        outcome.records.push(kept);
        outcome.records = joined(outcome.records)?;
        Ok(outcome)
    }

    fn transform(&mut self, records: Records) -> Result<Transformed> {
        self.transformation.apply(records)
    }

    /// A predicate that fails with a data error rejects the rows it was asked about.
    fn reject_all(&self, records: &Records, error: Error) -> Result<Transformed> {
        if error.kind() != ErrorKind::Data {
            return Err(error);
        }
        let rejected = reject_rows(records.rows.iter(), Stage::Transformation, &self.class, &error);
        Ok(Transformed { records: Vec::new(), rejected })
    }
}

/// The records without what came of these input rows.
fn without(records: Vec<Records>, rows: &HashSet<usize>) -> Result<Vec<Records>> {
    if rows.is_empty() {
        return Ok(records);
    }
    records.iter().map(|records| records.take(&places(records, |row| !rows.contains(&row)))).collect()
}

/// The places in `records` whose input row is selected.
fn places(records: &Records, is_selected: impl Fn(usize) -> bool) -> UInt32Array {
    let selected = records.rows.iter().enumerate().filter(|(_, row)| is_selected(*row));
    UInt32Array::from_iter_values(selected.map(|(place, _)| place as u32))
}

/// The rows a step applies to, and the others.
fn split(matches: &BooleanArray, negate: bool) -> (UInt32Array, UInt32Array) {
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for row in 0..matches.len() {
        let applies = matches.value(row) != negate;
        if applies { &mut inside } else { &mut outside }.push(row as u32);
    }
    (UInt32Array::from(inside), UInt32Array::from(outside))
}
