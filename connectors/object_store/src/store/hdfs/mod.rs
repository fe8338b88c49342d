//! HDFS as a store.
//!
//! ```text
//!  HdfsStorage ─┬─► Connection ──► hdfs-native     a client, replaced when a call hangs; errors by their meaning
//!               └─► LabelClaim                     the label of a file, decided before the file is seen
//! ```
//!
//! A file is written under a name of its own in `.volley-tmp`, closed, and then renamed without overwriting: the name node
//! lets one of several win. Only what has been closed counts as written.

mod connection;
mod error;
mod hdfs_storage;
mod label_claim;

pub(crate) use hdfs_storage::HdfsStorage;
