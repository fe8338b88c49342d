//! LZ4 frames ("LZ4 Frame Format Description" 1.6).
//!
//! The checksums inside of a frame are not compared: the batch's own covers the same bytes. So the header checksum that Kafka's
//! clients computed wrongly for messages of version 0 (KAFKA-3160) needs no care. Skippable frames and dictionaries are not
//! supported, nor are they for Java.

use lz4_flex::block::{DecompressError, decompress_into, decompress_into_with_dict};

use super::Failure;
use super::buffer::Buffer;
use crate::records::reader::Reader;

const MAGIC: u32 = 0x184D_2204;

const VERSION_BITS: u8 = 0b1100_0000;
const VERSION: u8 = 0b0100_0000;
const INDEPENDENT: u8 = 1 << 5;
const BLOCK_CHECKSUMS: u8 = 1 << 4;
const CONTENT_SIZE: u8 = 1 << 3;
const CONTENT_CHECKSUM: u8 = 1 << 2;
const DICTIONARY: u8 = 1;

/// The bit of a block's size that says that it is not compressed.
const STORED: u32 = 1 << 31;

/// How far back a block may refer to the blocks before it.
const WINDOW: usize = 64 << 10;

/// The most that one compressed byte can become.
const MAX_RATIO: usize = 255;

/// Bytes behind those, for which the decoder is faster.
const SLACK: usize = 64;

/// The header of a frame.
struct Frame {
    flags: u8,
    max_block: usize,
}

impl Frame {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Failure> {
        if reader.u32_le().ok_or_else(Failure::truncated)? != MAGIC {
            return Err(Failure::of("no frame begins here"));
        }
        let flags = reader.byte().ok_or_else(Failure::truncated)?;
        let block_bits = reader.byte().ok_or_else(Failure::truncated)?;
        if flags & VERSION_BITS != VERSION {
            return Err(Failure::of("the version of the frame is not 1"));
        }
        if flags & DICTIONARY != 0 {
            return Err(Failure::of("the frame needs a dictionary"));
        }
        let max_block = match block_bits >> 4 & 0b111 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            unknown => return Err(Failure::Malformed(format!("the block size {unknown} is unknown"))),
        };
        let content_size = if flags & CONTENT_SIZE == 0 { 0 } else { 8 };
        let header_checksum = 1;
        reader.take(content_size + header_checksum).ok_or_else(Failure::truncated)?;
        Ok(Self { flags, max_block })
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

pub(super) fn decompress(input: &[u8], buffer: &mut Buffer) -> Result<(), Failure> {
    let mut reader = Reader::new(input);
    loop {
        let frame = Frame::read(&mut reader)?;
        blocks(&frame, &mut reader, buffer)?;
        if reader.left() == 0 {
            return Ok(());
        }
    }
}

/// Decompresses the blocks of a frame, up to and with the mark of its end.
fn blocks(frame: &Frame, reader: &mut Reader<'_>, buffer: &mut Buffer) -> Result<(), Failure> {
    let frame_begin = buffer.len();
    loop {
        let size = reader.u32_le().ok_or_else(Failure::truncated)?;
        if size == 0 {
            break;
        }
        let block = reader.take((size & !STORED) as usize).ok_or_else(Failure::truncated)?;
        if block.len() > frame.max_block {
            return Err(Failure::of("a block is larger than its frame allows"));
        }
        if size & STORED != 0 {
            buffer.append(block)?;
        } else {
            let most = frame.max_block.min(block.len() * MAX_RATIO + SLACK);
            let (filled, room) = buffer.split(most)?;
            let room_end = room.len().min(frame.max_block);
            let room = &mut room[..room_end];
            let written = if frame.has(INDEPENDENT) {
                decompress_into(block, room)
            } else {
                let before = &filled[frame_begin.max(filled.len().saturating_sub(WINDOW))..];
                decompress_into_with_dict(block, room, before)
            };
            let written = written.map_err(|error| match error {
                DecompressError::OutputTooSmall { .. } if room_end < most => Failure::TooLarge,
                error => Failure::of(error),
            })?;
            buffer.advance(written);
        }
        if frame.has(BLOCK_CHECKSUMS) {
            reader.take(4).ok_or_else(Failure::truncated)?;
        }
    }
    if frame.has(CONTENT_CHECKSUM) {
        reader.take(4).ok_or_else(Failure::truncated)?;
    }
    Ok(())
}
