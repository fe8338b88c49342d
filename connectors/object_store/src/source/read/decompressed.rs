//! Files that are compressed as a whole.

use std::io::{self, BufRead, BufReader, Read as _};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;

use super::snappy_reader::{SNAPPY, SnappyReader};
use crate::source::store::FileStream;
use crate::source::trouble::Read;

/// How such files begin.
const GZIP: &[u8] = &[0x1F, 0x8B];
const ZSTD: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];
/// A mark that some programs put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// The content of a file, whichever compression its first bytes tell: gzip, Zstandard, Snappy, or none. Without a byte order mark.
pub(super) fn decompressed(stream: FileStream) -> Read<Box<dyn BufRead + Send>> {
    let trouble = stream.trouble();
    let mut input = BufReader::new(stream);
    // a block of the stream holds more than these few bytes, unless the file ends before
    let start = input.fill_buf().map_err(|error| trouble.behind(error))?;
    let mut content: Box<dyn BufRead + Send> = if start.starts_with(GZIP) {
        Box::new(BufReader::new(MultiGzDecoder::new(input)))
    } else if start.starts_with(ZSTD) {
        let decoder = zstd::stream::read::Decoder::with_buffer(input).map_err(|error| trouble.behind(error))?;
        Box::new(BufReader::new(decoder))
    } else if start.starts_with(SNAPPY) {
        Box::new(BufReader::new(SnappyReader::new(input)))
    } else {
        Box::new(input)
    };
    if content.fill_buf().map_err(|error| trouble.behind(error))?.starts_with(BYTE_ORDER_MARK) {
        content.consume(BYTE_ORDER_MARK.len());
    }
    Ok(content)
}

/// The content of a file that is in memory, in the same way; what is longer than `limit` is cut off behind the next byte.
pub(super) fn decompressed_bytes(file: Bytes, limit: u64) -> io::Result<Bytes> {
    let input = file.as_ref();
    let content: Box<dyn io::Read + '_> = if input.starts_with(GZIP) {
        Box::new(MultiGzDecoder::new(input))
    } else if input.starts_with(ZSTD) {
        Box::new(zstd::stream::read::Decoder::with_buffer(input)?)
    } else if input.starts_with(SNAPPY) {
        Box::new(SnappyReader::new(input))
    } else {
        return Ok(file);
    };
    let mut bytes = Vec::new();
    content.take(limit + 1).read_to_end(&mut bytes)?;
    Ok(Bytes::from(bytes))
}
