//! The files of a directory of HDFS, to be read.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use hdfs_native::client::FileStatus;
use volley_api::Result;
use volley_store::StoreConfig;

use super::connection::Connection;
use crate::store::claim::{FileSystem, Outcome};

/// Read at once. Each piece has the time of a request: a row group of hundreds of megabytes takes longer.
const PIECE: u64 = 8 * 1024 * 1024;

/// The files of a directory of HDFS. Paths are relative to it, parted by `/`.
#[derive(Clone, Debug)]
pub(crate) struct HdfsFiles {
    /// `/`, or without a slash at its end.
    root: String,
    connection: Arc<Connection>,
}

/// What tells a file from a later one of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HdfsStatus {
    /// Whether it is a directory.
    pub(crate) is_directory: bool,
    /// Bytes.
    pub(crate) length: u64,
    /// When it was changed the last time, in milliseconds.
    pub(crate) modified: u64,
}

/// What is in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HdfsEntry {
    /// Its name.
    pub(crate) name: String,
    /// What it is.
    pub(crate) status: HdfsStatus,
}

impl HdfsFiles {
    /// The directory that `config` names. Does not touch it yet.
    pub(crate) fn open(config: &StoreConfig) -> Result<Self> {
        Ok(Self { root: config.hdfs_root()?, connection: Arc::new(Connection::open(config)?) })
    }

    /// What is directly in a directory, in no order; nothing if it does not exist.
    pub(crate) async fn entries(&self, directory: &str) -> Outcome<Vec<HdfsEntry>> {
        let directory = self.path(directory);
        let mut entries = Vec::new();
        let add = |child: FileStatus| {
            // a file lists itself, under its own path
            let below =
                child.path.strip_prefix(directory.trim_end_matches('/')).and_then(|path| path.strip_prefix('/'));
            let status = HdfsStatus::of(&child);
            entries.extend(below.map(|name| HdfsEntry { name: name.to_owned(), status }));
        };
        self.connection.for_each_child(&directory, add).await?;
        Ok(entries)
    }

    /// What is at a path, the empty one being the directory itself; `None` if nothing is.
    pub(crate) async fn status(&self, path: &str) -> Outcome<Option<HdfsStatus>> {
        let path = self.path(path);
        let status = self.connection.looked(&path, self.connection.status(&path)).await?;
        Ok(status.as_ref().map(HdfsStatus::of))
    }

    /// The bytes of a range, and the file as it is after they were read; `None` if it is not there any more. Fewer bytes come
    /// where the file ends before, and of one that is still being written.
    pub(crate) async fn read(&self, path: &str, range: Range<u64>) -> Outcome<Option<(HdfsStatus, Bytes)>> {
        let place = self.path(path);
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or_default();
        let mut bytes = BytesMut::with_capacity(length);
        for start in range.clone().step_by(PIECE as usize) {
            let end = range.end.min(start + PIECE);
            let piece =
                self.connection.transferred(&place, end - start, self.connection.range(&place, start..end)).await?;
            let Some(piece) = piece else { return Ok(None) };
            bytes.extend_from_slice(&piece);
            if (piece.len() as u64) < end - start {
                break;
            }
        }
        Ok(self.status(path).await?.map(|status| (status, bytes.freeze())))
    }

    /// A path in messages.
    pub(crate) fn shown(&self, path: &str) -> String {
        self.connection.shown(&self.path(path))
    }

    fn path(&self, relative: &str) -> String {
        match relative {
            "" => self.root.clone(),
            _ => format!("{}/{relative}", self.root.trim_end_matches('/')),
        }
    }
}

impl HdfsStatus {
    fn of(status: &FileStatus) -> Self {
        Self { is_directory: status.isdir, length: status.length as u64, modified: status.modification_time }
    }
}
