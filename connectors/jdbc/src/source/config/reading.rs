//! How a table or query is read: which of its rows are new, and what their keys are.

use super::column_choice::ColumnChoice;
use super::key_columns::KeyColumns;

/// Which rows are new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::source) struct Mode {
    /// Those with a greater number.
    pub(in crate::source) is_incrementing: bool,
    /// Those with a later time.
    pub(in crate::source) is_timestamp: bool,
}

impl Mode {
    /// The mode of this name.
    pub(in crate::source) fn parse(name: &str) -> Self {
        Self { is_incrementing: name.contains("incrementing"), is_timestamp: name.contains("timestamp") }
    }

    /// Whether all are.
    pub(in crate::source) fn is_bulk(self) -> bool {
        !self.is_incrementing && !self.is_timestamp
    }
}

/// How a table or query is read.
#[derive(Clone, Debug, Default)]
pub(in crate::source) struct Reading {
    pub(in crate::source) mode: Mode,
    /// The column with the number.
    pub(in crate::source) incrementing: ColumnChoice,
    /// The columns with the time.
    pub(in crate::source) timestamps: ColumnChoice,
    pub(in crate::source) keys: KeyColumns,
}
