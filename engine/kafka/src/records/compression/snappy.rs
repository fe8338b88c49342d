//! Snappy: raw, and in the blocks of xerial's snappy-java, which Java's producers write.

use super::Failure;
use super::buffer::Buffer;
use crate::records::reader::Reader;

/// How xerial's framing begins.
const MAGIC: &[u8] = b"\x82SNAPPY\0";

/// Bytes of the versions behind the magic.
const VERSIONS: usize = 8;

/// The most that some compressed bytes can become: an element of 3 bytes copies up to 64.
const ELEMENT_BYTES: usize = 3;
const COPIED_BYTES: usize = 64;

pub(super) fn decompress(input: &[u8], buffer: &mut Buffer) -> Result<(), Failure> {
    if !input.starts_with(MAGIC) {
        return block(input, buffer);
    }
    let mut rest = input;
    while !rest.is_empty() {
        // streams may follow each other, each with its header
        let mut reader = Reader::new(rest);
        if rest.starts_with(MAGIC) {
            reader.take(MAGIC.len() + VERSIONS).ok_or_else(Failure::truncated)?;
        } else {
            let compressed = reader.i32_bytes().flatten().ok_or_else(Failure::truncated)?;
            block(compressed, buffer)?;
        }
        rest = &rest[rest.len() - reader.left()..];
    }
    Ok(())
}

fn block(compressed: &[u8], buffer: &mut Buffer) -> Result<(), Failure> {
    let length = snap::raw::decompress_len(compressed).map_err(Failure::of)?;
    if length > compressed.len().div_ceil(ELEMENT_BYTES).saturating_mul(COPIED_BYTES) {
        return Err(Failure::of("the stated length is more than the compressed bytes can become"));
    }
    if length > buffer.left() {
        return Err(Failure::TooLarge);
    }
    let mut nothing = [];
    let room = if length == 0 { &mut nothing[..] } else { buffer.room(length)? };
    let written = snap::raw::Decoder::new().decompress(compressed, room).map_err(Failure::of)?;
    buffer.advance(written);
    Ok(())
}
