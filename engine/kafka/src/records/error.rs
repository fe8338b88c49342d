//! What can be wrong with fetched bytes.

use std::fmt;

use volley_api::{Error, TopicPartition};

/// Bytes that are not records. Reading again gives the same error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordsError {
    /// The offset of the record or of the batch that cannot be read. A consumer that is to skip it must seek behind it.
    pub(crate) offset: i64,
    /// What is wrong.
    pub(crate) fault: Fault,
}

/// What is wrong with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The magic byte names no known format.
    UnknownMagic(i8),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMagic(magic) => write!(f, "its format version is {magic}, known are 0, 1 and 2"),
        }
    }
}

impl RecordsError {
    /// The error for the user, of kind `Data`.
    pub(crate) fn of(self, partition: &TopicPartition) -> Error {
        Error::data(format!("the records of {partition} at offset {} cannot be read: {}", self.offset, self.fault))
    }
}
