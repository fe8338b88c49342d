//! Decides when the run of a bounded connector is over, and which step is left then. Pure.
//!
//! A run begins with a commit of tasks. The worker that has the connector's own instance ends it once all its tasks are done,
//! on whichever worker: it writes the target state STOPPED with the record of the run, and then has the tasks taken away. A
//! Java worker never reports that a task is done, so a run with a task on a Java worker does not end.

use crate::storage::{ClusterConfigState, Completion, TargetState, TaskRun};

/// A step that is left of a run whose tasks are done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CompletionStep {
    /// The connector is to be STOPPED.
    Stop {
        /// The run that is done.
        run: i64,
        /// The record of the run.
        completion: Completion,
    },
    /// The tasks are to be taken away. This step is the last, so that a worker that takes over in between sees what is left.
    TakeTasksAway,
}

/// The next step, if the run of a connector is over. `completed` is the run for which this worker has already done the
/// first: if somebody has resumed the connector since, its tasks have to go all the same, to make room for new ones.
pub(crate) fn next_step(
    state: &ClusterConfigState,
    connector: &str,
    runs: &[(usize, TaskRun)],
    completed: Option<i64>,
    now: i64,
) -> Option<CompletionStep> {
    let (run, tasks) = (state.tasks_position(connector), state.task_count(connector));
    if tasks == 0 {
        return None;
    }
    if completed == Some(run) || state.completion(connector).is_some() {
        return Some(CompletionStep::TakeTasksAway);
    }
    if state.target_state(connector) != Some(TargetState::Started) {
        return None;
    }
    let done: Vec<&TaskRun> =
        runs.iter().filter(|(task, of)| *task < tasks && of.run == run && of.is_done).map(|(_, of)| of).collect();
    let is_over = done.len() == tasks;
    is_over.then(|| CompletionStep::Stop { run, completion: Completion::of_runs(done, now) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use volley_api::ConfigMap;

    use super::*;
    use crate::storage::ConfigRecord;
    use crate::storage::TaskProgressSnapshot;

    fn apply(state: &mut ClusterConfigState, records: &[ConfigRecord]) {
        for record in records {
            state.apply(state.offset().max(0), &record.key(), record.value().as_ref());
        }
    }

    fn with_tasks(tasks: usize) -> ClusterConfigState {
        let mut state = ClusterConfigState::default();
        apply(&mut state, &[ConfigRecord::Connector("a".into(), Some(ConfigMap::new().into()))]);
        apply(&mut state, &ConfigRecord::tasks("a", &vec![ConfigMap::new(); tasks]));
        state
    }

    fn done(run: i64, rows_out: u64) -> TaskRun {
        let progress = TaskProgressSnapshot { rows_out, ..TaskProgressSnapshot::default() };
        TaskRun { run, is_done: true, started_at: 10, progress }
    }

    proptest! {
        #[test]
        fn a_run_is_over_exactly_when_each_of_its_tasks_is_done_in_it(
            tasks in 1usize..5,
            known in prop::collection::btree_map(0usize..6, (-1i64..1, any::<bool>(), 0u64..9), 0..7),
            target in prop_oneof![Just(TargetState::Started), Just(TargetState::Paused), Just(TargetState::Stopped)],
        ) {
            let mut state = with_tasks(tasks);
            apply(&mut state, &[ConfigRecord::TargetState("a".into(), Some(target))]);
            let run = state.tasks_position("a");
            let runs: Vec<_> = known
                .iter()
                .map(|(task, (age, is_done, rows))| (*task, TaskRun { is_done: *is_done, ..done(run + age, *rows) }))
                .collect();
            let is_over = (0..tasks).all(|task| known.get(&task).is_some_and(|(age, is_done, _)| *age == 0 && *is_done));
            match next_step(&state, "a", &runs, None, 30) {
                None => prop_assert!(!is_over || target != TargetState::Started),
                Some(CompletionStep::TakeTasksAway) => prop_assert!(false, "nothing was completed"),
                Some(CompletionStep::Stop { run: ended, completion }) => {
                    prop_assert!(is_over && target == TargetState::Started && ended == run);
                    let rows: u64 = (0..tasks).map(|task| known[&task].2).sum();
                    prop_assert_eq!((completion.rows_delivered, completion.duration_ms), (rows, 20));
                }
            }
        }
    }

    #[test]
    fn a_run_ends_once_whoever_takes_over_and_whenever_it_is_resumed() {
        let mut state = with_tasks(1);
        let run = state.tasks_position("a");
        let runs = [(0, done(run, 1))];
        let step = next_step(&state, "a", &runs, None, 30).unwrap();
        let CompletionStep::Stop { completion, .. } = step else { panic!("{step:?}") };
        apply(&mut state, &[ConfigRecord::Completed("a".into(), completion)]);
        assert_eq!(
            next_step(&state, "a", &runs, None, 30),
            Some(CompletionStep::TakeTasksAway),
            "another worker goes on"
        );
        apply(&mut state, &[ConfigRecord::TargetState("a".into(), Some(TargetState::Started))]);
        assert_eq!(
            next_step(&state, "a", &runs, Some(run), 30),
            Some(CompletionStep::TakeTasksAway),
            "resumed at once"
        );
        apply(&mut state, &ConfigRecord::tasks("a", &[]));
        assert_eq!(next_step(&state, "a", &runs, Some(run), 30), None);
        apply(&mut state, &ConfigRecord::tasks("a", &[ConfigMap::new()]));
        assert_eq!(next_step(&state, "a", &runs, Some(run), 30), None, "a new run");
    }
}
