//! Who runs what, as the leader knows it after its last assignment.

use std::collections::HashMap;

use super::ConnectorsAndTasks;
use crate::connector_task_id::ConnectorTaskId;

/// The REST URL of the worker that runs each connector instance and each task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaderState {
    connectors: HashMap<String, String>,
    tasks: HashMap<ConnectorTaskId, String>,
}

impl LeaderState {
    /// From REST URLs and what the workers there hold.
    pub fn new<'a>(holders: impl IntoIterator<Item = (&'a str, &'a ConnectorsAndTasks)>) -> Self {
        let mut state = Self::default();
        for (url, held) in holders {
            state.connectors.extend(held.connectors.iter().map(|connector| (connector.clone(), url.to_owned())));
            state.tasks.extend(held.tasks.iter().map(|task| (task.clone(), url.to_owned())));
        }
        state
    }

    /// Where a connector's instance runs; `None` if nowhere for now.
    pub fn connector_url(&self, connector: &str) -> Option<&str> {
        self.connectors.get(connector).map(String::as_str)
    }

    /// Where a task runs; `None` if nowhere for now.
    pub fn task_url(&self, task: &ConnectorTaskId) -> Option<&str> {
        self.tasks.get(task).map(String::as_str)
    }
}
