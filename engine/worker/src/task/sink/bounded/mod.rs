//! The end of a bounded sink: up to which offsets each partition is read, and which of them are delivered, by this task or by
//! another of the connector.

pub(crate) mod absent_partitions;
mod bounded_ends;
pub(crate) mod own_deliveries;

pub use bounded_ends::BoundedEnds;
