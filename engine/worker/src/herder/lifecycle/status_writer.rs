//! Writes states of a connector and its tasks, as this worker observes them.

use std::sync::Arc;

use crate::clock::now_ms;
use crate::connector_task_id::ConnectorTaskId;
use crate::herder::WorkerContext;
use crate::storage::{ClusterConfigState, State, Status, StatusKey, TopicStatus};

/// Writes the states of one connector.
#[derive(Clone, Debug)]
pub(crate) struct StatusWriter {
    context: Arc<WorkerContext>,
    connector: String,
}

impl StatusWriter {
    pub(crate) fn new(context: Arc<WorkerContext>, connector: &str) -> Self {
        Self { context, connector: connector.to_owned() }
    }

    /// The worker's.
    pub(crate) fn worker(&self) -> &Arc<WorkerContext> {
        &self.context
    }

    /// The connector is in `state`.
    pub(crate) fn connector(&self, state: State, trace: Option<String>, version: Option<&str>) {
        self.context
            .statuses
            .put(StatusKey::Connector(self.connector.clone()), Some(self.status(state, trace, version)));
        self.context.has_changed();
    }

    /// Task `task` is in `state`.
    pub(crate) fn task(&self, task: usize, state: State, trace: Option<String>, version: Option<&str>) {
        self.context.statuses.put(self.task_key(task), Some(self.status(state, trace, version)));
        self.context.has_changed();
    }

    /// Task `task` uses `topic`, if that is tracked and not known yet.
    pub(crate) fn topic(&self, task: usize, topic: &str) {
        let is_known = || self.context.statuses.topics(&self.connector).iter().any(|known| known.topic == topic);
        if self.context.config.topic_tracking_enabled() && !is_known() {
            let task = self.task_id(task);
            self.context.statuses.put_topic(TopicStatus {
                topic: topic.to_owned(),
                task,
                discover_timestamp: now_ms(),
            });
        }
    }

    /// Deletes the statuses of what `state` does not have: of the connector and its tasks, or of some tasks only.
    pub(crate) fn forget_deleted(&self, state: &ClusterConfigState) {
        self.forget_tasks_from(state.task_count(&self.connector));
        if !state.contains(&self.connector) {
            self.context.statuses.put(StatusKey::Connector(self.connector.clone()), None);
            self.context.statuses.reset_topics(&self.connector);
            self.context.has_changed();
        }
    }

    fn forget_tasks_from(&self, first: usize) {
        for (task, _) in self.context.statuses.tasks(&self.connector) {
            if task >= first {
                self.context.statuses.put(self.task_key(task), None);
            }
        }
        for (task, _) in self.context.statuses.task_runs(&self.connector) {
            if task >= first {
                self.context.statuses.put_task_run(self.task_id(task), None);
            }
        }
    }

    fn task_key(&self, task: usize) -> StatusKey {
        StatusKey::Task(self.task_id(task))
    }

    fn task_id(&self, task: usize) -> ConnectorTaskId {
        ConnectorTaskId { connector: self.connector.clone(), task }
    }

    fn status(&self, state: State, trace: Option<String>, version: Option<&str>) -> Status {
        let worker_id = self.context.worker_id();
        Status { state, trace, worker_id, generation: self.context.generation(), version: version.map(str::to_owned) }
    }
}
