//! The store of the states of connectors and tasks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::connector_task_id::ConnectorTaskId;
use crate::storage::{Status, StatusKey, TaskRun, TopicStatus};

/// Stores statuses, as Kafka Connect's status topic does. Only `flush` and `stop` block. A store writes in the
/// background, so a status may become visible a little later.
pub trait StatusBackingStore: Send + Sync {
    /// Stores a status; `None` deletes it. A FAILED or UNASSIGNED status is not stored if another worker with a higher
    /// generation has stored one.
    fn put(&self, key: StatusKey, status: Option<Status>);

    /// A status.
    fn get(&self, key: &StatusKey) -> Option<Status>;

    /// The statuses of a connector's tasks, by task number.
    fn tasks(&self, connector: &str) -> Vec<(usize, Status)>;

    /// Stores the run of a bounded connector's task; `None` deletes it.
    fn put_task_run(&self, task: ConnectorTaskId, run: Option<TaskRun>);

    /// The runs of a bounded connector's tasks, by task number.
    fn task_runs(&self, connector: &str) -> Vec<(usize, TaskRun)>;

    /// Names of all connectors with a status, a task status, a task run or a topic.
    fn connectors(&self) -> BTreeSet<String>;

    /// Stores that a connector uses a topic, unless that is already stored.
    fn put_topic(&self, topic: TopicStatus);

    /// The topics that a connector uses, by name.
    fn topics(&self, connector: &str) -> Vec<TopicStatus>;

    /// Deletes the topics that a connector uses.
    fn reset_topics(&self, connector: &str);

    /// Registers a listener for changes made by other workers. It MUST NOT block.
    fn on_change(&self, _listener: Arc<dyn Fn() + Send + Sync>) {}

    /// Waits until all statuses put so far are stored, or `timeout` has passed. Blocks on I/O.
    fn flush(&self, _timeout: Duration) {}

    /// Flushes and closes the store. Blocks on I/O.
    fn stop(&self) {}
}
