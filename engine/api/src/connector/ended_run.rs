//! What a bounded run has done.

/// Sums over all tasks of a bounded run that has ended. What was read again, since a partition moved, counts again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndedRun {
    /// Records read.
    pub rows: u64,
    /// Records delivered.
    pub rows_delivered: u64,
    /// Records that went to the dead letters, or were left out as bad.
    pub rows_rejected: u64,
    /// Files completed.
    pub files: u64,
    /// Bytes of these files.
    pub written_bytes: u64,
}
