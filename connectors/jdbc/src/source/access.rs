//! What a reader needs to read: the connection, and how it is used.

use super::config::SourceConfig;
use super::late::Settling;
use super::statement::Writing;
use crate::database::{Connection, Driver, Query};

/// A batch ends with the row that reaches this many bytes.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// A connection, and what is known of it.
pub(super) struct Access<'a> {
    pub(super) connection: &'a mut dyn Connection,
    pub(super) driver: &'a dyn Driver,
    pub(super) config: &'a SourceConfig,
    pub(super) settling: &'a mut Settling,
}

impl Access<'_> {
    /// How SQL is written.
    pub(super) fn writing(&self) -> Writing<'_> {
        let Self { driver, config, .. } = self;
        Writing { driver: *driver, has_quotes: config.has_quotes, zone: config.types.zone, suffix: &config.suffix }
    }

    /// A statement, with the limits of its batches.
    pub(super) fn query(&self, text: String) -> Query {
        let Self { config, .. } = self;
        Query { text, batch_rows: config.batch_rows, batch_bytes: BATCH_BYTES, isolation: config.isolation }
    }
}
