//! Decompression of record batches.

/// What decompression needs again and again. One for each thread that reads records.
#[derive(Debug, Default)]
pub(crate) struct Decompressor {}
