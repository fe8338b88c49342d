//! The state that the stages of one sink task share.

use std::sync::Arc;

use crate::connector_task_id::ConnectorTaskId;
use crate::memory_budget::MemoryBudget;
use crate::metrics::TaskMetrics;
use crate::task::call_watch::CallWatch;
use crate::task::control::Control;
use crate::task::sink::BoundedRun;
use crate::task::sink::assignment::Assignment;
use crate::task::sink::bounded::own_deliveries::OwnDeliveries;
use crate::task::sink::partition_pauses::PartitionPauses;
use crate::task::sink::pipeline::{Generations, Rewinds};
use crate::task::sink::revocation::Revocation;

/// Shared by the fetch stage, the put stage and the rebalance listener. A clone is the same state.
#[derive(Clone)]
pub(crate) struct SharedState {
    pub(crate) id: ConnectorTaskId,
    pub(crate) control: Arc<Control>,
    pub(crate) metrics: Arc<TaskMetrics>,
    /// The worker's budget for batches in memory.
    pub(crate) budget: Arc<MemoryBudget>,
    /// Set for a bounded connector: shared by all its tasks on this worker.
    pub(crate) bounded: Option<Arc<BoundedRun>>,
    /// From the put stage to the fetch stage: partitions to be read again.
    pub(crate) rewinds: Arc<Rewinds>,
    /// From the put stage to the fetch stage: partitions that the sink has paused.
    pub(crate) pauses: Arc<PartitionPauses>,
    /// From the put stage to the fetch stage: partitions of a bounded task that are delivered.
    pub(crate) deliveries: Arc<OwnDeliveries>,
    /// From the put stage to the fetch stage: calls of a plug-in that the worker cannot bound.
    pub(crate) calls: Arc<CallWatch>,
    /// From the rebalance listener to the put stage: partitions that are about to be revoked.
    pub(crate) revocation: Arc<Revocation>,
    /// From the rebalance listener to the fetch stage: partitions that were assigned.
    pub(crate) assignment: Arc<Assignment>,
    /// Numbers the generations of partitions.
    pub(crate) generations: Arc<Generations>,
}

impl SharedState {
    /// The state of a task to which nothing is assigned yet.
    pub(crate) fn new(
        id: ConnectorTaskId,
        control: Arc<Control>,
        metrics: Arc<TaskMetrics>,
        budget: Arc<MemoryBudget>,
        bounded: Option<Arc<BoundedRun>>,
    ) -> Self {
        Self {
            id,
            control,
            metrics,
            budget,
            bounded,
            rewinds: Arc::default(),
            pauses: Arc::default(),
            deliveries: Arc::default(),
            calls: Arc::default(),
            revocation: Arc::default(),
            assignment: Arc::default(),
            generations: Arc::default(),
        }
    }
}
