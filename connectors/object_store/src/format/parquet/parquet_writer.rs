//! Rows to the bytes of a Parquet file.

use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use volley_api::{Error, Result};

use super::encodings::{SAMPLE_ROWS, SharedPlans};
use super::footer::key_values;
use super::parquet_options::ParquetOptions;
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
    /// If rows are sorted: of a row group at a time.
    sorted: Option<ParquetOptions>,
    /// Without the output.
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
                ArrowWriter::try_new_with_options(Vec::new(), Arc::clone(&schema), plan).map_err(broken)?,
            )),
        };
        let columns = schema.flattened_fields().len();
        let (topic, plans) = (Arc::clone(topic), plans.clone());
        let sorted = Some(plans.options()).filter(|options| !options.order.is_none());
        let pending = Pending::default();
        Ok(Self { topic, schema, columns, state, pending, plans, sorted, size: FileSize::default() })
    }

    fn start_writing(&mut self, is_last: bool) -> Result<()> {
        let plan = match self.plans.existing(&self.topic, &self.schema) {
            // made since this file was begun
            Some(plan) => plan,
            None => self.plans.make(&self.topic, &self.sample()?),
        };
        let schema = Arc::clone(&self.schema);
        let writer = ArrowWriter::try_new_with_options(Vec::new(), schema, plan).map_err(broken)?;
        self.state = State::Writing(Box::new(writer));
        self.write_pending(is_last)
    }

    fn sample(&self) -> Result<RecordBatch> {
        Ok(match self.pending.batches.as_slice() {
            [first, ..] if first.num_rows() >= SAMPLE_ROWS => first.slice(0, SAMPLE_ROWS),
            batches => concat_batches(&self.schema, batches)?,
        })
    }

    /// `is_last`: nothing comes behind.
    fn write_pending(&mut self, is_last: bool) -> Result<()> {
        let State::Writing(writer) = &mut self.state else { return self.start_writing(is_last) };
        if self.pending.rows == 0 {
            return Ok(());
        }
        let rows = self.pending.take(&self.schema)?;
        let Some(options) = &self.sorted else { return writer.write(&rows).map_err(broken) };
        for first in (0..rows.num_rows()).step_by(options.row_group_rows()) {
            let group = rows.slice(first, options.row_group_rows().min(rows.num_rows() - first));
            if first > 0 && group.num_rows() < options.row_group_rows() && !is_last {
                // a copy, which does not hold the memory of all
                let all: UInt32Array = (0..group.num_rows() as u32).collect();
                self.pending.push(take_record_batch(&group, &all)?);
                break;
            }
            writer.write(&options.order.sorted(&group)?).map_err(broken)?;
            // what comes next is not in one order with it
            writer.flush().map_err(broken)?;
        }
        Ok(())
    }

    /// Whether there is enough that waits to be written. `size_limit`: of the file.
    fn is_time_to_write(&self, size_limit: usize) -> bool {
        let Pending { rows, memory, .. } = self.pending;
        match (&self.sorted, &self.state) {
            (Some(options), _) => options.fill_a_row_group(rows, memory) || memory >= size_limit,
            (None, State::Sampling) => rows >= SAMPLE_ROWS || memory >= size_limit,
            (None, State::Writing(_)) => rows >= MIN_ROWS || memory >= size_limit.min(MAX_PENDING),
        }
    }

    fn measure(&mut self) {
        match &self.state {
            State::Writing(writer) => {
                self.size.encoded = writer.in_progress_size() + self.pending.memory;
                let state = COLUMN_STATE_MIN + writer.in_progress_rows().saturating_mul(COLUMN_STATE_PER_ROW);
                let states = self.columns * state.min(COLUMN_STATE_MAX);
                self.size.memory = writer.in_progress_size() + states + self.pending.memory;
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
        if self.is_time_to_write(size_limit) {
            self.write_pending(false)?;
        }
        self.measure();
        Ok(())
    }

    fn output(&mut self) -> Option<&mut Vec<u8>> {
        match &mut self.state {
            State::Writing(writer) => Some(writer.inner_mut()),
            State::Sampling => None,
        }
    }

    fn settle(&mut self, least: usize) -> Result<()> {
        // rows are sorted within a row group, which is to be as large as it was asked for
        if self.sorted.is_none()
            && let State::Writing(writer) = &mut self.state
            && writer.in_progress_size() >= least
        {
            writer.flush().map_err(broken)?;
            self.measure();
        }
        Ok(())
    }

    fn size(&self) -> FileSize {
        let output = match &self.state {
            State::Writing(writer) => writer.inner(),
            State::Sampling => return self.size,
        };
        let FileSize { encoded, memory } = self.size;
        FileSize { encoded: encoded + output.len(), memory: memory + output.capacity() }
    }

    fn finish(mut self: Box<Self>, identity: &FileIdentity) -> Result<Bytes> {
        self.write_pending(true)?;
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

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use arrow::array::{ArrayRef, Int64Array, TimestampSecondArray};
    use proptest::prelude::*;
    use volley_api::TopicPartition;

    use super::*;
    use crate::format::{Format, new_file_id};
    use crate::test_records::{read_rows, sink_config};

    fn rows(numbers: Range<i64>) -> RecordBatch {
        let times = TimestampSecondArray::from_iter_values(numbers.clone()).with_timezone("Europe/Berlin");
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers));
        // Parquet alone does not say the unit and the zone
        RecordBatch::try_from_iter([("number", numbers), ("time", Arc::new(times) as ArrayRef)]).unwrap()
    }

    fn identity() -> FileIdentity {
        FileIdentity {
            file_id: new_file_id(),
            connector: "c".into(),
            origin: TopicPartition::new("t", 0),
            start: 0,
            end: 1,
            rows: 1,
            start_timestamp: 0,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn of_files_open_together_each_has_its_rows_in_order_with_their_types(
            pieces in prop::collection::vec((0_usize..3, 1_i64..3_000, any::<bool>()), 1..16),
        ) {
            let format = Format::new(sink_config(&[]).format);
            let mut open: [Option<Box<dyn FileWriter>>; 3] = [None, None, None];
            let mut expected = [0..0, 0..0, 0..0];
            let check = |writer: Box<dyn FileWriter>, expected: Range<i64>| {
                assert_eq!(read_rows(writer.finish(&identity()).unwrap()).columns(), rows(expected).columns());
            };
            for (place, count, is_last) in pieces {
                let piece = Rows::Columns(rows(expected[place].end..expected[place].end + count));
                let writer = open[place].get_or_insert_with(|| format.file_writer(&Arc::from("t"), &piece).unwrap());
                writer.write(piece, usize::MAX).unwrap();
                expected[place].end += count;
                if is_last && let Some(writer) = open[place].take() {
                    check(writer, expected[place].clone());
                    expected[place].start = expected[place].end;
                }
            }
            for (writer, expected) in open.into_iter().zip(expected) {
                writer.into_iter().for_each(|writer| check(writer, expected.clone()));
            }
        }
    }
}
