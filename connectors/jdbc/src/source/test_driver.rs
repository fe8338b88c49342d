//! A database in memory, for tests.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use chrono_tz::Tz;
use parking_lot::Mutex;
use volley_api::{Error, Result};

use crate::database::{
    Catalog, Connection, Driver, Fetched, OpenTransactions, Query, ResultColumn, TableColumn, TableId, TableSearch,
    Timestamp,
};
use crate::url::ConnectionSettings;

/// A driver for `jdbc:test:`, whose tables a test changes as it likes.
#[derive(Clone, Debug, Default)]
pub(super) struct TestDriver {
    pub(super) tables: Arc<Mutex<Vec<TableId>>>,
    /// How many connections fail before one succeeds.
    pub(super) failures: Arc<Mutex<u32>>,
}

impl Driver for TestDriver {
    fn subprotocols(&self) -> &'static [&'static str] {
        &["test"]
    }

    fn check(&self, _settings: &ConnectionSettings) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn connect(&self, _settings: &ConnectionSettings) -> Result<Box<dyn Connection>> {
        let mut failures = self.failures.lock();
        if *failures > 0 {
            *failures -= 1;
            return Err(Error::retriable("out of reach"));
        }
        Ok(Box::new(TestConnection {
            tables: Arc::clone(&self.tables),
            ..TestConnection::with_rows(Vec::new(), Vec::new())
        }))
    }

    fn timestamp_literal(&self, at: Timestamp, _zone: Tz) -> String {
        format!("T{}", at.millis())
    }
}

/// A connection that answers any query with the same rows.
#[derive(Debug)]
pub(super) struct TestConnection {
    tables: Arc<Mutex<Vec<TableId>>>,
    columns: Vec<ResultColumn>,
    rows: VecDeque<RecordBatch>,
}

impl TestConnection {
    pub(super) fn with_rows(columns: Vec<ResultColumn>, rows: Vec<RecordBatch>) -> Self {
        Self { tables: Arc::default(), columns, rows: rows.into() }
    }
}

impl Catalog for TestConnection {
    fn tables(&mut self, _search: &TableSearch) -> Result<Vec<TableId>> {
        Ok(self.tables.lock().clone())
    }

    fn columns(&mut self, _table: &TableId) -> Result<Vec<TableColumn>> {
        Ok(Vec::new())
    }
}

impl Connection for TestConnection {
    fn current_time(&mut self) -> Result<Timestamp> {
        Ok(Timestamp::from_millis(0))
    }

    fn open_transactions(&mut self) -> Result<OpenTransactions> {
        Ok(OpenTransactions { at: self.current_time()?, names: Vec::new(), renamed: Vec::new() })
    }

    fn query(&mut self, _query: &Query) -> Result<Vec<ResultColumn>> {
        Ok(self.columns.clone())
    }

    fn next(&mut self, _within: Duration) -> Result<Fetched> {
        Ok(self.rows.pop_front().map_or(Fetched::End, Fetched::Rows))
    }
}
