//! What a task has done so far, for display.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::storage::TaskProgressSnapshot;

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
