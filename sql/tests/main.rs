//! The SQL transformation over records, as a connector uses it.
#![allow(clippy::unwrap_used)]

mod chains;
mod debezium_types;
mod fixtures;
mod laws;
mod lookup_tables;
mod output_types;
mod schemaless;
mod slt;
mod topic_tables;
