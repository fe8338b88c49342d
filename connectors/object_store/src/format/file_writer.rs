//! A file in the making.

use std::fmt::Debug;

use bytes::Bytes;
use volley_api::Result;

use super::identity::FileIdentity;
use super::rows::Rows;

/// How large a file in the making is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileSize {
    /// Bytes the file would have if it were completed now, roughly.
    pub(crate) encoded: usize,
    /// Bytes of memory in use, roughly.
    pub(crate) memory: usize,
}

/// Encodes one file.
pub(crate) trait FileWriter: Debug + Send {
    /// Whether the file can hold these rows; else it is completed first.
    fn takes(&self, rows: &Rows) -> bool;

    /// Adds rows that the file takes. `size_limit`: encoded bytes of a file, to which rows kept as a sample count.
    fn write(&mut self, rows: Rows, size_limit: usize) -> Result<()>;

    /// The bytes so far that do not change any more; `None`: there are none before the end. Whoever takes them out keeps them:
    /// [`FileWriter::finish`] gives those that follow.
    fn output(&mut self) -> Option<&mut Vec<u8>>;

    /// Adds to that output what can be of it, unless that is less than `least` bytes.
    fn settle(&mut self, _least: usize) -> Result<()> {
        Ok(())
    }

    /// How large it is, without what was taken out.
    fn size(&self) -> FileSize;

    /// The complete file, without what was taken out. It has at least one row.
    fn finish(self: Box<Self>, identity: &FileIdentity) -> Result<Bytes>;
}
