//! A store for simulations.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use crate::store::{Answer, RemoteStorage, Storage, StorageError};

/// A store whose answers fail a number of times. Creating files does not: uploads have their own ways to fail.
#[derive(Debug)]
pub(super) struct TroubledStorage {
    pub(super) store: RemoteStorage,
    /// How many of the next calls fail.
    pub(super) failures: AtomicUsize,
}

impl TroubledStorage {
    /// `store` without trouble.
    pub(super) fn new(store: RemoteStorage) -> Self {
        Self { store, failures: AtomicUsize::new(0) }
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

    fn create<'a>(&'a self, path: &'a str, contents: Bytes, id: &'a str, label: Option<&'a str>) -> Answer<'a, ()> {
        self.store.create(path, contents, id, label)
    }

    fn read_label<'a>(&'a self, path: &'a str) -> Answer<'a, Option<String>> {
        self.store.read_label(path)
    }

    fn write_over<'a>(&'a self, path: &'a str, contents: Bytes) -> Answer<'a, ()> {
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
