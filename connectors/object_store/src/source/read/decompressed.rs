//! Files that are compressed as a whole.

use std::io::{BufRead, BufReader};

use flate2::bufread::MultiGzDecoder;

use crate::source::store::FileStream;
use crate::source::trouble::Read;

/// How such files begin.
const GZIP: &[u8] = &[0x1F, 0x8B];
const ZSTD: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];
/// A mark that some programs put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// The content of a file, whichever compression its first bytes tell: gzip, Zstandard, or none. Without a byte order mark.
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
    } else {
        Box::new(input)
    };
    if content.fill_buf().map_err(|error| trouble.behind(error))?.starts_with(BYTE_ORDER_MARK) {
        content.consume(BYTE_ORDER_MARK.len());
    }
    Ok(content)
}
