//! The herder: which connectors and tasks run on this worker, and in which state.
//!
//! ```text
//!  REST ─► Herder ──┬─► standalone/   everything is assigned to this worker
//!             │     └─► distributed/  the group assigns to this worker, the leader writes
//!             │              │
//!             │              └─► lifecycle/  keeps what is assigned in its desired state
//!             └─► ConnectorQueries ─► config, status and offset stores
//! ```
//! Reading never waits for a connector: what REST shows comes from the stores. A connector that hangs holds up its own
//! actor only.

mod connector_calls;
mod connector_kind;
mod connector_offsets;
mod connector_queries;
mod distributed;
mod entities;
#[allow(clippy::module_inception)]
mod herder;
mod lifecycle;
mod metrics_text;
mod progress;
mod restart_plan;
mod stages;
mod standalone;
mod worker_context;

pub use connector_queries::ConnectorQueries;
pub(crate) use distributed::ConfigUpdates;
pub use distributed::DistributedHerder;
pub use entities::{
    ConnectorInfo, ConnectorOffset, ConnectorOffsets, ConnectorState, ConnectorStateInfo, TaskIdInfo, TaskInfo,
    TaskStateInfo,
};
pub(crate) use herder::patched;
pub use herder::{Created, Herder};
pub(crate) use progress::WorkerProgress;
pub use progress::{ConnectorProgress, JavaProcessInfo, NotCounted, Rates, TaskProgressInfo};
pub use restart_plan::RestartPlan;
pub use stages::{Stage, Stages};
pub use standalone::StandaloneHerder;
pub use worker_context::WorkerContext;

pub use crate::storage::Completion;
