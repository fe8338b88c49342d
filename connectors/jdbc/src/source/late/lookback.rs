//! `lookback.ms` and `lookback.rows`: the last rows are read again, and those that were delivered are passed over.

use arrow::array::BooleanArray;
use arrow::compute::filter;
use arrow::record_batch::RecordBatch;
use volley_api::{Column, Result};

use super::seen_numbers::SeenNumbers;
use super::seen_rows::SeenRows;
use crate::database::Timestamp;
use crate::source::progress::ProgressColumns;
use crate::source::stored_offset::Position;

/// What is read again, and what of it was delivered.
#[derive(Clone, Debug)]
pub(in crate::source) enum Lookback {
    /// By times.
    Rows { millis: i64, seen: SeenRows },
    /// By numbers.
    Numbers { seen: SeenNumbers },
}

impl Lookback {
    /// Of rows whose times are at most so many milliseconds before the latest; `text` is what an offset says.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub(in crate::source) fn by_times(millis: i64, text: &str) -> std::result::Result<Self, String> {
        Ok(Self::Rows { millis, seen: SeenRows::parse(text)? })
    }

    /// Of rows whose numbers are at most so much less than the greatest.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub(in crate::source) fn by_numbers(window: i64, text: &str) -> std::result::Result<Self, String> {
        Ok(Self::Numbers { seen: SeenNumbers::parse(window, text)? })
    }

    /// The same memory, as an offset has it.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub(in crate::source) fn restored(&self, text: &str) -> std::result::Result<Self, String> {
        match self {
            Self::Rows { millis, .. } => Self::by_times(*millis, text),
            Self::Numbers { seen } => Self::by_numbers(seen.window(), text),
        }
    }

    /// What an offset says of it.
    pub(in crate::source) fn to_text(&self) -> String {
        match self {
            Self::Rows { seen, .. } => seen.to_text(),
            Self::Numbers { seen } => seen.to_text(),
        }
    }

    /// Behind which time reading goes on, where `last` is the latest; `initial` is where it began at all.
    pub(in crate::source) fn time_after(&self, last: Timestamp, initial: Timestamp) -> Timestamp {
        match self {
            Self::Rows { millis, .. } => last.minus_millis(*millis).max(initial.min(last)),
            Self::Numbers { .. } => last,
        }
    }

    /// Behind which number reading goes on, where `last` is the greatest; `initial` is where it began at all.
    pub(in crate::source) fn number_after(&self, last: i64, initial: i64) -> i64 {
        match self {
            Self::Rows { .. } => last,
            Self::Numbers { seen } => seen.after(last, initial),
        }
    }

    /// Takes rows; those of `values` that are new.
    pub(in crate::source) fn take(
        &mut self,
        rows: &RecordBatch,
        progress: &ProgressColumns,
        values: Column,
    ) -> Result<Column> {
        let positions = (0..rows.num_rows()).map(|row| progress.position(rows, row));
        let positions = positions.collect::<Result<Vec<_>>>()?;
        let is_new: Vec<bool> = match self {
            Self::Rows { seen, .. } => {
                let times: Vec<_> = positions.iter().filter_map(|position| position.timestamp).collect();
                seen.take(rows, &times)?
            }
            Self::Numbers { seen } => {
                let numbers = positions.iter().filter_map(|position| position.incrementing);
                let is_new = numbers.map(|number| seen.take(number)).collect();
                seen.forget();
                is_new
            }
        };
        if is_new.iter().all(|is_new| *is_new) {
            return Ok(values);
        }
        let array = filter(&values.array, &BooleanArray::from(is_new))?;
        Ok(Column::new(values.field, array))
    }

    /// Ends a pass, behind which reading goes on from `position`.
    pub(in crate::source) fn end_pass(&mut self, position: Position) {
        if let Self::Rows { millis, seen } = self {
            seen.end_pass(position.timestamp.map(|last| last.minus_millis(*millis)));
        }
    }
}
