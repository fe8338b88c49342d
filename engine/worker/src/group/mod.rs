//! The worker group: its messages and its assignments. Pure: no I/O, and time is an argument.
//!
//! ```text
//!  member    ConnectProtocol::join_metadata ─► JoinGroup
//!  leader    GroupMember::decode ─► GroupLeader::lead ─► LedRebalance::encode ─► SyncGroup
//!  member    ExtendedAssignment::decode ─► ExtendedAssignment::augmented
//! ```

#[cfg(test)]
mod assignor_laws;
mod connect_protocol;
mod connectors_and_tasks;
mod eager_assignor;
mod exponential_backoff;
mod extended_assignment;
mod group_leader;
mod incremental_cooperative_assignor;
mod items;
mod leader_state;
mod lost_assignments;
mod primitives;
#[cfg(test)]
mod reference_tests;
mod request_signature;
mod session_keys;
mod signature;
mod sync_backoff;
mod worker_load;
mod worker_state;

pub use connect_protocol::ConnectProtocol;
pub use connectors_and_tasks::ConnectorsAndTasks;
pub use eager_assignor::assign_eagerly;
pub use exponential_backoff::ExponentialBackoff;
pub use extended_assignment::{AssignmentError, ExtendedAssignment};
pub use group_leader::{GroupLeader, GroupMember, LedRebalance, Rebalance};
pub use incremental_cooperative_assignor::{IncrementalCooperativeAssignor, MemberAssignment, Round};
pub use leader_state::LeaderState;
pub use request_signature::{RequestSignature, SignatureHeaders};
pub use session_keys::SessionKeys;
pub use signature::{SessionSigner, SignatureVerifier};
pub use sync_backoff::SyncBackoff;
pub use worker_state::WorkerState;
