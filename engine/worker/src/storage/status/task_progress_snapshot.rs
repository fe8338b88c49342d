//! The progress of a task, as it is shown, and as it is stored for bounded connectors.

/// The progress of a task at one moment.
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

impl TaskProgressSnapshot {
    /// The sum of these counters and those of an earlier run of the task. Current values (buffers, lag) stay as they
    /// are.
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
