//! The status topic: the observed states of connectors and tasks, the topics that connectors use, and the progress of
//! bounded connectors' tasks.
//!
//! ```text
//!  put ─► StatusSender (retries until stored or superseded) ─► topic ─► StatusCache ─► get
//! ```

mod kafka_status_backing_store;
mod memory_status_backing_store;
#[allow(clippy::module_inception)] // the thing itself, among those that store it
mod status;
mod status_backing_store;
mod status_cache;
#[cfg(test)]
mod status_conformance;
mod status_record;
mod status_sender;
mod task_progress_snapshot;
mod task_run;

pub use kafka_status_backing_store::KafkaStatusBackingStore;
pub use memory_status_backing_store::MemoryStatusBackingStore;
pub use status::{State, Status, StatusKey, TopicStatus};
pub use status_backing_store::StatusBackingStore;
pub use status_cache::StatusCache;
pub use status_record::StatusRecord;
pub use task_progress_snapshot::TaskProgressSnapshot;
pub(crate) use task_progress_snapshot::by_stage;
pub use task_run::TaskRun;

// for `status_conformance`, which imports names from its parent, since the tests with a real broker include it, too
#[cfg(test)]
use crate::connector_task_id::ConnectorTaskId;
