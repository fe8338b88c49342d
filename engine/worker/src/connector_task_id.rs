//! The name of a task.

use std::fmt;

/// Names a task. `Display` gives Connect's form `connector-0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectorTaskId {
    /// Connector name.
    pub connector: String,
    /// Task number, from 0.
    pub task: usize,
}

impl fmt::Display for ConnectorTaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.connector, self.task)
    }
}
