//! What a member knows after it has joined.

use bytes::Bytes;

/// What a join gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The generation; goes up with each rebalance.
    pub generation: i32,
    /// This member.
    pub member_id: String,
    /// The member that gives out the assignments.
    pub leader_id: String,
    /// The protocol that all members know, by name.
    pub protocol: String,
    /// All members with their metadata for that protocol; empty unless this is the leader.
    pub members: Vec<(String, Bytes)>,
}

impl Joined {
    /// Whether this member gives out the assignments.
    pub fn is_leader(&self) -> bool {
        self.member_id == self.leader_id
    }
}
