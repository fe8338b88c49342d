//! The file that is being read.

use volley_api::{Error, Result, SourceBatch};

use super::backlog::{PendingFile, Source, from_the_start};
use super::file_name::SinkName;
use super::file_rows::FileRows;
use super::read::{FileFormat, ReadPlan, RowReader, row_reader};
use super::record_maker::RecordMaker;
use super::store::FileVersion;
use super::stored_offset::partition;
use super::trouble::{FileTrouble, Read};

/// So many of the rows that are left out at once are named in the log.
const ROWS_SHOWN: usize = 20;

/// An open file, and the place in it.
pub(super) struct OpenFile {
    path: String,
    next_row: u64,
    reader: Box<dyn RowReader>,
    maker: RecordMaker,
    tolerates_errors: bool,
    /// Why the next row cannot be read.
    broken: Option<Error>,
}

/// Rows of a file of which none can be read.
struct NoRows;

impl RowReader for NoRows {
    fn next_rows(&mut self) -> Read<Option<FileRows>> {
        Ok(None)
    }
}

/// What a read has given.
#[derive(Debug)]
pub(super) enum Step {
    /// Rows, and how many of them were left out because they are bad.
    Rows(Vec<SourceBatch>, u64),
    /// The end of the file.
    End(Box<SourceBatch>),
}

impl OpenFile {
    /// Opens a file. The outer error is one of the configuration, or of a file that was replaced where that is not wanted.
    pub(super) fn open(source: &Source<'_>, pending: &PendingFile) -> Result<Read<Self>> {
        let config = source.config;
        let path = &pending.path;
        let topic = config.topic.topic_of(path)?;
        let file = match source.store.open_file(path) {
            Ok(file) => file,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let is_same = pending.version.as_ref().is_none_or(|version| version == file.version());
        let row = match pending.row {
            row if row > 0 && !is_same && from_the_start(path, config.on_changed_file)? => 0,
            row => row,
        };
        let of_sink = SinkName::of(path, &config.delimiter);
        let maker = RecordMaker {
            topic: topic.into(),
            kafka_partition: of_sink.filter(|_| config.keeps_partition).map(|name| name.partition),
            partition: partition(source.store_name, path),
            version: file.version().clone(),
            path_columns: config.partition_columns.of_path(path, of_sink.is_some()),
            key_field: config.key_field.clone(),
            timestamp_field: config.timestamp_field.clone(),
        };
        // a file that is listed has a format
        let format = config.format.or_else(|| FileFormat::of_name(path)).unwrap_or(FileFormat::JsonLines);
        let plan = ReadPlan {
            format,
            first_row: row,
            max_rows: config.batch_max_rows,
            topic: &maker.topic,
            json: source.json,
        };
        let (reader, broken) = match row_reader(file, &plan) {
            Ok(reader) => (reader, None),
            Err(FileTrouble::Corrupt(error)) => (Box::new(NoRows) as Box<dyn RowReader>, Some(error)),
            Err(trouble) => return Ok(Err(trouble)),
        };
        let (path, tolerates_errors) = (path.clone(), config.tolerates_errors);
        Ok(Ok(Self { path, next_row: row, reader, maker, tolerates_errors, broken }))
    }

    /// Reads on. After an error, the file is to be opened anew.
    pub(super) fn step(&mut self) -> Read<Step> {
        if let Some(error) = self.broken.take() {
            return Err(FileTrouble::Corrupt(error));
        }
        let Some(rows) = self.reader.next_rows()? else { return Ok(Step::End(Box::new(self.end()))) };
        let (rows, left_out) = self.good_rows(rows)?;
        let end = rows.end();
        let batches = self.maker.batches(rows).map_err(|error| FileTrouble::Store(of_file(&self.path, error)))?;
        self.next_row = end;
        Ok(Step::Rows(batches, left_out))
    }

    /// The rows without the bad ones, and how many those were. Where they are not tolerated, the rows before the first one.
    fn good_rows(&mut self, mut rows: FileRows) -> Read<(FileRows, u64)> {
        let rejected = std::mem::take(&mut rows.rejected);
        let left_out = rejected.len() as u64;
        let numbers: Vec<u64> = rejected.iter().take(ROWS_SHOWN).map(|(row, _)| rows.first + *row as u64).collect();
        let Some((row, error)) = rejected.into_iter().next() else { return Ok((rows, 0)) };
        if self.tolerates_errors {
            let (file, error) = (&self.path, format!("{error:#}"));
            tracing::warn!(file, left_out, rows = ?numbers, %error, "rows of a file are left out; this is the first");
            return Ok((rows, left_out));
        }
        match row {
            0 => Err(FileTrouble::Corrupt(error)),
            row => {
                self.broken = Some(error);
                Ok((rows.head(row), 0))
            }
        }
    }

    /// Keeps why the next row cannot be read, until it is asked for.
    pub(super) fn is_broken_behind(&mut self, error: Error) {
        self.broken = Some(error);
    }

    /// Its path below `store.url`.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The row that comes next.
    pub(super) fn next_row(&self) -> u64 {
        self.next_row
    }

    /// Which file it is.
    pub(super) fn version(&self) -> &FileVersion {
        &self.maker.version
    }

    /// The batch that ends the file here.
    pub(super) fn end(&self) -> SourceBatch {
        self.maker.end(self.next_row)
    }

    /// The file as it is to be opened to go on.
    pub(super) fn to_pending(&self) -> PendingFile {
        PendingFile { path: self.path.clone(), row: self.next_row, version: Some(self.maker.version.clone()) }
    }
}

impl std::fmt::Debug for OpenFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenFile").field("path", &self.path).field("next_row", &self.next_row).finish_non_exhaustive()
    }
}

fn of_file(path: &str, error: Error) -> Error {
    Error::new(error.kind(), format!("file `{path}`: {error}")).with_source(error)
}
