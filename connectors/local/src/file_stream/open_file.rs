//! A file that is being read.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use tracing::warn;

use super::file_identity::{FileIdentity, bytes_before};
use super::line_splitter::LineSplitter;

/// A file, and what it is.
#[derive(Debug)]
pub(super) struct OpenFile {
    file: File,
    /// `None`: a pipe or a device, which has neither length nor positions.
    regular: Option<Place>,
}

/// A file's place in the file system, which no other file takes while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    device: u64,
    inode: u64,
}

impl Place {
    fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

impl OpenFile {
    /// Opens it.
    pub(super) fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let regular = metadata.is_file().then(|| Place::of(&metadata));
        Ok(Self { file, regular })
    }

    /// Whether it has a length and positions.
    pub(super) fn is_regular(&self) -> bool {
        self.regular.is_some()
    }

    /// Whether this is what stands at a path.
    pub(super) fn is_at(&self, there: &Metadata) -> bool {
        self.regular == Some(Place::of(there))
    }

    /// Whether it is the file that was read before.
    pub(super) fn is(&self, identity: &FileIdentity) -> io::Result<bool> {
        identity.is_of(&self.file)
    }

    /// Its length; 0 for a pipe or a device.
    pub(super) fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// What is to be known again after the lines that were taken from the splitter.
    pub(super) fn identity(&self, splitter: &LineSplitter) -> Option<FileIdentity> {
        self.regular.map(|place| FileIdentity::new(place.inode, splitter.position(), splitter.before_position()))
    }

    /// Has the splitter go on at a position of this file.
    pub(super) fn go_to(&self, position: u64, splitter: &mut LineSplitter) -> io::Result<()> {
        let before = if self.is_regular() { bytes_before(&self.file, position)? } else { Vec::new() };
        splitter.restart(position, before);
        Ok(())
    }

    /// Adds what can be read now, from its beginning if it was overwritten; the number of bytes.
    pub(super) fn fill(&mut self, path: &str, splitter: &mut LineSplitter) -> io::Result<usize> {
        if self.regular.is_none() {
            return splitter.read_from(&mut self.file);
        }
        let read = self.read_on(splitter)?;
        if self.is_as_it_was(splitter, read)? {
            return Ok(read);
        }
        warn!(
            file = path,
            position = splitter.position(),
            length = self.len()?,
            "the file was truncated or overwritten: reading it from its beginning; what was added behind the position before \
             is lost"
        );
        splitter.restart(0, Vec::new());
        self.read_on(splitter)
    }

    fn read_on(&self, splitter: &mut LineSplitter) -> io::Result<usize> {
        let position = splitter.end_position();
        if self.len()? <= position { Ok(0) } else { splitter.read_from(&mut At { file: &self.file, position }) }
    }

    /// Whether there still stands what was read before the last `read` bytes. Asked for after reading them, so that they are
    /// what followed it.
    fn is_as_it_was(&self, splitter: &LineSplitter, read: usize) -> io::Result<bool> {
        let position = splitter.end_position() - read as u64;
        Ok(bytes_before(&self.file, position)? == splitter.before_last(read))
    }
}

/// Reads at a position, whatever was read before.
struct At<'a> {
    file: &'a File,
    position: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(buffer, self.position)
    }
}
