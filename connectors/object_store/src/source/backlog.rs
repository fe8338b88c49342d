//! The files that are still to be read, and those that have been.

use std::collections::{HashMap, HashSet, VecDeque};

use volley_api::{Error, Result, SourceContext, SourceOffset};

use super::changed_file::OnChangedFile;
use super::config::{ON_CHANGED_FILE, SourceConfig};
use super::file_name::{in_reading_order, task_of};
use super::read::JsonDecoder;
use super::store::{FileStore, FileVersion, FoundFile, Search};
use super::stored_offset::{StoredOffset, partition};

/// Offsets are looked up for so many files at a time: they are larger than what is kept of a file.
const OFFSETS_AT_ONCE: usize = 10_000;

/// A file to be read, and where to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PendingFile {
    /// Its path below `store.url`.
    pub(super) path: String,
    /// The row to begin with.
    pub(super) row: u64,
    /// Which file the rows before that one were read from; `None`: whatever is there.
    pub(super) version: Option<FileVersion>,
}

/// The files of one task.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    pending: VecDeque<PendingFile>,
    /// Files that have been read, or left, as they were then.
    known: HashMap<String, StoredOffset>,
}

impl Backlog {
    /// Looks for files that have not been seen yet, or not as they are now, and says how many there are, seen or not, for all
    /// tasks. To be called when there is nothing left to read.
    ///
    /// # Errors
    /// If the store or the stored offsets cannot be read; if a file was replaced, and that is not wanted.
    pub(super) fn look(&mut self, source: &Source<'_>) -> Result<usize> {
        let config = source.config;
        let mut found = source.store.find(&Search::all(&config.pattern))?;
        let listed = found.len();
        self.forget_all_but(&found);
        found.retain(|file| !self.is_done(file) && source.is_of_task(&file.path));
        found.sort_by(|one, other| in_reading_order(&one.path, &other.path, &config.delimiter));
        tracing::debug!(listed, new = found.len(), task = source.context.task, "looked for files");
        let mut pending = VecDeque::with_capacity(found.len());
        let mut found = found.into_iter();
        loop {
            let files: Vec<_> = found.by_ref().take(OFFSETS_AT_ONCE).collect();
            if files.is_empty() {
                break;
            }
            let partitions: Vec<_> = files.iter().map(|file| partition(source.store_name, &file.path)).collect();
            for (file, offset) in files.iter().zip(source.context.offsets(&partitions)?) {
                pending.extend(self.pending_of(file, offset.as_ref(), config.on_changed_file)?);
            }
        }
        // what is thrown away by an error is found again
        self.pending = pending;
        Ok(listed)
    }

    /// Where to go on in a file with this stored offset; `None` if all of it has been read.
    fn pending_of(
        &mut self,
        file: &FoundFile,
        offset: Option<&SourceOffset>,
        on_changed: OnChangedFile,
    ) -> Result<Option<PendingFile>> {
        let stored = offset.map(StoredOffset::parse).transpose()?;
        // what this task has read itself may not be stored yet
        let seen = self.known.get(&file.path).cloned().or(stored);
        let row = seen.as_ref().map_or(0, |seen| seen.row);
        let pending = to_be_read(file, seen, on_changed)?;
        if pending.is_none() {
            self.read(&file.path, &file.version, row);
        }
        Ok(pending)
    }

    /// Forgets the files that are gone.
    fn forget_all_but(&mut self, found: &[FoundFile]) {
        let found: HashSet<_> = found.iter().map(|file| file.path.as_str()).collect();
        self.known.retain(|path, _| found.contains(path.as_str()));
    }

    /// Whether nothing of a file is left to be read.
    fn is_done(&self, file: &FoundFile) -> bool {
        self.known.get(&file.path).is_some_and(|known| known.is_done && known.version.as_ref() == Some(&file.version))
    }

    /// The file to read next; it is not pending any more.
    pub(super) fn take_next(&mut self) -> Option<PendingFile> {
        self.pending.pop_front()
    }

    /// A file that is to be read on before all others.
    pub(super) fn put_back(&mut self, file: PendingFile) {
        self.pending.push_front(file);
    }

    /// A file that was read as this, up to its end behind row `row`.
    pub(super) fn read(&mut self, path: &str, version: &FileVersion, row: u64) {
        self.known.insert(path.to_owned(), StoredOffset { row, version: Some(version.clone()), is_done: true });
    }

    /// A file that cannot be read on before the next look. `false` if it could not at the last one either.
    pub(super) fn leave(&mut self, file: PendingFile) -> bool {
        let left = StoredOffset { row: file.row, version: file.version, is_done: false };
        self.known.insert(file.path, left).is_none_or(|known| known.is_done)
    }

    /// A file that is gone: should one come back under its name, it is a new one.
    pub(super) fn forget(&mut self, path: &str) {
        self.known.remove(path);
    }
}

/// Where files come from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) store: &'a FileStore,
    /// The store as it stands in source partitions.
    pub(super) store_name: &'a str,
    pub(super) config: &'a SourceConfig,
    pub(super) context: &'a SourceContext,
    pub(super) json: &'a JsonDecoder,
}

impl Source<'_> {
    /// Whether a file that matches the pattern is one of this task's.
    fn is_of_task(&self, path: &str) -> bool {
        let config = self.config;
        task_of(path, &config.delimiter, config.tasks) == self.context.task as u64 % config.tasks
    }
}

/// Where to go on in a file of which so much is known; `None` if all of it has been read.
fn to_be_read(file: &FoundFile, seen: Option<StoredOffset>, on_changed: OnChangedFile) -> Result<Option<PendingFile>> {
    let from = |row| PendingFile { path: file.path.clone(), row, version: Some(file.version.clone()) };
    let Some(seen) = seen else { return Ok(Some(from(0))) };
    let is_changed = seen.version.as_ref().is_some_and(|version| *version != file.version);
    // one that had no rows, such as an empty one that is filled later, has not been read yet
    if is_changed && (seen.row == 0 || from_the_start(&file.path, on_changed)?) {
        return Ok(Some(from(0)));
    }
    Ok((!seen.is_done).then(|| from(seen.row)))
}

/// Whether a file that was replaced since rows of it were read is read from its beginning.
///
/// # Errors
/// `Fatal`, where the task is to fail.
pub(super) fn from_the_start(path: &str, on_changed: OnChangedFile) -> Result<bool> {
    match on_changed {
        OnChangedFile::Fail => Err(Error::fatal(format!(
            "file `{path}` has been replaced since rows of it were read; put back what was there, or set `{ON_CHANGED_FILE}` to \
             `restart`, to read it again from its first row, or to `ignore`, to go on with the next row"
        ))),
        OnChangedFile::Restart => {
            tracing::warn!(path, "a file has been replaced since rows of it were read; it is read from its first row");
            Ok(true)
        }
        OnChangedFile::Ignore => {
            tracing::warn!(path, "a file has been replaced since rows of it were read; that is ignored");
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(tag: &str) -> FileVersion {
        FileVersion { size: 1, tag: tag.to_owned() }
    }

    #[test]
    fn a_file_goes_on_where_its_offset_says_unless_it_is_another() {
        let file = FoundFile { path: "f".to_owned(), version: version("new") };
        let row = |seen, on_changed| to_be_read(&file, seen, on_changed).map(|file| file.map(|file| file.row));
        let stored = |row, tag: Option<&str>, is_done| Some(StoredOffset { row, version: tag.map(version), is_done });
        for on_changed in [OnChangedFile::Fail, OnChangedFile::Restart, OnChangedFile::Ignore] {
            assert_eq!(row(None, on_changed).unwrap(), Some(0));
            assert_eq!(row(stored(5, Some("new"), false), on_changed).unwrap(), Some(5));
            assert_eq!(row(stored(5, Some("new"), true), on_changed).unwrap(), None);
            // as a user may set it
            assert_eq!(row(stored(5, None, false), on_changed).unwrap(), Some(5));
            // nothing of it had been read
            for is_done in [false, true] {
                assert_eq!(row(stored(0, Some("old"), is_done), on_changed).unwrap(), Some(0));
            }
        }
        for is_done in [false, true] {
            assert!(row(stored(5, Some("old"), is_done), OnChangedFile::Fail).is_err());
            assert_eq!(row(stored(5, Some("old"), is_done), OnChangedFile::Restart).unwrap(), Some(0));
        }
        assert_eq!(row(stored(5, Some("old"), false), OnChangedFile::Ignore).unwrap(), Some(5));
        assert_eq!(row(stored(5, Some("old"), true), OnChangedFile::Ignore).unwrap(), None);
    }
}
