//! Connector instances and tasks: what there is to hand out, and what a worker holds.

use crate::connector_config::MAX_NAME_BYTES;
use crate::connector_task_id::ConnectorTaskId;
use crate::storage::ClusterConfigState;

/// Connector instances and tasks, each at most once, in the order in which they were named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectorsAndTasks {
    /// Names of connectors whose instance is meant.
    pub connectors: Vec<String>,
    /// Tasks.
    pub tasks: Vec<ConnectorTaskId>,
}

impl ConnectorsAndTasks {
    /// Everything that the configuration wants to run. A connector whose task configurations don't fit together has no
    /// tasks; one whose name no message of the group can carry is left out, or nobody could be assigned anything.
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

    /// Whether it is nothing.
    pub fn is_empty(&self) -> bool {
        self.connectors.is_empty() && self.tasks.is_empty()
    }
}
