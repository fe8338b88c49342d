//! Where files are read from: a local directory, an object store, or HDFS.

mod file_store;
mod file_stream;
mod found_file;
mod hdfs_listing;
mod local_listing;
mod remote_listing;
mod search;
mod store_file;
mod store_trouble;

pub(super) use file_store::FileStore;
pub(super) use file_stream::{FileStream, StreamTrouble};
pub(super) use found_file::{FileVersion, FoundFile};
pub(super) use search::{NO_FILE, Search};
pub(super) use store_file::StoreFile;
