//! The observed states of connectors and tasks.

use std::fmt;

use crate::connector_task_id::ConnectorTaskId;

/// The observed state; the desired one is [`crate::storage::TargetState`]. `Display` gives Kafka Connect's name. Its
/// DESTROYED is a deleted entry here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// On no worker.
    Unassigned,
    /// It runs.
    Running,
    /// It waits to be resumed.
    Paused,
    /// Connectors only: shut down, its tasks too.
    Stopped,
    /// It failed; the trace says why.
    Failed,
    /// A user requested a restart.
    Restarting,
}

impl State {
    /// Parses Kafka Connect's name.
    pub fn from_name(name: &str) -> Option<Self> {
        const ALL: [State; 6] =
            [State::Unassigned, State::Running, State::Paused, State::Stopped, State::Failed, State::Restarting];
        ALL.into_iter().find(|state| state.to_string() == name)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unassigned => "UNASSIGNED",
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Stopped => "STOPPED",
            Self::Failed => "FAILED",
            Self::Restarting => "RESTARTING",
        })
    }
}

/// The owner of a status.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StatusKey {
    /// A connector's.
    Connector(String),
    /// A task's.
    Task(ConnectorTaskId),
}

/// The status of a connector or task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// State.
    pub state: State,
    /// The reason of a failure; `None` = no failure.
    pub trace: Option<String>,
    /// `host:port` of the worker that reports it.
    pub worker_id: String,
    /// Generation of the worker group at that time; 0 in a standalone worker.
    pub generation: i32,
    /// Version of the plug-in; `None` without an instance.
    pub version: Option<String>,
}

/// A topic that a connector uses (KIP-558).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicStatus {
    /// Topic name.
    pub topic: String,
    /// The task that used it first.
    pub task: ConnectorTaskId,
    /// Time of the first use, ms since 1970-01-01 UTC.
    pub discover_timestamp: i64,
}
