//! Rows to the bytes of a Parquet file, in memory.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use volley_api::{Error, Result};

use super::encodings::{SAMPLE_ROWS, SharedPlans};
use super::footer::key_values;
use crate::format::file_writer::{FileSize, FileWriter};
use crate::format::identity::FileIdentity;
use crate::format::rows::{Rows, without_columns};

/// What a column writer holds besides encoded pages: at least this …
const COLUMN_STATE_MIN: usize = 4 * 1024;
/// … and at most this once it has completed a page (measured: compression context and buffers) …
const COLUMN_STATE_MAX: usize = 192 * 1024;
/// … growing with each row until then. The writer's own figure counts buffers that have never been touched.
const COLUMN_STATE_PER_ROW: usize = 16;

/// Rows are gathered until there are this many: a column writer costs more than a few values do …
const MIN_ROWS: usize = 1024;
/// … or until they take this much memory.
const MAX_PENDING: usize = 1024 * 1024;

/// Encodes one file. The first rows are kept as they are until there are enough of them to choose encodings by.
pub(crate) struct ParquetWriter {
    topic: Arc<str>,
    schema: SchemaRef,
    /// Number of fields, nested ones included.
    columns: usize,
    state: State,
    pending: Pending,
    plans: SharedPlans,
    size: FileSize,
}

enum State {
    Sampling,
    Writing(Box<ArrowWriter<Vec<u8>>>),
}

/// Rows that wait to be written.
#[derive(Debug, Default)]
struct Pending {
    batches: Vec<RecordBatch>,
    rows: usize,
    memory: usize,
}

impl Pending {
    fn push(&mut self, rows: RecordBatch) {
        self.rows += rows.num_rows();
        self.memory += rows.get_array_memory_size();
        self.batches.push(rows);
    }

    /// All of them in one batch; none are left.
    fn take(&mut self, schema: &SchemaRef) -> Result<RecordBatch> {
        let batches = std::mem::take(self).batches;
        match batches.as_slice() {
            [batch] => Ok(batch.clone()),
            batches => Ok(concat_batches(schema, batches)?),
        }
    }
}

impl ParquetWriter {
    /// A file of `topic` with the columns of `schema`.
    pub(crate) fn new(topic: &Arc<str>, schema: SchemaRef, plans: &SharedPlans) -> Result<Self> {
        let state = match plans.existing(topic, &schema) {
            None => State::Sampling,
            Some(plan) => State::Writing(Box::new(
                ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(plan)).map_err(broken)?,
            )),
        };
        let columns = schema.flattened_fields().len();
        let (topic, plans) = (Arc::clone(topic), plans.clone());
        Ok(Self { topic, schema, columns, state, pending: Pending::default(), plans, size: FileSize::default() })
    }

    fn start_writing(&mut self) -> Result<()> {
        let sample = match self.pending.batches.as_slice() {
            [first, ..] if first.num_rows() >= SAMPLE_ROWS => first.slice(0, SAMPLE_ROWS),
            batches => concat_batches(&self.schema, batches)?,
        };
        let plan = self.plans.make(&self.topic, &sample);
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&self.schema), Some(plan)).map_err(broken)?;
        self.state = State::Writing(Box::new(writer));
        self.write_pending()
    }

    fn write_pending(&mut self) -> Result<()> {
        let State::Writing(writer) = &mut self.state else { return self.start_writing() };
        if self.pending.rows == 0 {
            return Ok(());
        }
        let rows = self.pending.take(&self.schema)?;
        writer.write(&rows).map_err(broken)
    }

    fn measure(&mut self) {
        match &self.state {
            State::Writing(writer) => {
                self.size.encoded = writer.bytes_written() + writer.in_progress_size() + self.pending.memory;
                let state = COLUMN_STATE_MIN + writer.in_progress_rows().saturating_mul(COLUMN_STATE_PER_ROW);
                let states = self.columns * state.min(COLUMN_STATE_MAX);
                self.size.memory = writer.inner().capacity() + writer.in_progress_size() + states + self.pending.memory;
            }
            State::Sampling => self.size = FileSize { encoded: self.pending.memory, memory: self.pending.memory },
        }
    }
}

impl FileWriter for ParquetWriter {
    fn takes(&self, rows: &Rows) -> bool {
        matches!(rows, Rows::Columns(batch) if batch.schema_ref() == &self.schema)
    }

    fn write(&mut self, rows: Rows, size_limit: usize) -> Result<()> {
        let Rows::Columns(rows) = rows else { return Err(without_columns()) };
        self.plans.wrote(&self.topic, rows.num_rows() as u64);
        self.pending.push(rows);
        let (enough, memory) = match self.state {
            State::Sampling => (SAMPLE_ROWS, size_limit),
            State::Writing(_) => (MIN_ROWS, size_limit.min(MAX_PENDING)),
        };
        if self.pending.rows >= enough || self.pending.memory >= memory {
            self.write_pending()?;
        }
        self.measure();
        Ok(())
    }

    fn size(&self) -> FileSize {
        self.size
    }

    fn finish(mut self: Box<Self>, identity: &FileIdentity) -> Result<Bytes> {
        self.write_pending()?;
        let State::Writing(mut writer) = self.state else {
            return Err(Error::fatal("a file without rows cannot be completed"));
        };
        for entry in key_values(identity) {
            writer.append_key_value_metadata(entry);
        }
        writer.into_inner().map(Bytes::from).map_err(broken)
    }
}

impl std::fmt::Debug for ParquetWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetWriter").field("size", &self.size).finish_non_exhaustive()
    }
}

fn broken(error: ParquetError) -> Error {
    Error::fatal(format!("could not encode a Parquet file: {error}")).with_source(error)
}
