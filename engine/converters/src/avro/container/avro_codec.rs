//! The codecs of blocks. Not xz: no connector offers it, and it would be one more dependency.

use std::borrow::Cow;
use std::io::{self, Read, Write};

use bzip2::read::BzDecoder;
use bzip2::write::BzEncoder;
use flate2::read::DeflateDecoder;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use volley_api::{Error, Result};

/// How the blocks of a file are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AvroCodec {
    /// Not at all.
    Null,
    /// DEFLATE without a header.
    Deflate {
        /// 0 (none) to 9 (best).
        level: u32,
    },
    /// Snappy, and a checksum.
    Snappy,
    /// Zstandard.
    Zstandard {
        /// 1 (fast) to 22 (best).
        level: i32,
    },
    /// bzip2.
    Bzip2,
}

impl AvroCodec {
    /// All of them, at the levels that Java uses if it is not told any.
    pub const ALL: [Self; 5] =
        [Self::Null, Self::Deflate { level: 6 }, Self::Snappy, Self::Bzip2, Self::Zstandard { level: 3 }];

    /// The codec with this name in `avro.codec`, at its usual level.
    ///
    /// # Errors
    /// `Config` if there is none.
    pub fn named(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|codec| codec.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(|codec| codec.name()).join(", ");
            Error::config(format!("there is no Avro codec `{name}`: use one of {names}"))
        })
    }

    /// Its name in `avro.codec`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Deflate { .. } => "deflate",
            Self::Snappy => "snappy",
            Self::Zstandard { .. } => "zstandard",
            Self::Bzip2 => "bzip2",
        }
    }

    /// What the data of a block was before it was compressed.
    ///
    /// # Errors
    /// It is not of this codec, or of more than `limit` bytes.
    pub(super) fn decompress(self, data: &[u8], limit: usize) -> io::Result<Cow<'_, [u8]>> {
        match self {
            Self::Null => Ok(Cow::Borrowed(data)),
            Self::Snappy => decompress_snappy(data, limit).map(Cow::Owned),
            Self::Deflate { .. } => read_all(DeflateDecoder::new(data), limit),
            Self::Zstandard { .. } => read_all(zstd::Decoder::with_buffer(data)?, limit),
            Self::Bzip2 => read_all(BzDecoder::new(data), limit),
        }
    }
}

/// A block of a few bytes may stand for any number of them, so that there is a limit.
fn read_all<'a>(decoder: impl Read, limit: usize) -> io::Result<Cow<'a, [u8]>> {
    let mut block = Vec::new();
    decoder.take(limit as u64 + 1).read_to_end(&mut block)?;
    if block.len() > limit {
        return Err(too_large(limit));
    }
    Ok(Cow::Owned(block))
}

fn decompress_snappy(data: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    let invalid = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, reason);
    let (data, checksum) = data.split_last_chunk().ok_or_else(|| invalid("there is no checksum behind it"))?;
    if snap::raw::decompress_len(data)? > limit {
        return Err(too_large(limit));
    }
    let block = snap::raw::Decoder::new().decompress_vec(data)?;
    match checksum_of(&block) == *checksum {
        true => Ok(block),
        false => Err(invalid("its checksum is another")),
    }
}

fn too_large(limit: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it has more than {limit} bytes when it is decompressed"))
}

/// What stands behind a block that is compressed with Snappy.
fn checksum_of(block: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(block);
    crc.sum().to_be_bytes()
}

/// Compresses blocks, with what can be kept from one to the next.
pub(super) enum Compressor {
    Null,
    Deflate(Compress),
    Snappy(Box<snap::raw::Encoder>),
    Zstandard(zstd::bulk::Compressor<'static>),
    Bzip2,
}

impl Compressor {
    /// For blocks of this codec.
    ///
    /// # Errors
    /// A level that the codec does not have.
    pub(super) fn new(codec: AvroCodec) -> Result<Self> {
        let no_level = |levels: &str| {
            Err(Error::config(format!("the Avro codec `{}` has the levels {levels}: use one of them", codec.name())))
        };
        Ok(match codec {
            AvroCodec::Null => Self::Null,
            AvroCodec::Deflate { level: level @ 0..=9 } => Self::Deflate(Compress::new(Compression::new(level), false)),
            AvroCodec::Deflate { .. } => return no_level("0 to 9"),
            AvroCodec::Snappy => Self::Snappy(Box::new(snap::raw::Encoder::new())),
            AvroCodec::Zstandard { level: level @ 1..=22 } => {
                Self::Zstandard(zstd::bulk::Compressor::new(level).map_err(failed)?)
            }
            AvroCodec::Zstandard { .. } => return no_level("1 to 22"),
            AvroCodec::Bzip2 => Self::Bzip2,
        })
    }

    /// Puts the compressed block into `out`, in place of what is there.
    ///
    /// # Errors
    /// `Fatal`, if the codec fails.
    pub(super) fn compress(&mut self, block: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        match self {
            Self::Null => out.extend_from_slice(block),
            Self::Deflate(compress) => deflate_block(compress, block, out).map_err(failed)?,
            Self::Snappy(encoder) => {
                out.resize(snap::raw::max_compress_len(block.len()), 0);
                let len = encoder.compress(block, out).map_err(|error| failed(error.into()))?;
                out.truncate(len);
                out.extend_from_slice(&checksum_of(block));
            }
            Self::Zstandard(compressor) => {
                out.reserve(zstd::zstd_safe::compress_bound(block.len()));
                compressor.compress_to_buffer(block, out).map_err(failed)?;
            }
            Self::Bzip2 => {
                let mut encoder = BzEncoder::new(out, bzip2::Compression::best());
                encoder.write_all(block).and_then(|()| encoder.finish()).map_err(failed)?;
            }
        }
        Ok(())
    }
}

fn deflate_block(compress: &mut Compress, block: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    compress.reset();
    loop {
        out.reserve(block.len() / 2 + 64);
        let rest = &block[compress.total_in() as usize..];
        if compress.compress_vec(rest, out, FlushCompress::Finish)? == Status::StreamEnd {
            return Ok(());
        }
    }
}

fn failed(error: io::Error) -> Error {
    Error::fatal("could not compress a block of an Avro file").with_source(error)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn compressed(codec: AvroCodec, block: &[u8]) -> Vec<u8> {
        let (mut compressor, mut out) = (Compressor::new(codec).unwrap(), vec![1, 2, 3]);
        // what an earlier block leaves behind makes no difference
        compressor.compress(b"an earlier block", &mut out).unwrap();
        compressor.compress(block, &mut out).unwrap();
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn a_block_of_any_codec_comes_back(piece: Vec<u8>, times in 0usize..2_000) {
            let block = piece.repeat(times);
            for codec in AvroCodec::ALL {
                let data = compressed(codec, &block);
                prop_assert_eq!(&*codec.decompress(&data, block.len()).unwrap(), &block[..], "{:?}", codec);
            }
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            for codec in AvroCodec::ALL {
                let _ = codec.decompress(&bytes, 1_000);
            }
        }
    }

    #[test]
    fn a_small_block_that_stands_for_a_large_one_is_refused() {
        let block = vec![0; 1_000_000];
        for codec in AvroCodec::ALL.into_iter().filter(|codec| *codec != AvroCodec::Null) {
            let data = compressed(codec, &block);
            assert!(data.len() < 100_000, "{codec:?}");
            let error = codec.decompress(&data, block.len() - 1).unwrap_err().to_string();
            assert!(error.contains("more than 999999 bytes"), "{codec:?}: {error}");
        }
    }

    #[test]
    fn a_block_of_snappy_with_another_checksum_is_refused() {
        let mut data = compressed(AvroCodec::Snappy, b"Volley");
        // CRC-32, the high byte first
        assert_eq!(data[data.len() - 4..], 0x7119_8650_u32.to_be_bytes());
        *data.last_mut().unwrap() ^= 1;
        assert_eq!(AvroCodec::Snappy.decompress(&data, 100).unwrap_err().to_string(), "its checksum is another");
        assert!(AvroCodec::Snappy.decompress(&[1, 2, 3], 100).is_err());
    }

    #[test]
    fn a_codec_that_is_not_there_is_refused_with_those_that_are() {
        for codec in AvroCodec::ALL {
            assert_eq!(AvroCodec::named(codec.name()).unwrap(), codec);
        }
        let error = AvroCodec::named("lzo").unwrap_err().to_string();
        assert_eq!(error, "there is no Avro codec `lzo`: use one of null, deflate, snappy, bzip2, zstandard");
        assert!(Compressor::new(AvroCodec::Deflate { level: 10 }).is_err());
        assert!(Compressor::new(AvroCodec::Zstandard { level: 0 }).is_err());
    }
}
