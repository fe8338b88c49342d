//! A file that is being read. Whether it is still the same is looked at with every read.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path as LocalPath, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStoreExt};
use volley_api::Error;

use super::file_store::RemoteStore;
use super::found_file::FileVersion;
use super::store_trouble::{trouble_of, trouble_of_hdfs};
use crate::source::trouble::{FileTrouble, Read};
use crate::store::{HdfsFiles, StorageError, runtime};

/// A request is repeated twice within a call; this is for what they wait in between.
const BETWEEN_REQUESTS: Duration = Duration::from_secs(30);

/// Each call on HDFS has a time-out of its own; a part of a file may need many.
const HDFS_LIMIT: Duration = Duration::from_secs(1800);

/// An open file.
#[derive(Debug)]
pub(in crate::source) struct StoreFile {
    place: Place,
    version: FileVersion,
}

#[derive(Debug)]
enum Place {
    Local { file: File, path: PathBuf },
    Remote { store: RemoteStore, location: Path },
    Hdfs { files: HdfsFiles, path: String },
}

impl StoreFile {
    /// The file at `path` below `root`.
    pub(super) fn open_local(root: &LocalPath, path: &str) -> Read<Self> {
        let path = root.join(path);
        let file = File::open(&path).map_err(|error| local_trouble(&path, error))?;
        let metadata = file.metadata().map_err(|error| local_trouble(&path, error))?;
        Ok(Self { place: Place::Local { file, path }, version: FileVersion::of_local(&metadata) })
    }

    /// The object at `path`.
    pub(super) fn open_remote(store: &RemoteStore, path: &str) -> Read<Self> {
        let location = store.location(path).map_err(|_| FileTrouble::Gone)?;
        let (client, asked) = (store.clone(), location.clone());
        let meta = waited(store, &location, async move { client.store.head(&asked).await })?;
        let version = FileVersion::of_object(&meta);
        Ok(Self { place: Place::Remote { store: store.clone(), location }, version })
    }

    /// The file of HDFS at `path`.
    pub(super) fn open_hdfs(files: &HdfsFiles, path: &str) -> Read<Self> {
        let place = Place::Hdfs { files: files.clone(), path: path.to_owned() };
        let (files, path) = (files.clone(), path.to_owned());
        let status = called(async move { files.status(&path).await })?;
        let status = status.filter(|status| !status.is_directory).ok_or(FileTrouble::Gone)?;
        Ok(Self { place, version: FileVersion::of_hdfs(&status) })
    }

    /// Which file it is.
    pub(in crate::source) fn version(&self) -> &FileVersion {
        &self.version
    }

    /// How many bytes it has.
    pub(in crate::source) fn size(&self) -> u64 {
        self.version.size
    }

    /// Whether somebody may still be writing to it, who closes it later. Only HDFS knows of that.
    pub(in crate::source) fn may_be_open(&self) -> bool {
        matches!(self.place, Place::Hdfs { .. })
    }

    /// The bytes of a range, which MUST be within the file.
    pub(in crate::source) fn read(&self, range: Range<u64>) -> Read<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        match &self.place {
            Place::Local { file, path } => self.read_local(file, path, range),
            Place::Remote { store, location } => self.read_remote(store, location, range),
            Place::Hdfs { files, path } => self.read_hdfs(files, path, range),
        }
    }

    fn read_local(&self, file: &File, path: &LocalPath, range: Range<u64>) -> Read<Bytes> {
        let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or(usize::MAX)];
        let outcome = file.read_exact_at(&mut bytes, range.start);
        // the one that is there now: another may have been put in the place of the open one
        let metadata = fs::metadata(path).map_err(|error| local_trouble(path, error))?;
        if FileVersion::of_local(&metadata) != self.version {
            return Err(FileTrouble::Changed);
        }
        outcome.map_err(|error| local_trouble(path, error))?;
        Ok(bytes.into())
    }

    fn read_remote(&self, store: &RemoteStore, location: &Path, range: Range<u64>) -> Read<Bytes> {
        let (client, asked) = (store.clone(), location.clone());
        let options = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
        let (meta, bytes) = waited(store, location, async move {
            let found = client.store.get_opts(&asked, options).await?;
            let meta = found.meta.clone();
            found.bytes().await.map(|bytes| (meta, bytes))
        })?;
        let is_complete = bytes.len() as u64 == range.end - range.start;
        match FileVersion::of_object(&meta) == self.version && is_complete {
            true => Ok(bytes),
            false => Err(FileTrouble::Changed),
        }
    }

    fn read_hdfs(&self, files: &HdfsFiles, path: &str, range: Range<u64>) -> Read<Bytes> {
        let wanted = range.end - range.start;
        let (files, path) = (files.clone(), path.to_owned());
        let (status, bytes) = called(async move { files.read(&path, range).await })?.ok_or(FileTrouble::Gone)?;
        if FileVersion::of_hdfs(&status) != self.version {
            return Err(FileTrouble::Changed);
        }
        // of a file that is open, the name node tells the length that its writer has, and readers get the blocks that are complete
        match bytes.len() as u64 == wanted {
            true => Ok(bytes),
            false => Err(FileTrouble::Unfinished),
        }
    }
}

/// The answer of HDFS.
fn called<T: Send + 'static>(
    call: impl Future<Output = std::result::Result<T, StorageError>> + Send + 'static,
) -> Read<T> {
    match runtime::wait(call, HDFS_LIMIT).map_err(FileTrouble::Store)? {
        Some(answer) => answer.map_err(trouble_of_hdfs),
        None => {
            let seconds = HDFS_LIMIT.as_secs();
            Err(FileTrouble::Store(Error::retriable(format!("HDFS: no answer within {seconds} s"))))
        }
    }
}

fn local_trouble(path: &LocalPath, error: io::Error) -> FileTrouble {
    let place = path.display();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileTrouble::Gone,
        io::ErrorKind::PermissionDenied => FileTrouble::Store(Error::config(format!(
            "could not read `{place}`: {error}; give the worker's user the right to read it, or leave it out by `path`"
        ))),
        _ => FileTrouble::Store(Error::retriable(format!("could not read `{place}`: {error}")).with_source(error)),
    }
}

/// The answer of the store.
fn waited<T: Send + 'static>(
    store: &RemoteStore,
    location: &Path,
    call: impl Future<Output = object_store::Result<T>> + Send + 'static,
) -> Read<T> {
    let place = || format!("`{location}` of {}", store.url);
    let limit = store.request_timeout.saturating_mul(3) + BETWEEN_REQUESTS;
    match runtime::wait(call, limit).map_err(FileTrouble::Store)? {
        Some(answer) => answer.map_err(|error| trouble_of(&place(), error)),
        None => Err(FileTrouble::Store(Error::retriable(format!(
            "could not read {}: no answer within {} s",
            place(),
            limit.as_secs()
        )))),
    }
}
