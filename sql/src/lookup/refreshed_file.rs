//! A file that is looked at again and again, by a thread of its own.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parking_lot::Mutex;
use volley_api::metrics::Counter;
use volley_api::{Error, Metrics, Result};

use super::lookup_config::{FileSource, LookupConfig};
use super::table_file::{Content, Failure, Stamp, TableFile};
use super::table_format::conformed;

/// Counters of a task: how often its lookup tables were replaced, and how often a file could not be read again.
pub(super) const REFRESHES: &str = "lookup_refreshes";
pub(super) const FAILED_REFRESHES: &str = "lookup_refresh_failures";

/// The newest rows that nobody has taken yet.
pub(super) type NewRows = Arc<Mutex<Option<RecordBatch>>>;

/// A file as it was read last.
pub(super) struct ReadFile {
    pub(super) file: Box<dyn TableFile>,
    /// Of the version that was read.
    pub(super) stamp: Option<Stamp>,
    /// The columns of the first version, which all have.
    pub(super) schema: SchemaRef,
}

/// Reads a file whenever it has changed, until it is dropped.
pub(super) struct RefreshedFile {
    new_rows: NewRows,
    /// Its end ends the thread.
    _until: SyncSender<()>,
}

impl fmt::Debug for RefreshedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshedFile")
    }
}

impl RefreshedFile {
    /// Begins to look at the file of `config` again.
    ///
    /// # Errors
    /// `Fatal` if no thread can be started.
    pub(super) fn start(
        config: &LookupConfig,
        source: &FileSource,
        interval: Duration,
        read: ReadFile,
        metrics: &Metrics,
    ) -> Result<Self> {
        let (until, ended) = sync_channel(0);
        let new_rows = NewRows::default();
        let mut looking = Looking {
            table: config.name.clone(),
            source: source.clone(),
            max_bytes: config.max_bytes,
            read,
            new_rows: Arc::clone(&new_rows),
            no_table: None,
            last_failure: None,
            refreshes: metrics.counter(REFRESHES),
            failures: metrics.counter(FAILED_REFRESHES),
        };
        let name = format!("lookup {}", config.name);
        let look = move || {
            while ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                looking.look();
            }
        };
        std::thread::Builder::new().name(name).spawn(look).map_err(|error| {
            Error::fatal(format!("could not start the thread that reads `{}` again", config.key)).with_source(error)
        })?;
        Ok(Self { new_rows, _until: until })
    }

    /// The rows of the file since the last call, if they are others.
    pub(super) fn take(&self) -> Option<RecordBatch> {
        self.new_rows.lock().take()
    }
}

struct Looking {
    table: String,
    source: FileSource,
    max_bytes: u64,
    read: ReadFile,
    new_rows: NewRows,
    /// Why the version that was read last cannot be taken.
    no_table: Option<Failure>,
    last_failure: Option<Failure>,
    refreshes: Counter,
    failures: Counter,
}

impl Looking {
    fn look(&mut self) {
        let newest = self.newest();
        let (table, file) = (&self.table, &self.source.shown);
        match newest {
            Ok(None) => self.last_failure = None,
            Ok(Some(rows)) => {
                tracing::info!(table, file, rows = rows.num_rows(), "lookup table was read again");
                self.refreshes.add(1);
                *self.new_rows.lock() = Some(rows);
                self.last_failure = None;
            }
            Err(reason) => {
                self.failures.add(1);
                if self.last_failure.as_ref() != Some(&reason) {
                    tracing::warn!(table, file, reason, "could not read a lookup table again; it stays as it was");
                    self.last_failure = Some(reason);
                }
            }
        }
    }

    /// The rows of the file, if they are others. A version that cannot be taken is decoded once.
    fn newest(&mut self) -> std::result::Result<Option<RecordBatch>, Failure> {
        let (stamp, content) = match self.read.file.read(self.read.stamp.as_ref())? {
            Content::Unchanged => return self.no_table.clone().map_or(Ok(None), Err),
            Content::Version(stamp, content) => (stamp, content),
        };
        self.read.stamp = stamp;
        let rows = self.source.format.rows(&content, self.max_bytes);
        let rows = rows.and_then(|rows| conformed(&rows, &self.read.schema));
        self.no_table = rows.as_ref().err().cloned();
        rows.map(Some)
    }
}
