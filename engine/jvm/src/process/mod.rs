//! A JVM that runs a host, from its start to its end.

mod exit;
mod hello;
mod host_process;
mod host_socket;
mod java_command;
mod launch;
mod life;
mod output;
mod patience;

pub(crate) use host_process::{HostProcess, spawn};
pub(crate) use java_command::{JavaCommand, heap_bytes};
pub(crate) use launch::Launch;
pub(crate) use patience::Patience;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod host_process_tests;
