//! Offsets in a file, in the format of Kafka Connect's standalone mode: each can read the other's file.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use volley_api::{Error, Result, SourceOffset, SourcePartition};
use volley_java::{read_hash_map, write_hash_map};

use crate::storage::offset::offset_key::OffsetBytes;
use crate::storage::{MemoryOffsetBackingStore, OffsetBackingStore, OffsetEntry};

/// Keeps offsets in memory and rewrites the whole file at every change. It writes a temporary file beside it, syncs it
/// and renames it, so that a crash leaves either the old file or the new one.
#[derive(Debug)]
pub struct FileOffsetBackingStore {
    path: PathBuf,
    offsets: MemoryOffsetBackingStore,
}

impl FileOffsetBackingStore {
    /// Reads the file. A missing or empty file holds no offsets.
    ///
    /// # Errors
    /// `Fatal` if the file cannot be read, or has other content.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(unreadable(&path).with_source(error)),
        };
        let offsets = match bytes.is_empty() {
            true => OffsetBytes::new(),
            false => read_hash_map(&bytes).map_err(|error| {
                Error::fatal(format!(
                    "could not read offset file `{}`: it is not an offset file of Kafka Connect; name another file in \
                     `offset.storage.file.filename`",
                    path.display()
                ))
                .with_source(error)
            })?,
        };
        Ok(Self { path, offsets: MemoryOffsetBackingStore::of(offsets) })
    }

    fn save(&self, offsets: &OffsetBytes) -> Result<()> {
        replace(&self.path, &write_hash_map(offsets)).map_err(|error| {
            Error::retriable(format!("could not write offset file `{}`", self.path.display())).with_source(error)
        })
    }
}

impl OffsetBackingStore for FileOffsetBackingStore {
    fn get(&self, connector: &str, partition: &SourcePartition) -> Result<Option<SourceOffset>> {
        self.offsets.get(connector, partition)
    }

    fn set(&self, connector: &str, offsets: &[OffsetEntry]) -> Result<()> {
        self.offsets.set_and(connector, offsets, |changed| self.save(changed))
    }

    fn list(&self, connector: &str) -> Result<Vec<(SourcePartition, SourceOffset)>> {
        self.offsets.list(connector)
    }
}

fn unreadable(path: &Path) -> Error {
    Error::fatal(format!("could not read offset file `{}`", path.display()))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => File::open(parent)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use serde_json::json;

    use super::*;
    use crate::storage::offset::offset_conformance::assert_offset_store_conforms;

    fn object(value: serde_json::Value) -> SourcePartition {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn conforms() {
        let directory = tempfile::tempdir().unwrap();
        assert_offset_store_conforms(&FileOffsetBackingStore::open(directory.path().join("offsets")).unwrap());
    }

    #[test]
    fn offsets_outlive_the_process() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("offsets");
        let (partition, offset) = (object(json!({"filename": "a"})), object(json!({"position": 20})));
        let store = FileOffsetBackingStore::open(&path).unwrap();
        store.set("c", &[(partition.clone(), Some(offset.clone()))]).unwrap();
        drop(store);
        assert_eq!(FileOffsetBackingStore::open(&path).unwrap().get("c", &partition).unwrap(), Some(offset));
    }

    #[test]
    fn an_empty_file_has_no_offsets_and_another_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("offsets");
        fs::write(&path, b"").unwrap();
        assert_eq!(FileOffsetBackingStore::open(&path).unwrap().list("c").unwrap(), []);
        fs::write(&path, b"precious text").unwrap();
        let error = FileOffsetBackingStore::open(&path).unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"precious text");
    }

    #[test]
    fn a_failed_write_keeps_the_offsets_that_the_file_has() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gone").join("offsets");
        let store = FileOffsetBackingStore::open(&path).unwrap();
        let partition = object(json!({"filename": "a"}));
        assert!(store.set("c", &[(partition.clone(), Some(object(json!({"position": 1}))))]).is_err());
        assert_eq!(store.get("c", &partition).unwrap(), None);
    }

    /// Java reads our file, adds an entry and writes it; then we read that.
    #[test]
    fn java_reads_our_file_and_we_read_java_s() {
        if Command::new("java").arg("-version").output().is_err() {
            eprintln!("skipped: there is no java on the path");
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("offsets");
        let store = FileOffsetBackingStore::open(&path).unwrap();
        for number in 0..40 {
            let entry = (object(json!({"filename": format!("ä{number}")})), Some(object(json!({"position": number}))));
            store.set("ours", &[entry]).unwrap();
        }
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/src/storage/offset/testdata/OffsetFile.java");
        let output = Command::new("java").arg(program).arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "40");

        let store = FileOffsetBackingStore::open(&path).unwrap();
        assert_eq!(store.list("ours").unwrap().len(), 40);
        let theirs = store.list("theirs").unwrap();
        assert_eq!(theirs, [(object(json!({"filename": "b"})), object(json!({"position": 7})))]);
    }
}
