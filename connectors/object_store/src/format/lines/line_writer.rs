//! A file of messages, each followed by a separator.

use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{Array, BinaryArray};
use bytes::Bytes;
use volley_api::{Error, Result};

use crate::format::codec::{Compressor, FileCodec};
use crate::format::file_writer::{FileSize, FileWriter};
use crate::format::identity::FileIdentity;
use crate::format::rows::{Rows, with_columns};

/// Messages with their separators are gathered up to about this size before they are compressed.
const CHUNK: usize = 64 * 1024;

/// Writes one file.
#[derive(Debug)]
pub(crate) struct LineWriter {
    out: Compressor,
    separator: Arc<[u8]>,
    chunk: Vec<u8>,
}

impl LineWriter {
    /// An empty file.
    pub(crate) fn new(codec: FileCodec, separator: &[u8]) -> Result<Self> {
        let out = Compressor::new(codec).map_err(broken)?;
        Ok(Self { out, separator: Arc::from(separator), chunk: Vec::new() })
    }

    fn append(&mut self, messages: &BinaryArray) -> io::Result<()> {
        if let Some(out) = self.out.plain() {
            for row in 0..messages.len() {
                out.extend_from_slice(messages.value(row));
                out.extend_from_slice(&self.separator);
            }
            return Ok(());
        }
        for row in 0..messages.len() {
            self.chunk.extend_from_slice(messages.value(row));
            self.chunk.extend_from_slice(&self.separator);
            if self.chunk.len() >= CHUNK {
                self.out.write_all(&self.chunk)?;
                self.chunk.clear();
            }
        }
        Ok(())
    }
}

impl FileWriter for LineWriter {
    fn takes(&self, rows: &Rows) -> bool {
        matches!(rows, Rows::Messages { .. })
    }

    fn write(&mut self, rows: Rows, _size_limit: usize) -> Result<()> {
        let Rows::Messages { messages, .. } = rows else { return Err(with_columns()) };
        self.append(&messages).map_err(broken)
    }

    fn size(&self) -> FileSize {
        let output = self.out.output();
        let encoded = output.len() + self.chunk.len();
        FileSize { encoded, memory: output.capacity() + self.chunk.capacity() + self.out.state_memory() }
    }

    fn finish(mut self: Box<Self>, _identity: &FileIdentity) -> Result<Bytes> {
        self.out.write_all(&self.chunk).map_err(broken)?;
        self.out.finish().map(Bytes::from).map_err(broken)
    }
}

fn broken(error: io::Error) -> Error {
    Error::fatal(format!("could not compress a file: {error}")).with_source(error)
}
