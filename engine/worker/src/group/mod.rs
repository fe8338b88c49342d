//! The worker group: what its members tell each other, and who gets what. Pure: no I/O, and time is an argument.

mod connect_protocol;
mod connectors_and_tasks;
mod extended_assignment;
mod java_hash_order;
mod primitives;
mod worker_state;

pub use connect_protocol::ConnectProtocol;
pub use connectors_and_tasks::ConnectorsAndTasks;
pub use extended_assignment::{AssignmentError, ExtendedAssignment};
pub use worker_state::WorkerState;
