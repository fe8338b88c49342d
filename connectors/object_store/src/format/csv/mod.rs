//! CSV files (RFC 4180): a line with the names of the columns, then a line for each row.

mod csv_writer;
mod flat_rows;

pub(crate) use csv_writer::CsvWriter;
pub(crate) use flat_rows::FlatRows;
