//! The parts that the two actors of a connector share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::connector_tasks::ConnectorTasks;
use super::status_writer::StatusWriter;
use crate::error::{HerderError, HerderResult};
use crate::herder::WorkerContext;
use crate::herder::progress::RateMeter;

/// Told the outcome of a restart. Whoever asked for it may have gone.
pub(crate) type Reply = oneshot::Sender<HerderResult<()>>;

/// The part of a connector that others may read while its actors are busy.
pub(crate) struct AssignedView {
    pub(crate) tasks: ConnectorTasks,
    pub(crate) meter: Mutex<RateMeter>,
    /// Whether the instance that was started last is of a connector that ends by itself.
    pub(crate) is_bounded: AtomicBool,
}

/// The parts that each actor of a connector has.
#[derive(Clone)]
pub(crate) struct ActorParts {
    pub(crate) name: String,
    pub(crate) context: Arc<WorkerContext>,
    pub(crate) status: StatusWriter,
    pub(crate) view: Arc<AssignedView>,
}

/// The error of a request that something else is in the way of.
pub(crate) fn in_the_way() -> HerderError {
    HerderError::Conflict(
        "Cannot complete request because of a conflicting operation (e.g. worker rebalance)".to_owned(),
    )
}
