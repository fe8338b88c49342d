//! One Arrow IPC file.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter as IpcWriter, IpcWriteOptions};
use bytes::Bytes;
use volley_api::{Error, Result};

use crate::format::file_writer::{FileSize, FileWriter};
use crate::format::identity::FileIdentity;
use crate::format::rows::{Rows, without_columns};

/// Rows are gathered up to this many before they become a record batch of the file.
const BATCH_ROWS: usize = 64 * 1024;
/// The same in bytes of memory.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Compression of the buffers of a record batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArrowCodec {
    /// None.
    None,
    /// LZ4 frames.
    Lz4,
    /// zstd.
    Zstd,
}

/// Writes one file.
pub(crate) struct ArrowFileWriter {
    schema: SchemaRef,
    writer: IpcWriter<Vec<u8>>,
    pending: Vec<RecordBatch>,
    pending_rows: usize,
    pending_bytes: usize,
}

impl ArrowFileWriter {
    /// A file with the columns of `schema`.
    pub(crate) fn new(schema: SchemaRef, codec: ArrowCodec) -> Result<Self> {
        let codec = match codec {
            ArrowCodec::None => None,
            ArrowCodec::Lz4 => Some(CompressionType::LZ4_FRAME),
            ArrowCodec::Zstd => Some(CompressionType::ZSTD),
        };
        let options = IpcWriteOptions::default().try_with_compression(codec).map_err(broken)?;
        let writer = IpcWriter::try_new_with_options(Vec::new(), &schema, options).map_err(broken)?;
        Ok(Self { schema, writer, pending: Vec::new(), pending_rows: 0, pending_bytes: 0 })
    }

    fn write_pending(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let batch = concat_batches(&self.schema, &self.pending)?;
        self.writer.write(&batch).map_err(broken)?;
        self.pending.clear();
        (self.pending_rows, self.pending_bytes) = (0, 0);
        Ok(())
    }
}

impl FileWriter for ArrowFileWriter {
    fn takes(&self, rows: &Rows) -> bool {
        matches!(rows, Rows::Columns(batch) if batch.schema_ref() == &self.schema)
    }

    fn write(&mut self, rows: Rows, size_limit: usize) -> Result<()> {
        let Rows::Columns(rows) = rows else { return Err(without_columns()) };
        self.pending_rows += rows.num_rows();
        self.pending_bytes += rows.get_array_memory_size();
        self.pending.push(rows);
        if self.pending_rows >= BATCH_ROWS || self.pending_bytes >= BATCH_BYTES.min(size_limit) {
            self.write_pending()?;
        }
        Ok(())
    }

    fn output(&mut self) -> Option<&mut Vec<u8>> {
        Some(self.writer.get_mut())
    }

    fn size(&self) -> FileSize {
        let written = self.writer.get_ref();
        FileSize { encoded: written.len() + self.pending_bytes, memory: written.capacity() + self.pending_bytes }
    }

    fn finish(mut self: Box<Self>, _identity: &FileIdentity) -> Result<Bytes> {
        self.write_pending()?;
        self.writer.into_inner().map(Bytes::from).map_err(broken)
    }
}

impl std::fmt::Debug for ArrowFileWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArrowFileWriter").field("size", &self.size()).finish_non_exhaustive()
    }
}

fn broken(error: ArrowError) -> Error {
    Error::fatal(format!("could not encode an Arrow file: {error}")).with_source(error)
}
