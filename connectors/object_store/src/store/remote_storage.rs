//! Amazon S3 and what speaks its protocol, Google Cloud Storage, Azure Blob Storage.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{Attribute, Attributes, GetOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use volley_api::Result;
use volley_store::{StoreConfig, error_text, open_creator, open_store};

use super::ability::Ability;
use super::contents::Contents;
use super::multipart::{Beside, Multipart, PART};
use super::refusals::{has_no_access, has_no_bucket, has_no_credentials};
use super::runtime;
use super::spool::SpoolPlace;
use super::storage::{Answer, Storage, StorageError};

/// Name of the metadata with a file's label. Azure takes no `-`, and some servers and proxies drop headers with `_`.
const LABEL: &str = "volleyfile";

/// A bucket, or a part of it, as a store.
#[derive(Clone, Debug)]
pub(crate) struct RemoteStorage {
    url: String,
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    parts: Option<Parts>,
}

/// How large objects are sent.
#[derive(Clone, Debug)]
struct Parts {
    upload: Multipart,
    /// Whether the server keeps the condition of an upload in parts.
    is_conditional: Ability,
    spool_directory: PathBuf,
}

impl RemoteStorage {
    /// What is below `prefix` in `store`.
    pub(crate) fn new(url: &str, store: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        Self { url: url.to_owned(), store, prefix, parts: None }
    }

    /// The store of `config`, whose scheme is not `file`. What waits for the end of an object waits in `spool_directory`,
    /// where the store takes objects in parts.
    pub(crate) fn open(config: &StoreConfig, spool_directory: &std::path::Path) -> Result<Self> {
        let (store, prefix) = open_store(config)?;
        let parts = open_creator(config)?.map(|creator| Parts {
            upload: Multipart::new(creator),
            is_conditional: Ability::default(),
            spool_directory: spool_directory.to_owned(),
        });
        Ok(Self { parts, ..Self::new(config.url.as_str(), store, prefix) })
    }

    /// Finds out, beside the caller, whether large objects can be sent in parts.
    fn try_parts(&self, parts: &Parts) {
        let (parts, storage) = (parts.clone(), self.clone());
        let Ok(runtime) = runtime::handle() else { return };
        runtime.spawn(async move {
            let outcome = parts.upload.is_conditional(&storage.prefix).await;
            match &outcome {
                Ok(true) => tracing::info!(url = storage.url, "large objects are sent in parts"),
                Ok(false) => tracing::info!(
                    url = storage.url,
                    "the server does not look at the condition of an upload in parts: objects stay in memory until they are complete"
                ),
                Err(error) => tracing::warn!(
                    url = storage.url, error = error_text(error),
                    "could not find out whether objects can be sent in parts: they stay in memory until they are complete"
                ),
            }
            parts.is_conditional.answer(outcome.ok());
        });
    }

    fn path(&self, relative: &str) -> std::result::Result<Path, StorageError> {
        Path::parse(format!("{}/{}", self.prefix, relative.trim_start_matches('/')))
            .map_err(|error| StorageError::Unavailable { path: relative.to_owned(), reason: error.to_string() })
    }

    /// Whether a name that was taken a moment ago has no object. Azurite takes parts that were never completed, such as those of
    /// a worker that was killed, for an object, unless one is completed of parts.
    async fn has_only_parts(&self, location: &Path) -> bool {
        matches!(self.store.head(location).await, Err(object_store::Error::NotFound { .. }))
    }

    async fn in_memory(&self, path: &str, contents: &Contents) -> std::result::Result<Bytes, StorageError> {
        let bytes = contents.read_beside(0..contents.len()).await;
        bytes.map_err(|error| StorageError::Unavailable {
            path: path.to_owned(),
            reason: format!("could not read what is to be written: {error}"),
        })
    }

    fn error(&self, path: &str, error: object_store::Error) -> StorageError {
        let path = format!("{}/{path}", self.url.trim_end_matches('/'));
        let text = error_text(&error);
        match error {
            object_store::Error::AlreadyExists { .. } => StorageError::AlreadyExists { path },
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                StorageError::Denied { path, reason: text }
            }
            _ if has_no_bucket(&text) => StorageError::NotFound { path, reason: text },
            object_store::Error::NotFound { .. } => StorageError::NotFound { path, reason: text },
            _ if has_no_credentials(&text) => {
                StorageError::Denied { path, reason: format!("no credentials were given; {text}") }
            }
            _ if has_no_access(&text) => StorageError::Denied { path, reason: text },
            _ => StorageError::Unavailable { path, reason: text },
        }
    }
}

fn is_sent_in_parts(contents: &Contents) -> bool {
    contents.on_disk() > 0 && contents.len() > PART
}

impl Storage for RemoteStorage {
    fn list<'a>(&'a self, directory: &'a str, after: &'a str) -> Answer<'a, Vec<String>> {
        async move {
            let prefix = self.path(directory)?;
            let offset = self.path(&format!("{directory}/{after}"))?;
            let listing = self.store.list_with_offset(Some(&prefix), &offset);
            let names = listing.try_filter_map(|file| {
                // prefixes match whole segments, so what is left over is a name or a path further down
                let below = file.location.prefix_match(&prefix).map(|parts| parts.collect::<Vec<_>>());
                let name = below.filter(|parts| parts.len() == 1).map(|parts| parts[0].as_ref().to_owned());
                // not every server knows the offset: Azurite lists all
                let name = name.filter(|name| name.as_str() > after);
                futures::future::ready(Ok(name))
            });
            names.try_collect().await.map_err(|error| self.error(directory, error))
        }
        .boxed()
    }

    fn read_tail<'a>(&'a self, path: &'a str, length: u64) -> Answer<'a, Bytes> {
        async move {
            let location = self.path(path)?;
            // Azure has no suffix ranges
            let size = self.store.head(&location).await.map_err(|error| self.error(path, error))?.size;
            if size == 0 {
                return Ok(Bytes::new());
            }
            let tail = self.store.get_range(&location, size.saturating_sub(length)..size).await;
            tail.map_err(|error| self.error(path, error))
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
        self.create_tagged(path, contents, file_id, label, &[])
    }

    fn create_tagged<'a>(
        &'a self,
        path: &'a str,
        contents: Contents,
        _file_id: &'a str,
        label: Option<&'a str>,
        tags: &'a [(&'static str, String)],
    ) -> Answer<'a, ()> {
        async move {
            let location = self.path(path)?;
            let mut beside = Beside::default();
            tags.iter().for_each(|(name, value)| beside.tags.push(name, value));
            if let Some(label) = label {
                let name = Attribute::Metadata(LABEL.into());
                beside.attributes = Attributes::from_iter([(name, label.to_owned())]);
            }
            let outcome = match &self.parts {
                Some(parts) if is_sent_in_parts(&contents) => parts.upload.create(&location, &contents, beside).await,
                _ => {
                    let Beside { attributes, tags } = beside.clone();
                    let options = PutOptions { attributes, tags, ..PutOptions::from(PutMode::Create) };
                    let payload = PutPayload::from_bytes(self.in_memory(path, &contents).await?);
                    match (self.store.put_opts(&location, payload, options).await, &self.parts) {
                        (Err(object_store::Error::AlreadyExists { .. }), Some(parts))
                            if self.has_only_parts(&location).await
                                && parts.is_conditional.is_there(|| self.try_parts(parts)) =>
                        {
                            parts.upload.create(&location, &contents, beside).await
                        }
                        (outcome, _) => outcome.map(|_| ()),
                    }
                }
            };
            if let Some(parts) = &self.parts
                && parts.is_conditional.is_of_interest()
                && matches!(outcome, Ok(()) | Err(object_store::Error::AlreadyExists { .. }))
            {
                parts.upload.remove_parts_of_others(&location).await;
            }
            outcome.map_err(|error| self.error(path, error))
        }
        .boxed()
    }

    fn read_label<'a>(&'a self, path: &'a str) -> Answer<'a, Option<String>> {
        async move {
            let location = self.path(path)?;
            let options = GetOptions { head: true, ..GetOptions::default() };
            let found = self.store.get_opts(&location, options).await.map_err(|error| self.error(path, error))?;
            let label = found.attributes.get(&Attribute::Metadata(LABEL.into()));
            Ok(label.map(|label| label.as_ref().to_owned()))
        }
        .boxed()
    }

    fn write_over<'a>(&'a self, path: &'a str, contents: Contents) -> Answer<'a, ()> {
        async move {
            let location = self.path(path)?;
            let outcome = match &self.parts {
                Some(parts) if is_sent_in_parts(&contents) => parts.upload.write_over(&location, &contents).await,
                _ => {
                    let payload = PutPayload::from_bytes(self.in_memory(path, &contents).await?);
                    self.store.put(&location, payload).await.map(|_| ())
                }
            };
            outcome.map_err(|error| self.error(path, error))
        }
        .boxed()
    }

    fn read_all<'a>(&'a self, path: &'a str) -> Answer<'a, Option<Bytes>> {
        async move {
            let location = self.path(path)?;
            match self.store.get(&location).await {
                Ok(found) => found.bytes().await.map(Some).map_err(|error| self.error(path, error)),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(self.error(path, error)),
            }
        }
        .boxed()
    }

    fn list_below<'a>(&'a self, directory: &'a str) -> Answer<'a, Vec<String>> {
        async move {
            let prefix = self.path(directory)?;
            let paths = self.store.list(Some(&prefix)).try_filter_map(|file| {
                let below = file.location.prefix_match(&self.prefix);
                let path = below.map(|parts| parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/"));
                futures::future::ready(Ok(path))
            });
            paths.try_collect().await.map_err(|error| self.error(directory, error))
        }
        .boxed()
    }

    fn remove<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        async move {
            match self.store.delete(&self.path(path)?).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(self.error(path, error)),
            }
        }
        .boxed()
    }

    fn check(&self) -> Answer<'_, ()> {
        async move {
            let mut listing = self.store.list(Some(&self.prefix));
            listing.next().await.transpose().map(|_| ()).map_err(|error| self.error("", error))
        }
        .boxed()
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn tidy<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        async move {
            if let Some(parts) = &self.parts {
                parts.upload.remove_parts_of_others(&self.path(path)?).await;
            }
            Ok(())
        }
        .boxed()
    }

    fn spool_place(&self) -> Option<SpoolPlace> {
        let parts = self.parts.as_ref()?;
        let is_there = parts.is_conditional.is_there(|| self.try_parts(parts));
        is_there.then(|| SpoolPlace::Unnamed(parts.spool_directory.clone()))
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;
    use crate::store::look;

    #[test]
    fn files_in_directories_of_odd_values_are_written_found_and_read() {
        let storage: Arc<dyn Storage> =
            Arc::new(RemoteStorage::new("memory:///", Arc::new(InMemory::new()), Path::from("lake")));
        let odd = ["a%2Fb", "x y", "köln", "*#?", "~|^`", "\"'<>{}[]", "a\u{a0}b", "%25", "+&=;,", "\u{1F600}"];
        for value in odd {
            let path = format!("t/f={value}/t+0+0000000000.json");
            let shared = path.clone();
            let created = look("", Arc::clone(&storage), move |storage| {
                Box::pin(async move { storage.create(&shared, Contents::from("1"), "id", Some("l")).await })
            });
            created.unwrap();
            let names = look("", Arc::clone(&storage), move |storage| {
                Box::pin(async move { storage.list(&format!("t/f={value}"), "t+0+").await })
            });
            assert_eq!(names.unwrap(), ["t+0+0000000000.json"], "{value}");
            let label =
                look("", Arc::clone(&storage), move |storage| Box::pin(async move { storage.read_label(&path).await }));
            assert_eq!(label.unwrap().as_deref(), Some("l"), "{value}");
        }
        let below = || {
            look("", Arc::clone(&storage), |storage| Box::pin(async move { storage.list_below("t").await })).unwrap()
        };
        assert_eq!(below().len(), odd.len());
        for path in below() {
            look("", Arc::clone(&storage), move |storage| Box::pin(async move { storage.remove(&path).await }))
                .unwrap();
        }
        assert!(below().is_empty());
    }
}
