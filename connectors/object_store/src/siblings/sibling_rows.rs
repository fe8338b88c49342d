//! Rows of a file beside another one.

use arrow::array::UInt32Array;
use volley_api::{Column, Result};

use crate::format::Rows;

/// The keys or headers of some records, as many as these.
#[derive(Clone, Debug)]
pub(crate) struct SiblingRows {
    /// As they are.
    pub(crate) column: Column,
    /// As the format writes them.
    pub(crate) rows: Rows,
}

impl SiblingRows {
    /// `len` rows from `offset` on, without copying.
    #[must_use]
    pub(crate) fn slice(&self, offset: usize, len: usize) -> Self {
        Self { column: self.column.slice(offset, len), rows: self.rows.slice(offset, len) }
    }

    /// The rows at `rows`, in that order.
    pub(crate) fn take(&self, rows: &UInt32Array) -> Result<Self> {
        Ok(Self { column: self.column.take(rows)?, rows: self.rows.take(rows)? })
    }
}
