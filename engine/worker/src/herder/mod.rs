//! The herder: which connectors and tasks run, and in which state.
//!
//! ```text
//!  REST ─► Herder ─► one actor per connector ─┬─► WorkerConnector: the plug-in, each call on its own thread
//!             │                               └─► ConnectorTasks: the tasks, each on its own threads
//!             └─► config, status and offset stores
//! ```
//! Reading never waits for a connector: what REST shows comes from the stores. A connector that hangs holds up its own
//! actor only.

mod connector_kind;
mod connector_offsets;
mod connector_queries;
mod distributed;
mod entities;
#[allow(clippy::module_inception)]
mod herder;
mod lifecycle;
mod progress;
mod restart_plan;
mod stages;
mod standalone;
mod worker_context;

pub(crate) use distributed::ConfigUpdates;
pub use distributed::DistributedHerder;
pub use entities::{
    ConnectorInfo, ConnectorOffset, ConnectorOffsets, ConnectorState, ConnectorStateInfo, TaskIdInfo, TaskInfo,
    TaskStateInfo,
};
pub(crate) use herder::patched;
pub use herder::{Created, Herder};
pub(crate) use progress::WorkerProgress;
pub use progress::{ConnectorProgress, NotCounted, Rates, TaskProgressInfo};
pub use restart_plan::RestartPlan;
pub use stages::{Stage, Stages};
pub use standalone::StandaloneHerder;
pub use worker_context::WorkerContext;

pub use crate::storage::Completion;
