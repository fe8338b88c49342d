//! Rows to the bytes of a Parquet file.
//!
//! ```text
//!  Column ─ Shape (columns of a file) ─► rows of a schema ─ FileEncoder ─ EncodingPlans ─► bytes + footer (FileIdentity)
//! ```
//!
//! A `Shape` says what Parquet can hold of a value and turns values into rows. `Agreement` says whether a file with
//! other columns takes them. The encodings of each column are chosen from a sample of its data and kept by topic. The footer
//! says what the file holds, and is read back with `FileIdentity::read`.

mod agreement;
mod encoder;
mod encodings;
mod identity;
mod mixed_values;
mod project;
mod shape;

pub(crate) use encoder::FileEncoder;
pub(crate) use encodings::EncodingPlans;
pub(crate) use identity::{FileIdentity, new_file_id};
pub(crate) use shape::{Shape, schema};
