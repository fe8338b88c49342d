//! Where files are read from: a local directory, or an object store.

mod file_store;
mod file_stream;
mod found_file;
mod local_listing;
mod remote_listing;
mod store_file;
mod store_trouble;

pub(super) use file_store::FileStore;
pub(super) use file_stream::{FileStream, StreamTrouble};
pub(super) use found_file::{FileVersion, FoundFile};
pub(super) use store_file::StoreFile;
