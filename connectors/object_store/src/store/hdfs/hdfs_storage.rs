//! A directory of HDFS as a store.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use uuid::Uuid;
use volley_api::Result;
use volley_store::StoreConfig;

use super::connection::Connection;
use crate::store::claim::{self, Creation, Entry, FileSystem, Outcome, create, parent};
use crate::store::storage::{Answer, ClaimedFile, Storage, StorageError};
use crate::store::{Contents, SpoolPlace};

/// Directory of unfinished files under the root; readers pass over names that begin with a dot.
const TEMPORARY_DIRECTORY: &str = ".volley-tmp";
/// A directory of HDFS as a store.
#[derive(Debug)]
pub(crate) struct HdfsStorage {
    url: String,
    /// `/`, or without a slash at its end.
    root: String,
    connection: Connection,
    /// Begins the names of this task's temporary files.
    temporary_prefix: String,
    spool_directory: PathBuf,
}

impl HdfsStorage {
    /// The directory that `config` names, which need not exist yet. Does not touch it. `owner` names the
    /// task. What waits for the end of a file waits in `spool_directory`, which is local.
    pub(crate) fn open(config: &StoreConfig, owner: &str, spool_directory: &Path) -> Result<Self> {
        let legal = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
        Ok(Self {
            url: config.url.to_string(),
            root: config.hdfs_root()?,
            connection: Connection::open(config)?,
            temporary_prefix: format!("{}.", owner.chars().map(legal).collect::<String>()),
            spool_directory: spool_directory.to_owned(),
        })
    }

    fn path(&self, relative: &str) -> String {
        match relative {
            "" => self.root.clone(),
            _ => format!("{}/{relative}", self.root.trim_end_matches('/')),
        }
    }

    /// A path below the root, as callers know it.
    fn relative<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(self.root.trim_end_matches('/'))?.strip_prefix('/')
    }

    /// A path that is used once: what is asked of the name node may happen after we have stopped to wait for it.
    fn new_temporary(&self, file_id: &str) -> String {
        let once = Uuid::new_v4().simple();
        self.path(&format!("{TEMPORARY_DIRECTORY}/{}{file_id}.{once}.tmp", self.temporary_prefix))
    }

    /// Does `work` with a new temporary file of so many bytes, and removes the file if that fails.
    async fn with_temporary(
        &self,
        target: &str,
        temporary: &str,
        bytes: u64,
        work: BoxFuture<'_, Outcome<()>>,
    ) -> Outcome<()> {
        let outcome = self.connection.transferred(target, bytes, work).await;
        if outcome.is_err() {
            // what cannot be removed now is removed at the next start
            let _ = self.connection.tidied(temporary, self.connection.remove(temporary)).await;
        }
        outcome
    }

    async fn check_root(&self) -> Outcome<()> {
        match self.connection.entry(&self.root).await? {
            Some(Entry::File(_)) => Err(StorageError::NotFound {
                path: self.connection.shown(&self.root),
                reason: "it is not a directory".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    async fn remove_stale_temporaries(&self) -> Outcome<()> {
        let directory = self.path(TEMPORARY_DIRECTORY);
        for name in self.connection.names(&directory).await? {
            if name.starts_with(&self.temporary_prefix) {
                let path = format!("{directory}/{name}");
                self.connection.remove(&path).await?;
                tracing::info!(path, "removed a file that an earlier run left unfinished");
            }
        }
        Ok(())
    }
}

impl Storage for HdfsStorage {
    fn list<'a>(&'a self, directory: &'a str, after: &'a str) -> Answer<'a, Vec<String>> {
        async move {
            let path = self.path(directory);
            let mut names = self.connection.looked(&path, self.connection.names(&path)).await?;
            names.retain(|name| name.as_str() > after && !name.starts_with('.'));
            Ok(names)
        }
        .boxed()
    }

    fn read_tail<'a>(&'a self, path: &'a str, length: u64) -> Answer<'a, Bytes> {
        async move {
            let path = self.path(path);
            let tail = self.connection.looked(&path, self.connection.tail(&path, length)).await?;
            let reason = || "there is no such file".to_owned();
            tail.ok_or_else(|| StorageError::NotFound { path: self.connection.shown(&path), reason: reason() })
        }
        .boxed()
    }

    fn read_all<'a>(&'a self, path: &'a str) -> Answer<'a, Option<Bytes>> {
        async move {
            let path = self.path(path);
            self.connection.looked(&path, self.connection.read(&path)).await
        }
        .boxed()
    }

    fn create<'a>(
        &'a self,
        path: &'a str,
        contents: Contents,
        file_id: &'a str,
        label: Option<&'a str>,
    ) -> Answer<'a, ()> {
        async move {
            let (target, temporary) = (self.path(path), self.new_temporary(file_id));
            let file = Creation { target: &target, claim: &target, temporary: &temporary, label };
            let bytes = contents.len();
            self.with_temporary(&target, &temporary, bytes, create(&self.connection, file, contents).boxed()).await
        }
        .boxed()
    }

    fn create_claimed<'a>(
        &'a self,
        claim: &'a str,
        path: &'a str,
        contents: Contents,
        file_id: &'a str,
        label: &'a str,
    ) -> Answer<'a, ()> {
        async move {
            let (target, claim, temporary) = (self.path(path), self.path(claim), self.new_temporary(file_id));
            let file = Creation { target: &target, claim: &claim, temporary: &temporary, label: Some(label) };
            let bytes = contents.len();
            self.with_temporary(&target, &temporary, bytes, create(&self.connection, file, contents).boxed()).await
        }
        .boxed()
    }

    fn read_claim<'a>(&'a self, claim: &'a str) -> Answer<'a, Option<ClaimedFile>> {
        async move {
            let path = self.path(claim);
            let found = self.connection.looked(&path, claim::claimed_file(&self.connection, &path)).await?;
            Ok(found.and_then(|(path, label)| Some(ClaimedFile { path: self.relative(&path)?.to_owned(), label })))
        }
        .boxed()
    }

    fn read_label<'a>(&'a self, path: &'a str) -> Answer<'a, Option<String>> {
        async move {
            let path = self.path(path);
            self.connection.looked(&path, claim::label(&self.connection, &path)).await
        }
        .boxed()
    }

    fn write_over<'a>(&'a self, path: &'a str, contents: Contents) -> Answer<'a, ()> {
        async move {
            let (target, temporary, bytes) = (self.path(path), self.new_temporary("over"), contents.len());
            let work = async {
                self.connection.make_directory(parent(&target)).await?;
                self.connection.write(&temporary, contents).await?;
                self.connection.replace(&temporary, &target).await
            };
            self.with_temporary(&target, &temporary, bytes, work.boxed()).await
        }
        .boxed()
    }

    fn list_below<'a>(&'a self, directory: &'a str) -> Answer<'a, Vec<String>> {
        async move {
            let path = self.path(directory);
            // each look has a time of its own: there may be many directories
            let paths = self.connection.paths_below(&path).await?;
            Ok(paths.iter().filter_map(|path| self.relative(path)).map(str::to_owned).collect())
        }
        .boxed()
    }

    fn remove<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        async move {
            let path = self.path(path);
            let work = async {
                self.connection.remove(&path).await?;
                claim::remove_all(&self.connection, &path).await
            };
            self.connection.tidied(&path, work).await
        }
        .boxed()
    }

    fn check(&self) -> Answer<'_, ()> {
        self.connection.looked(&self.root, self.check_root()).boxed()
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn spool_place(&self) -> Option<SpoolPlace> {
        Some(SpoolPlace::Unnamed(self.spool_directory.clone()))
    }

    fn prepare(&self) -> Answer<'_, ()> {
        let work = async {
            self.check_root().await?;
            self.connection.make_directory(&self.root).await?;
            self.remove_stale_temporaries().await
        };
        self.connection.looked(&self.root, work).boxed()
    }
}
