//! A file for batches on local disk, which nobody else sees: it goes with the process, however that ends.

use std::fs::File;
use std::io::{Cursor, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use volley_api::{Error, Result};

/// Where a batch stands in its file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    at: u64,
    bytes: usize,
    /// Number of rows.
    pub(super) rows: usize,
}

/// Batches of any schemas, one after the other.
#[derive(Debug)]
pub(super) struct SpillFile {
    file: Arc<File>,
    directory: PathBuf,
    end: u64,
    options: IpcWriteOptions,
}

impl SpillFile {
    /// A new file in `directory`, which has no name there.
    pub(super) fn create(directory: Option<&Path>) -> Result<Self> {
        let directory = directory.map_or_else(std::env::temp_dir, Path::to_owned);
        let file = tempfile::tempfile_in(&directory).map_err(|error| {
            Error::config(format!("could not create a file in {}", directory.display())).with_source(error)
        })?;
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
        Ok(Self { file: Arc::new(file), directory, end: 0, options })
    }

    /// Adds a batch.
    ///
    /// # Errors
    /// `Fatal` if the disk is full or fails.
    pub(super) fn append(&mut self, batch: &RecordBatch) -> Result<Segment> {
        let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), self.options.clone())?;
        writer.write(batch)?;
        let bytes = writer.into_inner()?;
        let mut file = self.file.as_ref();
        // a write that failed half way has left something behind the end
        let written =
            std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(self.end)).and_then(|_| file.write_all(&bytes));
        written.map_err(|error| {
            Error::fatal(format!("could not keep records in {}: {error}", self.directory.display())).with_source(error)
        })?;
        let segment = Segment { at: self.end, bytes: bytes.len(), rows: batch.num_rows() };
        self.end += bytes.len() as u64;
        Ok(segment)
    }

    /// Reads what this file has, also after it is gone.
    pub(super) fn reader(&self) -> SpillReader {
        SpillReader { file: Arc::clone(&self.file), directory: self.directory.clone() }
    }
}

/// Reads batches of a file; a clone reads the same file.
#[derive(Clone, Debug)]
pub(super) struct SpillReader {
    file: Arc<File>,
    directory: PathBuf,
}

impl SpillReader {
    /// A batch; of it only the columns of `projection`, if given.
    ///
    /// # Errors
    /// `Fatal` if it cannot be read.
    pub(super) fn read(&self, segment: Segment, projection: Option<Vec<usize>>) -> Result<RecordBatch> {
        let mut bytes = vec![0; segment.bytes];
        self.file.read_exact_at(&mut bytes, segment.at).map_err(|error| {
            Error::fatal(format!("could not read records back from {}: {error}", self.directory.display()))
                .with_source(error)
        })?;
        let mut reader = StreamReader::try_new(Cursor::new(bytes), projection)?;
        match reader.next() {
            Some(batch) => Ok(batch?),
            None => Err(Error::fatal(format!("records are missing in {}", self.directory.display()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    fn batch(numbers: Vec<i64>, with_text: bool) -> RecordBatch {
        let texts = numbers.iter().map(|number| Some(number.to_string())).collect::<StringArray>();
        let mut columns: Vec<(&str, ArrayRef)> = vec![("n", Arc::new(Int64Array::from(numbers)))];
        if with_text {
            columns.push(("t", Arc::new(texts)));
        }
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[test]
    fn batches_of_any_schema_are_read_back_in_any_order() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = SpillFile::create(Some(directory.path())).unwrap();
        let batches = [batch(vec![1, 2], true), batch(vec![], false), batch(vec![3], false)];
        let segments: Vec<Segment> = batches.iter().map(|batch| file.append(batch).unwrap()).collect();
        let reader = file.reader();
        drop(file);
        for (segment, batch) in segments.iter().zip(&batches).rev() {
            assert_eq!(&reader.read(*segment, None).unwrap(), batch);
        }
        assert_eq!(reader.read(segments[0], Some(vec![1])).unwrap(), batches[0].project(&[1]).unwrap());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "it has no name");
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let error = SpillFile::create(Some(Path::new("/no/such/place"))).unwrap_err();
        assert!(error.to_string().contains("/no/such/place"), "{error}");
    }
}
