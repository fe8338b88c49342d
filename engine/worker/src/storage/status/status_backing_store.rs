//! Where the states of connectors and tasks are kept.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::connector_task_id::ConnectorTaskId;
use crate::storage::{Status, StatusKey, TaskRun, TopicStatus};

/// Keeps statuses, as Kafka Connect's status topic does. Nothing here blocks but flush and stop: a store sends in the
/// background, and what was put may show a little later.
pub trait StatusBackingStore: Send + Sync {
    /// Stores a status; `None` deletes it. A FAILED or UNASSIGNED one gives way to that of another worker with a higher
    /// generation.
    fn put(&self, key: StatusKey, status: Option<Status>);

    /// A status.
    fn get(&self, key: &StatusKey) -> Option<Status>;

    /// The statuses of a connector's tasks, by task number.
    fn tasks(&self, connector: &str) -> Vec<(usize, Status)>;

    /// Stores what a task of a bounded connector has done; `None` deletes it.
    fn put_task_run(&self, task: ConnectorTaskId, run: Option<TaskRun>);

    /// What the tasks of a bounded connector have done, by task number.
    fn task_runs(&self, connector: &str) -> Vec<(usize, TaskRun)>;

    /// Names of all connectors of which anything is known: a status, one of a task, what a
    /// task has done, or a topic.
    fn connectors(&self) -> BTreeSet<String>;

    /// Stores that a connector uses a topic, unless that is known.
    fn put_topic(&self, topic: TopicStatus);

    /// The topics that a connector uses, by name.
    fn topics(&self, connector: &str) -> Vec<TopicStatus>;

    /// Forgets the topics that a connector uses.
    fn reset_topics(&self, connector: &str);

    /// Who is told, from now on, whenever what this store shows has changed without its caller having changed it. The listener
    /// MUST NOT block.
    fn on_change(&self, _listener: Arc<dyn Fn() + Send + Sync>) {}

    /// Waits until everything put so far is stored, or `timeout` is over. Blocks on I/O.
    fn flush(&self, _timeout: Duration) {}

    /// Ends it, after a flush. Blocks on I/O.
    fn stop(&self) {}
}
