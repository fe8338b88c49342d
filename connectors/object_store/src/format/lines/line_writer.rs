//! A file of messages, one after the other, with something before, between and behind them.

use std::borrow::Cow;
use std::io::{self, Write};

use arrow::array::{Array, BinaryArray};
use bytes::Bytes;
use volley_api::{Error, Result};

use crate::format::codec::{Compressor, FileCodec};
use crate::format::file_writer::{FileSize, FileWriter};
use crate::format::identity::FileIdentity;
use crate::format::rows::{Rows, with_columns};

/// Messages with what is around them are gathered up to about this size before they are compressed.
const CHUNK: usize = 64 * 1024;

/// What stands around the messages of a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Framing {
    /// Before the first one.
    before: &'static [u8],
    /// Between two.
    between: Cow<'static, [u8]>,
    /// Behind the last one.
    behind: Cow<'static, [u8]>,
}

impl Framing {
    /// A line feed between two.
    pub(crate) const BETWEEN_LINES: Self =
        Self { before: b"", between: Cow::Borrowed(b"\n"), behind: Cow::Borrowed(b"") };
    /// Those of an array of JSON, each in a line.
    pub(crate) const JSON_ARRAY: Self =
        Self { before: b"[\n", between: Cow::Borrowed(b",\n"), behind: Cow::Borrowed(b"\n]") };

    /// The same behind each.
    pub(crate) fn behind_each(separator: &[u8]) -> Self {
        Self { before: b"", between: Cow::Owned(separator.to_vec()), behind: Cow::Owned(separator.to_vec()) }
    }
}

/// Writes one file.
#[derive(Debug)]
pub(crate) struct LineWriter {
    out: Compressor,
    framing: Framing,
    has_messages: bool,
    chunk: Vec<u8>,
}

impl LineWriter {
    /// An empty file.
    pub(crate) fn new(codec: FileCodec, framing: Framing) -> Result<Self> {
        let out = Compressor::new(codec).map_err(broken)?;
        Ok(Self { out, framing, has_messages: false, chunk: Vec::new() })
    }

    fn append(&mut self, messages: &BinaryArray) -> io::Result<()> {
        for row in 0..messages.len() {
            let out = self.out.plain().unwrap_or(&mut self.chunk);
            out.extend_from_slice(if self.has_messages { &self.framing.between } else { self.framing.before });
            out.extend_from_slice(messages.value(row));
            self.has_messages = true;
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

    fn output(&mut self) -> Option<&mut Vec<u8>> {
        Some(self.out.output_mut())
    }

    fn size(&self) -> FileSize {
        let output = self.out.output();
        let encoded = output.len() + self.chunk.len();
        FileSize { encoded, memory: output.capacity() + self.chunk.capacity() + self.out.state_memory() }
    }

    fn finish(mut self: Box<Self>, _identity: &FileIdentity) -> Result<Bytes> {
        self.chunk.extend_from_slice(&self.framing.behind);
        self.out.write_all(&self.chunk).map_err(broken)?;
        self.out.finish().map(Bytes::from).map_err(broken)
    }
}

fn broken(error: io::Error) -> Error {
    Error::fatal(format!("could not compress a file: {error}")).with_source(error)
}
