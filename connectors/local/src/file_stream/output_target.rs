//! Where lines go: a file, or the standard output of the worker.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// A place to append to.
pub(super) trait OutputTarget: Send + std::fmt::Debug {
    /// Appends some of `bytes`; how many.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Makes everything that was written durable.
    fn sync(&mut self) -> io::Result<()>;

    /// Takes the last `len` bytes back that this target wrote; `false` if that is not possible, since somebody else has
    /// appended or since the target cannot do it.
    fn take_back(&mut self, len: u64) -> io::Result<bool>;
}

/// A file, opened for appending.
#[derive(Debug)]
pub(super) struct FileTarget {
    file: File,
    /// Not a pipe or device.
    is_regular: bool,
}

impl FileTarget {
    /// Opens or creates the file. If it ends in half a line, which a crash may leave, that line is ended, so that ours does
    /// not become part of it.
    pub(super) fn open(path: &str) -> io::Result<Self> {
        let mut file = File::options().append(true).create(true).open(path)?;
        let is_regular = file.metadata()?.is_file();
        if is_regular && ends_in_half_a_line(path).unwrap_or(false) {
            file.write_all(b"\n")?;
        }
        Ok(Self { file, is_regular })
    }
}

fn ends_in_half_a_line(path: &str) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

impl OutputTarget for FileTarget {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.is_regular { self.file.sync_data() } else { Ok(()) }
    }

    fn take_back(&mut self, len: u64) -> io::Result<bool> {
        // After an append the position is the end of what was appended; the file is longer if somebody else went on.
        let is_last = self.is_regular && self.file.metadata()?.len() == self.file.stream_position()?;
        match self.file.stream_position()?.checked_sub(len) {
            Some(length) if is_last => {
                self.file.set_len(length)?;
                self.file.seek(SeekFrom::Start(length))?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

/// The standard output of the worker.
#[derive(Debug)]
pub(super) struct StdoutTarget;

impl OutputTarget for StdoutTarget {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().lock().write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        io::stdout().lock().flush()
    }

    fn take_back(&mut self, _len: u64) -> io::Result<bool> {
        Ok(false)
    }
}
