//! Files in memory, as claims need them, for simulations.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutPayload};

use crate::store::claim::{Entry, FileSystem, Outcome};
use crate::store::{Contents, StorageError};

/// Files whose owner ends after a number of calls.
#[derive(Clone, Debug)]
pub(crate) struct MemoryFiles {
    store: Arc<InMemory>,
    prefix: &'static str,
    /// How many further calls are made before all fail.
    pub(crate) calls_left: Arc<AtomicUsize>,
}

impl MemoryFiles {
    pub(crate) fn new(store: Arc<InMemory>, prefix: &'static str) -> Self {
        Self { store, prefix, calls_left: Arc::new(AtomicUsize::new(usize::MAX)) }
    }

    /// Removes all that is not complete.
    pub(crate) async fn sweep(&self) {
        let paths: Vec<_> = self.store.list(Some(&self.place("/tmp"))).try_collect().await.unwrap();
        for file in paths {
            self.store.delete(&file.location).await.unwrap();
        }
    }

    fn place(&self, path: &str) -> Path {
        Path::from(format!("{}{path}", self.prefix))
    }

    fn call(&self, path: &str) -> Outcome<()> {
        let take = |left: usize| left.checked_sub(1);
        let taken = self.calls_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        let gone = || StorageError::Unavailable { path: path.to_owned(), reason: "simulated end".to_owned() };
        taken.map(drop).map_err(|_| gone())
    }

    fn error(path: &str, error: &Error) -> StorageError {
        let path = path.to_owned();
        match error {
            Error::AlreadyExists { .. } => StorageError::AlreadyExists { path },
            Error::NotFound { .. } => StorageError::NotFound { path, reason: error.to_string() },
            _ => StorageError::Unavailable { path, reason: error.to_string() },
        }
    }
}

fn existing<T>(path: &str, outcome: Result<T, Error>) -> Outcome<Option<T>> {
    match outcome {
        Err(Error::NotFound { .. }) => Ok(None),
        outcome => outcome.map(Some).map_err(|error| MemoryFiles::error(path, &error)),
    }
}

impl FileSystem for MemoryFiles {
    async fn entry(&self, path: &str) -> Outcome<Option<Entry>> {
        self.call(path)?;
        let found = existing(path, self.store.head(&self.place(path)).await)?;
        Ok(found.map(|file| Entry::File(file.size)))
    }

    async fn read(&self, path: &str) -> Outcome<Option<Bytes>> {
        self.call(path)?;
        let Some(found) = existing(path, self.store.get(&self.place(path)).await)? else { return Ok(None) };
        existing(path, found.bytes().await)
    }

    async fn make_directory(&self, path: &str) -> Outcome<()> {
        self.call(path)
    }

    async fn write(&self, path: &str, contents: Contents) -> Outcome<()> {
        self.call(path)?;
        let outcome = self.store.put(&self.place(path), PutPayload::from_bytes(contents.bytes())).await;
        outcome.map(drop).map_err(|error| Self::error(path, &error))
    }

    async fn rename(&self, from: &str, to: &str) -> Outcome<()> {
        self.call(to)?;
        let outcome = self.store.rename_if_not_exists(&self.place(from), &self.place(to)).await;
        outcome.map_err(|error| Self::error(to, &error))
    }

    async fn remove(&self, path: &str) -> Outcome<()> {
        self.call(path)?;
        existing(path, self.store.delete(&self.place(path)).await).map(drop)
    }

    fn shown(&self, path: &str) -> String {
        path.to_owned()
    }
}
