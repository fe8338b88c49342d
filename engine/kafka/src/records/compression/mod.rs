//! Decompression of record batches, into buffers that are used again.
//!
//! The compressed bytes are not trusted. A length that they state reserves no more memory than they can fill: a buffer grows
//! with what comes out, up to [`MAX_DECOMPRESSED`].

mod buffer;
mod codec;
mod gzip;
mod lz4;
mod snappy;
mod zstd;

use std::fmt;

use super::error::Fault;
use buffer::Buffer;
pub(super) use codec::Codec;
use zstd::Zstd;

/// Largest batch in bytes. Kafka's own limit is that of a request, 100 MiB, before decompression.
pub(super) const MAX_DECOMPRESSED: usize = 1 << 30;

/// Number of unused buffers that are kept.
const SPARE_BUFFERS: usize = 4;

/// Larger unused buffers are not kept.
const LARGEST_SPARE: usize = 4 << 20;

/// What decompression needs again and again: contexts of codecs, and buffers. One for each thread that reads records.
#[derive(Default)]
pub(crate) struct Decompressor {
    zstd: Option<Zstd>,
    spare: Vec<Buffer>,
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressor").field("spare", &self.spare.len()).finish_non_exhaustive()
    }
}

/// Decompressed bytes. Give them back to the decompressor when they are read.
#[derive(Debug)]
pub(super) struct Decompressed(Buffer);

impl Decompressed {
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.filled()
    }

    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl Decompressor {
    /// Decompresses a whole batch. `codec` MUST NOT be `None`.
    pub(super) fn decompress(&mut self, codec: Codec, input: &[u8]) -> Result<Decompressed, Fault> {
        self.decompress_up_to(MAX_DECOMPRESSED, codec, input)
    }

    fn decompress_up_to(&mut self, most: usize, codec: Codec, input: &[u8]) -> Result<Decompressed, Fault> {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear(most);
        let outcome = match codec {
            Codec::None => buffer.append(input),
            Codec::Gzip => gzip::decompress(input, &mut buffer),
            Codec::Snappy => snappy::decompress(input, &mut buffer),
            Codec::Lz4 => lz4::decompress(input, &mut buffer),
            Codec::Zstd => match &mut self.zstd {
                Some(zstd) => zstd.decompress(input, &mut buffer),
                unused => Zstd::new().and_then(|zstd| unused.insert(zstd).decompress(input, &mut buffer)),
            },
        };
        let decompressed = Decompressed(buffer);
        match outcome {
            Ok(()) => Ok(decompressed),
            Err(fault) => {
                self.take_back(decompressed);
                Err(match fault {
                    Failure::TooLarge => Fault::TooLarge(most),
                    Failure::Malformed(reason) => Fault::Decompression { codec: codec.name(), reason },
                })
            }
        }
    }

    /// Bytes in buffers that nobody uses.
    #[cfg(test)]
    pub(super) fn spare_bytes(&self) -> usize {
        self.spare.iter().map(Buffer::capacity).sum()
    }

    /// Takes a buffer back, to use it again.
    pub(super) fn take_back(&mut self, decompressed: Decompressed) {
        if self.spare.len() < SPARE_BUFFERS && decompressed.capacity() <= LARGEST_SPARE {
            self.spare.push(decompressed.0);
        }
    }
}

/// Why bytes cannot be decompressed.
#[derive(Debug)]
enum Failure {
    TooLarge,
    Malformed(String),
}

impl Failure {
    fn of(reason: impl fmt::Display) -> Self {
        Self::Malformed(reason.to_string())
    }

    fn truncated() -> Self {
        Self::of("the compressed bytes end too early")
    }
}

#[cfg(test)]
mod tests;
