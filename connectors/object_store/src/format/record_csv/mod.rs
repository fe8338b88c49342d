//! Parts of records in lines, with commas between them, as Aiven's sinks write them.

mod header_texts;
mod part_bytes;
mod record_csv_rows;

pub(crate) use record_csv_rows::{RecordCsvRows, ValueEncoding};
