//! Snappy as Java's `SnappyOutputStream` frames it: a head, then blocks, each behind its length.
//!
//! ```text
//!  82 53 4e 41 50 50 59 00   magic
//!  00 00 00 01 00 00 00 01   version, and the oldest that can read it
//!  length of a block (4 bytes, big-endian), the block as raw Snappy: 32 KiB before compression, the last one less
//! ```

use std::io::{self, Write};

use snap::raw::{Encoder, max_compress_len};

/// The head of a file.
const HEAD: [u8; 16] = *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";
/// Bytes of a block before compression.
const BLOCK: usize = 32 * 1024;

/// Bytes on their way into a file in memory.
#[derive(Debug)]
pub(crate) struct SnappyStream {
    encoder: Encoder,
    /// The block in the making: fewer bytes than a block has.
    block: Vec<u8>,
    out: Vec<u8>,
}

impl SnappyStream {
    /// A file without blocks.
    pub(crate) fn new() -> Self {
        Self { encoder: Encoder::new(), block: Vec::with_capacity(BLOCK), out: HEAD.to_vec() }
    }

    /// What came out so far.
    pub(crate) fn output(&self) -> &Vec<u8> {
        &self.out
    }

    /// The same, to be taken out.
    pub(crate) fn output_mut(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Bytes of memory besides the output.
    pub(crate) fn state_memory(&self) -> usize {
        self.block.capacity()
    }

    /// The complete file.
    pub(crate) fn finish(mut self) -> io::Result<Vec<u8>> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        Ok(self.out)
    }

    fn end_block(&mut self) -> io::Result<()> {
        let head = self.out.len();
        let body = head + size_of::<u32>();
        self.out.resize(body + max_compress_len(self.block.len()), 0);
        let length = self.encoder.compress(&self.block, &mut self.out[body..]).map_err(io::Error::other)?;
        self.out.truncate(body + length);
        let length = u32::try_from(length).map_err(io::Error::other)?;
        self.out[head..body].copy_from_slice(&length.to_be_bytes());
        self.block.clear();
        Ok(())
    }
}

impl Write for SnappyStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == BLOCK {
            self.end_block()?;
        }
        Ok(taken)
    }

    /// Does nothing: a file is complete at its end only.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_records::unframed_snappy;

    #[test]
    fn a_file_begins_with_java_s_head_and_has_nothing_else_if_nothing_was_written() {
        let file = SnappyStream::new().finish().unwrap();
        assert_eq!(file, [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
        let mut stream = SnappyStream::new();
        stream.write_all(b"abc").unwrap();
        // the length, then Snappy's own: three bytes, a literal of three, and these
        assert_eq!(stream.finish().unwrap()[16..], [0, 0, 0, 5, 3, 8, b'a', b'b', b'c']);
    }

    proptest! {
        #[test]
        fn what_is_written_in_any_pieces_is_read_back(
            pieces in proptest::collection::vec((0u8..3, 0usize..50_000), 0..8),
        ) {
            let mut stream = SnappyStream::new();
            let mut written = Vec::new();
            for (byte, length) in pieces {
                let piece: Vec<u8> = (0..length).map(|at| byte.wrapping_mul(at as u8)).collect();
                stream.write_all(&piece).unwrap();
                written.extend(piece);
            }
            prop_assert!(unframed_snappy(&stream.finish().unwrap()) == written);
        }
    }
}
