//! Schemas that change within a topic: which versions share a file, and how a record becomes one of the file's version.
//!
//! ```text
//!  schema of the file, schema of the record ─ Compatibility ─► Meeting: as it is, projected, or another file
//!                                              project ─► the record's values under the file's schema, or a Mismatch
//! ```

mod compatibility;
mod default_value;
mod mismatch;
mod projection;

pub(crate) use compatibility::{Compatibility, Meeting, version};
pub(crate) use mismatch::Mismatch;
pub(crate) use projection::project;
