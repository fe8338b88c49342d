//! Connectors, and what they may ask of the worker.

#[allow(clippy::module_inception)] // the thing itself, among what belongs to it
mod connector;

pub use connector::{Connector, ConnectorContext, ConnectorKind, Support, task_configs_for_all};
