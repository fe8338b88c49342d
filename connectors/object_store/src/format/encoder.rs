//! Rows to the bytes of a Parquet file, in memory.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use volley_api::{Error, Result};

use super::encodings::{EncodingPlans, SAMPLE_ROWS};
use super::identity::FileIdentity;

/// What a column writer holds besides encoded pages: at least this …
const COLUMN_STATE_MIN: usize = 4 * 1024;
/// … and at most this once it has completed a page (measured: compression context and buffers) …
const COLUMN_STATE_MAX: usize = 192 * 1024;
/// … growing with each row until then. The writer's own figure counts buffers that have never been touched.
const COLUMN_STATE_PER_ROW: usize = 16;

/// Encodes one file. The first rows are kept as they are until there are enough of them to choose encodings by.
pub(crate) struct FileEncoder {
    topic: Arc<str>,
    schema: SchemaRef,
    /// Number of fields, nested ones included.
    columns: usize,
    state: State,
    /// See [`FileEncoder::encoded_bytes`] and [`FileEncoder::memory`].
    encoded_bytes: usize,
    memory: usize,
}

enum State {
    Sampling { pending: Vec<RecordBatch>, rows: usize },
    Writing(Box<ArrowWriter<Vec<u8>>>),
}

impl FileEncoder {
    /// An encoder for a file of `topic`.
    pub(crate) fn new(topic: &Arc<str>, schema: SchemaRef, plans: &EncodingPlans) -> Result<Self> {
        let state = match plans.existing(topic, &schema) {
            None => State::Sampling { pending: Vec::new(), rows: 0 },
            Some(plan) => State::Writing(Box::new(
                ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(plan)).map_err(broken)?,
            )),
        };
        let columns = schema.flattened_fields().len();
        Ok(Self { topic: Arc::clone(topic), schema, columns, state, encoded_bytes: 0, memory: 0 })
    }

    /// The columns of the file.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Bytes the file would have if it were completed now, roughly.
    pub(crate) fn encoded_bytes(&self) -> usize {
        self.encoded_bytes
    }

    /// Bytes of memory in use, roughly.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }

    /// Adds rows of the file's schema. With more than `size_limit` bytes waiting as a sample, the sample ends.
    pub(crate) fn write(&mut self, rows: RecordBatch, size_limit: usize, plans: &mut EncodingPlans) -> Result<()> {
        plans.wrote(&self.topic, rows.num_rows() as u64);
        let is_sampled = match &mut self.state {
            State::Writing(writer) => {
                writer.write(&rows).map_err(broken)?;
                false
            }
            State::Sampling { pending, rows: pending_rows } => {
                self.memory += rows.get_array_memory_size();
                *pending_rows += rows.num_rows();
                pending.push(rows);
                *pending_rows >= SAMPLE_ROWS || self.memory >= size_limit
            }
        };
        if is_sampled {
            self.start_writing(plans)?;
        }
        self.measure();
        Ok(())
    }

    /// The complete file.
    pub(crate) fn finish(mut self, identity: &FileIdentity, plans: &mut EncodingPlans) -> Result<Bytes> {
        let mut writer = match self.state {
            State::Writing(writer) => writer,
            State::Sampling { .. } => {
                self.start_writing(plans)?;
                match self.state {
                    State::Writing(writer) => writer,
                    State::Sampling { .. } => return Err(Error::fatal("a file without rows cannot be completed")),
                }
            }
        };
        for entry in identity.to_key_values() {
            writer.append_key_value_metadata(entry);
        }
        writer.into_inner().map(Bytes::from).map_err(broken)
    }

    fn start_writing(&mut self, plans: &mut EncodingPlans) -> Result<()> {
        let State::Sampling { pending, .. } = &mut self.state else { return Ok(()) };
        let pending = std::mem::take(pending);
        let sample = match pending.as_slice() {
            [first, ..] if first.num_rows() >= SAMPLE_ROWS => first.slice(0, SAMPLE_ROWS),
            batches => concat_batches(&self.schema, batches)?,
        };
        let plan = plans.make(&self.topic, &sample);
        let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&self.schema), Some(plan)).map_err(broken)?;
        for rows in &pending {
            writer.write(rows).map_err(broken)?;
        }
        self.state = State::Writing(Box::new(writer));
        Ok(())
    }

    fn measure(&mut self) {
        match &self.state {
            State::Writing(writer) => {
                self.encoded_bytes = writer.bytes_written() + writer.in_progress_size();
                let state = COLUMN_STATE_MIN + writer.in_progress_rows().saturating_mul(COLUMN_STATE_PER_ROW);
                let states = self.columns * state.min(COLUMN_STATE_MAX);
                self.memory = writer.inner().capacity() + writer.in_progress_size() + states;
            }
            State::Sampling { .. } => self.encoded_bytes = self.memory,
        }
    }
}

impl std::fmt::Debug for FileEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileEncoder").field("encoded_bytes", &self.encoded_bytes).finish_non_exhaustive()
    }
}

fn broken(error: ParquetError) -> Error {
    Error::fatal(format!("could not encode a Parquet file: {error}")).with_source(error)
}
