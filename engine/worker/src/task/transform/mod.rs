//! The transformation chain of a task. Its steps may filter, reroute and split a batch; what remains is put back in input order.

pub(crate) mod row_order;
pub(crate) mod transform_chain;
pub(crate) mod whole_topics;
