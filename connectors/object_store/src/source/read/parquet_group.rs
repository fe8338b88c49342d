//! The bytes of a row group, for Parquet's reader.

use std::io::Cursor;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// A part of a file that stands for all of it: nothing else of the file is asked for.
#[derive(Debug)]
pub(super) struct PartOfFile {
    /// Where the part begins.
    pub(super) start: u64,
    /// Its bytes.
    pub(super) bytes: Bytes,
    /// How many bytes the file has.
    pub(super) file_size: u64,
}

impl PartOfFile {
    fn rest(&self, start: u64) -> Result<Bytes> {
        let offset = start.checked_sub(self.start).and_then(|offset| usize::try_from(offset).ok());
        match offset.filter(|offset| *offset <= self.bytes.len()) {
            Some(offset) => Ok(self.bytes.slice(offset..)),
            None => Err(ParquetError::EOF(format!("byte {start} is not in the row group that should have it"))),
        }
    }
}

impl Length for PartOfFile {
    fn len(&self) -> u64 {
        self.file_size
    }
}

impl ChunkReader for PartOfFile {
    type T = Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        self.rest(start).map(Cursor::new)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let rest = self.rest(start)?;
        match length <= rest.len() {
            true => Ok(rest.slice(..length)),
            false => Err(ParquetError::EOF(format!("{length} bytes from byte {start} on are not in one row group"))),
        }
    }
}
