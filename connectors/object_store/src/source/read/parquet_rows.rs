//! Parquet files, a row group after the other.

use std::ops::Range;
use std::sync::Arc;

use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};

use super::column_rows::rows_of;
use super::parquet_group::PartOfFile;
use super::row_reader::RowReader;
use crate::source::file_rows::FileRows;
use crate::source::store::StoreFile;
use crate::source::trouble::{FileTrouble, Read};

/// Read from the end of a file at first; holds the metadata of most.
const TAIL: u64 = 64 * 1024;

/// About how many bytes a batch has, as they are in the file before it is compressed.
const BATCH_BYTES: u64 = 8 * 1024 * 1024;

/// The rows of one file.
pub(super) struct ParquetRows {
    file: Arc<StoreFile>,
    metadata: ArrowReaderMetadata,
    /// The row group that is being read.
    group: Option<ParquetRecordBatchReader>,
    next_group: usize,
    /// The row of the file that comes next.
    next_row: u64,
    /// Rows to leave out first.
    skip: u64,
    max_rows: usize,
}

impl ParquetRows {
    /// From row `first_row` on.
    pub(super) fn open(file: Arc<StoreFile>, first_row: u64, max_rows: usize) -> Read<Self> {
        let metadata = Arc::new(read_metadata(&file)?);
        let options = ArrowReaderOptions::new();
        let metadata = ArrowReaderMetadata::try_new(metadata, options).map_err(FileTrouble::corrupt)?;
        Ok(Self { file, metadata, group: None, next_group: 0, next_row: first_row, skip: first_row, max_rows })
    }

    /// Opens the next row group that has rows; `false` if there is none.
    fn open_group(&mut self) -> Read<bool> {
        let metadata = Arc::clone(self.metadata.metadata());
        while let Some(group) = metadata.row_groups().get(self.next_group) {
            let number = self.next_group;
            self.next_group += 1;
            let rows = u64::try_from(group.num_rows()).map_err(FileTrouble::corrupt)?;
            let skipped = self.skip.min(rows);
            self.skip -= skipped;
            if skipped < rows {
                self.group = Some(self.reader(number, group, skipped as usize)?);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn reader(&self, number: usize, group: &RowGroupMetaData, skipped: usize) -> Read<ParquetRecordBatchReader> {
        let range = bytes_of(group, self.file.size())?;
        let (start, file_size) = (range.start, self.file.size());
        let part = PartOfFile { start, bytes: self.file.read(range)?, file_size };
        ParquetRecordBatchReaderBuilder::new_with_metadata(part, self.metadata.clone())
            .with_row_groups(vec![number])
            .with_batch_size(batch_rows(group, self.max_rows))
            .with_offset(skipped)
            .build()
            .map_err(FileTrouble::corrupt)
    }
}

impl RowReader for ParquetRows {
    fn next_rows(&mut self) -> Read<Option<FileRows>> {
        loop {
            if let Some(batch) = self.group.as_mut().and_then(Iterator::next) {
                let rows = rows_of(&batch.map_err(FileTrouble::corrupt)?, self.next_row)?;
                self.next_row = rows.end();
                return Ok(Some(rows));
            }
            if !self.open_group()? {
                return Ok(None);
            }
        }
    }
}

/// The metadata at the end of a file.
fn read_metadata(file: &StoreFile) -> Read<ParquetMetaData> {
    let size = file.size();
    let mut length = TAIL.min(size);
    loop {
        let tail = file.read(size - length..size)?;
        let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Skip);
        match reader.try_parse_sized(&tail, size) {
            Ok(()) => return reader.finish().map_err(FileTrouble::corrupt),
            // it asks for more than there was, and at most for all
            Err(ParquetError::NeedMoreData(needed)) if length < needed as u64 && needed as u64 <= size => {
                length = needed as u64;
            }
            Err(error) => return Err(FileTrouble::corrupt(error)),
        }
    }
}

/// How many rows of a group make a batch: fewer where they are large.
fn batch_rows(group: &RowGroupMetaData, max_rows: usize) -> usize {
    let of = |number: i64| u64::try_from(number).unwrap_or(0).max(1);
    let row_bytes = (of(group.total_byte_size()) / of(group.num_rows())).max(1);
    usize::try_from(BATCH_BYTES / row_bytes).unwrap_or(max_rows).clamp(1, max_rows)
}

/// Where the column chunks of a row group are.
fn bytes_of(group: &RowGroupMetaData, size: u64) -> Read<Range<u64>> {
    let ranges = group.columns().iter().map(|column| {
        let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        let start = u64::try_from(start).ok()?;
        let end = start.checked_add(u64::try_from(column.compressed_size()).ok()?)?;
        (end <= size).then_some(start..end)
    });
    let ranges = ranges.collect::<Option<Vec<_>>>().ok_or_else(|| {
        FileTrouble::corrupt("the metadata names columns that are not in the file, which may have been cut off")
    })?;
    let start = ranges.iter().map(|range| range.start).min().unwrap_or(0);
    Ok(start..ranges.iter().map(|range| range.end).max().unwrap_or(start))
}
