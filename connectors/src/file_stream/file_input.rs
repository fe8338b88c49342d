//! The file that a source task reads.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::thread;
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::line_splitter::LineSplitter;

/// How often a missing file is looked for.
const MISSING_RETRY: Duration = Duration::from_secs(1);

/// How often the end of the file is looked at for more.
const END_RETRY: Duration = Duration::from_millis(50);

/// A file that may not exist yet and may still grow.
#[derive(Debug)]
pub(super) struct FileInput {
    path: String,
    file: Option<File>,
    is_reported: bool,
    next_attempt: Option<Instant>,
}

impl FileInput {
    /// The file at `path`.
    pub(super) fn new(path: String) -> Self {
        Self { path, file: None, is_reported: false, next_attempt: None }
    }

    /// Adds what can be read, waiting at most `wait` if there is nothing; the number of bytes.
    pub(super) fn fill(&mut self, splitter: &mut LineSplitter, wait: Duration) -> io::Result<usize> {
        let now = Instant::now();
        if self.file.is_none() && self.next_attempt.is_none_or(|next| next <= now) {
            self.open(splitter, now)?;
        }
        let read = match &mut self.file {
            Some(file) => splitter.read_from(file)?,
            None => 0,
        };
        if read == 0 {
            thread::sleep(wait.min(END_RETRY));
        }
        Ok(read)
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
                self.file = Some(file);
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
