//! A file on a disk of this machine.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use super::table_file::{Content, Failure, Stamp, TableFile, too_large};

/// A file that changes while it is read is read again, so often.
const TRIES: usize = 3;

#[derive(Debug)]
pub(super) struct LocalFile {
    path: PathBuf,
    max_bytes: u64,
}

impl LocalFile {
    pub(super) fn new(path: PathBuf, max_bytes: u64) -> Self {
        Self { path, max_bytes }
    }

    /// The file and its stamp before it is read.
    fn open(&self) -> std::io::Result<(File, Metadata)> {
        let file = File::open(&self.path)?;
        let metadata = file.metadata()?;
        Ok((file, metadata))
    }
}

impl TableFile for LocalFile {
    fn read(&mut self, known: Option<&Stamp>) -> Result<Content, Failure> {
        let failed = |error: std::io::Error| error.to_string();
        for _ in 0..TRIES {
            let (mut file, before) = self.open().map_err(failed)?;
            let stamp = stamp_of(&before);
            if known == Some(&stamp) {
                return Ok(Content::Unchanged);
            }
            if before.len() > self.max_bytes {
                return Err(too_large(before.len(), self.max_bytes));
            }
            let mut content = Vec::with_capacity(usize::try_from(before.len()).unwrap_or(0));
            // what grows without end is not read without end
            file.by_ref().take(self.max_bytes.saturating_add(1)).read_to_end(&mut content).map_err(failed)?;
            let after = std::fs::metadata(&self.path).map_err(failed)?;
            if stamp_of(&after) == stamp && content.len() as u64 == before.len() {
                return Ok(Content::Version(Some(stamp), content.into()));
            }
        }
        Err("it changes while it is read; write another file and rename it".to_owned())
    }
}

fn stamp_of(metadata: &Metadata) -> Stamp {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    #[cfg(unix)]
    let file = std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    let file = 0;
    Stamp(format!("{} {file} {:?}", metadata.len(), modified))
}
