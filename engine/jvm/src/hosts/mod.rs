//! The JVMs of a worker: which of them run, for whom, and what is told to and known of all of them.

mod connector_processes;
mod host;
mod host_name;
mod log_levels;
mod plugin_numbers;
mod running_hosts;
mod utility;
mod vitals;

pub use host::JavaProcess;
pub use plugin_numbers::JavaNumber;

pub(crate) use connector_processes::{ConnectorProcesses, Heap, IsGivenUp, Movable, Occupant, Wanted};
pub(crate) use host_name::HostName;
pub(crate) use log_levels::LogLevels;
pub(crate) use running_hosts::RunningHosts;
pub(crate) use utility::{QUESTION_LIMIT, Scanned, Utility};
pub(crate) use vitals::Vitals;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod hosts_tests;
