//! The task: reads its share of the files, one after the other.

use std::time::{Duration, Instant};

use volley_api::metrics::Counter;
use volley_api::{ConfigMap, Error, Polled, Result, SourceContext, SourceTask};

use super::backlog::{Backlog, PendingFile, Source};
use super::config::SourceConfig;
use super::open_file::{OpenFile, Step};
use super::read::JsonDecoder;
use super::store::{FileStore, NO_FILE};
use super::stored_offset::store_name;
use super::trouble::FileTrouble;

/// How long a file is left alone that was changed while it was read: it may be changed again at once.
const AFTER_CHANGE: Duration = Duration::from_millis(100);
/// So often a file may change without anything being read of it. Then the next one follows.
const MOST_CHANGES: u32 = 20;

/// A poll ends with the rows that reach this many bytes.
const POLL_BYTES: usize = 8 * 1024 * 1024;

const FILES_READ: &str = "files_read";
const FILES_SKIPPED: &str = "files_skipped";
const ROWS_SKIPPED: &str = "rows_skipped";

/// One task.
#[derive(Debug)]
pub(super) struct ObjectStoreSourceTask {
    config: SourceConfig,
    context: SourceContext,
    store: FileStore,
    store_name: String,
    json: JsonDecoder,
    backlog: Backlog,
    open: Option<OpenFile>,
    /// How often the next file has changed since something was read.
    changes: u32,
    /// When files were looked for the last time.
    looked: Option<Instant>,
    counters: Counters,
}

/// What the worker shows of a task.
#[derive(Debug)]
struct Counters {
    files_read: Counter,
    files_skipped: Counter,
    rows_skipped: Counter,
}

impl SourceTask for ObjectStoreSourceTask {
    fn poll(&mut self, _max_wait: Duration) -> Result<Polled> {
        loop {
            if let Some(open) = self.open.take() {
                if let Some(polled) = self.read_on(open)? {
                    return Ok(polled);
                }
            } else if let Some(pending) = self.backlog.take_next() {
                if let Some(polled) = self.open_next(pending)? {
                    return Ok(polled);
                }
            } else if let Some(polled) = self.look()? {
                return Ok(polled);
            }
        }
    }
}

impl ObjectStoreSourceTask {
    /// Starts the task. The store is not touched yet: what is out of reach is tried again by `poll`.
    pub(super) fn start(context: SourceContext, config: &ConfigMap) -> Result<Self> {
        let config = SourceConfig::parse(config)?;
        let store = FileStore::open(&config.store)?;
        Self::with_store(context, config, store)
    }

    /// A task that reads from `store`.
    pub(super) fn with_store(context: SourceContext, config: SourceConfig, store: FileStore) -> Result<Self> {
        let metrics = context.metrics();
        let counters = Counters {
            files_read: metrics.counter(FILES_READ),
            files_skipped: metrics.counter(FILES_SKIPPED),
            rows_skipped: metrics.counter(ROWS_SKIPPED),
        };
        Ok(Self {
            json: JsonDecoder::new()?,
            store_name: store_name(&config.store.url),
            store,
            backlog: Backlog::default(),
            open: None,
            changes: 0,
            looked: None,
            counters,
            context,
            config,
        })
    }

    fn source(&self) -> Source<'_> {
        Source {
            store: &self.store,
            store_name: &self.store_name,
            config: &self.config,
            context: &self.context,
            json: &self.json,
        }
    }

    /// Looks for new files if it is time to; else says how long there is nothing.
    fn look(&mut self) -> Result<Option<Polled>> {
        if let Some(looked) = self.looked {
            let Some(interval) = self.config.watch_interval else { return Ok(Some(Polled::Finished)) };
            let wait = interval.saturating_sub(looked.elapsed());
            if !wait.is_zero() {
                return Ok(Some(Polled::IdleFor(wait)));
            }
        }
        let mut backlog = std::mem::take(&mut self.backlog);
        let outcome = backlog.look(&self.source());
        self.backlog = backlog;
        let listed = outcome?;
        if listed == 0 && self.looked.is_none() {
            tracing::warn!(store = self.store_name, "{NO_FILE}");
        }
        self.looked = Some(Instant::now());
        Ok(None)
    }

    fn open_next(&mut self, pending: PendingFile) -> Result<Option<Polled>> {
        match OpenFile::open(&self.source(), &pending)? {
            Ok(open) => {
                self.open = Some(open);
                Ok(None)
            }
            Err(trouble) => self.give_up(pending, trouble),
        }
    }

    /// Reads until there are enough rows, or the file is at its end.
    fn read_on(&mut self, mut open: OpenFile) -> Result<Option<Polled>> {
        let start = open.next_row();
        let (mut batches, mut bytes) = (Vec::new(), 0);
        while open.next_row() - start < self.config.batch_max_rows as u64 && bytes < POLL_BYTES {
            match open.step() {
                Ok(Step::Rows(rows, left_out)) => {
                    self.changes = 0;
                    self.counters.rows_skipped.add(left_out);
                    bytes += rows.iter().map(|batch| batch.records.value.array.get_array_memory_size()).sum::<usize>();
                    batches.extend(rows);
                }
                Ok(Step::End(end)) => {
                    batches.push(*end);
                    self.counters.files_read.add(1);
                    self.backlog.read(open.path(), open.version(), open.next_row());
                    return Ok(Some(Polled::Batches(batches)));
                }
                // what was read before is good; the trouble is found again by the next poll
                Err(FileTrouble::Corrupt(error)) if !batches.is_empty() => {
                    open.is_broken_behind(error);
                    break;
                }
                Err(_) if !batches.is_empty() => {
                    self.backlog.put_back(open.to_pending());
                    return Ok(Some(Polled::Batches(batches)));
                }
                Err(FileTrouble::Corrupt(error)) => return self.skip(&open, error).map(Some),
                Err(trouble) => return self.give_up(open.to_pending(), trouble),
            }
        }
        self.open = Some(open);
        Ok(Some(Polled::Batches(batches)))
    }

    /// The rest of a file cannot be read.
    fn skip(&mut self, open: &OpenFile, error: Error) -> Result<Polled> {
        let (path, row) = (open.path(), open.next_row());
        if !self.config.tolerates_errors {
            return Err(broken(path, row, error));
        }
        tracing::warn!(path, row, error = %format!("{error:#}"), "the rest of a file cannot be read; it is left out");
        self.counters.files_skipped.add(1);
        self.backlog.read(path, open.version(), row);
        Ok(Polled::Batches(vec![open.end()]))
    }

    /// A file that is not read on, at least for now.
    fn give_up(&mut self, pending: PendingFile, trouble: FileTrouble) -> Result<Option<Polled>> {
        match trouble {
            FileTrouble::Gone => {
                let (path, row) = (&pending.path, pending.row);
                tracing::warn!(path, row, "a file is gone before it was read to its end; the next one follows");
                self.counters.files_skipped.add(1);
                self.backlog.forget(path);
                Ok(None)
            }
            FileTrouble::Changed if self.changes < MOST_CHANGES => {
                self.changes += 1;
                self.backlog.put_back(pending);
                Ok(Some(Polled::IdleFor(AFTER_CHANGE)))
            }
            FileTrouble::Changed | FileTrouble::Unfinished => {
                self.changes = 0;
                let (path, row) = (pending.path.clone(), pending.row);
                // said once of a file that is open for long
                if self.backlog.leave(pending) {
                    tracing::warn!(
                        path,
                        row,
                        "a file is still being written; it is left until a later look, and the next one follows"
                    );
                }
                Ok(None)
            }
            FileTrouble::Corrupt(error) => Err(broken(&pending.path, pending.row, error)),
            FileTrouble::Store(error) => {
                self.backlog.put_back(pending);
                Err(error)
            }
        }
    }
}

/// An error of what is in a file.
fn broken(path: &str, row: u64, error: Error) -> Error {
    Error::data(format!(
        "could not read file `{path}` from row {row} on: {error:#}; repair the file, leave it out by `path`, correct \
         `format.class`, or set `errors.tolerance` to `all`"
    ))
    .with_source(error)
}
