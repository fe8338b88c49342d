//! Rows into tables, by statements with many rows each.

mod column_types;
mod statements;
mod values;
mod writer;

pub(crate) use writer::MySqlWriter;
