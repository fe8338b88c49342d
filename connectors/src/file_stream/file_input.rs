//! The file that a source task reads.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::line_splitter::LineSplitter;

/// How often a missing file is looked for.
const MISSING_RETRY: Duration = Duration::from_secs(1);

/// A file that may not exist yet and may still grow.
#[derive(Debug)]
pub(super) struct FileInput {
    path: String,
    file: Option<OpenFile>,
    is_reported: bool,
    next_attempt: Option<Instant>,
}

#[derive(Debug)]
struct OpenFile {
    file: File,
    /// Whether it has a length, so that its end is known without reading.
    is_regular: bool,
    position: u64,
}

impl OpenFile {
    fn has_more(&self) -> io::Result<bool> {
        Ok(!self.is_regular || self.file.metadata()?.len() > self.position)
    }
}

impl FileInput {
    /// The file at `path`.
    pub(super) fn new(path: String) -> Self {
        Self { path, file: None, is_reported: false, next_attempt: None }
    }

    /// Adds what can be read now; the number of bytes.
    pub(super) fn fill(&mut self, splitter: &mut LineSplitter) -> io::Result<usize> {
        let now = Instant::now();
        if self.file.is_none() && self.next_attempt.is_none_or(|next| next <= now) {
            self.open(splitter, now)?;
        }
        match &mut self.file {
            Some(file) if file.has_more()? => {
                let read = splitter.read_from(&mut file.file)?;
                file.position += read as u64;
                Ok(read)
            }
            _ => Ok(0),
        }
    }

    fn open(&mut self, splitter: &LineSplitter, now: Instant) -> io::Result<()> {
        let position = splitter.position() + splitter.held_back().len() as u64;
        match File::open(&self.path) {
            Ok(mut file) => {
                let metadata = file.metadata()?;
                if metadata.is_file() {
                    file.seek(SeekFrom::Start(position))?;
                }
                if metadata.is_file() && metadata.len() < position {
                    warn!(
                        file = self.path,
                        position,
                        length = metadata.len(),
                        "the file ends before the stored position"
                    );
                }
                info!(file = self.path, position, "reading file");
                self.file = Some(OpenFile { file, is_regular: metadata.is_file(), position });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if !self.is_reported {
                    warn!(file = self.path, "file not found, looking for it every second");
                    self.is_reported = true;
                }
                self.next_attempt = Some(now + MISSING_RETRY);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
