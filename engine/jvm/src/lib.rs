//! Java plug-ins, unmodified, in JVMs beside the worker: the worker's side of `java-host/PROTOCOL.md`.
//!
//! ```text
//!  JavaPlugins ─ plug-ins ─┬─ JavaConnector ──┐
//!                          ├─ JavaSourceTask ─┼─ calls, lanes ─► a process for each connector
//!                          └─ JavaSinkTask ───┘
//!  what is asked of classes that do not run (scans, keys, validation) ─► one more process, while it is needed
//!  JavaConfigProvider, of each provider ─► one process for all of them
//! ```
//!
//! A JVM that dies fails what ran in it, and nothing else; one that hangs is killed.

mod body;
mod callback;
mod config_json;
mod config_provider;
mod connector;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod connector_tests;
mod control;
mod discovery;
mod errant;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod fake_host;
mod frames;
mod hosted_task;
mod hosts;
mod java_error;
mod lane;
mod notices;
mod plugins;
mod process;
mod runtime;
mod settings;
mod sink;
mod sink_requests;
mod source;

pub use hosts::{JavaNumber, JavaProcess};
pub use plugins::JavaPlugins;
pub use settings::JavaSettings;
