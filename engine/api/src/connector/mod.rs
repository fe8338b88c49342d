//! Connectors, and what they may ask of the worker.

mod config_answer;
#[allow(clippy::module_inception)] // the thing itself, among what belongs to it
mod connector;
mod connector_context;
mod ended_run;
mod own_chain;

pub use config_answer::{ConfigAnswer, KeyAnswer};
pub use connector::{Connector, ConnectorKind, RunningConnector, Support, identical_tasks, single_task};
pub use connector_context::ConnectorContext;
pub use ended_run::EndedRun;
pub use own_chain::OwnChain;
