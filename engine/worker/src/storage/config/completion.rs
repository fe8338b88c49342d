//! The result of a bounded connector.

use serde::{Deserialize, Serialize};
use volley_api::EndedRun;

use crate::storage::TaskProgressSnapshot;

/// The record of a completed bounded run; the sum of all its tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Completion {
    /// Completion time, ms since 1970-01-01 UTC.
    pub completed_at: i64,
    /// Duration since the start of its tasks, ms.
    pub duration_ms: u64,
    /// Records read.
    pub rows: u64,
    /// Records delivered.
    pub rows_delivered: u64,
    /// Records dead-lettered or skipped.
    pub rows_rejected: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Files completed.
    pub files: u64,
    /// Bytes of these files.
    pub written_bytes: u64,
}

impl Completion {
    /// What the connector is told of it.
    pub(crate) fn ended_run(&self) -> EndedRun {
        let Self { rows, rows_delivered, rows_rejected, files, written_bytes, .. } = *self;
        EndedRun { rows, rows_delivered, rows_rejected, files, written_bytes }
    }

    /// The sum of the tasks' last counters.
    pub(crate) fn of(tasks: &[TaskProgressSnapshot], completed_at: i64, duration_ms: u64) -> Self {
        let sum = |counter: fn(&TaskProgressSnapshot) -> u64| tasks.iter().map(counter).sum();
        Self {
            completed_at,
            duration_ms,
            rows: sum(|task| task.rows_in),
            rows_delivered: sum(|task| task.rows_out),
            rows_rejected: sum(|task| task.rows_rejected),
            bytes: sum(|task| task.bytes_in),
            files: sum(|task| task.files),
            written_bytes: sum(|task| task.written_bytes),
        }
    }
}
