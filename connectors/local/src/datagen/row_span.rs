//! The rows of one batch.

/// `len` rows: `first`, `first + step`, … With several tasks each makes every `step`-th row.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowSpan {
    /// Number of the first row.
    pub(super) first: u64,
    /// Distance between rows; at least 1.
    pub(super) step: u64,
    /// Number of rows.
    pub(super) len: usize,
}

impl RowSpan {
    /// The row numbers, ascending.
    pub(super) fn rows(self) -> impl ExactSizeIterator<Item = u64> {
        (0..self.len).map(move |index| self.row(index))
    }

    /// The number of the row at `index`.
    pub(super) fn row(self, index: usize) -> u64 {
        self.first + index as u64 * self.step
    }

    /// The row after the last one.
    pub(super) fn end(self) -> u64 {
        self.row(self.len)
    }
}
