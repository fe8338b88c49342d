//! A file in an object store.

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use url::Url;
use volley_api::{ConfigDef, ConfigMap, Error, Result};
use volley_store::{StoreConfig, error_text, open_store, store_issues, store_keys};

use super::lookup_config::LookupConfig;
use super::table_file::{Content, Failure, Stamp, TableFile, too_large};

#[derive(Debug)]
pub(super) struct StoreFile {
    store: Arc<dyn ObjectStore>,
    path: Path,
    max_bytes: u64,
    runtime: Runtime,
}

impl StoreFile {
    /// The object at `url`, with the `store.*` keys of `config`.
    pub(super) fn open(url: &Url, config: &LookupConfig) -> Result<Self> {
        let refused = |message: String| Error::config(format!("`{}`: {message}", config.key));
        let is_of_store = |(key, _): &(&String, &String)| key.starts_with("store.");
        let own = config.settings.iter().filter(is_of_store).map(|(key, value)| (key.clone(), value.clone()));
        let given: ConfigMap = own.chain([("store.url".to_owned(), url.to_string())]).collect();
        let def = store_keys("").into_iter().fold(ConfigDef::new(), ConfigDef::key);
        let parsed = def.parse(&given).map_err(|error| refused(error.to_string()))?;
        if let Some(issue) = store_issues(&parsed).into_iter().next() {
            return Err(refused(issue.message));
        }
        let store = StoreConfig::from_config(&parsed).and_then(|config| open_store(&config));
        let (store, path) = store.map_err(|error| refused(error.to_string()))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| Error::fatal("could not start a client for the store").with_source(error))?;
        Ok(Self { store, path, max_bytes: config.max_bytes, runtime })
    }

    #[cfg(test)]
    pub(super) fn in_store(store: Arc<dyn ObjectStore>, path: &str, max_bytes: u64) -> Self {
        let runtime = Builder::new_current_thread().build().unwrap();
        Self { store, path: Path::from(path), max_bytes, runtime }
    }

    async fn current(&self, known: Option<&Stamp>) -> std::result::Result<Content, Failure> {
        let failed = |error: object_store::Error| error_text(&error);
        let head = self.store.head(&self.path).await.map_err(failed)?;
        if known == Some(&stamp_of(&head)) {
            return Ok(Content::Unchanged);
        }
        // one answer has one version, which may be newer than the one above
        let answer = self.store.get(&self.path).await.map_err(failed)?;
        if answer.meta.size > self.max_bytes {
            return Err(too_large(answer.meta.size, self.max_bytes));
        }
        let stamp = stamp_of(&answer.meta);
        let content: Bytes = answer.bytes().await.map_err(failed)?;
        Ok(Content::Version(Some(stamp), content))
    }
}

impl TableFile for StoreFile {
    fn read(&mut self, known: Option<&Stamp>) -> std::result::Result<Content, Failure> {
        self.runtime.block_on(self.current(known))
    }
}

fn stamp_of(meta: &ObjectMeta) -> Stamp {
    let tag = meta.e_tag.as_deref().or(meta.version.as_deref()).unwrap_or_default();
    Stamp(format!("{} {} {tag}", meta.size, meta.last_modified))
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    #[test]
    fn an_object_is_read_again_when_it_is_another_one() {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let mut file = StoreFile::in_store(Arc::clone(&store), "tables/t.csv", 10);
        assert!(file.read(None).unwrap_err().contains("not found"));
        let put = |text: &'static str| {
            let runtime = Builder::new_current_thread().build().unwrap();
            runtime.block_on(store.put(&Path::from("tables/t.csv"), text.into())).unwrap();
        };
        put("a\n1\n");
        let Content::Version(stamp, content) = file.read(None).unwrap() else { panic!("unchanged") };
        assert_eq!(content.as_ref(), b"a\n1\n");
        assert!(matches!(file.read(stamp.as_ref()).unwrap(), Content::Unchanged));
        put("a\n2\n");
        assert!(matches!(file.read(stamp.as_ref()).unwrap(), Content::Version(..)));
        put("a\n234567890\n");
        assert!(file.read(stamp.as_ref()).unwrap_err().contains("raise `lookup.max.bytes` (10)"));
    }
}
