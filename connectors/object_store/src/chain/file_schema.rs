//! The schema of an open file, and records of other versions as rows of it.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::datatypes::FieldRef;
use tracing::warn;
use volley_api::{Records, Result};

use super::pieces::Piece;
use super::writing::Writing;
use crate::evolution::{Meeting, Mismatch, project, version};
use crate::format::{RowMaker, Rows};

/// The schema that a file began with.
#[derive(Debug)]
pub(crate) struct FileSchema {
    field: FieldRef,
    /// Makes rows of projected records; there is none before the first of these.
    row_maker: Option<Box<dyn RowMaker>>,
}

impl FileSchema {
    /// Of a file that begins with these records.
    pub(crate) fn new(records: &Records) -> Self {
        Self { field: Arc::clone(&records.value.field), row_maker: None }
    }

    /// The piece as rows of this file; `None`: the file has to be completed first.
    ///
    /// Nothing is ever rejected here: what does not fit begins another file. A row that is rejected because of the file that
    /// happens to be open would be lost if the task ended before its dead letter was written: whoever reads it again finds it
    /// covered by a file, and has another one open.
    pub(crate) fn fitted<'a>(&mut self, piece: &'a Piece, writing: &Writing<'_>) -> Result<Option<Cow<'a, Piece>>> {
        let Some(source) = &piece.source else { return Ok(Some(Cow::Borrowed(piece))) };
        match writing.compatibility.meeting(&self.field, &source.value.field) {
            Meeting::AsItIs => return Ok(Some(Cow::Borrowed(piece))),
            Meeting::AnotherFile => return Ok(None),
            Meeting::Projected => {}
        }
        let value = match project(&source.value, &self.field)? {
            Ok(value) => value,
            Err(mismatch) => {
                self.warn_of(source, &mismatch, writing);
                return Ok(None);
            }
        };
        let rows = self.rows(Records { value, ..source.clone() }, writing)?;
        Ok(rows.map(|rows| Cow::Owned(Piece { rows, ..piece.clone() })))
    }

    fn rows(&mut self, records: Records, writing: &Writing<'_>) -> Result<Option<Rows>> {
        let maker = match &mut self.row_maker {
            Some(maker) => maker,
            None => self.row_maker.insert(writing.format.row_maker()?),
        };
        let (count, mut rejected) = (records.len(), Vec::new());
        let made = maker.rows(&writing.format.output_fields().around(records)?, &mut rejected)?;
        Ok(Some(made.rows).filter(|rows| rejected.is_empty() && rows.len() == count))
    }

    fn warn_of(&self, source: &Records, mismatch: &Mismatch, writing: &Writing<'_>) {
        warn!(
            connector = writing.connector, topic = %source.topic, record_version = version(&source.value.field),
            file_version = version(&self.field), offset = source.offset(0),
            "a record does not fit the schema of the open file, which is completed because of it: {mismatch}; to have fewer \
             files, give the field a default, or let records of one version only reach the topic"
        );
    }
}
