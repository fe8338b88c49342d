//! The clients of object stores, from the keys that users know: Amazon S3 and what speaks its protocol, Google Cloud
//! Storage, Azure Blob Storage. For HDFS, which is no object store, the keys only.
//!
//! ```text
//!  store.* keys ─ store_keys, store_issues ─► StoreConfig ─ open_store ─► ObjectStore, path
//! ```

mod assumed_role;
mod aws_profile;
mod azure_options;
mod client;
mod creator;
mod google_requests;
mod hdfs_config;
mod if_absent;
mod object_defaults;
mod proxy;
mod resumable_store;
mod resumable_upload;
mod s3_options;
mod store_config;
mod unfinished_uploads;

#[cfg(test)]
mod client_tests;
#[cfg(test)]
mod creator_tests;
#[cfg(test)]
mod test_service;

pub use client::{error_text, open_store};
pub use creator::{Creator, open_creator};
pub use hdfs_config::HdfsConfig;
pub use store_config::{StoreConfig, store_issues, store_keys};
pub use unfinished_uploads::UnfinishedUploads;
