//! The progress of a bounded connector's task in one run.

use serde::{Deserialize, Serialize};

use crate::storage::Completion;
use crate::storage::TaskProgressSnapshot;

/// The progress of a bounded connector's task in one run, over all its starts on all workers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRun {
    /// Identifies the run: the position in the config topic of the commit that created its tasks.
    pub run: i64,
    /// Whether the task has nothing left to do in this run.
    #[serde(rename = "done")]
    pub is_done: bool,
    /// Time of its first start, ms since 1970-01-01 UTC.
    pub started_at: i64,
    /// The sum of its counters.
    #[serde(flatten)]
    pub progress: TaskProgressSnapshot,
}

impl TaskRun {
    /// Adds the earlier state, if it is of the same run.
    pub(crate) fn after(mut self, before: Option<&Self>) -> Self {
        if let Some(before) = before.filter(|before| before.run == self.run) {
            self.is_done |= before.is_done;
            self.started_at = self.started_at.min(before.started_at);
            self.progress = self.progress.after(&before.progress);
        }
        self
    }
}

impl Completion {
    /// The completion of a run, from all its tasks.
    pub(crate) fn of_runs<'a>(runs: impl IntoIterator<Item = &'a TaskRun>, completed_at: i64) -> Self {
        let runs: Vec<&TaskRun> = runs.into_iter().collect();
        let started_at = runs.iter().map(|run| run.started_at).min().unwrap_or(completed_at);
        let duration = u64::try_from(completed_at - started_at).unwrap_or(0);
        let counters: Vec<_> = runs.iter().map(|run| run.progress.clone()).collect();
        Self::of(&counters, completed_at, duration)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn task_run(run: i64, is_done: bool, started_at: i64, rows_in: u64) -> TaskRun {
        let progress = TaskProgressSnapshot { rows_in, ..TaskProgressSnapshot::default() };
        TaskRun { run, is_done, started_at, progress }
    }

    proptest! {
        #[test]
        fn what_a_task_did_in_a_run_adds_up_and_what_is_done_stays_done(
            lives in prop::collection::vec((0i64..2, any::<bool>(), 0i64..100, 0u64..100), 1..6),
        ) {
            let mut stored: Option<TaskRun> = None;
            for (run, is_done, started_at, rows) in &lives {
                stored = Some(task_run(*run, *is_done, *started_at, *rows).after(stored.as_ref()));
            }
            let last = lives[lives.len() - 1].0;
            let same: Vec<_> = lives.iter().rev().take_while(|life| life.0 == last).collect();
            let expected = task_run(
                last,
                same.iter().any(|life| life.1),
                same.iter().map(|life| life.2).min().unwrap_or_default(),
                same.iter().map(|life| life.3).sum(),
            );
            prop_assert_eq!(stored, Some(expected));
        }
    }
}
