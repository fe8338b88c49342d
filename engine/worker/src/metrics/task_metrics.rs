//! What is counted of one task. Its stages add to it; REST's progress and `/metrics` read it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use volley_api::metrics::{COMPLETE_FILES, Metrics, OPEN_FILES, WRITTEN_BYTES};
use volley_api::{ConnectorKind, Stage};

use super::exposition::Exposition;
use super::names;
use super::stage_counters::StageCounters;
use super::starts::Starts;
use super::state_times::StateTimes;
use super::windowed::{Windowed, Windows};
use crate::clock::now_ms;
use crate::storage::{State, TaskProgressSnapshot};

/// Counters and recent statistics of one task.
#[derive(Debug)]
pub struct TaskMetrics {
    kind: ConnectorKind,
    /// Records consumed (sink) or polled (source).
    rows_in: AtomicU64,
    /// Bytes of keys and values consumed (sink) or produced (source).
    bytes: AtomicU64,
    /// Records put (sink) or acknowledged (source).
    rows_out: AtomicU64,
    rejected: StageCounters,
    /// Offsets to the end of the partitions; -1 = unknown.
    lag: AtomicI64,
    last_commit_ms: AtomicI64,
    buffered_bytes: AtomicU64,
    /// What the plug-in counts itself.
    of_plugin: Metrics,
    active: AtomicU64,
    partitions: AtomicU64,
    commits: Commits,
    errors: ErrorCounters,
    recent: Mutex<Recent>,
    windows: Windows,
    states: Mutex<StateTimes>,
    /// Where the start of the task is counted, once.
    starts: Arc<Starts>,
    is_started: AtomicBool,
}

#[derive(Debug, Default)]
struct Commits {
    succeeded: AtomicU64,
    failed: AtomicU64,
    skipped: AtomicU64,
}

/// What became of records that could not be processed (`task-error-metrics`).
#[derive(Debug, Default)]
struct ErrorCounters {
    failures: AtomicU64,
    errors: AtomicU64,
    skipped: AtomicU64,
    retries: AtomicU64,
    logged: AtomicU64,
    dead_letters: AtomicU64,
    written_dead_letters: AtomicU64,
    refused_dead_letters: AtomicU64,
    last_ms: AtomicI64,
}

#[derive(Debug)]
struct Recent {
    rows_in: Windowed,
    rows_out: Windowed,
    batch_size: Windowed,
    call_ms: Windowed,
    commit_ms: Windowed,
    active: Windowed,
    /// Records of each transaction; `None` before the first.
    transactions: Option<Windowed>,
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl TaskMetrics {
    /// Everything at zero, the lag unknown.
    pub(crate) fn new(kind: ConnectorKind, windows: Windows, starts: Arc<Starts>) -> Self {
        let windowed = || Windowed::new(windows);
        Self {
            kind,
            rows_in: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            rows_out: AtomicU64::new(0),
            rejected: StageCounters::default(),
            lag: AtomicI64::new(-1),
            last_commit_ms: AtomicI64::new(0),
            buffered_bytes: AtomicU64::new(0),
            of_plugin: Metrics::default(),
            active: AtomicU64::new(0),
            partitions: AtomicU64::new(0),
            commits: Commits::default(),
            errors: ErrorCounters::default(),
            recent: Mutex::new(Recent {
                rows_in: windowed(),
                rows_out: windowed(),
                batch_size: windowed(),
                call_ms: windowed(),
                commit_ms: windowed(),
                active: windowed(),
                transactions: None,
            }),
            windows,
            states: Mutex::new(StateTimes::new(Instant::now())),
            starts,
            is_started: AtomicBool::new(false),
        }
    }

    /// Those of a task that no worker counts, such as that of a preview.
    pub fn alone(kind: ConnectorKind) -> Arc<Self> {
        Arc::new(Self::new(kind, Windows::default(), Arc::default()))
    }

    /// A transaction of this many records was committed or aborted.
    pub(crate) fn transaction(&self, records: usize) {
        let (now, mut recent) = (Instant::now(), self.recent.lock());
        recent.transactions.get_or_insert_with(|| Windowed::new(self.windows)).record(records as f64, now);
    }

    /// A batch of this many records was consumed or polled.
    pub(crate) fn batch_in(&self, rows: usize) {
        add(&self.rows_in, rows as u64);
        let (now, mut recent) = (Instant::now(), self.recent.lock());
        recent.rows_in.record(rows as f64, now);
        recent.batch_size.record(rows as f64, now);
    }

    /// So many bytes of keys and values were consumed or produced.
    pub(crate) fn bytes(&self, bytes: u64) {
        add(&self.bytes, bytes);
    }

    /// So many records were put, or acknowledged.
    pub(crate) fn rows_out(&self, rows: usize) {
        add(&self.rows_out, rows as u64);
        self.recent.lock().rows_out.record(rows as f64, Instant::now());
    }

    /// A put or a poll took this long.
    pub(crate) fn called(&self, took: Duration) {
        self.recent.lock().call_ms.record(took.as_secs_f64() * 1e3, Instant::now());
    }

    /// So many records are on their way: acknowledged or committed they are not yet.
    pub(crate) fn active(&self, records: u64) {
        self.active.store(records, Ordering::Relaxed);
        self.recent.lock().active.record(records as f64, Instant::now());
    }

    /// So many partitions are assigned.
    pub(crate) fn partitions(&self, partitions: usize) {
        self.partitions.store(partitions as u64, Ordering::Relaxed);
    }

    /// Offsets were committed, or could not be.
    pub(crate) fn committed(&self, took: Duration, is_stored: bool) {
        add(if is_stored { &self.commits.succeeded } else { &self.commits.failed }, 1);
        self.recent.lock().commit_ms.record(took.as_secs_f64() * 1e3, Instant::now());
        if is_stored {
            self.last_commit_ms.store(now_ms(), Ordering::Relaxed);
        }
    }

    /// The sink was not ready for a commit.
    pub(crate) fn commit_skipped(&self) {
        add(&self.commits.skipped, 1);
    }

    /// Offsets between the task's position and the end of its partitions.
    pub(crate) fn set_lag(&self, lag: u64) {
        self.lag.store(i64::try_from(lag).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// See [`TaskMetrics::set_lag`]; `None` = unknown.
    pub(crate) fn lag(&self) -> Option<u64> {
        u64::try_from(self.lag.load(Ordering::Relaxed)).ok()
    }

    /// Bytes that the plug-in holds in memory.
    pub(crate) fn set_buffered_bytes(&self, bytes: usize) {
        self.buffered_bytes.store(bytes as u64, Ordering::Relaxed);
    }

    /// See [`TaskMetrics::set_buffered_bytes`].
    pub(crate) fn buffered_bytes(&self) -> u64 {
        read(&self.buffered_bytes)
    }

    /// Records consumed or polled so far.
    pub(crate) fn rows_in(&self) -> u64 {
        read(&self.rows_in)
    }

    /// Records were rejected, each for the first time, in these stages.
    pub(crate) fn rejected(&self, stages: impl IntoIterator<Item = Stage>, is_tolerated: bool) {
        let mut records = 0;
        for stage in stages {
            self.rejected.count(stage);
            records += 1;
        }
        if records == 0 {
            return;
        }
        add(&self.errors.failures, records);
        match is_tolerated {
            true => add(&self.errors.skipped, records),
            false => add(&self.errors.errors, 1),
        }
        self.errors.last_ms.store(now_ms(), Ordering::Relaxed);
    }

    /// An operation failed and is tried again.
    pub(crate) fn retried(&self) {
        add(&self.errors.failures, 1);
        add(&self.errors.retries, 1);
    }

    /// The error of a record was logged.
    pub(crate) fn error_logged(&self) {
        add(&self.errors.logged, 1);
    }

    /// A record was sent to the dead letter topic.
    pub(crate) fn dead_letter(&self) {
        add(&self.errors.dead_letters, 1);
    }

    /// Kafka has acknowledged a dead letter.
    pub(crate) fn dead_letter_written(&self) {
        add(&self.errors.written_dead_letters, 1);
    }

    /// The dead letter topic has refused a record.
    pub(crate) fn dead_letter_refused(&self) {
        add(&self.errors.refused_dead_letters, 1);
    }

    /// What the plug-in counts itself, by name.
    pub(crate) fn of_plugin(&self) -> &Metrics {
        &self.of_plugin
    }

    /// A number of the plug-in's under a name that displays know.
    fn well_known(&self, name: &str) -> u64 {
        self.of_plugin.value(name).and_then(|value| u64::try_from(value).ok()).unwrap_or_default()
    }

    /// The task is now in this state.
    pub(crate) fn state(&self, state: State) {
        let is_first = state != State::Unassigned && !self.is_started.swap(true, Ordering::Relaxed);
        if is_first {
            self.starts.note(state != State::Failed);
        }
        self.states.lock().enter(state, Instant::now());
    }

    /// The counters as REST's progress shows them.
    pub fn snapshot(&self) -> TaskProgressSnapshot {
        let last_commit = self.last_commit_ms.load(Ordering::Relaxed);
        let rejected = self.rejected.counted();
        TaskProgressSnapshot {
            rows_in: read(&self.rows_in),
            bytes_in: read(&self.bytes),
            rows_out: read(&self.rows_out),
            rows_rejected: rejected.values().sum(),
            rows_rejected_by_stage: rejected,
            dead_letters_written: read(&self.errors.written_dead_letters),
            dead_letters_refused: read(&self.errors.refused_dead_letters),
            lag: self.lag(),
            last_commit_ms: (last_commit > 0).then_some(last_commit),
            buffered_bytes: read(&self.buffered_bytes),
            open_files: self.well_known(OPEN_FILES),
            files: self.well_known(COMPLETE_FILES),
            written_bytes: self.well_known(WRITTEN_BYTES),
        }
    }

    /// Adds a sample of every metric of the task, with these labels.
    pub(crate) fn expose(&self, labels: &[(&str, &str)], to: &mut Exposition) {
        self.expose_any(labels, to);
        match self.kind {
            ConnectorKind::Sink => self.expose_sink(labels, to),
            ConnectorKind::Source => self.expose_source(labels, to),
        }
        for (stage, count) in self.rejected.of(self.kind) {
            let stage = stage.to_string();
            let with_stage = [labels, &[("stage", stage.as_str())]].concat();
            to.add(&names::REJECTED, &with_stage, count as f64);
        }
        self.errors.expose(labels, to);
        to.add_of_plugin("volley_task_plugin", &self.of_plugin, labels);
    }

    fn expose_any(&self, labels: &[(&str, &str)], to: &mut Exposition) {
        let now = Instant::now();
        let states = self.states.lock();
        let status = states.current().to_string().to_lowercase();
        let with_status = [labels, &[("status", status.as_str())]].concat();
        to.add(&names::TASK_STATUS, &with_status, 1.0);
        to.add(&names::RUNNING_RATIO, labels, states.running_ratio(now));
        to.add(&names::PAUSE_RATIO, labels, states.pause_ratio(now));
        let mut recent = self.recent.lock();
        to.add(&names::BATCH_MAX, labels, recent.batch_size.max(now));
        to.add(&names::BATCH_AVG, labels, recent.batch_size.average(now));
        to.add(&names::COMMIT_MAX_TIME, labels, recent.commit_ms.max(now));
        to.add(&names::COMMIT_AVG_TIME, labels, recent.commit_ms.average(now));
        let (succeeded, failed) = (read(&self.commits.succeeded) as f64, read(&self.commits.failed) as f64);
        let share = |part: f64| if succeeded + failed > 0.0 { part / (succeeded + failed) } else { 0.0 };
        to.add(&names::COMMIT_SUCCESS, labels, share(succeeded));
        to.add(&names::COMMIT_FAILURE, labels, share(failed));
        to.add(&names::BYTES_TOTAL, labels, read(&self.bytes) as f64);
        to.add(&names::BUFFERED_BYTES, labels, read(&self.buffered_bytes) as f64);
        let last_commit = self.last_commit_ms.load(Ordering::Relaxed);
        if last_commit > 0 {
            to.add(&names::LAST_COMMIT, labels, last_commit as f64 / 1e3);
        }
    }

    fn expose_sink(&self, labels: &[(&str, &str)], to: &mut Exposition) {
        let (now, mut recent) = (Instant::now(), self.recent.lock());
        to.add(&names::READ_TOTAL, labels, read(&self.rows_in) as f64);
        to.add(&names::READ_RATE, labels, recent.rows_in.rate(now));
        to.add(&names::SEND_TOTAL, labels, read(&self.rows_out) as f64);
        to.add(&names::SEND_RATE, labels, recent.rows_out.rate(now));
        to.add(&names::SINK_ACTIVE, labels, read(&self.active) as f64);
        to.add(&names::SINK_ACTIVE_MAX, labels, recent.active.max(now));
        to.add(&names::SINK_ACTIVE_AVG, labels, recent.active.average(now));
        to.add(&names::PARTITION_COUNT, labels, read(&self.partitions) as f64);
        let succeeded = read(&self.commits.succeeded);
        to.add(&names::COMMIT_SEQ_NO, labels, (succeeded + read(&self.commits.failed)) as f64);
        to.add(&names::COMMIT_COMPLETION_TOTAL, labels, succeeded as f64);
        to.add(&names::COMMIT_SKIP_TOTAL, labels, read(&self.commits.skipped) as f64);
        to.add(&names::PUT_MAX_TIME, labels, recent.call_ms.max(now));
        to.add(&names::PUT_AVG_TIME, labels, recent.call_ms.average(now));
        if let Some(lag) = self.lag() {
            to.add(&names::LAG, labels, lag as f64);
        }
    }

    fn expose_source(&self, labels: &[(&str, &str)], to: &mut Exposition) {
        let (now, mut recent) = (Instant::now(), self.recent.lock());
        to.add(&names::POLL_TOTAL, labels, read(&self.rows_in) as f64);
        to.add(&names::POLL_RATE, labels, recent.rows_in.rate(now));
        to.add(&names::WRITE_TOTAL, labels, read(&self.rows_out) as f64);
        to.add(&names::WRITE_RATE, labels, recent.rows_out.rate(now));
        to.add(&names::SOURCE_ACTIVE, labels, read(&self.active) as f64);
        to.add(&names::SOURCE_ACTIVE_MAX, labels, recent.active.max(now));
        to.add(&names::SOURCE_ACTIVE_AVG, labels, recent.active.average(now));
        to.add(&names::POLL_MAX_TIME, labels, recent.call_ms.max(now));
        to.add(&names::POLL_AVG_TIME, labels, recent.call_ms.average(now));
        if let Some(transactions) = &mut recent.transactions {
            to.add(&names::TRANSACTION_MIN, labels, transactions.min(now));
            to.add(&names::TRANSACTION_MAX, labels, transactions.max(now));
            to.add(&names::TRANSACTION_AVG, labels, transactions.average(now));
        }
    }
}

impl ErrorCounters {
    fn expose(&self, labels: &[(&str, &str)], to: &mut Exposition) {
        for (family, counter) in [
            (&names::RECORD_FAILURES, &self.failures),
            (&names::RECORD_ERRORS, &self.errors),
            (&names::RECORDS_SKIPPED, &self.skipped),
            (&names::RETRIES, &self.retries),
            (&names::ERRORS_LOGGED, &self.logged),
            (&names::DEAD_LETTERS, &self.dead_letters),
            (&names::DEAD_LETTERS_WRITTEN, &self.written_dead_letters),
            (&names::DEAD_LETTER_FAILURES, &self.refused_dead_letters),
        ] {
            to.add(family, labels, read(counter) as f64);
        }
        to.add(&names::LAST_ERROR, labels, self.last_ms.load(Ordering::Relaxed) as f64);
    }
}
