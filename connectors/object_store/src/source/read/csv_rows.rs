//! CSV files with a line of column names. Every value is a text; an empty cell is null.

use std::io::{self, BufRead};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use csv::{ByteRecord, Reader, ReaderBuilder};
use volley_api::{Error, RowIndex};

use super::column_rows::rows_of;
use super::decompressed::decompressed;
use super::row_reader::RowReader;
use crate::source::file_rows::FileRows;
use crate::source::store::{FileStream, StoreFile, StreamTrouble};
use crate::source::trouble::{FileTrouble, Read};

/// A batch ends with the row that reaches this many bytes.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// The longest row: a quote that nobody closes makes one of all that follows.
const ROW_BYTES: u64 = 64 * 1024 * 1024;

/// The rows of one file.
pub(super) struct CsvRows {
    rows: Reader<Bounded>,
    schema: SchemaRef,
    /// What may still be read for the next row.
    left: Arc<AtomicU64>,
    trouble: StreamTrouble,
    /// The row of the file that comes next.
    next_row: u64,
    max_rows: usize,
    record: ByteRecord,
    /// Why the next row cannot be read, found out when those before it were.
    broken: Option<FileTrouble>,
}

/// Input of which only so much is read at a time.
struct Bounded {
    input: Box<dyn BufRead + Send>,
    left: Arc<AtomicU64>,
}

impl io::Read for Bounded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::other(format!("a row has more than {ROW_BYTES} bytes; is a quote not closed?")));
        }
        let len = self.input.read(into)?;
        self.left.store(left.saturating_sub(len as u64), Ordering::Relaxed);
        Ok(len)
    }
}

impl CsvRows {
    /// From row `first_row` on.
    pub(super) fn open(file: &Arc<StoreFile>, first_row: u64, max_rows: usize) -> Read<Self> {
        let stream = FileStream::new(file);
        let trouble = stream.trouble();
        let left = Arc::new(AtomicU64::new(ROW_BYTES));
        let input = Bounded { input: decompressed(stream)?, left: Arc::clone(&left) };
        let mut rows = ReaderBuilder::new().flexible(true).from_reader(input);
        let names = rows.byte_headers().map_err(|error| trouble.behind(error))?.clone();
        let schema = Arc::new(Schema::new(columns(&names)?));
        let mut rows =
            Self { rows, schema, left, trouble, next_row: 0, max_rows, record: ByteRecord::new(), broken: None };
        while rows.next_row < first_row && rows.read_row()? {}
        rows.next_row = first_row;
        Ok(rows)
    }

    /// Reads the next row into `record`; `false` at the end.
    fn read_row(&mut self) -> Read<bool> {
        self.left.store(ROW_BYTES, Ordering::Relaxed);
        let is_row = self.rows.read_byte_record(&mut self.record).map_err(|error| {
            let line = self.rows.position().line();
            self.trouble.behind(format!("line {line}: {error}"))
        })?;
        self.next_row += u64::from(is_row);
        Ok(is_row)
    }

    /// The cells of the row that was read; `None` for an empty one.
    fn cells(&self) -> Result<Vec<Option<&str>>, Error> {
        let line = self.record.position().map_or(0, csv::Position::line);
        let (cells, columns) = (self.record.len(), self.schema.fields().len());
        if cells != columns {
            return Err(Error::data(format!(
                "line {line} has {cells} cells, and the first line names {columns} columns"
            )));
        }
        let cells =
            self.record.iter().map(|cell| str::from_utf8(cell).map(|text| Some(text).filter(|text| !text.is_empty())));
        cells.collect::<Result<_, _>>().map_err(|_| Error::data(format!("line {line} is no UTF-8")))
    }
}

/// The columns, by the first line.
fn columns(names: &ByteRecord) -> Read<Vec<Field>> {
    let mut columns: Vec<Field> = Vec::with_capacity(names.len());
    for name in names {
        let name = str::from_utf8(name).map_err(|_| FileTrouble::corrupt("the line of column names is no UTF-8"))?;
        if columns.iter().any(|column| column.name() == name) {
            return Err(FileTrouble::corrupt(format!("the first line names column `{name}` twice")));
        }
        columns.push(Field::new(name, DataType::Utf8, true));
    }
    Ok(columns)
}

impl RowReader for CsvRows {
    fn next_rows(&mut self) -> Read<Option<FileRows>> {
        if let Some(trouble) = self.broken.take() {
            return Err(trouble);
        }
        let first = self.next_row;
        let mut columns: Vec<_> = self.schema.fields().iter().map(|_| StringBuilder::new()).collect();
        let (mut kept, mut rejected, mut bytes) = (Vec::new(), Vec::new(), 0);
        while ((self.next_row - first) as usize) < self.max_rows && bytes < BATCH_BYTES {
            let row = (self.next_row - first) as usize;
            match self.read_row() {
                Ok(true) => {}
                Ok(false) => break,
                // what comes before is good
                Err(trouble @ FileTrouble::Corrupt(_)) if row > 0 => {
                    self.broken = Some(trouble);
                    break;
                }
                Err(trouble) => return Err(trouble),
            }
            bytes += self.record.as_slice().len();
            match self.cells() {
                Ok(cells) => {
                    columns.iter_mut().zip(cells).for_each(|(column, cell)| column.append_option(cell));
                    kept.push(row as u32);
                }
                Err(error) => rejected.push((row, error)),
            }
        }
        let len = (self.next_row - first) as usize;
        if len == 0 {
            return Ok(None);
        }
        let arrays = columns.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(kept.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options);
        let mut rows = rows_of(&batch.map_err(FileTrouble::corrupt)?, first)?;
        if kept.len() < len {
            rows.runs.retain(|_| !kept.is_empty());
            rows.runs.iter_mut().for_each(|run| run.rows = RowIndex::Selected(UInt32Array::from(kept.clone())));
        }
        Ok(Some(FileRows { len, rejected, ..rows }))
    }
}
