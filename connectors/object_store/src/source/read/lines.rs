//! The lines of a file.

use std::io::{BufRead, Read as _};
use std::sync::Arc;

use arrow::array::BinaryArray;
use arrow::buffer::{Buffer, OffsetBuffer};

use super::decompressed::decompressed;
use crate::source::store::{FileStream, StoreFile, StreamTrouble};
use crate::source::trouble::{FileTrouble, Read};

/// A batch ends with the line that reaches this many bytes.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// The longest line: Kafka takes none that is nearly as long.
const LINE_BYTES: u64 = 64 * 1024 * 1024;

/// Reads lines, counted from 0.
pub(super) struct Lines {
    input: Box<dyn BufRead + Send>,
    trouble: StreamTrouble,
    /// The next line.
    next: u64,
    /// Why the next line cannot be read, found out when those before it were.
    broken: Option<FileTrouble>,
}

/// Lines that follow each other, without their ends.
pub(super) struct LineBatch {
    /// Number of the first one.
    pub(super) first: u64,
    /// Their bytes.
    pub(super) texts: BinaryArray,
}

impl Lines {
    /// The lines of a file from line `first` on.
    pub(super) fn open(file: &Arc<StoreFile>, first: u64) -> Read<Self> {
        let stream = FileStream::new(file);
        let trouble = stream.trouble();
        let mut lines = Self { input: decompressed(stream)?, trouble, next: 0, broken: None };
        let mut line = Vec::new();
        while lines.next < first && lines.read_line(&mut line)? {
            line.clear();
        }
        Ok(lines)
    }

    /// The next lines, at most `max` of them; `None` at the end.
    pub(super) fn next_batch(&mut self, max: usize) -> Read<Option<LineBatch>> {
        if let Some(trouble) = self.broken.take() {
            return Err(trouble);
        }
        let first = self.next;
        let (mut bytes, mut lengths) = (Vec::new(), Vec::new());
        while lengths.len() < max && bytes.len() < BATCH_BYTES {
            let start = bytes.len();
            match self.read_line(&mut bytes) {
                Ok(true) => lengths.push(bytes.len() - start),
                Ok(false) => break,
                // what comes before is good
                Err(trouble @ FileTrouble::Corrupt(_)) if !lengths.is_empty() => {
                    bytes.truncate(start);
                    self.broken = Some(trouble);
                    break;
                }
                Err(trouble) => return Err(trouble),
            }
        }
        if lengths.is_empty() {
            return Ok(None);
        }
        let offsets = OffsetBuffer::from_lengths(lengths);
        let texts = BinaryArray::try_new(offsets, Buffer::from_vec(bytes), None).map_err(FileTrouble::corrupt)?;
        Ok(Some(LineBatch { first, texts }))
    }

    /// Appends the next line; `false` at the end.
    fn read_line(&mut self, into: &mut Vec<u8>) -> Read<bool> {
        let read = (&mut self.input).take(LINE_BYTES).read_until(b'\n', into);
        let len = read.map_err(|error| self.trouble.behind(format!("line {}: {error}", self.next + 1)))?;
        let has_end = into.last() == Some(&b'\n');
        if len as u64 == LINE_BYTES && !has_end {
            let line = self.next + 1;
            return Err(FileTrouble::corrupt(format!("line {line} has more than {LINE_BYTES} bytes")));
        }
        if len > 0 && has_end {
            into.pop();
        }
        self.next += u64::from(len > 0);
        Ok(len > 0)
    }
}
