//! Lines of JSON, each a value without an envelope. Types are found out as everywhere: by the JsonConverter. A blank line is no row.

use std::sync::Arc;

use arrow::array::{Array, BinaryArray, UInt32Array};
use arrow::buffer::ScalarBuffer;
use arrow::compute::take;
use parking_lot::Mutex;
use volley_api::{
    ConfigMap, Converter, Error, OffsetRange, Origin, RawBatch, Result, RowIndex, Run, Side, TimestampType,
    TopicPartition,
};
use volley_converters::JsonConverter;

use super::lines::{LineBatch, Lines};
use super::row_reader::RowReader;
use crate::source::file_rows::FileRows;
use crate::source::store::StoreFile;
use crate::source::trouble::{FileTrouble, Read};

/// Makes columns of JSON. All files of a task have one: what it learns of the types of a topic only becomes wider.
#[derive(Clone, Debug)]
pub(in crate::source) struct JsonDecoder(Arc<Mutex<JsonConverter>>);

impl JsonDecoder {
    /// One that has learned nothing yet.
    ///
    /// # Errors
    /// None, since its settings are given.
    pub(in crate::source) fn new() -> Result<Self> {
        let config = ConfigMap::from_iter([("schemas.enable".to_owned(), "false".to_owned())]);
        Ok(Self(Arc::new(Mutex::new(JsonConverter::new(&config, Side::Value)?))))
    }
}

/// The rows of one file.
pub(super) struct JsonRows {
    lines: Lines,
    decoder: JsonDecoder,
    topic: Arc<str>,
    max_rows: usize,
}

impl JsonRows {
    /// From line `first_row` on, for `topic`.
    pub(super) fn open(
        file: &Arc<StoreFile>,
        first_row: u64,
        max_rows: usize,
        (decoder, topic): (&JsonDecoder, &Arc<str>),
    ) -> Read<Self> {
        let (decoder, topic) = (decoder.clone(), Arc::clone(topic));
        Ok(Self { lines: Lines::open(file, first_row)?, decoder, topic, max_rows })
    }

    fn rows(&self, batch: &LineBatch) -> Result<FileRows> {
        let (first, len) = (batch.first, batch.texts.len());
        let kept = not_blank(&batch.texts);
        let texts = match kept.len() == len {
            true => batch.texts.clone(),
            false => BinaryArray::from(take(&batch.texts, &kept, None)?.to_data()),
        };
        let converted = self.decoder.0.lock().to_connect(&self.raw(texts), Side::Value)?;
        let line_of = |row: usize| kept.value(row);
        let runs = converted.runs.into_iter().map(|run| {
            let lines = UInt32Array::from_iter_values(run.rows.iter().map(line_of));
            Run { rows: RowIndex::Selected(lines), column: run.column }
        });
        let rejected = converted.rejected.into_iter().map(|rejected| {
            let row = line_of(rejected.row) as usize;
            let line = first + row as u64 + 1;
            (row, Error::data(format!("line {line} is no JSON value")).with_source(rejected.error))
        });
        Ok(FileRows { first, len, runs: runs.collect(), rejected: rejected.collect() })
    }

    /// Values for the converter, which has no use for where they stand in Kafka.
    fn raw(&self, values: BinaryArray) -> RawBatch {
        let len = values.len();
        let end = len as i64;
        let origin = Origin {
            partition: TopicPartition::new(Arc::clone(&self.topic), 0),
            range: OffsetRange { first: 0, end },
            offsets: (0..end).collect(),
            timestamp_type: TimestampType::CreateTime,
            timestamps: ScalarBuffer::from(vec![-1; len]),
        };
        RawBatch { origin: Arc::new(origin), keys: BinaryArray::new_null(len), values, headers: None }
    }
}

/// The lines with something in them.
fn not_blank(texts: &BinaryArray) -> UInt32Array {
    let lines = texts.iter().enumerate().filter(|(_, text)| !text.unwrap_or_default().trim_ascii().is_empty());
    UInt32Array::from_iter_values(lines.map(|(line, _)| line as u32))
}

impl RowReader for JsonRows {
    fn next_rows(&mut self) -> Read<Option<FileRows>> {
        let Some(batch) = self.lines.next_batch(self.max_rows)? else { return Ok(None) };
        self.rows(&batch).map(Some).map_err(FileTrouble::Corrupt)
    }
}
