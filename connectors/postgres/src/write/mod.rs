//! Rows into tables, by COPY.
//!
//! ```text
//!  insert, where every column has a binary form of ours:  RecordBatch ─ CopyEncoder ─► COPY table FROM STDIN
//!  anything else:  RecordBatch ─ CopyEncoder ─► COPY temporary table ─ statements ─► INSERT … SELECT, UPDATE, DELETE
//! ```

mod column_encoder;
mod copy_encoder;
mod numeric_encoder;
mod staging;
mod statements;
mod target_type;
mod value_encoder;
mod writer;

pub(crate) use writer::PostgresWriter;
