//! The file that a source task reads.

use std::fs;
use std::io;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::file_identity::FileIdentity;
use super::line_splitter::LineSplitter;
use super::open_file::OpenFile;

/// How often a missing file is looked for.
const MISSING_RETRY: Duration = Duration::from_secs(1);

/// Where a task begins.
#[derive(Clone, Debug, Default)]
pub(super) struct StoredPosition {
    pub(super) position: u64,
    /// The file that it belongs to; `None`: whatever file is there.
    pub(super) identity: Option<FileIdentity>,
}

/// A file that may not exist yet, may still grow, and may be replaced by another.
#[derive(Debug)]
pub(super) struct FileInput {
    path: String,
    stored: StoredPosition,
    /// What is read now.
    file: Option<OpenFile>,
    /// What stands at the path since. It is read when `file` is at its end.
    next: Option<OpenFile>,
    is_missing: bool,
    next_attempt: Option<Instant>,
}

impl FileInput {
    /// The file at `path`, from where it was read to before.
    pub(super) fn new(path: String, stored: StoredPosition) -> Self {
        Self { path, stored, file: None, next: None, is_missing: false, next_attempt: None }
    }

    /// The file that is read, as it is after the lines that were taken; `None` if it has no positions.
    pub(super) fn identity(&self, splitter: &LineSplitter) -> Option<FileIdentity> {
        self.file.as_ref().and_then(|file| file.identity(splitter))
    }

    /// Adds what can be read now; the number of bytes that are new, or that have become a line.
    pub(super) fn fill(&mut self, splitter: &mut LineSplitter) -> io::Result<usize> {
        if self.file.is_none() {
            self.open(splitter)?;
        }
        self.look_for_next()?;
        let Some(file) = &mut self.file else { return Ok(0) };
        let read = file.fill(&self.path, splitter)?;
        if read > 0 || self.next.is_none() {
            return Ok(read);
        }
        if splitter.end() {
            return Ok(splitter.held_back().len());
        }
        info!(file = self.path, position = splitter.position(), "another file is there: reading it from its beginning");
        self.file = self.next.take();
        splitter.restart(0, Vec::new());
        self.file.as_mut().map_or(Ok(0), |file| file.fill(&self.path, splitter))
    }

    /// Looks whether another file stands at the path. While that is empty, the old one may still be written to: whoever
    /// renamed it tells the writer afterwards.
    fn look_for_next(&mut self) -> io::Result<()> {
        let Some(file) = self.file.as_ref().filter(|file| self.next.is_none() && file.is_regular()) else {
            return Ok(());
        };
        match fs::metadata(&self.path) {
            Ok(there) if file.is_at(&there) || (there.is_file() && there.len() == 0) => self.is_missing = false,
            Ok(_) => self.next = self.open_path()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.report_missing(),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn open(&mut self, splitter: &mut LineSplitter) -> io::Result<()> {
        let now = Instant::now();
        if self.next_attempt.is_some_and(|next| next > now) {
            return Ok(());
        }
        self.next_attempt = Some(now + MISSING_RETRY);
        let was_missing = self.is_missing;
        match self.open_path()? {
            Some(file) => self.begin(file, splitter),
            None if was_missing => Ok(()),
            None => self.begin_with_renamed(splitter).map(drop),
        }
    }

    fn open_path(&mut self) -> io::Result<Option<OpenFile>> {
        match OpenFile::open(&self.path) {
            Ok(file) => {
                self.is_missing = false;
                Ok(Some(file))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.report_missing();
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn report_missing(&mut self) {
        if !self.is_missing {
            warn!(file = self.path, "file not found, looking for it every second");
            self.is_missing = true;
        }
    }

    /// Begins with the file at the path, or with what is left of the one that was read before.
    fn begin(&mut self, file: OpenFile, splitter: &mut LineSplitter) -> io::Result<()> {
        let StoredPosition { position, identity } = self.stored.clone();
        let is_known = match &identity {
            Some(identity) => file.is(identity)?,
            None => true,
        };
        let length = file.len()?;
        if is_known && (length >= position || !file.is_regular()) {
            self.go_on(file, splitter)?;
            if identity.is_none() && !matches!(splitter.before_position().last(), None | Some(b'\n' | b'\r')) {
                warn!(file = self.path, position, "the stored position is in the middle of a line");
            }
            return Ok(());
        }
        if !is_known && self.begin_with_renamed(splitter)? {
            return Ok(());
        }
        warn!(
            file = self.path,
            position,
            length,
            "this is not the file that was read up to the stored position, or it was truncated or overwritten: reading it from \
             its beginning; what the other one got behind the position is lost"
        );
        file.go_to(0, splitter)?;
        self.file = Some(file);
        Ok(())
    }

    /// Begins with the file that was read before if it has another name now, in the same directory; whether it is there.
    fn begin_with_renamed(&mut self, splitter: &mut LineSplitter) -> io::Result<bool> {
        let Some((file, name)) = self.stored.identity.as_ref().and_then(|identity| renamed(&self.path, identity))
        else {
            return Ok(false);
        };
        info!(file = self.path, renamed = %name.display(), "the file was renamed: reading first what is left of it");
        self.go_on(file, splitter)?;
        Ok(true)
    }

    fn go_on(&mut self, file: OpenFile, splitter: &mut LineSplitter) -> io::Result<()> {
        info!(file = self.path, position = self.stored.position, "reading file");
        file.go_to(self.stored.position, splitter)?;
        self.file = Some(file);
        Ok(())
    }
}

/// The file that was read before, under the name that it has now. One that cannot be looked at is passed over.
fn renamed(path: &str, identity: &FileIdentity) -> Option<(OpenFile, PathBuf)> {
    let directory = |path: &Path| {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new(".")).to_owned()
    };
    let path = Path::new(path);
    // where the path is a link, files are rotated where it leads to
    let target = fs::canonicalize(path).ok().map(|target| directory(&target));
    let directories = std::iter::once(directory(path)).chain(target);
    directories
        .flat_map(fs::read_dir)
        .flatten()
        .flatten()
        .filter(|entry| entry.ino() == identity.inode() && entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter_map(|entry| Some((OpenFile::open(entry.path()).ok()?, entry.path())))
        .find(|(file, _)| file.is(identity).unwrap_or(false))
}
