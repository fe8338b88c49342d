//! What can go wrong with a column: some of its rows, or all that there is.

use arrow::error::ArrowError;
use volley_api::{Column, Error};

/// Why a column could not be transformed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// These rows have to be rejected; the others may be tried again. Where there are none, all rows pass as they are.
    Rows(Vec<(usize, Error)>),
    /// Nothing can be done with the batch.
    Batch(Error),
}

/// What became of a column, or of records.
pub(crate) type Outcome<T> = std::result::Result<T, Failure>;

impl Failure {
    /// Every row that has a value fails; nulls pass.
    pub(crate) fn of_values(column: &Column, error: &Error) -> Self {
        let rows = (0..column.len()).filter(|row| !column.is_null(*row));
        Self::Rows(rows.map(|row| (row, error.clone())).collect())
    }

    /// Every row that has a null fails.
    pub(crate) fn of_nulls(column: &Column, error: &Error) -> Self {
        let rows = (0..column.len()).filter(|row| column.is_null(*row));
        Self::Rows(rows.map(|row| (row, error.clone())).collect())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Batch(error)
    }
}

impl From<ArrowError> for Failure {
    fn from(error: ArrowError) -> Self {
        Self::Batch(error.into())
    }
}
