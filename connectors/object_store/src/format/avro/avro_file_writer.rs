//! One Avro file.

use std::sync::Arc;

use arrow::array::Array;
use bytes::Bytes;
use volley_api::{Error, Result};
use volley_converters::{AvroCodec, AvroContainerWriter};

use crate::format::codec::{Compressor, FileCodec};
use crate::format::file_writer::{FileSize, FileWriter};
use crate::format::identity::{FileIdentity, random_bytes};
use crate::format::rows::{Rows, with_columns};

/// Writes one file.
#[derive(Debug)]
pub(crate) struct AvroFileWriter {
    schema: Arc<str>,
    out: AvroContainerWriter,
    /// Of the whole file.
    file_codec: FileCodec,
}

impl AvroFileWriter {
    /// A file of values of `schema`. `codec` compresses its blocks, `file_codec` all of it.
    pub(crate) fn new(schema: &Arc<str>, codec: AvroCodec, file_codec: FileCodec) -> Result<Self> {
        let out = AvroContainerWriter::new(schema, codec, random_bytes(), &[])?;
        Ok(Self { schema: Arc::clone(schema), out, file_codec })
    }
}

impl FileWriter for AvroFileWriter {
    fn takes(&self, rows: &Rows) -> bool {
        matches!(rows, Rows::Messages { schema, .. } if Arc::ptr_eq(schema, &self.schema) || *schema == self.schema)
    }

    fn write(&mut self, rows: Rows, _size_limit: usize) -> Result<()> {
        let Rows::Messages { messages, .. } = rows else { return Err(with_columns()) };
        (0..messages.len()).try_for_each(|row| self.out.append(messages.value(row)))
    }

    fn output(&mut self) -> Option<&mut Vec<u8>> {
        // compressed as a whole
        (self.file_codec == FileCodec::None).then(|| self.out.output_mut())
    }

    fn size(&self) -> FileSize {
        let bytes = self.out.bytes_so_far();
        // the vector behind it grows by doubling
        FileSize { encoded: bytes, memory: bytes + bytes / 2 }
    }

    fn finish(self: Box<Self>, _identity: &FileIdentity) -> Result<Bytes> {
        let file = Compressor::compressed(self.file_codec, self.out.finish()?);
        file.map(Bytes::from)
            .map_err(|error| Error::fatal(format!("could not compress a file: {error}")).with_source(error))
    }
}
