//! Google Cloud Storage, whose large objects are sent in resumable uploads.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result,
};

use crate::google_requests::GoogleRequests;
use crate::resumable_upload::ResumableUpload;

/// A store that is another one but for objects in parts.
#[derive(Debug)]
pub(crate) struct ResumableStore {
    store: Arc<dyn ObjectStore>,
    requests: Arc<GoogleRequests>,
    /// Whether these come into being only where there is no object.
    if_absent: bool,
}

impl ResumableStore {
    /// `store`, with what its uploads are sent by.
    pub(crate) fn around(store: Arc<dyn ObjectStore>, requests: Arc<GoogleRequests>, if_absent: bool) -> Self {
        Self { store, requests, if_absent }
    }
}

impl fmt::Display for ResumableStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for ResumableStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.store.put_opts(location, payload, options).await
    }

    // it has no tags there
    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let address = self.requests.begin(location, &options.attributes, self.if_absent).await?;
        Ok(Box::new(ResumableUpload::new(Arc::clone(&self.requests), address, location.clone())))
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
