//! What a task has done so far, for display.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Counters that the stages of a task add to and REST reads.
#[derive(Debug, Default)]
pub struct TaskProgress {
    pub(crate) rows_in: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) rows_out: AtomicU64,
    pub(crate) rows_rejected: AtomicU64,
    pub(crate) open_files: AtomicU64,
    pub(crate) complete_files: AtomicU64,
    pub(crate) written_bytes: AtomicU64,
    pub(crate) lag: AtomicI64,
    pub(crate) last_commit_ms: AtomicI64,
    pub(crate) buffered_bytes: AtomicU64,
}

/// One reading of [`TaskProgress`].
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct TaskProgressSnapshot {
    /// Records consumed (sink) or polled (source).
    pub rows_in: u64,
    /// Bytes of keys and values consumed (sink) or produced (source).
    pub bytes_in: u64,
    /// Records put (sink) or acknowledged (source).
    pub rows_out: u64,
    /// Records rejected: dead-lettered or skipped.
    pub rows_rejected: u64,
    /// Files being written.
    pub open_files: u64,
    /// Files completed.
    pub files: u64,
    /// Bytes of the completed files.
    pub written_bytes: u64,
    /// Records between the task's position and the end of its partitions; `None` where unknown.
    pub lag: Option<u64>,
    /// Time of the last offset commit, ms since 1970-01-01 UTC; `None` before the first.
    pub last_commit_ms: Option<i64>,
    /// Bytes held in memory by the task.
    pub buffered_bytes: u64,
}

impl TaskProgress {
    /// Counters at zero, lag unknown.
    pub fn new() -> Self {
        Self { lag: AtomicI64::new(-1), ..Self::default() }
    }

    /// The counters as they stand.
    pub fn snapshot(&self) -> TaskProgressSnapshot {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let last_commit = self.last_commit_ms.load(Ordering::Relaxed);
        TaskProgressSnapshot {
            rows_in: load(&self.rows_in),
            bytes_in: load(&self.bytes_in),
            rows_out: load(&self.rows_out),
            rows_rejected: load(&self.rows_rejected),
            open_files: load(&self.open_files),
            files: load(&self.complete_files),
            written_bytes: load(&self.written_bytes),
            lag: u64::try_from(self.lag.load(Ordering::Relaxed)).ok(),
            last_commit_ms: (last_commit > 0).then_some(last_commit),
            buffered_bytes: load(&self.buffered_bytes),
        }
    }
}

impl TaskProgressSnapshot {
    /// These counters and those of an earlier life of the task together. What is held or behind now is as it is now.
    pub(crate) fn after(self, earlier: &Self) -> Self {
        Self {
            rows_in: self.rows_in.saturating_add(earlier.rows_in),
            bytes_in: self.bytes_in.saturating_add(earlier.bytes_in),
            rows_out: self.rows_out.saturating_add(earlier.rows_out),
            rows_rejected: self.rows_rejected.saturating_add(earlier.rows_rejected),
            files: self.files.saturating_add(earlier.files),
            written_bytes: self.written_bytes.saturating_add(earlier.written_bytes),
            last_commit_ms: self.last_commit_ms.max(earlier.last_commit_ms),
            ..self
        }
    }
}
