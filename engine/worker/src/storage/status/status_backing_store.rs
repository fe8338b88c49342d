//! Where the states of connectors and tasks are kept.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::connector_task_id::ConnectorTaskId;
use crate::storage::{Status, StatusKey, TaskRun, TopicStatus};

/// Keeps statuses, as Kafka Connect's status topic does. Only `flush` and `stop` block. A store writes in the background, so that
/// a status may be visible a little later than it was put.
pub trait StatusBackingStore: Send + Sync {
    /// Stores a status; `None` deletes it. A FAILED or UNASSIGNED one gives way to that of another worker with a higher
    /// generation.
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

    /// Stores that a connector uses a topic, unless that is known.
    fn put_topic(&self, topic: TopicStatus);

    /// The topics that a connector uses, by name.
    fn topics(&self, connector: &str) -> Vec<TopicStatus>;

    /// Forgets the topics that a connector uses.
    fn reset_topics(&self, connector: &str);

    /// Registers a listener for changes made by other workers. It MUST NOT block.
    fn on_change(&self, _listener: Arc<dyn Fn() + Send + Sync>) {}

    /// Waits until everything put so far is stored, or `timeout` is over. Blocks on I/O.
    fn flush(&self, _timeout: Duration) {}

    /// Ends it, after a flush. Blocks on I/O.
    fn stop(&self) {}
}
