//! Sets of connector instances and tasks: those to assign, and those that a worker holds.

use crate::connector_config::MAX_NAME_BYTES;
use crate::connector_task_id::ConnectorTaskId;
use crate::storage::ClusterConfigState;

/// Connector instances and tasks, each at most once, in the order of insertion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectorsAndTasks {
    /// Names of the connectors whose instance is in the set.
    pub connectors: Vec<String>,
    /// Tasks.
    pub tasks: Vec<ConnectorTaskId>,
}

impl ConnectorsAndTasks {
    /// Everything that the configuration requires to run. A connector with inconsistent task configurations has no
    /// tasks. A connector whose name is too long for the group's messages is left out, since it would block all
    /// assignments.
    pub fn configured(state: &ClusterConfigState) -> Self {
        let connectors = state.connectors().filter(|name| name.len() <= MAX_NAME_BYTES);
        let connectors: Vec<String> = connectors.map(str::to_owned).collect();
        let tasks = connectors.iter().flat_map(|connector| {
            let id = |task| ConnectorTaskId { connector: connector.clone(), task };
            (0..state.task_configs(connector).len()).map(id).collect::<Vec<_>>()
        });
        let tasks = tasks.collect();
        Self { connectors, tasks }
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.connectors.is_empty() && self.tasks.is_empty()
    }
}
