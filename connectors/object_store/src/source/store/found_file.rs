//! A file in a listing.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use object_store::ObjectMeta;

/// What tells a file from a later one of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source) struct FileVersion {
    /// Bytes.
    pub(in crate::source) size: u64,
    /// The store's entity tag, or the time of the last change.
    pub(in crate::source) tag: String,
}

impl FileVersion {
    /// That of a local file.
    pub(super) fn of_local(metadata: &Metadata) -> Self {
        Self { size: metadata.len(), tag: format!("{}.{:09}", metadata.mtime(), metadata.mtime_nsec()) }
    }

    /// That of an object.
    pub(super) fn of_object(meta: &ObjectMeta) -> Self {
        let tag = meta.e_tag.clone().unwrap_or_else(|| meta.last_modified.to_rfc3339());
        Self { size: meta.size, tag }
    }
}

/// A file below `store.url`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source) struct FoundFile {
    /// Its path below `store.url`, parted by `/`.
    pub(in crate::source) path: String,
    /// Which file it is.
    pub(in crate::source) version: FileVersion,
}
