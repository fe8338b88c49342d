//! Files to rows: one reader for each format, all of which begin at any row.
//!
//! | format | held in memory |
//! |---|---|
//! | Parquet | one row group as it is in the file, and a batch of it |
//! | JSON, CSV, bytes | a block of the file, and a batch |
//! | Arrow | one record batch |
//! | Avro | the file |

mod arrow_rows;
mod avro_rows;
mod column_rows;
mod csv_rows;
mod decompressed;
mod file_format;
mod json_rows;
mod line_rows;
mod lines;
mod parquet_group;
mod parquet_rows;
mod row_reader;
mod snappy_reader;

pub(super) use file_format::FileFormat;
pub(super) use json_rows::JsonDecoder;
pub(super) use row_reader::{ReadPlan, RowReader, row_reader};
