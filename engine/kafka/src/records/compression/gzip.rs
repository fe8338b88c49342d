//! gzip (RFC 1952).

use std::io::Read;

use flate2::bufread::MultiGzDecoder;

use super::Failure;
use super::buffer::Buffer;

/// Least room for what comes out.
const STEP: usize = 64 << 10;

pub(super) fn decompress(input: &[u8], buffer: &mut Buffer) -> Result<(), Failure> {
    let mut decoder = MultiGzDecoder::new(input);
    loop {
        let read = if buffer.left() == 0 {
            // only to see whether the end is reached
            if decoder.read(&mut [0]).map_err(Failure::of)? > 0 {
                return Err(Failure::TooLarge);
            }
            0
        } else {
            let room = buffer.room(STEP)?;
            decoder.read(room).map_err(Failure::of)?
        };
        if read == 0 {
            return Ok(());
        }
        buffer.advance(read);
    }
}
