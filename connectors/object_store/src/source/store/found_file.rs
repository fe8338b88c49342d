//! A file in a listing.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use object_store::ObjectMeta;

use crate::store::HdfsStatus;

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
        // listings and single answers differ in quotes, and in fractions of seconds
        let tag = match &meta.e_tag {
            Some(tag) => tag.trim_start_matches("W/").trim_matches('"').to_owned(),
            None => meta.last_modified.timestamp().to_string(),
        };
        Self { size: meta.size, tag }
    }

    /// That of a file of HDFS.
    pub(super) fn of_hdfs(status: &HdfsStatus) -> Self {
        Self { size: status.length, tag: status.modified.to_string() }
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

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_listing_and_a_single_answer_tell_the_same_version() {
        let meta = |tag: Option<&str>, millis| ObjectMeta {
            location: "x".into(),
            last_modified: DateTime::from_timestamp_millis(millis).unwrap(),
            size: 1,
            e_tag: tag.map(str::to_owned),
            version: None,
        };
        let version = |tag, millis| FileVersion::of_object(&meta(tag, millis));
        assert_eq!(version(Some("\"0x8D\""), 1), version(Some("0x8D"), 5_000));
        assert_eq!(version(None, 7_250), version(None, 7_000));
        assert_ne!(version(None, 7_250), version(None, 8_000));
        assert_ne!(version(Some("a"), 0), version(Some("b"), 0));
    }
}
