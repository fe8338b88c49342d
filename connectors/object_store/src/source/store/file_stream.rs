//! A file from some place on, read in blocks.

use std::fmt::Display;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::store_file::StoreFile;
use crate::source::trouble::FileTrouble;

/// Read at once: a request costs more than a megabyte does.
const BLOCK: u64 = 4 * 1024 * 1024;

/// Reads a file as a stream of bytes. What the store has against it is kept for [`StreamTrouble`]: decoders between the stream and
/// the rows hand on a text at best.
#[derive(Debug)]
pub(in crate::source) struct FileStream {
    file: Arc<StoreFile>,
    /// Where the next byte is.
    at: u64,
    /// Where `block` begins.
    block_start: u64,
    block: Bytes,
    trouble: StreamTrouble,
}

/// What the store had against a read of a stream.
#[derive(Clone, Debug, Default)]
pub(in crate::source) struct StreamTrouble(Arc<Mutex<Option<FileTrouble>>>);

impl StreamTrouble {
    /// Why a decoder failed: because of the store, or because of what is in the file.
    pub(in crate::source) fn behind(&self, error: impl Display) -> FileTrouble {
        self.0.lock().take().unwrap_or_else(|| FileTrouble::corrupt(error))
    }
}

impl FileStream {
    /// The file from its beginning.
    pub(in crate::source) fn new(file: &Arc<StoreFile>) -> Self {
        let trouble = StreamTrouble::default();
        Self { file: Arc::clone(file), at: 0, block_start: 0, block: Bytes::new(), trouble }
    }

    /// Where to ask why a decoder of this stream failed.
    pub(in crate::source) fn trouble(&self) -> StreamTrouble {
        self.trouble.clone()
    }

    /// What is left of the block at the place of the next byte.
    fn rest_of_block(&self) -> &[u8] {
        let offset = self.at.checked_sub(self.block_start).and_then(|offset| usize::try_from(offset).ok());
        offset.and_then(|offset| self.block.get(offset..)).unwrap_or_default()
    }

    fn fetch(&mut self) -> io::Result<()> {
        let end = self.file.size().min(self.at.saturating_add(BLOCK));
        let range = self.at.min(end)..end;
        match self.file.read(range) {
            Ok(block) => {
                self.block = block;
                self.block_start = self.at;
                Ok(())
            }
            Err(trouble) => {
                *self.trouble.0.lock() = Some(trouble);
                Err(io::Error::other("the store could not be read"))
            }
        }
    }
}

impl Read for FileStream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.rest_of_block().is_empty() && !into.is_empty() {
            self.fetch()?;
        }
        let rest = self.rest_of_block();
        let len = rest.len().min(into.len());
        into[..len].copy_from_slice(&rest[..len]);
        self.at += len as u64;
        Ok(len)
    }
}

impl Seek for FileStream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(distance) => self.file.size().checked_add_signed(distance),
            SeekFrom::Current(distance) => self.at.checked_add_signed(distance),
        };
        self.at = place.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a place before the file"))?;
        Ok(self.at)
    }
}
