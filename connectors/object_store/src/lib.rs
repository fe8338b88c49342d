//! `ObjectStoreSink`: writes Parquet files to local disk and object stores, each record exactly once.
//!
//! ```text
//!  put ─► Delivery ─► Stream (origin partition, topic) ─► OpenFile ─► FileEncoder ─► Parquet bytes
//!            │                                                                          │
//!            │◄──── created / beaten by another worker ◄──── Uploads ◄──────────────────┘
//!            ▼                                                  │
//!       pre_commit                                           Storage: local disk, S3, GCS, Azure
//! ```
//!
//! # How exactly-once works
//! A *stream* is the rows of one consumed partition that go to one topic. A stream's files form a chain: a file is named
//! after the offset of its first row, and that is the first row of the stream at or after the end of the file before. A
//! file is created only if its name is free, and only after the file before it is known to be there. So whoever writes
//! the stream (the owner, a worker that has lost the partition without knowing, a successor after a crash), and however
//! their files are rotated, all of them add to one chain, and a row is in it once. Each file's footer says up to where
//! it covers the stream (`FileIdentity`); a task that opens a partition goes on where the
//! chain ends, and one that finds its name taken goes on behind the file that took it.
//!
//! What this needs: transformations that give the same rows the same topics when run again, and one connector per
//! directory. A file of another connector where ours belongs is an error, never overwritten and never adopted.
//!
//! A file for each key, written over by newer records, is another thing: `keyed/`.
//!
//! The way back is `ObjectStoreSource`: `source/`.

mod aiven;
mod chain;
mod clock;
mod config;
mod config_keys;
mod confluent;
#[cfg(test)]
mod conformance_tests;
mod connector;
mod evolution;
mod format;
mod keyed;
mod layout;
mod query;
mod siblings;
mod sink;
mod source;
mod store;
mod success;

#[cfg(test)]
mod reach_tests;
#[cfg(test)]
mod sink_tests;
#[cfg(test)]
mod test_records;

use std::sync::Arc;

use volley_api::{Plugin, QueryEngine};

/// Every connector of this crate. `queries` executes those over all records of a bounded run.
pub fn plugins(queries: Arc<dyn QueryEngine>) -> Vec<Plugin> {
    let of_java_classes = confluent::plugins().into_iter().chain(aiven::plugins());
    [connector::sink_plugin(queries), source::source_plugin()].into_iter().chain(of_java_classes).collect()
}
