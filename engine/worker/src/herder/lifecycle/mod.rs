//! The life cycle of what runs on this worker: connector instances and their tasks, each kept in its desired state.
//!
//! ```text
//!  assignment ─┐
//!  config store┴─► desired_here ─► AssignedWork ─► AssignedConnector ─┬─► AssignedInstance ─► WorkerConnector: the plug-in
//!                       ▲                                             └─► AssignedTasks ────► ConnectorTasks: the threads
//!                       │                                                       │
//!                       └── TaskConfigPublisher ◄── task configurations ◄───────┴── states ─► StatusWriter
//! ```
//! A herder derives the desired state of each connector from what is assigned to this worker and from the config store.
//! Two actors for each connector go there and stay there: one has the connector's own instance, the other its tasks. So a
//! connector that hangs holds up neither its tasks nor other connectors. What an instance decides (which tasks there are,
//! and when a bounded run is over) goes to the config store through a [`TaskConfigPublisher`], and comes back as another
//! desired state.

mod actor_parts;
mod assigned_connector;
mod assigned_instance;
mod assigned_tasks;
mod assigned_work;
mod bounded;
mod connector_parts;
mod connector_requests;
mod connector_tasks;
mod desired;
mod producer_fence;
mod publishing;
mod reload;
mod restart_schedule;
mod status_writer;
mod task_config_publisher;
mod task_configs;
mod task_parts;
mod task_publishing;
mod task_states;
#[cfg(test)]
mod tests;
mod worker_connector;

pub(crate) use assigned_work::AssignedWork;
pub(crate) use desired::{desired_here, is_out_of_date};
pub(crate) use producer_fence::ProducerFence;
pub(crate) use restart_schedule::Part;
pub(crate) use status_writer::StatusWriter;
pub(crate) use task_config_publisher::{TaskConfigPublisher, check_takes_tasks, is_current};
