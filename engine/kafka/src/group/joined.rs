//! The result of a join.

use std::collections::BTreeMap;

use bytes::Bytes;

/// The result of a join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The generation; increases with each rebalance.
    pub generation: i32,
    /// This member.
    pub member_id: String,
    /// The member that decides on the assignments.
    pub leader_id: String,
    /// The name of the protocol that all members support.
    pub protocol: String,
    /// All members with their metadata for that protocol; empty unless this member is the leader.
    pub members: Vec<(String, Bytes)>,
    /// The `group.instance.id` of each static member among `members`.
    pub instance_ids: BTreeMap<String, String>,
}

impl Joined {
    /// Whether this member decides on the assignments.
    pub fn is_leader(&self) -> bool {
        self.member_id == self.leader_id
    }
}
