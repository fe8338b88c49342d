//! A consumer's place in its group by our own hand: no client of librdkafka, no thread.
//!
//! ```text
//!  Fetcher ── subscribe, poll, what was given up ──► Place ◄── rebalances ── MemberTask ── GroupMember ──► coordinator
//!     │                                                                          └─ leads: Assignor, Metadata
//!  Committer ── commit, committed, offsets of logs ──► OwnMember ── Cluster ──► coordinator, leaders
//! ```
//!
//! The task runs on the runtime of all fetching. It joins again by itself; what it takes away from the fetcher it waits for. The
//! classic protocol of groups only: with `group.protocol=consumer` (KIP-848) the group is librdkafka's business.

mod attempts;
mod cluster;
mod committed_offsets;
mod log_offsets;
mod member_task;
mod own_member;
mod own_settings;
mod place;
mod topic_lookup;

pub(crate) use own_member::OwnMember;
pub(crate) use own_settings::{OwnSettings, is_known_protocol};
