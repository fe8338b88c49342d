//! Snappy as Java's `SnappyOutputStream` frames it: what the sink writes.

use std::io::{self, Read};

use snap::raw::{Decoder, decompress_len};

/// How such files begin.
pub(super) const SNAPPY: &[u8] = b"\x82SNAPPY\0";
/// Bytes of the head, with two versions behind that.
const HEAD: usize = 16;
/// A block is refused if it is larger, before or after: those of the sink have 32 KiB.
const LARGEST_BLOCK: usize = 64 * 1024 * 1024;

/// The content of a file.
#[derive(Debug)]
pub(super) struct SnappyReader<R> {
    input: R,
    is_begun: bool,
    block: Vec<u8>,
    /// How much of the block has been given.
    given: usize,
}

impl<R: Read> SnappyReader<R> {
    /// Of a file that begins as such files do.
    pub(super) fn new(input: R) -> Self {
        Self { input, is_begun: false, block: Vec::new(), given: 0 }
    }

    /// Reads the next block. False at the end of the file.
    fn next_block(&mut self) -> io::Result<bool> {
        if !self.is_begun {
            self.input.read_exact(&mut [0; HEAD])?;
            self.is_begun = true;
        }
        let mut length = Vec::with_capacity(size_of::<u32>());
        self.input.by_ref().take(size_of::<u32>() as u64).read_to_end(&mut length)?;
        if length.is_empty() {
            return Ok(false);
        }
        let length = <[u8; 4]>::try_from(length).map_err(|_| broken("a block has no length"))?;
        let length = u32::from_be_bytes(length) as usize;
        if length > LARGEST_BLOCK {
            return Err(broken("a block is too large"));
        }
        let mut compressed = vec![0; length];
        self.input.read_exact(&mut compressed)?;
        let length = decompress_len(&compressed).map_err(io::Error::other)?;
        if length > LARGEST_BLOCK {
            return Err(broken("a block is too large"));
        }
        self.block = Decoder::new().decompress_vec(&compressed).map_err(io::Error::other)?;
        self.given = 0;
        Ok(true)
    }
}

impl<R: Read> Read for SnappyReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.block.len() {
            if !self.next_block()? {
                return Ok(0);
            }
        }
        let taken = into.len().min(self.block.len() - self.given);
        into[..taken].copy_from_slice(&self.block[self.given..self.given + taken]);
        self.given += taken;
        Ok(taken)
    }
}

fn broken(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not a file of Snappy: {reason}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As the sink writes it.
    fn framed(blocks: &[&[u8]]) -> Vec<u8> {
        let mut file = [SNAPPY, &[0, 0, 0, 1, 0, 0, 0, 1]].concat();
        for block in blocks {
            let block = snap::raw::Encoder::new().compress_vec(block).unwrap();
            file.extend_from_slice(&(block.len() as u32).to_be_bytes());
            file.extend(block);
        }
        file
    }

    fn read(file: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        SnappyReader::new(file).read_to_end(&mut content).map(|_| content)
    }

    #[test]
    fn blocks_are_read_one_after_the_other() {
        assert_eq!(read(&framed(&[])).unwrap(), b"");
        assert_eq!(read(&framed(&[b"abc", b"", b"d"])).unwrap(), b"abcd");
        let file = framed(&[b"abc"]);
        for end in [5, 18, file.len() - 1] {
            assert!(read(&file[..end]).is_err(), "{end}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = read(&bytes);
            let _ = read(&[&framed(&[])[..], &bytes].concat());
        }
    }
}
