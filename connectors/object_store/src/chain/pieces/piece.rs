//! Rows that go into the files of one stream.

use volley_api::Records;

use crate::chain::names::StreamKey;
use crate::format::Rows;
use crate::siblings::SiblingRows;

/// Rows of a batch for one stream, in offset order.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// Where they go.
    pub(crate) key: StreamKey,
    /// Where they come from: offsets, and the times by which files are rotated. Without keys, values and headers.
    pub(crate) records: Records,
    /// As the format writes them. As many as records.
    pub(crate) rows: Rows,
    /// The records with keys and values, where a file may want them under its own schema.
    pub(crate) source: Option<Records>,
    /// Rows of the files beside those of the stream, as many.
    pub(crate) siblings: Vec<SiblingRows>,
}

impl Piece {
    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// `len` rows from `offset` on, without copying.
    #[must_use]
    pub(crate) fn slice(&self, offset: usize, len: usize) -> Self {
        Self {
            key: self.key.clone(),
            records: self.records.slice(offset, len),
            rows: self.rows.slice(offset, len),
            source: self.source.as_ref().map(|source| source.slice(offset, len)),
            siblings: self.siblings.iter().map(|rows| rows.slice(offset, len)).collect(),
        }
    }
}
