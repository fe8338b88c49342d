//! Source partitions and offsets: files, and places in them.

use serde_json::Value;
use url::Url;
use volley_api::{Error, Result, SourceOffset, SourcePartition};

use super::store::FileVersion;

const STORE: &str = "store";
const FILE: &str = "file";
const ROW: &str = "row";
const SIZE: &str = "size";
const VERSION: &str = "version";
const DONE: &str = "done";

/// A place in a file, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredOffset {
    /// The row to go on with.
    pub(super) row: u64,
    /// Which file it is; `None`, where a user has set the offset: whatever is there.
    pub(super) version: Option<FileVersion>,
    /// Whether all of it has been read.
    pub(super) is_done: bool,
}

impl StoredOffset {
    /// Reads an offset.
    ///
    /// # Errors
    /// `Config` if it has no row.
    pub(super) fn parse(offset: &SourceOffset) -> Result<Self> {
        let row = offset.get(ROW).and_then(Value::as_u64).ok_or_else(|| {
            Error::config(format!("an offset needs the member `{ROW}`, the number of the row to go on with, from 0 on"))
        })?;
        let size = offset.get(SIZE).and_then(Value::as_u64);
        let tag = offset.get(VERSION).and_then(Value::as_str);
        let version = size.zip(tag).map(|(size, tag)| FileVersion { size, tag: tag.to_owned() });
        Ok(Self { row, version, is_done: offset.get(DONE).and_then(Value::as_bool).unwrap_or(false) })
    }
}

/// The offset of a place in a file.
pub(super) fn offset(row: u64, version: &FileVersion, is_done: bool) -> SourceOffset {
    let members = [
        (ROW, Value::from(row)),
        (SIZE, version.size.into()),
        (VERSION, version.tag.as_str().into()),
        (DONE, is_done.into()),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The source partition of a file. `store`: see [`store_name`].
pub(super) fn partition(store: &str, path: &str) -> SourcePartition {
    [(STORE, store), (FILE, path)].into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect()
}

/// `store.url` as it stands in source partitions: without user, password and query, and without a slash at its end.
pub(super) fn store_name(url: &Url) -> String {
    let mut url = url.clone();
    // a URL that can have neither has none
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.as_str().trim_end_matches('/').to_owned()
}

/// Checks an offset that a user wants to set.
///
/// # Errors
/// What it lacks.
pub(super) fn check(partition: &SourcePartition, offset: &SourceOffset) -> Result<()> {
    for member in [STORE, FILE] {
        if partition.get(member).and_then(Value::as_str).is_none() {
            return Err(Error::config(format!(
                "a partition needs the members `{STORE}`, the `store.url`, and `{FILE}`, a path below it: `{member}` is missing"
            )));
        }
    }
    StoredOffset::parse(offset).map(drop)
}

#[cfg(test)]
mod tests {
    use volley_api::testing::json_object;

    use super::*;

    #[test]
    fn offsets_are_read_back() {
        let version = FileVersion { size: 7, tag: "\"e\"".to_owned() };
        let stored = StoredOffset::parse(&offset(3, &version, true)).unwrap();
        assert_eq!(stored, StoredOffset { row: 3, version: Some(version), is_done: true });
        let of_user = StoredOffset::parse(&json_object(r#"{"row":0}"#)).unwrap();
        assert_eq!(of_user, StoredOffset { row: 0, version: None, is_done: false });
        for wrong in [r#"{}"#, r#"{"row":-1}"#, r#"{"row":"1"}"#, r#"{"row":1.5}"#] {
            assert!(StoredOffset::parse(&json_object(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_of_stores_have_no_secrets() {
        let name = |url: &str| store_name(&Url::parse(url).unwrap());
        assert_eq!(name("s3://key:secret@bucket/prefix/?token=x"), "s3://bucket/prefix");
        assert_eq!(name("file:///a%20b/"), "file:///a%20b");
    }
}
