//! What a partitioner does: it splits records into directories.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::UInt32Array;
use volley_api::{Records, Result};

use super::time::RowTimes;

/// Splits records into directories below their topic.
pub(crate) trait Partitioner: Debug + Send {
    /// The directory of each row. `now_ms` is the time of the clock, in milliseconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// `Fatal` for records that no sink is given. What is wrong with a row is in [`Split::rejected`].
    fn split(&self, records: &Records, now_ms: i64) -> Result<Split>;

    /// Whether keys and headers count, too; else they may be missing.
    fn reads_keys_and_headers(&self) -> bool {
        false
    }

    /// A text that differs for any two partitioners that may give a record different directories.
    fn signature(&self) -> String;
}

/// Records by directory.
#[derive(Debug)]
pub(crate) struct Split {
    /// The directories in the order of their first rows, each once. No directory has a slash at its ends, nor an empty
    /// part, `.` or `..`.
    pub(crate) parts: Vec<(Arc<str>, Rows)>,
    /// The rows without a directory, ascending, and what is wrong with each.
    pub(crate) rejected: Vec<(usize, String)>,
    /// The time of each row by the timestamp extractor; `None` where the directories do not depend on time.
    pub(crate) times: Option<RowTimes>,
}

/// Rows of some records, ascending.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rows {
    /// All rows from the first up to the one before the end.
    Range(Range<usize>),
    /// The listed rows.
    Selected(UInt32Array),
}

impl Rows {
    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Range(rows) => rows.len(),
            Self::Selected(rows) => rows.len(),
        }
    }

    /// The numbers of the rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).map(|at| match self {
            Self::Range(rows) => rows.start + at,
            Self::Selected(rows) => rows.value(at) as usize,
        })
    }

    /// These rows of the records. Nothing is copied for a range.
    pub(crate) fn of(&self, records: &Records) -> Result<Records> {
        match self {
            Self::Range(rows) => Ok(records.slice(rows.start, rows.len())),
            Self::Selected(rows) => records.take(rows),
        }
    }
}
