//! The key or the value of records.

use volley_api::{Column, Records, Side};

pub(crate) fn column_of(records: &Records, side: Side) -> &Column {
    match side {
        Side::Key => &records.key,
        Side::Value => &records.value,
    }
}

/// The records with another key or value.
pub(crate) fn with_column(records: &Records, side: Side, column: Column) -> Records {
    let mut records = records.clone();
    match side {
        Side::Key => records.key = column,
        Side::Value => records.value = column,
    }
    records
}
