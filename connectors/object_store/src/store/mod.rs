//! Where files go: local disk, S3 and what speaks its protocol, Google Cloud Storage, Azure Blob Storage, HDFS.
//!
//! ```text
//!  StoreConfig ─ open_storage ─┬─► LocalStorage    hard links
//!                              ├─► RemoteStorage   conditional PUTs, on a small runtime
//!                              └─► HdfsStorage     renames
//! ```
//!
//! A `Storage` lists a directory, reads the end of a file, and creates a file whose name is free, at once and durably.
//! It never replaces anything. On local disk and in HDFS a file may claim another name than its own (`claim`). The first
//! bytes of a large file may wait on local disk (`spool`) before it is complete; S3 gets it in parts (`multipart`). `look`
//! waits for one call; `Retries` and `Patience` say when to try again. The keys and the clients of object stores are
//! those of `volley-store`.

mod ability;
pub(crate) mod claim;
mod contents;
mod hdfs;
mod local_files;
mod local_storage;
mod look;
mod multipart;
mod preparation;
mod refusals;
mod remote_storage;
mod retry;
pub(crate) mod runtime;
mod spool;
mod storage;
mod storage_url;

pub(crate) use contents::Contents;
pub(crate) use hdfs::{HdfsEntry, HdfsFiles, HdfsStatus};
#[cfg(test)]
pub(crate) use local_storage::LocalStorage;
pub(crate) use look::{look, look_within};
pub(crate) use preparation::Preparation;
pub(crate) use refusals::{has_no_access, has_no_bucket};
#[cfg(test)]
pub(crate) use remote_storage::RemoteStorage;
pub(crate) use retry::{Patience, Retries, RetryPolicy};
pub(crate) use spool::{Spool, SpoolPlace};
#[cfg(test)]
pub(crate) use storage::{Answer, ClaimedFile};
pub(crate) use storage::{Storage, StorageError};
pub(crate) use storage_url::{check_error, open_storage};
