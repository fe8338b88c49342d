//! This worker's place in the group: what it says when it joins, and what it decides as the leader.

use std::sync::Arc;

use bytes::Bytes;
use tracing::warn;
use volley_api::Error;
use volley_kafka::{GroupError, GroupMember, Joined};

use super::config_writer::ConfigWriter;
use crate::clock::now_ms;
use crate::group::{self, ConnectProtocol, ExtendedAssignment, GroupLeader, LeaderState, Rebalance, WorkerState};
use crate::herder::Node;
use crate::storage::ClusterConfigState;
use crate::worker_config::WorkerConfig;

/// What came out of a rebalance.
#[derive(Debug)]
pub(super) struct Rebalanced {
    pub(super) generation: i32,
    pub(super) protocol: ConnectProtocol,
    pub(super) is_leader: bool,
    /// What the leader says to this member.
    pub(super) assignment: ExtendedAssignment,
    /// Who runs what; on the leader only.
    pub(super) owners: LeaderState,
    /// On the leader: another rebalance has to follow at once, for something runs that has been deleted.
    pub(super) must_follow: bool,
}

/// What the leader has decided.
#[derive(Default)]
struct Led {
    /// The message for each member.
    assignments: Vec<(String, Bytes)>,
    owners: LeaderState,
    must_follow: bool,
}

/// This worker's place in the group.
pub(super) struct Membership {
    member: GroupMember,
    configured: ConnectProtocol,
    leader: GroupLeader,
    url: String,
    last_completed_generation: i32,
    was_cut_off: bool,
}

impl Membership {
    pub(super) fn new(member: GroupMember, configured: ConnectProtocol, leader: GroupLeader, url: String) -> Self {
        Self { member, configured, leader, url, last_completed_generation: -1, was_cut_off: false }
    }

    /// The coordinator has been out of reach: what this worker knew of the others as their leader is void.
    pub(super) fn was_cut_off(&mut self) {
        self.was_cut_off = true;
        self.leader.forget();
    }

    pub(super) fn member(&self) -> &GroupMember {
        &self.member
    }

    /// Goes through one rebalance, holding `assignment`, from the configurations `state`.
    ///
    /// # Errors
    /// What the group or its coordinator says; it tells what to do.
    ///
    /// # Cancellation
    /// The broker counts this worker as joined, or joining; it has to join again.
    pub(super) async fn rebalance(
        &mut self,
        node: &Node,
        writer: &ConfigWriter,
        state: &Arc<ClusterConfigState>,
        assignment: Option<&ExtendedAssignment>,
    ) -> Result<Rebalanced, GroupError> {
        let worker =
            WorkerState { url: self.url.clone(), config_offset: state.offset(), assignment: assignment.cloned() };
        let metadata = self.configured.join_metadata(&worker).map_err(GroupError::Fatal)?;
        let metadata = metadata.into_iter().map(|(name, bytes)| (name.to_owned(), Bytes::from(bytes)));
        let joined = self.member.join(metadata.collect()).await?;
        let protocol = ConnectProtocol::from_name(&joined.protocol).ok_or_else(|| {
            let message =
                format!("could not use the group protocol `{}`: this worker did not offer it", joined.protocol);
            GroupError::Fatal(Error::fatal(message))
        })?;
        let is_leader = joined.leader_id == joined.member_id;
        let led = match is_leader {
            true => self.lead(node, writer, protocol, &joined, state).await.map_err(GroupError::Fatal)?,
            false => Led::default(),
        };
        self.was_cut_off = false;
        let Led { assignments, owners, must_follow } = led;
        let synced = self.member.sync(assignments).await?;
        let assignment = ExtendedAssignment::decode(&synced).map_err(GroupError::Fatal)?;
        self.last_completed_generation = joined.generation;
        Ok(Rebalanced { generation: joined.generation, protocol, is_leader, assignment, owners, must_follow })
    }

    /// Decides who gets what.
    async fn lead(
        &mut self,
        node: &Node,
        writer: &ConfigWriter,
        protocol: ConnectProtocol,
        joined: &Joined,
        state: &Arc<ClusterConfigState>,
    ) -> volley_api::Result<Led> {
        let members = joined.members.iter().map(|(id, metadata)| group::GroupMember::decode(id.clone(), metadata));
        let members: Vec<group::GroupMember> = members.collect::<volley_api::Result<_>>()?;
        let furthest = members.iter().map(|member| member.state.config_offset).max().unwrap_or(-1);
        if state.offset() < furthest
            && let Err(error) = writer.refresh(node.config.worker_sync_timeout()).await
        {
            warn!(%error, furthest, "could not read the config topic as far as other workers have");
        }
        let rebalance = Rebalance {
            protocol,
            leader_id: &joined.member_id,
            members: &members,
            last_completed_generation: self.last_completed_generation,
            generation: joined.generation,
            now_ms: now_ms(),
        };
        let hold_ms = hold_ms(&node.config);
        let led = match self.was_cut_off && protocol.is_cooperative() && hold_ms > 0 {
            true => GroupLeader::hold(&rebalance, hold_ms),
            false => self.leader.lead(&rebalance, Arc::clone(state), || node.configs.snapshot()),
        };
        let assignments = led.encode(protocol)?.into_iter().map(|(id, bytes)| (id, Bytes::from(bytes))).collect();
        let owners = led.outcome.map(|(_, owners)| owners).unwrap_or_default();
        Ok(Led { assignments, owners, must_follow: led.must_follow })
    }
}

/// How long a leader that comes back waits for the others: they look for the coordinator once in a heartbeat interval.
fn hold_ms(config: &WorkerConfig) -> i32 {
    let hold = (config.heartbeat_interval() * 2).min(config.scheduled_rebalance_max_delay());
    i32::try_from(hold.as_millis()).unwrap_or(i32::MAX)
}
