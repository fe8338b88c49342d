//! The store that a URL names.

use std::path::Path;
use std::sync::Arc;

use volley_api::{Error, Result};
use volley_store::StoreConfig;

use super::hdfs::HdfsStorage;
use super::local_storage::LocalStorage;
use super::remote_storage::RemoteStorage;
use super::storage::{Storage, StorageError};

/// The store of `config`. Does not touch it yet. `owner` names the task, for its temporary files; `spool_directory` is for
/// what waits for the end of a file of a store elsewhere.
pub(crate) fn open_storage(config: &StoreConfig, owner: &str, spool_directory: &Path) -> Result<Arc<dyn Storage>> {
    if config.url.scheme() == "file" {
        let root = config.local_root()?;
        return Ok(Arc::new(LocalStorage::new(config.url.as_str(), root, owner)));
    }
    if config.is_hdfs() {
        return Ok(Arc::new(HdfsStorage::open(config, owner, spool_directory)?));
    }
    Ok(Arc::new(RemoteStorage::open(config, spool_directory)?))
}

/// The error for a store that failed its check for a reason that only the user can change; `None` for one that may pass.
pub(crate) fn check_error(url: &str, error: &StorageError) -> Option<Error> {
    let is_local = url.starts_with("file:");
    let is_hdfs = url.starts_with("hdfs:") || url.starts_with("viewfs:");
    match error {
        StorageError::Denied { reason, .. } if is_hdfs => Some(Error::config(format!(
            "the directory of `store.url` {url} may not be used: {reason}; give the user the right to list, read and write \
             there, or name another in `store.hdfs.user`, or with Kerberos in `store.hdfs.kerberos.principal` and \
             `store.hdfs.kerberos.keytab`"
        ))),
        StorageError::Denied { reason, .. } if is_local => Some(Error::config(format!(
            "the directory of `store.url` {url} may not be used: {reason}; give the worker's user the right to list, read and \
             write there"
        ))),
        StorageError::NotFound { reason, .. } if is_local || is_hdfs => Some(Error::config(format!(
            "the directory of `store.url` {url} cannot be made: {reason}; correct `store.url`"
        ))),
        StorageError::Denied { reason, .. } => Some(Error::config(format!(
            "`store.url` {url} refuses the credentials: {reason}; set `store.s3.access.key.id` and \
             `store.s3.secret.access.key` (or the keys of that store, or its environment variables), with the right to \
             list, read and write"
        ))),
        StorageError::NotFound { reason, .. } => Some(Error::config(format!(
            "the bucket or container of `store.url` {url} does not exist: {reason}; create it, or correct `store.url`, \
             `store.s3.endpoint` or `store.s3.region`"
        ))),
        StorageError::AlreadyExists { .. } | StorageError::Unavailable { .. } => None,
    }
}
