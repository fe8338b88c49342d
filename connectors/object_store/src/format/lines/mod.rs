//! Files of one message after the other: lines of JSON, or the bytes that the values are.

mod json_rows;
mod line_writer;
mod raw_rows;

pub(crate) use json_rows::{DecimalFormat, JsonRows};
pub(crate) use line_writer::{Framing, LineWriter};
pub(crate) use raw_rows::RawRows;
