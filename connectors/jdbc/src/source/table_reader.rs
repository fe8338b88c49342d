//! What a task reads of a table or query: all of it, or a range of its keys.

use std::time::{Duration, Instant};

use volley_api::Result;

use super::access::Access;
use super::config::SourceConfig;
use super::reader::{Read, Reader};
use super::splits::RangeReader;
use crate::database::Connection;

/// A table, a query or a range of a table.
#[derive(Debug)]
pub(super) enum TableReader {
    /// All of it.
    Whole(Box<Reader>),
    /// A range.
    Range(Box<RangeReader>),
}

impl TableReader {
    /// Whether a result of it is being read.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Whole(reader) => reader.is_open(),
            Self::Range(reader) => reader.is_open(),
        }
    }

    /// When it is read again.
    pub(super) fn due(&self) -> Instant {
        match self {
            Self::Whole(reader) => reader.due,
            Self::Range(reader) => reader.due(),
        }
    }

    /// Whether it is not read again.
    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Whole(reader) => reader.is_done,
            Self::Range(reader) => reader.is_done(),
        }
    }

    /// Begins to read what is new, if there can be anything.
    pub(super) fn begin(&mut self, access: &mut Access<'_>) -> Result<()> {
        match self {
            Self::Whole(reader) => reader.begin(access),
            Self::Range(reader) => reader.begin(access),
        }
    }

    /// The next rows of the result.
    pub(super) fn read(&mut self, connection: &mut dyn Connection, within: Duration) -> Result<Read> {
        match self {
            Self::Whole(reader) => reader.read(connection, within),
            Self::Range(reader) => reader.read(connection, within),
        }
    }

    /// Says when it is read again, after [`Read::End`].
    pub(super) fn end(&mut self, config: &SourceConfig) {
        match self {
            Self::Whole(reader) => reader.end(config),
            Self::Range(reader) => reader.end(config),
        }
    }

    /// Gives up the result. What was not given out is read again.
    pub(super) fn close(&mut self) {
        match self {
            Self::Whole(reader) => reader.close(),
            Self::Range(reader) => reader.close(),
        }
    }
}
