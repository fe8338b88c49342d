//! The rows of a batch, by what is to become of them.

use arrow::array::{Array, UInt32Array};
use volley_api::{Error, Records, RejectedRow, Result, Stage, Transformed};

use crate::columns::{Failure, Outcome, SharedFields};

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It has no value.
    Tombstone,
    /// An event with a state of the row after it.
    State,
    /// An event with a state of the row before it alone.
    Delete,
    /// It is left out, or rejected.
    Gone,
}

/// The rows of records with their kinds.
#[derive(Debug)]
pub(super) struct Events<'a> {
    records: &'a Records,
    class: &'static str,
    kinds: Vec<Kind>,
    pub(super) rejected: Vec<RejectedRow>,
}

impl<'a> Events<'a> {
    /// Every row that has a value is a state to begin with.
    pub(super) fn of(records: &'a Records, class: &'static str) -> Self {
        let kind = |row| if records.value.is_null(row) { Kind::Tombstone } else { Kind::State };
        Self { records, class, kinds: (0..records.len()).map(kind).collect(), rejected: Vec::new() }
    }

    pub(super) fn kind(&self, row: usize) -> Kind {
        self.kinds[row]
    }

    pub(super) fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Makes rows of one kind rows of another.
    pub(super) fn turn(&mut self, from: Kind, to: Kind, is_meant: impl Fn(usize) -> bool) {
        for (row, kind) in self.kinds.iter_mut().enumerate() {
            if *kind == from && is_meant(row) {
                *kind = to;
            }
        }
    }

    /// Leaves out all rows of a kind.
    pub(super) fn leave_out(&mut self, kind: Kind) {
        self.turn(kind, Kind::Gone, |_| true);
    }

    /// Rejects all rows of a kind.
    pub(super) fn reject(&mut self, kind: Kind, error: &Error) {
        for row in self.rows(|found| found == kind) {
            self.reject_row(row as usize, error.clone());
        }
    }

    /// Rejects a row, unless it is gone.
    pub(super) fn reject_row(&mut self, row: usize, error: Error) {
        if self.kinds[row] != Kind::Gone {
            self.kinds[row] = Kind::Gone;
            let row = self.records.rows.input_row(row);
            let (stage, class) = (Stage::Transformation, self.class.to_owned());
            self.rejected.push(RejectedRow { row, stage, class, error });
        }
    }

    /// Transforms these rows of records, which are those of the batch. Those that fail are rejected, and the others tried again;
    /// `None` if none remains.
    pub(super) fn attempt(
        &mut self,
        records: &Records,
        mut rows: Vec<u32>,
        mut transform: impl FnMut(&[u32], &Records) -> Outcome<Records>,
    ) -> Result<Option<Records>> {
        while let Some(records) = taken(records, &rows)? {
            match transform(&rows, &records) {
                Ok(records) => return Ok(Some(records)),
                Err(Failure::Batch(error)) => return Err(error),
                Err(Failure::Rows(failed)) => {
                    failed.into_iter().for_each(|(row, error)| self.reject_row(rows[row] as usize, error));
                    let remaining = self.remaining(&rows);
                    if remaining.len() == rows.len() {
                        return Ok(Some(records));
                    }
                    rows = remaining;
                }
            }
        }
        Ok(None)
    }

    /// Transforms the rows of records that are not gone.
    pub(super) fn transform(
        mut self,
        transform: impl FnMut(&[u32], &Records) -> Outcome<Records>,
        records: &Records,
    ) -> Result<Transformed> {
        let rows = self.rows(|kind| kind != Kind::Gone);
        let done = self.attempt(records, rows, transform)?;
        Ok(Transformed { records: done.into_iter().collect(), rejected: self.rejected })
    }

    /// The rows of some kinds.
    pub(super) fn rows(&self, is_wanted: impl Fn(Kind) -> bool) -> Vec<u32> {
        let wanted = self.kinds.iter().enumerate().filter(|(_, kind)| is_wanted(**kind));
        wanted.map(|(row, _)| row as u32).collect()
    }

    /// Those of the rows that are not gone.
    pub(super) fn remaining(&self, rows: &[u32]) -> Vec<u32> {
        rows.iter().copied().filter(|row| self.kinds[*row as usize] != Kind::Gone).collect()
    }
}

/// The same with schemas that equal those of records before in place of their own.
pub(super) fn with_shared_schemas(schemas: &mut SharedFields, mut transformed: Transformed) -> Transformed {
    for records in &mut transformed.records {
        records.key.field = schemas.share(&records.key.field);
        records.value.field = schemas.share(&records.value.field);
    }
    transformed
}

/// The records at these rows; `None` if there are none. What stays whole is not copied.
pub(super) fn taken(records: &Records, rows: &[u32]) -> Result<Option<Records>> {
    match rows.len() {
        0 => Ok(None),
        len if len == records.len() => Ok(Some(records.clone())),
        _ => records.take(&UInt32Array::from(rows.to_vec())).map(Some),
    }
}

/// The rows at which the array has a value.
pub(super) fn with_value<'a>(rows: &'a [u32], array: &'a dyn Array) -> impl Iterator<Item = usize> + 'a {
    rows.iter().map(|row| *row as usize).filter(|row| array.is_valid(*row))
}
