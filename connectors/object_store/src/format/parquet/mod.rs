//! Parquet files. The encodings of each column are chosen from a sample of its data and kept by topic. The footer says
//! what the file holds.

mod encodings;
mod footer;
mod parquet_options;
mod parquet_writer;
mod sort_order;

pub(crate) use encodings::SharedPlans;
pub(crate) use footer::read_footer;
pub(crate) use parquet_options::{PARQUET_CODEC, ParquetOptions, SORTING_COLUMNS, parquet_keys};
pub(crate) use parquet_writer::ParquetWriter;
