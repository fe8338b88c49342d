//! The run of a bounded sink: the start and end offset of each partition, and the partitions that this task or another one of the
//! connector has delivered.

pub(crate) mod absent_partitions;
mod bounded_run;
pub(crate) mod own_deliveries;

pub use bounded_run::{BoundedRun, RunOffsets, RunShare};
