//! HDFS as a store.
//!
//! ```text
//!  HdfsStorage ─┬─► claim::create ─► FileSystem   what is seen is complete, and has its label
//!  HdfsFiles ───┴─► Connection ─► hdfs-native     a client, replaced when a call hangs; errors by their meaning
//! ```
//!
//! A file is written under a name of its own in `.volley-tmp`, closed, and then renamed without overwriting: the name node
//! lets one of several win. Only what has been closed counts as written. `HdfsFiles` is for the way back: it lists and reads.

mod connection;
mod error;
mod hdfs_files;
mod hdfs_storage;

pub(crate) use hdfs_files::{HdfsEntry, HdfsFiles, HdfsStatus};
pub(crate) use hdfs_storage::HdfsStorage;
