//! Avro object container files. A file is read whole: so is its largest block, and no file of a sink is larger than memory.

use std::sync::Arc;

use arrow::array::UInt32Array;
use arrow::buffer::Buffer;
use volley_api::{ConfigMap, Error, RowIndex, Run};
use volley_converters::{AvroBlock, AvroContainerReader};

use super::decompressed::decompressed_bytes;
use super::row_reader::RowReader;
use crate::source::file_rows::FileRows;
use crate::source::store::StoreFile;
use crate::source::trouble::{FileTrouble, Read};

/// Files that are larger are refused.
const LARGEST_FILE: u64 = 1 << 30;

/// The rows of one file, a block after the other.
pub(super) struct AvroRows {
    blocks: AvroContainerReader,
    /// The row of the file that the next block begins with.
    next_row: u64,
    /// The first row that is wanted.
    first_row: u64,
    /// What is left of the last block, last piece first.
    pieces: Vec<FileRows>,
    max_rows: usize,
}

impl AvroRows {
    /// From row `first_row` on.
    pub(super) fn open(file: &Arc<StoreFile>, first_row: u64, max_rows: usize) -> Read<Self> {
        let too_large = |size: u64| {
            FileTrouble::Store(Error::fatal(format!(
                "an Avro file is read whole, and this one has {size} bytes: more than {LARGEST_FILE}; split it, or leave it out \
                 by `path`"
            )))
        };
        let size = file.size();
        if size > LARGEST_FILE {
            return Err(too_large(size));
        }
        let bytes = decompressed_bytes(file.read(0..size)?, LARGEST_FILE).map_err(FileTrouble::corrupt)?;
        if bytes.len() as u64 > LARGEST_FILE {
            return Err(too_large(bytes.len() as u64));
        }
        let bytes = Buffer::from(bytes);
        let blocks = AvroContainerReader::new(bytes, &ConfigMap::new()).map_err(FileTrouble::Corrupt)?;
        Ok(Self { blocks, next_row: 0, first_row, pieces: Vec::new(), max_rows })
    }
}

impl RowReader for AvroRows {
    fn next_rows(&mut self) -> Read<Option<FileRows>> {
        while self.pieces.is_empty() {
            let Some(block) = self.blocks.next() else { return Ok(None) };
            let block = block.map_err(FileTrouble::Corrupt)?;
            let (first, len) = (self.next_row, block.len);
            self.next_row += len as u64;
            let skipped = usize::try_from(self.first_row.saturating_sub(first)).unwrap_or(usize::MAX).min(len);
            self.pieces = pieces(block, first, skipped, self.max_rows)?;
        }
        Ok(self.pieces.pop())
    }
}

/// The rows of a block from row `skipped` on, in pieces of up to `max_rows`, the last piece first.
fn pieces(block: AvroBlock, first: u64, skipped: usize, max_rows: usize) -> Read<Vec<FileRows>> {
    let AvroBlock { len, runs, mut rejected } = block;
    let starts: Vec<_> = (skipped..len).step_by(max_rows).collect();
    let mut pieces = Vec::with_capacity(starts.len());
    for start in starts.into_iter().rev() {
        let end = len.min(start.saturating_add(max_rows));
        let mut of_piece = rejected.split_off(rejected.partition_point(|(row, _)| *row < start));
        of_piece.retain(|(row, _)| *row < end);
        of_piece.iter_mut().for_each(|(row, _)| *row -= start);
        let runs = runs.iter().filter_map(|run| cut(run, start, end)).collect::<Vec<_>>();
        pieces.push(FileRows { first: first + start as u64, len: end - start, runs, rejected: of_piece });
    }
    Ok(pieces)
}

/// The rows of a run from `start` up to before `end`, counted from `start`; `None` if there are none.
fn cut(run: &Run, start: usize, end: usize) -> Option<Run> {
    let rows: Vec<usize> = run.rows.iter().collect();
    let (from, to) = (rows.partition_point(|row| *row < start), rows.partition_point(|row| *row < end));
    let rows = UInt32Array::from_iter_values(rows[from..to].iter().map(|row| (row - start) as u32));
    (from < to).then(|| Run { rows: RowIndex::Selected(rows), column: run.column.slice(from, to - from) })
}
