//! The SQL transformation over records, as a connector uses it.
#![allow(clippy::unwrap_used)]

mod fixtures;
mod laws;
mod schemaless;
mod slt;
