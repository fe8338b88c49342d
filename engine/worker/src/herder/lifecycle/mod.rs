//! The life cycle of what runs on this worker: connector instances and their tasks, each kept as it is wanted.

mod assigned_connector;
mod assigned_instance;
mod assigned_tasks;
mod assigned_work;
mod assignment_plan;
mod bounded;
mod connector_parts;
mod connector_requests;
mod connector_tasks;
mod expedite;
mod publishing;
mod reconciliation;
mod restart_schedule;
mod status_writer;
mod task_config_publisher;
mod task_configs;
mod task_states;
#[cfg(test)]
mod tests;
mod worker_connector;

pub(crate) use assigned_connector::Restart;
pub(crate) use assigned_work::AssignedWork;
pub(crate) use assignment_plan::{desired_here, is_out_of_date};
pub(crate) use connector_parts::{
    at, check_topic_creation, is_bounded_mode, max_tasks, plan_restarts, resolved, task_parts,
};
pub(crate) use connector_requests::{ConnectorRequest, ConnectorRequests};
pub(crate) use connector_tasks::{ConnectorTasks, TaskParts};
pub(crate) use restart_schedule::{Part, RestartSchedule};
pub(crate) use status_writer::StatusWriter;
pub(crate) use task_config_publisher::{TaskConfigPublisher, check_takes_tasks, is_current};
pub(crate) use task_configs::{have_changed, stored_task_configs};
pub(crate) use task_states::TaskStates;
pub(crate) use worker_connector::WorkerConnector;
