//! Records to the bytes of files.
//!
//! ```text
//!  Records ─ RowMaker ─► Rows (columns, or a message each) ─ FileWriter ─► bytes (+ FileIdentity in the footer or a label)
//! ```
//!
//! A `Format` makes both: one `RowMaker` for each topic and origin partition, one `FileWriter` for each file. What files
//! say of themselves is read back with `FileIdentity::read`.

mod arrow_file;
mod avro;
mod codec;
mod columns;
mod csv;
mod file_writer;
#[expect(clippy::module_inception, reason = "the format, among what it is made of")]
mod format;
mod format_config;
mod headers_map;
mod identity;
mod lines;
mod message_builder;
mod output_fields;
mod parquet;
mod record_csv;
mod record_json;
mod rows;
mod snappy_stream;

pub(crate) use file_writer::{FileSize, FileWriter};
pub(crate) use format::Format;
pub(crate) use format_config::{
    FormatConfig, FormatKind, KNOWN_EXTENSIONS, NAME_TEMPLATE, compatibility, format_issues, format_keys,
};
pub(crate) use identity::{FileIdentity, new_file_id};
pub(crate) use output_fields::{OUTPUT_FIELDS, OutputField};
pub(crate) use parquet::SORTING_COLUMNS;
pub(crate) use rows::{Made, RowMaker, Rows, rejected_row};
