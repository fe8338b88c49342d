//! The compression of a whole file, written as a stream.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use zstd::stream::write::Encoder;

use super::snappy_stream::SnappyStream;

/// The compression of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileCodec {
    /// None.
    None,
    /// gzip (RFC 1952) of this level, 0 to 9.
    Gzip(u32),
    /// zstd (RFC 8878) of this level.
    Zstd(i32),
    /// Snappy in the frames of Java's library.
    Snappy,
}

/// What a compressor holds besides its output: gzip's window and tables.
const GZIP_MEMORY: usize = 320 * 1024;
/// The same for zstd at a low level.
const ZSTD_MEMORY: usize = 2 * 1024 * 1024;

/// Bytes on their way into a file in memory.
pub(crate) enum Compressor {
    /// As they are.
    None(Vec<u8>),
    /// Through gzip.
    Gzip(GzEncoder<Vec<u8>>),
    /// Through zstd.
    Zstd(Encoder<'static, Vec<u8>>),
    /// Through Snappy.
    Snappy(Box<SnappyStream>),
}

impl FileCodec {
    /// What follows the extension of the format in a file's name.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip(_) => ".gz",
            Self::Zstd(_) => ".zst",
            Self::Snappy => ".snappy",
        }
    }
}

impl Compressor {
    /// An empty file.
    pub(crate) fn new(codec: FileCodec) -> io::Result<Self> {
        Ok(match codec {
            FileCodec::None => Self::None(Vec::new()),
            FileCodec::Gzip(level) => Self::Gzip(GzEncoder::new(Vec::new(), Compression::new(level))),
            FileCodec::Zstd(level) => Self::Zstd(Encoder::new(Vec::new(), level)?),
            FileCodec::Snappy => Self::Snappy(Box::new(SnappyStream::new())),
        })
    }

    /// The file itself, where bytes go into it as they are.
    pub(crate) fn plain(&mut self) -> Option<&mut Vec<u8>> {
        match self {
            Self::None(out) => Some(out),
            Self::Gzip(_) | Self::Zstd(_) | Self::Snappy(_) => None,
        }
    }

    /// Bytes that came out so far; the last ones written may not be among them.
    pub(crate) fn output(&self) -> &Vec<u8> {
        match self {
            Self::None(out) => out,
            Self::Gzip(encoder) => encoder.get_ref(),
            Self::Zstd(encoder) => encoder.get_ref(),
            Self::Snappy(stream) => stream.output(),
        }
    }

    /// The same, to be taken out.
    pub(crate) fn output_mut(&mut self) -> &mut Vec<u8> {
        match self {
            Self::None(out) => out,
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
            Self::Snappy(stream) => stream.output_mut(),
        }
    }

    /// Bytes of memory besides the output, roughly.
    pub(crate) fn state_memory(&self) -> usize {
        match self {
            Self::None(_) => 0,
            Self::Gzip(_) => GZIP_MEMORY,
            Self::Zstd(_) => ZSTD_MEMORY,
            Self::Snappy(stream) => stream.state_memory(),
        }
    }

    /// A whole file, compressed.
    pub(crate) fn compressed(codec: FileCodec, contents: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut out = Self::new(codec)?;
        if let Some(plain) = out.plain() {
            *plain = contents;
        } else {
            out.write_all(&contents)?;
        }
        out.finish()
    }

    /// The complete file, without what was taken out.
    pub(crate) fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::None(out) => Ok(out),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
            Self::Snappy(stream) => stream.finish(),
        }
    }
}

impl Write for Compressor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::None(out) => out.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
            Self::Snappy(stream) => stream.write(bytes),
        }
    }

    /// Does nothing: a file is complete at its end only.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressor").field("output", &self.output().len()).finish_non_exhaustive()
    }
}
