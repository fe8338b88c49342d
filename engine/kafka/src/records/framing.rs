//! Where batches begin and end: the fields that all format versions share.

use super::error::Fault;
use super::reader::Reader;

/// Bytes before and with the length of a batch: its offset, and the length of what follows.
const BEFORE_CONTENT: usize = 12;

/// Bytes up to the magic byte, which stands in the same place in all versions.
const UP_TO_MAGIC: usize = 17;

/// Fewest bytes behind the length: those of a message of version 0 without key and value.
const LEAST_CONTENT: usize = 14;

/// The bytes of one batch of version 2, or of one message of version 0 or 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    /// Version 2: of the first record. Versions 0 and 1: of the message; of the last one in a compressed one.
    pub(super) offset: i64,
    pub(super) magic: i8,
    /// From the offset on.
    pub(super) bytes: &'a [u8],
}

/// What stands at a place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Framing<'a> {
    Whole(Frame<'a>),
    CutOff,
    End,
}

/// Finds the end of the batch that begins with `bytes`. An error is at the offset given with it.
pub(super) fn frame(bytes: &[u8]) -> Result<Framing<'_>, (i64, Fault)> {
    if bytes.is_empty() {
        return Ok(Framing::End);
    }
    let mut reader = Reader::new(bytes);
    let (Some(offset), Some(length)) = (reader.i64(), reader.i32()) else { return Ok(Framing::CutOff) };
    let Some(content) = usize::try_from(length).ok().filter(|content| *content >= LEAST_CONTENT) else {
        return Err((offset, Fault::BatchLength(length)));
    };
    let Some(bytes) = bytes.get(..BEFORE_CONTENT + content) else { return Ok(Framing::CutOff) };
    if offset < 0 || offset == i64::MAX {
        return Err((offset, Fault::BatchOffset));
    }
    Ok(Framing::Whole(Frame { offset, magic: bytes[UP_TO_MAGIC - 1].cast_signed(), bytes }))
}
