//! Collects the rows that a conversion has rejected.

use arrow::array::{BinaryArray, UInt32Array};
use volley_api::{Column, Converted, Error, RawBatch, RejectedRow, RowIndex, Run, Side, Stage};

use crate::keys::stage_of;

/// Rejected rows of one call, in order.
#[derive(Debug)]
pub(crate) struct Rejections {
    class: &'static str,
    stage: Stage,
    rows: Vec<RejectedRow>,
}

impl Rejections {
    /// Empty, for the converter `class` of `side`.
    pub(crate) fn new(class: &'static str, side: Side) -> Self {
        Self { class, stage: stage_of(side), rows: Vec::new() }
    }

    /// Rejects `row` because of `error`.
    pub(crate) fn push(&mut self, row: usize, error: Error) {
        self.rows.push(RejectedRow { row, stage: self.stage, class: self.class.to_owned(), error });
    }

    /// As [`push`](Self::push), with Connect's DataException.
    pub(crate) fn data(&mut self, row: usize, message: impl Into<String>) {
        self.push(row, Error::data(message));
    }

    /// The rows so far, by row number.
    pub(crate) fn into_rows(mut self) -> Vec<RejectedRow> {
        self.rows.sort_by_key(|rejected| rejected.row);
        self.rows
    }

    /// The `len` rows of a batch without the rejected ones; rejections MUST have been pushed in ascending order.
    pub(crate) fn accepted(&self, len: usize) -> RowIndex {
        if self.rows.is_empty() {
            return RowIndex::all(len);
        }
        let mut rejected = self.rows.iter().map(|row| row.row).peekable();
        let kept = (0..len).filter(|row| {
            let bad = rejected.peek() == Some(row);
            if bad {
                rejected.next();
            }
            !bad
        });
        RowIndex::Selected(UInt32Array::from_iter_values(kept.map(|row| row as u32)))
    }

    /// The result for a column of all rows except the rejected ones.
    pub(crate) fn into_converted(self, len: usize, column: Column) -> Converted {
        let rows = self.accepted(len);
        let runs = if rows.is_empty() { Vec::new() } else { vec![Run { rows, column }] };
        Converted { runs, rejected: self.into_rows() }
    }
}

/// The cause of a failed deserialization, below Kafka Connect's message.
pub(crate) fn serialization_error(message: impl Into<String>) -> Error {
    Error::data(message).with_exception("org.apache.kafka.common.errors.SerializationException")
}

/// The bytes that a converter of `side` reads.
pub(crate) fn bytes_of(batch: &RawBatch, side: Side) -> &BinaryArray {
    match side {
        Side::Key => &batch.keys,
        Side::Value => &batch.values,
    }
}

/// A batch of these values, for tests.
#[cfg(test)]
pub(crate) fn raw_batch_of(values: &[Option<&[u8]>]) -> RawBatch {
    volley_api::testing::raw_batch("topic", 0, 0, values.iter().copied())
}
