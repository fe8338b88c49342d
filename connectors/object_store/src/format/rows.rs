//! Rows of files, between records and the bytes of a format.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BinaryArray, RecordBatch, UInt32Array};
use arrow::compute::{take, take_record_batch};
use volley_api::{Error, Records, RejectedRow, Result, Stage};

use crate::config::CLASS;

/// Rows as a format writes them.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    /// With columns.
    Columns(RecordBatch),
    /// Each row as bytes of its own.
    Messages {
        /// Text that a file's rows have in common, such as their schema; empty where there is none.
        schema: Arc<str>,
        /// One for each row, none of them null.
        messages: BinaryArray,
    },
}

impl Rows {
    /// No rows, as messages.
    pub(crate) fn no_messages() -> Self {
        let messages = BinaryArray::from_iter_values(std::iter::empty::<&[u8]>());
        Self::Messages { schema: Arc::from(""), messages }
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Columns(batch) => batch.num_rows(),
            Self::Messages { messages, .. } => messages.len(),
        }
    }

    /// `len` rows from `offset` on, without copying.
    #[must_use]
    pub(crate) fn slice(&self, offset: usize, len: usize) -> Self {
        match self {
            Self::Columns(batch) => Self::Columns(batch.slice(offset, len)),
            Self::Messages { schema, messages } => {
                Self::Messages { schema: Arc::clone(schema), messages: messages.slice(offset, len) }
            }
        }
    }

    /// The rows at `rows`, in that order.
    pub(crate) fn take(&self, rows: &UInt32Array) -> Result<Self> {
        Ok(match self {
            Self::Columns(batch) => Self::Columns(take_record_batch(batch, rows)?),
            Self::Messages { schema, messages } => {
                let messages = take(messages, rows, None)?.as_binary::<i32>().clone();
                Self::Messages { schema: Arc::clone(schema), messages }
            }
        })
    }
}

/// Rows of a file, and which records they are.
#[derive(Debug)]
pub(crate) struct Made {
    /// The rows.
    pub(crate) rows: Rows,
    /// The records that have a row, ascending; `None`: all of them. The others are rejected.
    pub(crate) kept: Option<UInt32Array>,
}

impl Made {
    /// A row for each record.
    pub(crate) fn all(rows: Rows) -> Self {
        Self { rows, kept: None }
    }

    /// No rows.
    pub(crate) fn nothing() -> Self {
        Self { rows: Rows::no_messages(), kept: Some(UInt32Array::from(Vec::<u32>::new())) }
    }

    /// `rows` is as long as the records; without the rows `refused`, which ascend.
    pub(crate) fn without(rows: &Rows, refused: &[usize]) -> Result<Self> {
        let mut refused = refused.iter().copied().peekable();
        let kept = (0..rows.len()).filter(|row| {
            while refused.next_if(|refused| refused < row).is_some() {}
            refused.next_if_eq(row).is_none()
        });
        let kept = UInt32Array::from_iter_values(kept.map(|row| row as u32));
        Ok(Self { rows: rows.take(&kept)?, kept: Some(kept) })
    }
}

/// Makes rows of the records of one topic and one origin partition. May learn from them, such as which columns there are.
pub(crate) trait RowMaker: Debug + Send {
    /// The rows of `records`, whose values are not null. Records without one are rejected.
    fn rows(&mut self, records: &Records, rejected: &mut Vec<RejectedRow>) -> Result<Made>;
}

/// A row that cannot be written.
pub(crate) fn rejected_row(records: &Records, row: usize, error: Error) -> RejectedRow {
    RejectedRow { row: records.rows.input_row(row), stage: Stage::TaskPut, class: CLASS.to_owned(), error }
}

/// The error for rows that another format has made.
pub(crate) fn without_columns() -> Error {
    Error::fatal("rows without columns came to a format that has columns")
}

/// The same the other way round.
pub(crate) fn with_columns() -> Error {
    Error::fatal("rows with columns came to a format of messages")
}
