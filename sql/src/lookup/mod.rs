//! Lookup tables: files and topics that a query can join, held in memory and kept current between batches.
//!
//! ```text
//!  lookup.<name>.* ─ LookupConfig ─┬─ TableFile (local, http, store) ─ table_format ──────┐
//!                                  │      ▲ again and again: RefreshedFile                 ├─► LookupTable ─ LookupExec
//!                                  └─ topic ─ TopicRows ─ converters, topic_columns ───────┘    ▲ between batches
//!                                         ▲ again and again: TopicTable
//! ```

mod http_file;
mod local_file;
mod lookup_config;
mod lookup_exec;
mod lookup_table;
mod lookups;
mod refreshed_file;
#[cfg(feature = "object-store")]
mod store_file;
mod table_file;
mod table_format;
mod topic_columns;
mod topic_rows;
mod topic_table;

pub(crate) use lookup_config::lookup_keys;
pub(crate) use lookups::{Lookups, Refreshed};
