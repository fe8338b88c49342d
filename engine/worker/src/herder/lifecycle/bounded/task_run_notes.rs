//! Writes what the tasks of a bounded connector have done, for the worker that ends the run and for the next owner.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::now_ms;
use crate::connector_task_id::ConnectorTaskId;
use crate::herder::WorkerContext;
use crate::storage::{TaskProgressSnapshot, TaskRun};

/// A task that was started here, and of which nothing has been written yet.
struct Started {
    run: i64,
    at: i64,
}

/// Writes the counters of a task once, when it has ended.
pub(crate) struct TaskRunNotes {
    context: Arc<WorkerContext>,
    connector: String,
    started: BTreeMap<usize, Started>,
}

impl TaskRunNotes {
    pub(crate) fn new(context: Arc<WorkerContext>, connector: &str) -> Self {
        Self { context, connector: connector.to_owned(), started: BTreeMap::new() }
    }

    /// Task `task` is started, for this run.
    pub(crate) fn start(&mut self, task: usize, run: i64) {
        self.started.insert(task, Started { run, at: now_ms() });
    }

    /// Whether some worker has written that the task is done in this run.
    pub(crate) fn is_done(&self, task: usize, run: i64) -> bool {
        self.before(task).is_some_and(|before| before.run == run && before.is_done)
    }

    /// The task has ended.
    pub(crate) fn end(&mut self, task: usize, progress: TaskProgressSnapshot, is_done: bool) {
        let Some(started) = self.started.remove(&task) else { return };
        let run = TaskRun { run: started.run, is_done, started_at: started.at, progress };
        let id = ConnectorTaskId { connector: self.connector.clone(), task };
        self.context.statuses.put_task_run(id, Some(run.after(self.before(task).as_ref())));
        self.context.has_changed();
    }

    fn before(&self, task: usize) -> Option<TaskRun> {
        let runs = self.context.statuses.task_runs(&self.connector).into_iter();
        runs.filter(|(of, _)| *of == task).map(|(_, run)| run).next()
    }
}
