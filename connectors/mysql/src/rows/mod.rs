//! Rows into columns.

mod column_builder;
mod decimal;
mod row_decoder;
mod times;

pub(crate) use row_decoder::RowDecoder;
