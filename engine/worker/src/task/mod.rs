//! Tasks: the two loops and everything that one task needs.

mod handle;
mod progress;

pub use handle::{ConnectorTaskId, StatusListener, TaskHandle, TaskSpec, TaskState, spawn};
pub use progress::{TaskProgress, TaskProgressSnapshot};
