//! A store for simulations.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use object_store::memory::InMemory;
use object_store::path::Path;

use super::memory_files::MemoryFiles;
use crate::store::claim::{Creation, FileSystem, claimed_file, create};
use crate::store::{Answer, ClaimedFile, Contents, RemoteStorage, Storage, StorageError};

const PREFIX: &str = "prefix";

/// A store whose answers fail a number of times. Creating files does not: uploads have their own ways to fail. Creating
/// those with claims may end in its midst.
#[derive(Debug)]
pub(crate) struct TroubledStorage {
    pub(crate) store: RemoteStorage,
    /// The same store, where files claim names.
    pub(crate) files: MemoryFiles,
    /// How many of the next calls fail.
    pub(crate) failures: AtomicUsize,
    temporaries: AtomicUsize,
}

impl TroubledStorage {
    /// An empty one, without trouble.
    pub(crate) fn new() -> Self {
        let memory = Arc::new(InMemory::new());
        Self {
            store: RemoteStorage::new("memory:///", Arc::clone(&memory) as _, Path::from(PREFIX)),
            files: MemoryFiles::new(memory, PREFIX),
            failures: AtomicUsize::new(0),
            temporaries: AtomicUsize::new(0),
        }
    }

    fn answer<'a, T: Send + 'a>(&self, path: &str, answer: Answer<'a, T>) -> Answer<'a, T> {
        let take = |left: usize| left.checked_sub(1);
        if self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            return answer;
        }
        let error = StorageError::Unavailable { path: path.to_owned(), reason: "503 slow down".to_owned() };
        Box::pin(async move { Err(error) })
    }
}

impl Storage for TroubledStorage {
    fn list<'a>(&'a self, directory: &'a str, after: &'a str) -> Answer<'a, Vec<String>> {
        self.answer(directory, self.store.list(directory, after))
    }

    fn read_tail<'a>(&'a self, path: &'a str, length: u64) -> Answer<'a, Bytes> {
        self.answer(path, self.store.read_tail(path, length))
    }

    fn create<'a>(&'a self, path: &'a str, contents: Contents, id: &'a str, label: Option<&'a str>) -> Answer<'a, ()> {
        self.store.create(path, contents, id, label)
    }

    fn create_claimed<'a>(
        &'a self,
        claim: &'a str,
        path: &'a str,
        contents: Contents,
        _id: &'a str,
        label: &'a str,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            let number = self.temporaries.fetch_add(1, Ordering::Relaxed);
            let (target, claim, temporary) = (format!("/{path}"), format!("/{claim}"), format!("/tmp/{number}"));
            let file = Creation { target: &target, claim: &claim, temporary: &temporary, label: Some(label) };
            let outcome = create(&self.files, file, contents).await;
            if outcome.is_err() {
                let _ = self.files.remove(&temporary).await;
            }
            outcome
        })
    }

    fn read_claim<'a>(&'a self, claim: &'a str) -> Answer<'a, Option<ClaimedFile>> {
        let answer = Box::pin(async move {
            let found = claimed_file(&self.files, &format!("/{claim}")).await?;
            Ok(found.map(|(path, label)| ClaimedFile { path: path[1..].to_owned(), label }))
        });
        self.answer(claim, answer)
    }

    fn read_label<'a>(&'a self, path: &'a str) -> Answer<'a, Option<String>> {
        self.store.read_label(path)
    }

    fn write_over<'a>(&'a self, path: &'a str, contents: Contents) -> Answer<'a, ()> {
        self.answer(path, self.store.write_over(path, contents))
    }

    fn read_all<'a>(&'a self, path: &'a str) -> Answer<'a, Option<Bytes>> {
        self.answer(path, self.store.read_all(path))
    }

    fn list_below<'a>(&'a self, directory: &'a str) -> Answer<'a, Vec<String>> {
        self.answer(directory, self.store.list_below(directory))
    }

    fn remove<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        self.answer(path, self.store.remove(path))
    }

    fn check(&self) -> Answer<'_, ()> {
        self.answer("", self.store.check())
    }

    fn url(&self) -> &str {
        self.store.url()
    }
}
