//! This worker as a member of the group: it joins, and assigns as the leader.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;
use tracing::warn;
use volley_api::Error;
use volley_kafka::{GroupError, GroupMember, Joined};

use super::config_writer::ConfigWriter;
use crate::clock::now_ms;
use crate::group::{self, ConnectProtocol, ExtendedAssignment, GroupLeader, LeaderState, Rebalance, WorkerState};
use crate::herder::WorkerContext;
use crate::storage::{ClusterConfigState, State, StatusKey};
use crate::worker_config::WorkerConfig;

/// The outcome of a rebalance.
#[derive(Debug)]
pub(super) struct Rebalanced {
    pub(super) generation: i32,
    pub(super) protocol: ConnectProtocol,
    pub(super) is_leader: bool,
    /// The assignment of this member.
    pub(super) assignment: ExtendedAssignment,
    /// The owners of connectors and tasks; on the leader only.
    pub(super) owners: LeaderState,
    /// On the leader: another rebalance has to follow at once, since a deleted connector or task still runs.
    pub(super) must_follow: bool,
}

/// The decisions of the leader.
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
    absent: Option<AbsentWorkers>,
}

/// The workers that ran something before this one was cut off: they were, too, and are on their way back.
struct AbsentWorkers {
    /// `host:port`
    worker_ids: BTreeSet<String>,
    /// Until when they are waited for, once this worker leads.
    until: Option<Instant>,
}

impl Membership {
    pub(super) fn new(member: GroupMember, configured: ConnectProtocol, leader: GroupLeader, url: String) -> Self {
        Self { member, configured, leader, url, last_completed_generation: -1, absent: None }
    }

    /// Forgets what this worker knew of the others as their leader, since the coordinator was out of reach. The leader waits for
    /// the workers that ran something.
    pub(super) fn was_cut_off(&mut self, context: &WorkerContext) {
        if self.absent.is_none() {
            self.leader.forget();
            self.absent = Some(AbsentWorkers { worker_ids: workers_with_work(context), until: None });
        }
    }

    /// Whether to wait before assigning: until all workers are back that ran something, or a session time-out has passed.
    fn awaits_others(&mut self, members: &[group::GroupMember], config: &WorkerConfig) -> bool {
        let Some(absent) = &mut self.absent else { return false };
        let wait = config.session_timeout().min(config.scheduled_rebalance_max_delay());
        let until = *absent.until.get_or_insert_with(|| Instant::now() + wait);
        let present: BTreeSet<&str> = members.iter().map(|member| worker_id(&member.state.url)).collect();
        let all_are_there = absent.worker_ids.iter().all(|id| present.contains(id.as_str()));
        !all_are_there && Instant::now() < until
    }

    pub(super) fn member(&self) -> &GroupMember {
        &self.member
    }

    /// Goes through one rebalance, holding `assignment`, from the configurations `state`.
    ///
    /// # Errors
    /// That of the group or its coordinator. Its kind says what to do.
    ///
    /// # Cancellation
    /// The broker counts this worker as joined, or joining; it has to join again.
    pub(super) async fn rebalance(
        &mut self,
        context: &WorkerContext,
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
            true => self.lead(context, writer, protocol, &joined, state).await.map_err(GroupError::Fatal)?,
            false => Led::default(),
        };
        let Led { assignments, owners, must_follow } = led;
        let synced = self.member.sync(assignments).await?;
        let assignment = ExtendedAssignment::decode(&synced).map_err(GroupError::Fatal)?;
        self.last_completed_generation = joined.generation;
        if assignment.delay_ms == 0 {
            self.absent = None;
        }
        Ok(Rebalanced { generation: joined.generation, protocol, is_leader, assignment, owners, must_follow })
    }

    /// Assigns connectors and tasks to the members.
    async fn lead(
        &mut self,
        context: &WorkerContext,
        writer: &ConfigWriter,
        protocol: ConnectProtocol,
        joined: &Joined,
        state: &Arc<ClusterConfigState>,
    ) -> volley_api::Result<Led> {
        let members = joined.members.iter().map(|(id, metadata)| group::GroupMember::decode(id.clone(), metadata));
        let members: Vec<group::GroupMember> = members.collect::<volley_api::Result<_>>()?;
        let furthest = members.iter().map(|member| member.state.config_offset).max().unwrap_or(-1);
        if state.offset() < furthest
            && let Err(error) = writer.refresh(context.config.worker_sync_timeout()).await
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
        let led = match protocol.is_cooperative() && self.awaits_others(&members, &context.config) {
            true => {
                let look_again = i32::try_from(context.config.heartbeat_interval().as_millis()).unwrap_or(i32::MAX);
                GroupLeader::hold(&rebalance, look_again)
            }
            false => self.leader.lead(&rebalance, Arc::clone(state), || context.configs.snapshot()),
        };
        let assignments = led.encode(protocol)?.into_iter().map(|(id, bytes)| (id, Bytes::from(bytes))).collect();
        let owners = led.outcome.map(|(_, owners)| owners).unwrap_or_default();
        Ok(Led { assignments, owners, must_follow: led.must_follow })
    }
}

/// The workers that run something, as far as the statuses know.
fn workers_with_work(context: &WorkerContext) -> BTreeSet<String> {
    let connectors = context.statuses.connectors();
    let statuses = connectors.iter().flat_map(|name| {
        let connector = context.statuses.get(&StatusKey::Connector(name.clone()));
        connector.into_iter().chain(context.statuses.tasks(name).into_iter().map(|(_, status)| status))
    });
    let running = statuses.filter(|status| matches!(status.state, State::Running | State::Paused));
    running.map(|status| status.worker_id).collect()
}

/// `host:port` of a worker with this URL.
fn worker_id(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/')
}
