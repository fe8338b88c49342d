//! Bytes of files that are not complete yet, on local disk.
//!
//! ```text
//!  FileWriter ─ bytes that do not change any more ─► Spool ─┐
//!      └─ what it gives at the end ─────────────────────────┴─► Contents ─► Storage
//! ```

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Resource, getrlimit};
use uuid::Uuid;

use super::local_storage::create_directories;

/// Of the files that the process may have open, spools take so much; the rest is for connections.
const SHARE_OF_OPEN_FILES: u64 = 4;

static OPEN: AtomicU64 = AtomicU64::new(0);
static MOST_OPEN: LazyLock<u64> =
    LazyLock::new(|| getrlimit(Resource::Nofile).current.map_or(u64::MAX, |files| files / SHARE_OF_OPEN_FILES));

/// Where spools are begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SpoolPlace {
    /// Files without a name, in this directory: nothing is left of them when the process ends, however it does.
    Unnamed(PathBuf),
    /// Files with names that begin so, in this directory, of whose file system the complete files are.
    Named {
        /// The directory, created when it is needed.
        directory: PathBuf,
        /// Begins their names.
        prefix: String,
    },
}

/// The first bytes of a file that is not complete yet.
#[derive(Debug)]
pub(crate) struct Spool {
    file: File,
    /// Its name, if it has one. Removed with the value.
    path: Option<PathBuf>,
    length: u64,
    _open: OpenFile,
}

/// One of the open files of the process.
#[derive(Debug)]
struct OpenFile;

impl OpenFile {
    fn new() -> io::Result<Self> {
        let one_more = |open: u64| (open < *MOST_OPEN).then_some(open + 1);
        match OPEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => Ok(Self),
            Err(open) => Err(io::Error::other(format!(
                "{open} files are open already; raise the limit of open files of the process (ulimit -n)"
            ))),
        }
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

impl SpoolPlace {
    /// A spool without bytes.
    ///
    /// # Errors
    /// If there can be no file, or there are too many.
    pub(crate) fn begin(&self) -> io::Result<Spool> {
        let open = OpenFile::new()?;
        let (file, path) = match self {
            Self::Unnamed(directory) => (tempfile::tempfile_in(directory)?, None),
            Self::Named { directory, prefix } => {
                create_directories(directory)?;
                let path = directory.join(format!("{prefix}{}.tmp", Uuid::new_v4().simple()));
                let file = File::options().read(true).write(true).create_new(true).open(&path)?;
                (file, Some(path))
            }
        };
        Ok(Spool { file, path, length: 0, _open: open })
    }
}

impl Spool {
    /// Adds `bytes`, all or none of them.
    ///
    /// # Errors
    /// If the disk is full, or fails.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.length)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Number of its bytes.
    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// The file, whose first [`Spool::len`] bytes they are.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Its name, if it has one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // what cannot be removed now is removed at the next start
            let _ = fs::remove_file(path);
        }
    }
}
