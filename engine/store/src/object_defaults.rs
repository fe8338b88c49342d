//! What every new object has, whoever writes it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    Attribute, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, TagSet,
};
use url::form_urlencoded;

/// A store that gives new objects a storage class, where who writes them gives none, and tags besides those that are given.
#[derive(Debug)]
pub(crate) struct ObjectDefaults {
    store: Arc<dyn ObjectStore>,
    /// The same store, for new objects.
    writer: Arc<dyn ObjectStore>,
    storage_class: Option<String>,
    tags: TagSet,
}

impl ObjectDefaults {
    /// `store` with these defaults, or as it is if there are none. `writer`: the same store, for new objects.
    pub(crate) fn around(
        store: Arc<dyn ObjectStore>,
        writer: Arc<dyn ObjectStore>,
        storage_class: Option<String>,
        tags: TagSet,
    ) -> Arc<dyn ObjectStore> {
        if Arc::ptr_eq(&store, &writer) && storage_class.is_none() && tags.encoded().is_empty() {
            return store;
        }
        Arc::new(Self { store, writer, storage_class, tags })
    }

    fn with_tags(&self, given: &TagSet) -> TagSet {
        let mut all = self.tags.clone();
        form_urlencoded::parse(given.encoded().as_bytes()).for_each(|(name, value)| all.push(&name, &value));
        all
    }
}

impl fmt::Display for ObjectDefaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for ObjectDefaults {
    async fn put_opts(&self, location: &Path, payload: PutPayload, mut options: PutOptions) -> Result<PutResult> {
        if let Some(class) = &self.storage_class
            && options.attributes.get(&Attribute::StorageClass).is_none()
        {
            options.attributes.insert(Attribute::StorageClass, class.clone().into());
        }
        options.tags = self.with_tags(&options.tags);
        self.writer.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        mut options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        if let Some(class) = &self.storage_class
            && options.attributes.get(&Attribute::StorageClass).is_none()
        {
            options.attributes.insert(Attribute::StorageClass, class.clone().into());
        }
        options.tags = self.with_tags(&options.tags);
        self.writer.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.store.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    #[test]
    fn new_objects_have_the_class_unless_their_writer_gives_one() {
        let plain: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let store = ObjectDefaults::around(Arc::clone(&plain), plain, Some("COLD".into()), TagSet::default());
        let class = |location: &str, options: PutOptions| {
            let location = Path::from(location);
            let written = async {
                store.put_opts(&location, PutPayload::from_static(b"x"), options).await.unwrap();
                store.get_opts(&location, GetOptions::default()).await.unwrap()
            };
            let written = futures::executor::block_on(written);
            written.attributes.get(&Attribute::StorageClass).map(|class| class.as_ref().to_owned())
        };
        assert_eq!(class("a", PutOptions::default()).as_deref(), Some("COLD"));
        let mut own = PutOptions::default();
        own.attributes.insert(Attribute::StorageClass, "HOT".into());
        assert_eq!(class("b", own).as_deref(), Some("HOT"));
    }

    #[test]
    fn tags_of_all_objects_stand_beside_those_of_one() {
        let tags = |entries: &[(&str, &str)]| {
            let mut tags = TagSet::default();
            entries.iter().for_each(|(name, value)| tags.push(name, value));
            tags
        };
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let writer = Arc::clone(&store);
        let defaults = ObjectDefaults { store, writer, storage_class: None, tags: tags(&[("team", "data & co")]) };
        assert_eq!(defaults.with_tags(&TagSet::default()), defaults.tags);
        let both = tags(&[("team", "data & co"), ("startOffset", "4")]);
        assert_eq!(defaults.with_tags(&tags(&[("startOffset", "4")])), both);
    }

    #[test]
    fn a_store_without_defaults_stays_itself() {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let around = ObjectDefaults::around(Arc::clone(&store), Arc::clone(&store), None, TagSet::default());
        assert!(Arc::ptr_eq(&store, &around));
    }
}
