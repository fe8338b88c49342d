//! The last file of a chain without the files beside it: whoever wrote it ended in between. They are written again from the same
//! records, which come again, since nothing of that file has been committed.

use tracing::warn;
use volley_api::{Records, RejectedRow, Result};

use super::adoption::AdoptedFile;
use super::open_file::{ClosedFile, SiblingFile};
use super::pieces::Piece;
use super::row_order::first_row_from;
use super::writing::Writing;
use crate::siblings::SiblingRows;
use crate::store::Contents;

/// Gathers what stands in them.
#[derive(Debug)]
pub(crate) struct MissingSiblings {
    file: AdoptedFile,
    /// Rows before this offset are among those below.
    next: i64,
    /// What `next` will be after the current batch.
    next_after_batch: i64,
    /// Rows that have come, and the keys or headers of each sibling.
    pieces: Vec<(Records, Vec<SiblingRows>)>,
    rows: u64,
}

impl MissingSiblings {
    /// Of a file that is there.
    pub(crate) fn new(file: AdoptedFile) -> Self {
        let start = file.identity.start;
        Self { file, next: start, next_after_batch: start, pieces: Vec::new(), rows: 0 }
    }

    /// Offset of the file's first row.
    pub(crate) fn start(&self) -> i64 {
        self.file.identity.start
    }

    /// Takes the rows of the file among these.
    pub(crate) fn take(&mut self, piece: &Piece) {
        let (from, to) =
            (first_row_from(&piece.records, self.next), first_row_from(&piece.records, self.file.identity.end));
        if from < to {
            let part = piece.slice(from, to - from);
            self.rows += part.len() as u64;
            if let Some(last) = part.records.offset(part.len() - 1) {
                self.next_after_batch = self.next_after_batch.max(last + 1);
            }
            self.pieces.push((part.records, part.siblings));
        }
    }

    /// All records of the current batch, which reaches up to `end`, have come. Whether all rows of the file have.
    pub(crate) fn end_batch(&mut self, end: i64) -> bool {
        self.next = self.next_after_batch;
        end >= self.file.identity.end
    }

    /// The files, once all rows have come; `None`: they are not the rows that the file holds.
    pub(crate) fn close(&self, writing: &Writing<'_>) -> Result<Option<ClosedFile>> {
        let identity = &self.file.identity;
        if self.rows != identity.rows {
            warn!(
                path = self.file.path,
                rows = identity.rows,
                found = self.rows,
                "the files of keys and headers beside this one are missing and cannot be written: the topic has other records \
                 by now"
            );
            return Ok(None);
        }
        let mut siblings = Vec::new();
        for index in 0..writing.siblings.len() {
            match self.sibling(index, writing)? {
                Some(sibling) => siblings.push(sibling),
                None => {
                    warn!(path = self.file.path, "the rows of a file beside this one have no schema in common");
                    return Ok(None);
                }
            }
        }
        let path = Some(self.file.path.clone());
        Ok(Some(ClosedFile {
            identity: identity.clone(),
            last_offset: identity.end - 1,
            label: None,
            contents: Contents::default(),
            tags: Vec::new(),
            siblings,
            path,
        }))
    }

    fn sibling(&self, index: usize, writing: &Writing<'_>) -> Result<Option<SiblingFile>> {
        let sibling = &writing.siblings[index];
        let mut maker = sibling.format().row_maker()?;
        let mut rejected: Vec<RejectedRow> = Vec::new();
        let columns = || self.pieces.iter().map(|(records, rows)| (records, &rows[index].column));
        // makers learn from all rows which columns there are
        for (records, column) in columns() {
            maker.rows(&sibling.as_values(records, column), &mut rejected)?;
        }
        let mut writer = None;
        for (records, column) in columns() {
            let rows = maker.rows(&sibling.as_values(records, column), &mut rejected)?.rows;
            let writer = match &mut writer {
                Some(writer) => writer,
                None => writer.insert(sibling.format().file_writer(&records.topic, &rows)?),
            };
            if !rejected.is_empty() || !writer.takes(&rows) {
                return Ok(None);
            }
            writer.write(rows, usize::MAX)?;
        }
        let contents = writer.map(|writer| writer.finish(&self.file.identity)).transpose()?;
        Ok(contents
            .map(|contents| SiblingFile { extension: sibling.format().extension().into(), contents: contents.into() }))
    }
}
