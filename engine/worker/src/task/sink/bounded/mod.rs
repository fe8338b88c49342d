//! The end of a bounded sink: the end offset of each partition, and the partitions that this task or another one of the
//! connector has delivered.

pub(crate) mod absent_partitions;
mod bounded_ends;
pub(crate) mod own_deliveries;

pub use bounded_ends::BoundedEnds;
