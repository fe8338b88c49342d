//! Where files go: what the sink needs of a store, and the store that a URL names.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use volley_api::{Error, Result};

use super::config::StoreConfig;
use super::local_storage::LocalStorage;
use super::remote_storage::RemoteStorage;

/// Why a call on a store failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StorageError {
    /// The file to be created is there already.
    #[error("{path} exists already")]
    AlreadyExists {
        /// Path as the store shows it.
        path: String,
    },
    /// There is no such file (in a check: no such bucket or container, no such place for a directory).
    #[error("{path} was not found: {reason}")]
    NotFound {
        /// Path as the store shows it.
        path: String,
        /// What the store says.
        reason: String,
    },
    /// The credentials are wrong or do not allow it.
    #[error("access to {path} was denied: {reason}")]
    Denied {
        /// Path as the store shows it.
        path: String,
        /// What the store says.
        reason: String,
    },
    /// Anything else: the network, a server error, a full disk. May pass.
    #[error("{path}: {reason}")]
    Unavailable {
        /// Path as the store shows it.
        path: String,
        /// What the store says.
        reason: String,
    },
}

/// What a call on a store will give.
pub(crate) type Answer<'a, T> = BoxFuture<'a, std::result::Result<T, StorageError>>;

/// A place for files. Paths are relative to its root, parted by `/`. Calls may run at the same time.
pub(crate) trait Storage: fmt::Debug + Send + Sync {
    /// The names of the files directly in `directory` that sort after `after`, in no order. A directory that does not
    /// exist has none.
    fn list<'a>(&'a self, directory: &'a str, after: &'a str) -> Answer<'a, Vec<String>>;

    /// The last `length` bytes of a file, or all of a shorter one.
    fn read_tail<'a>(&'a self, path: &'a str, length: u64) -> Answer<'a, Bytes>;

    /// Creates the file with these contents, at once and durably, or fails with `AlreadyExists` and changes nothing.
    /// After any other error the file may or may not be there. `file_id` is the file's own.
    fn create<'a>(&'a self, path: &'a str, contents: Bytes, file_id: &'a str) -> Answer<'a, ()>;

    /// Whether the store can be reached and the bucket exists. Changes nothing.
    fn check(&self) -> Answer<'_, ()>;

    /// The root, for messages.
    fn url(&self) -> &str;

    /// Checks the store, makes it ready for this sink task, and removes what an earlier run of it left unfinished.
    fn prepare(&self) -> Answer<'_, ()> {
        self.check()
    }
}

/// The store of `config`. Does not touch it yet. `owner` names the task, for its temporary files.
pub(crate) fn open_storage(config: &StoreConfig, owner: &str) -> Result<Arc<dyn Storage>> {
    if config.url.scheme() == "file" {
        let root = config.local_root()?;
        return Ok(Arc::new(LocalStorage::new(config.url.as_str(), root, owner)));
    }
    Ok(Arc::new(RemoteStorage::open(config)?))
}

/// The error for a store that failed its check for a reason that only the user can change; `None` for one that may pass.
pub(crate) fn check_error(url: &str, error: &StorageError) -> Option<Error> {
    let is_local = url.starts_with("file:");
    match error {
        StorageError::Denied { reason, .. } if is_local => Some(Error::config(format!(
            "the directory of `store.url` {url} may not be used: {reason}; give the worker's user the right to list, read and \
             write there"
        ))),
        StorageError::NotFound { reason, .. } if is_local => Some(Error::config(format!(
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
