//! The progress of a task, as it is shown, and as it is stored for bounded connectors.

use std::collections::BTreeMap;

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
    /// The same, by the stage that rejected them (`VALUE_CONVERTER`, …), without stages that rejected none.
    pub rows_rejected_by_stage: BTreeMap<String, u64>,
    /// Dead letters that Kafka has acknowledged.
    pub dead_letters_written: u64,
    /// Dead letters that could not be written.
    pub dead_letters_refused: u64,
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
        let rows_rejected_by_stage = by_stage([&self, earlier]);
        Self {
            rows_in: self.rows_in.saturating_add(earlier.rows_in),
            bytes_in: self.bytes_in.saturating_add(earlier.bytes_in),
            rows_out: self.rows_out.saturating_add(earlier.rows_out),
            rows_rejected: self.rows_rejected.saturating_add(earlier.rows_rejected),
            rows_rejected_by_stage,
            dead_letters_written: self.dead_letters_written.saturating_add(earlier.dead_letters_written),
            dead_letters_refused: self.dead_letters_refused.saturating_add(earlier.dead_letters_refused),
            files: self.files.saturating_add(earlier.files),
            written_bytes: self.written_bytes.saturating_add(earlier.written_bytes),
            last_commit_ms: self.last_commit_ms.max(earlier.last_commit_ms),
            ..self
        }
    }
}

/// Rejected records of several tasks together, by stage.
pub(crate) fn by_stage<'a>(tasks: impl IntoIterator<Item = &'a TaskProgressSnapshot>) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for (stage, count) in tasks.into_iter().flat_map(|task| &task.rows_rejected_by_stage) {
        let sum: &mut u64 = sums.entry(stage.clone()).or_default();
        *sum = sum.saturating_add(*count);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_counted_with_those_before_it_stage_by_stage() {
        let with = |stages: &[(&str, u64)]| TaskProgressSnapshot {
            rows_rejected: stages.iter().map(|(_, count)| count).sum(),
            rows_rejected_by_stage: stages.iter().map(|(stage, count)| ((*stage).to_owned(), *count)).collect(),
            dead_letters_written: 1,
            ..TaskProgressSnapshot::default()
        };
        let both = with(&[("TASK_PUT", 2)]).after(&with(&[("TASK_PUT", 3), ("VALUE_CONVERTER", 4)]));
        let expected = with(&[("TASK_PUT", 5), ("VALUE_CONVERTER", 4)]);
        assert_eq!(both, TaskProgressSnapshot { dead_letters_written: 2, ..expected });
    }

    #[test]
    fn progress_that_was_stored_before_stages_were_counted_is_read() {
        let stored = r#"{"rows_in": 5, "rows_rejected": 2}"#;
        let read: TaskProgressSnapshot = serde_json::from_str(stored).unwrap();
        assert_eq!((read.rows_rejected, read.rows_rejected_by_stage.len()), (2, 0));
    }
}
