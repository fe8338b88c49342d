//! Zstandard (RFC 8878).

use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};
use zstd::zstd_safe::get_frame_content_size;

use super::Failure;
use super::buffer::Buffer;

/// Least room for what comes out.
const STEP: usize = 64 << 10;

/// Room for as many times the compressed bytes is reserved when the frame states that it needs so much. A frame that becomes
/// more than that grows its buffer step by step.
const TRUSTED_RATIO: usize = 32;

/// A decoder that is used again.
pub(super) struct Zstd {
    decoder: Decoder<'static>,
}

impl Zstd {
    pub(super) fn new() -> Result<Self, Failure> {
        Ok(Self { decoder: Decoder::new().map_err(Failure::of)? })
    }

    pub(super) fn decompress(&mut self, input: &[u8], buffer: &mut Buffer) -> Result<(), Failure> {
        if input.is_empty() {
            return Err(Failure::truncated());
        }
        self.decoder.reinit().map_err(Failure::of)?;
        let stated = get_frame_content_size(input).ok().flatten().and_then(|size| usize::try_from(size).ok());
        let trusted = input.len().saturating_mul(TRUSTED_RATIO);
        let mut step = stated.map_or(STEP, |size| size.min(trusted)).max(STEP);
        let mut input = InBuffer::around(input);
        loop {
            let full = buffer.left() == 0;
            let mut extra = [0];
            // at the limit, only to see whether the end is reached
            let room = if full { &mut extra[..] } else { buffer.room(step)? };
            let room_bytes = room.len();
            let mut output = OutBuffer::around(room);
            let unfinished = self.decoder.run(&mut input, &mut output).map_err(Failure::of)? > 0;
            let written = output.pos();
            if full && written > 0 {
                return Err(Failure::TooLarge);
            }
            buffer.advance(written);
            let input_ended = input.pos == input.src.len();
            if !unfinished && input_ended {
                return Ok(());
            }
            if unfinished && input_ended && written < room_bytes {
                return Err(Failure::truncated());
            }
            step = buffer.len().max(STEP);
        }
    }
}
