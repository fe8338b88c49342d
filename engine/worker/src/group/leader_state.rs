//! The workers of all connectors and tasks, as of the leader's last assignment.

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
    /// From REST URLs and the items of the workers there.
    pub fn new<'a>(holders: impl IntoIterator<Item = (&'a str, &'a ConnectorsAndTasks)>) -> Self {
        let mut state = Self::default();
        for (url, held) in holders {
            state.connectors.extend(held.connectors.iter().map(|connector| (connector.clone(), url.to_owned())));
            state.tasks.extend(held.tasks.iter().map(|task| (task.clone(), url.to_owned())));
        }
        state
    }

    /// The URL of the worker with a connector's instance; `None` if no worker has it now.
    pub fn connector_url(&self, connector: &str) -> Option<&str> {
        self.connectors.get(connector).map(String::as_str)
    }

    /// The URL of the worker with a task; `None` if no worker has it now.
    pub fn task_url(&self, task: &ConnectorTaskId) -> Option<&str> {
        self.tasks.get(task).map(String::as_str)
    }
}
