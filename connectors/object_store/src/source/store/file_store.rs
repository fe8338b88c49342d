//! The store that a URL names.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::path::Path;
use volley_api::Result;
use volley_store::{StoreConfig, open_store};

use super::found_file::FoundFile;
use super::hdfs_listing::list_hdfs;
use super::local_listing::list_local;
use super::remote_listing::list_remote;
use super::search::Search;
use super::store_file::StoreFile;
use crate::source::trouble::Read;
use crate::store::HdfsFiles;

/// What is below a URL.
#[derive(Clone, Debug)]
pub(in crate::source) enum FileStore {
    /// A directory of this machine.
    Local {
        /// The directory.
        root: PathBuf,
    },
    /// A bucket, or a part of it.
    Remote(RemoteStore),
    /// A directory of HDFS.
    Hdfs(HdfsFiles),
}

/// A bucket, or a part of it.
#[derive(Clone, Debug)]
pub(in crate::source) struct RemoteStore {
    pub(super) url: String,
    pub(super) store: Arc<dyn ObjectStore>,
    /// What stands before every path.
    pub(super) prefix: Path,
    /// How long a request may take.
    pub(super) request_timeout: Duration,
}

impl FileStore {
    /// The store of `config`. Does not touch it yet.
    ///
    /// # Errors
    /// `Config` if the settings do not make a client.
    pub(in crate::source) fn open(config: &StoreConfig) -> Result<Self> {
        if config.url.scheme() == "file" {
            return Ok(Self::Local { root: config.local_root()? });
        }
        if config.is_hdfs() {
            return Ok(Self::Hdfs(HdfsFiles::open(config)?));
        }
        let (store, prefix) = open_store(config)?;
        Ok(Self::remote(config.url.as_str(), store, prefix, config.request_timeout))
    }

    /// What is below `prefix` in `store`.
    pub(in crate::source) fn remote(
        url: &str,
        store: Arc<dyn ObjectStore>,
        prefix: Path,
        request_timeout: Duration,
    ) -> Self {
        Self::Remote(RemoteStore { url: url.to_owned(), store, prefix, request_timeout })
    }

    /// Files that match, in no order.
    ///
    /// # Errors
    /// `Retriable` if the store is out of reach, `Config` if it is not there or refuses.
    pub(in crate::source) fn find(&self, search: &Search) -> Result<Vec<FoundFile>> {
        match self {
            Self::Local { root } => list_local(root, search),
            Self::Remote(store) => list_remote(store, search),
            Self::Hdfs(files) => list_hdfs(files, search),
        }
    }

    /// The file at `path`, as it is now.
    pub(in crate::source) fn open_file(&self, path: &str) -> Read<StoreFile> {
        match self {
            Self::Local { root } => StoreFile::open_local(root, path),
            Self::Remote(store) => StoreFile::open_remote(store, path),
            Self::Hdfs(files) => StoreFile::open_hdfs(files, path),
        }
    }
}

impl RemoteStore {
    /// The place of a file.
    pub(super) fn location(&self, path: &str) -> std::result::Result<Path, object_store::path::Error> {
        let parts = [self.prefix.as_ref(), path];
        Path::parse(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"))
    }
}
