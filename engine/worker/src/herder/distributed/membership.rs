//! One rebalance of the worker group, from joining to the assignment: what is said, and on the leader what is decided.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use tracing::{debug, info, warn};
use volley_api::{Error, Result};
use volley_kafka::{GroupError, GroupMember, Joined};

use super::group_view::Owners;
use crate::clock::now_ms;
use crate::group::{
    ConnectProtocol, ConnectorsAndTasks, ExtendedAssignment, GroupLeader, LeaderRound, WorkerState,
};
use crate::storage::ClusterConfigState;

/// What came out of a rebalance.
#[derive(Debug)]
pub(super) struct Rebalanced {
    pub(super) generation: i32,
    pub(super) protocol: ConnectProtocol,
    pub(super) is_leader: bool,
    /// What the leader says to this member.
    pub(super) assignment: ExtendedAssignment,
    /// On the leader only.
    pub(super) owners: Owners,
}

/// This worker's place in the group.
pub(super) struct Membership {
    member: GroupMember,
    configured: ConnectProtocol,
    leader: GroupLeader,
    url: String,
}

impl Membership {
    pub(super) fn new(member: GroupMember, configured: ConnectProtocol, leader: GroupLeader, url: String) -> Self {
        Self { member, configured, leader, url }
    }

    pub(super) fn member(&self) -> &GroupMember {
        &self.member
    }
}
