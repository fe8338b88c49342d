//! The sink task that writes a file for each key.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{debug, info, warn};
use volley_api::metrics::{COMPLETE_FILES, Counter, Gauge, OPEN_FILES, WRITTEN_BYTES};
use volley_api::{Error, Offsets, RejectedRow, Result, SinkBatch, SinkContext, SinkTask, TopicPartition};

use super::keyed_batch::KeyedBatch;
use super::keyed_template::KeyedTemplate;
use super::newest_files::NewestFiles;
use super::writes::{BackgroundWrites, Writes};
use crate::chain::Clock;
use crate::clock::now_ms;
use crate::config::SinkConfig;
use crate::format::Format;
use crate::store::{Preparation, Storage, open_storage};

/// Writes that are begun at the same time.
const MAX_WRITES: usize = 256;
/// Bytes that may wait for the store before no more records are taken: bounds what a slow store costs in memory.
const MAX_UNWRITTEN_BYTES: usize = 64 * 1024 * 1024;
/// How long a put waits for room before it gives up: a fraction of the worker's own pause.
const ROOM_WAIT: Duration = Duration::from_millis(50);
/// How long the end of a partition waits for its writes: whoever has it next must not be overtaken by them.
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// A commit is asked for at most this often.
const COMMIT_PAUSE_MS: i64 = 1000;

/// A task with a file for each key.
pub(crate) struct KeyedSinkTask {
    context: SinkContext,
    config: SinkConfig,
    template: Arc<KeyedTemplate>,
    url: String,
    format: Format,
    preparation: Preparation,
    writes: Box<dyn Writes>,
    clock: Clock,
    partitions: BTreeSet<TopicPartition>,
    newest: NewestFiles,
    /// When what waits is to be written.
    scheduled_ms: Option<i64>,
    last_put_ms: i64,
    last_commit_request_ms: i64,
    open_files: Gauge,
    complete_files: Counter,
    written_bytes: Counter,
}

impl KeyedSinkTask {
    /// Opens the store.
    pub(crate) fn start(context: SinkContext, config: SinkConfig, template: Arc<KeyedTemplate>) -> Result<Self> {
        let owner = format!("{}-{}", context.connector, context.task);
        let storage = open_storage(&config.store, &owner, &config.spool_directory)?;
        info!(connector = context.connector, task = context.task, url = storage.url(), "writing a file for each key");
        let writes = Box::new(BackgroundWrites::new(Arc::clone(&storage), config.retry));
        let mut task = Self::new(context, config, template, &storage, writes, Arc::new(now_ms));
        match task.preparation.prepare() {
            // put and tick try again, until the time-out
            Err(error) if error.is_retriable() => warn!(%error, "starting without the store"),
            outcome => outcome?,
        }
        Ok(task)
    }

    /// A task without partitions.
    pub(super) fn new(
        context: SinkContext,
        config: SinkConfig,
        template: Arc<KeyedTemplate>,
        storage: &Arc<dyn Storage>,
        writes: Box<dyn Writes>,
        clock: Clock,
    ) -> Self {
        let metrics = context.metrics();
        Self {
            open_files: metrics.gauge(OPEN_FILES),
            complete_files: metrics.counter(COMPLETE_FILES),
            written_bytes: metrics.counter(WRITTEN_BYTES),
            context,
            template,
            url: storage.url().to_owned(),
            format: Format::new(config.format.clone()),
            preparation: Preparation::new(Arc::clone(storage), config.retry),
            config,
            writes,
            clock,
            partitions: BTreeSet::new(),
            newest: NewestFiles::default(),
            scheduled_ms: None,
            last_put_ms: 0,
            last_commit_request_ms: 0,
        }
    }

    /// Takes note of writes that have ended, and begins those that can.
    fn collect(&mut self) -> Result<()> {
        for (path, outcome) in self.writes.ended() {
            // of what has failed nothing is forgotten, so that nothing behind it is committed
            outcome?;
            let Some(bytes) = self.newest.written(&path) else { continue };
            debug!(path, bytes, "file of a key written");
            self.complete_files.add(1);
            self.written_bytes.add(bytes as u64);
            let now = (self.clock)();
            if now.saturating_sub(self.last_commit_request_ms) >= COMMIT_PAUSE_MS {
                self.last_commit_request_ms = now;
                self.context.request_commit();
            }
        }
        while self.newest.writes() < MAX_WRITES
            && let Some(file) = self.newest.begin()
        {
            self.writes.begin(file.path, file.contents)?;
        }
        Ok(())
    }

    fn write_all(&mut self) -> Result<()> {
        self.scheduled_ms = None;
        self.newest.make_all_due();
        self.collect()
    }

    fn make_room(&mut self) -> Result<()> {
        self.collect()?;
        if self.newest.unwritten().1 >= MAX_UNWRITTEN_BYTES {
            self.writes.wait(ROOM_WAIT);
            self.collect()?;
        }
        match self.newest.unwritten() {
            (files, bytes) if bytes >= MAX_UNWRITTEN_BYTES => Err(Error::retriable(format!(
                "{files} files of keys with {bytes} bytes wait to be written to {}",
                self.url
            ))),
            _ => Ok(()),
        }
    }

    fn is_due(&self, now: i64) -> bool {
        let policy = &self.config.rotation;
        self.scheduled_ms.is_some_and(|scheduled| now >= scheduled)
            || policy.idle_ms.is_some_and(|idle| now.saturating_sub(self.last_put_ms) >= idle)
            || policy.bytes.is_some_and(|bytes| self.newest.memory() >= bytes)
    }
}

impl SinkTask for KeyedSinkTask {
    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        self.preparation.prepare()?;
        if !self.partitions.contains(batch.partition()) {
            let message = format!("records of {} came before the partition was opened", batch.partition());
            return Err(Error::fatal(message));
        }
        self.make_room()?;
        let cutter = KeyedBatch {
            template: &self.template,
            format: &self.format,
            null_values: &self.config.null_values,
            connector: &self.context.connector,
        };
        let mut rejected = Vec::new();
        cutter.files(batch, &mut rejected)?.into_iter().for_each(|file| self.newest.put(file));
        let now = (self.clock)();
        self.last_put_ms = now;
        if self.scheduled_ms.is_none() && !self.newest.has_none_waiting() {
            self.scheduled_ms = self.config.rotation.next_scheduled(now);
        }
        if self.is_due(now) {
            self.write_all()?;
        }
        Ok(rejected)
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        self.collect()?;
        let opened = current.iter().filter(|(partition, _)| self.partitions.contains(*partition));
        Ok(self.newest.committable(&opened.map(|(partition, offset)| (partition.clone(), *offset)).collect()))
    }

    fn open(&mut self, partitions: &Offsets) -> Result<()> {
        self.partitions.extend(partitions.keys().cloned());
        Ok(())
    }

    /// Waits a while for the writes that are under way.
    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.newest.forget(partitions);
        let deadline = Instant::now() + CLOSE_WAIT;
        loop {
            let writing = self.newest.writing_of(partitions);
            let left = deadline.saturating_duration_since(Instant::now());
            if writing.is_empty() || left.is_zero() {
                for path in writing {
                    self.writes.abandon(&path);
                    self.newest.written(&path);
                }
                break;
            }
            self.writes.wait(left);
            self.collect()?;
        }
        partitions.iter().for_each(|partition| {
            self.partitions.remove(partition);
        });
        Ok(())
    }

    fn flush(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        self.write_all()
    }

    fn tick(&mut self) -> Result<()> {
        self.preparation.prepare()?;
        if !self.newest.has_none_waiting() && self.is_due((self.clock)()) {
            self.newest.make_all_due();
            self.scheduled_ms = None;
        }
        self.collect()?;
        self.open_files.set(i64::try_from(self.newest.len()).unwrap_or(i64::MAX));
        Ok(())
    }

    fn buffered_bytes(&self) -> usize {
        self.newest.memory()
    }

    fn relieve(&mut self) -> Result<()> {
        self.write_all()
    }
}

impl std::fmt::Debug for KeyedSinkTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyedSinkTask").field("partitions", &self.partitions).finish_non_exhaustive()
    }
}
