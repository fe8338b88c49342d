//! One CSV file.

use arrow::csv::WriterBuilder;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use bytes::Bytes;
use volley_api::{Error, Result};

use crate::format::codec::{Compressor, FileCodec};
use crate::format::file_writer::{FileSize, FileWriter};
use crate::format::identity::FileIdentity;
use crate::format::rows::{Rows, without_columns};

/// Writes one file. A null is an empty cell.
#[derive(Debug)]
pub(crate) struct CsvWriter {
    schema: SchemaRef,
    out: Option<Compressor>,
    has_header: bool,
}

impl CsvWriter {
    /// A file with the columns of `schema`.
    pub(crate) fn new(schema: SchemaRef, codec: FileCodec) -> Result<Self> {
        let out = Compressor::new(codec).map_err(|error| broken(error.into()))?;
        Ok(Self { schema, out: Some(out), has_header: false })
    }
}

impl FileWriter for CsvWriter {
    fn takes(&self, rows: &Rows) -> bool {
        matches!(rows, Rows::Columns(batch) if batch.schema_ref() == &self.schema)
    }

    fn write(&mut self, rows: Rows, _size_limit: usize) -> Result<()> {
        let Rows::Columns(rows) = rows else { return Err(without_columns()) };
        let Some(out) = self.out.take() else {
            return Err(Error::fatal("a CSV file was broken by an earlier failure"));
        };
        let mut writer = WriterBuilder::new().with_header(!self.has_header).build(out);
        writer.write(&rows).map_err(broken)?;
        self.has_header = true;
        self.out = Some(writer.into_inner());
        Ok(())
    }

    fn output(&mut self) -> Option<&mut Vec<u8>> {
        self.out.as_mut().map(Compressor::output_mut)
    }

    fn size(&self) -> FileSize {
        let Some(out) = &self.out else { return FileSize::default() };
        FileSize { encoded: out.output().len(), memory: out.output().capacity() + out.state_memory() }
    }

    fn finish(self: Box<Self>, _identity: &FileIdentity) -> Result<Bytes> {
        let Some(out) = self.out else { return Err(Error::fatal("a CSV file was broken by an earlier failure")) };
        out.finish().map(Bytes::from).map_err(|error| broken(error.into()))
    }
}

fn broken(error: ArrowError) -> Error {
    Error::fatal(format!("could not encode a CSV file: {error}")).with_source(error)
}
