//! The state of a member, the requests of the protocol, and the handling of their answers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::error::{ParseResponseErrorCode, ResponseError};
use kafka_protocol::messages::JoinGroupResponse;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{debug, info, warn};
use volley_api::{Error, Result};

use super::answer::{self, Remedy};
use super::coordinator_link::CoordinatorLink;
use super::error::{GroupError, GroupResult};
use super::event::{GroupEvent, MemberLoss};
use super::joined::Joined;
use super::requests::{self, Identity};
use super::settings::GroupSettings;
use super::shared::Shared;
use super::status::MemberStatus;

/// Time for the coordinator to answer a join or a sync, in addition to the rebalance timeout.
const GRACE: Duration = Duration::from_secs(5);
/// A stopping worker must not wait long for the group.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// Upper limit of the heartbeat interval. Members hear of a rebalance only by their heartbeats, and a joining member
/// waits for the last one to hear of it. So heartbeats are sent at least this often, even if `heartbeat.interval.ms` is
/// longer, as it is by default.
const LONGEST_SILENCE: Duration = Duration::from_secs(1);

/// How long heartbeats are more frequent after a rebalance. Another rebalance often follows: work that one member gives
/// up is assigned to others, and workers that start together do not join at the same moment. The work that moves does
/// not run meanwhile.
const SETTLING: Duration = Duration::from_secs(5);
const SETTLING_HEARTBEATS: Duration = Duration::from_millis(100);

/// A membership, in a group or not.
#[derive(Debug)]
pub(super) struct Membership {
    settings: GroupSettings,
    shared: Arc<Shared>,
    coordinator: CoordinatorLink,
    identity: Identity,
    rebalance_reported: bool,
    last_contact: Instant,
    next_heartbeat: Instant,
    settles_until: Instant,
}

impl Membership {
    pub(super) fn new(settings: GroupSettings, coordinator: CoordinatorLink, shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        Self {
            settings,
            shared,
            coordinator,
            identity: Identity::nobody(),
            rebalance_reported: false,
            last_contact: now,
            next_heartbeat: now,
            settles_until: now,
        }
    }

    /// Whether the member has a generation to keep alive.
    pub(super) fn is_member(&self) -> bool {
        self.identity.generation >= 0
    }

    pub(super) fn rebalance_timeout(&self) -> Duration {
        self.settings.rebalance_timeout
    }

    /// Joins; retries retriable errors. If the call is dropped, the coordinator may have accepted the join. Who keeps what the last
    /// generation gave is told if that generation is over, instead of becoming a new member.
    pub(super) async fn join(&mut self, protocols: &[(String, Bytes)], keeps_work: bool) -> GroupResult<Joined> {
        let started = Instant::now();
        let outcome = self.join_until_answered(protocols, keeps_work).await;
        self.count_rebalance(&outcome, |status| {
            status.joins += 1;
            status.last_join = Some(started.elapsed());
        });
        outcome
    }

    async fn join_until_answered(&mut self, protocols: &[(String, Bytes)], keeps_work: bool) -> GroupResult<Joined> {
        let mut retry = self.coordinator.retry();
        loop {
            if keeps_work && !self.is_member() {
                return Err(GroupError::Reset);
            }
            self.coordinator.find_soon(self.settings.session_timeout).await?;
            let (settings, identity) = (&self.settings, &self.identity);
            let request = |version| requests::join(settings, identity, protocols, version);
            let within = self.rebalance_deadline();
            self.shared.awaits_member_id.send_replace(identity.member_id.is_empty());
            let answer = self.coordinator.connection()?.call(within, request).await;
            self.shared.awaits_member_id.send_replace(false);
            match answer {
                Err(error) => self.coordinator.call_failed(error)?,
                Ok(response) => match response.error_code.err() {
                    None => return Ok(self.joined(response)),
                    Some(error) => match answer::remedy(error) {
                        Remedy::TakeMemberId => {
                            self.identity.member_id = response.member_id;
                            self.publish();
                            continue;
                        }
                        Remedy::Reset => self.forget_member_id(),
                        Remedy::Rejoin => debug!(group = self.settings.group_id, ?error, "joining again"),
                        remedy => self.apply("join", remedy, error)?,
                    },
                },
            }
            sleep(retry.next()).await;
        }
    }

    fn joined(&mut self, response: JoinGroupResponse) -> Joined {
        self.identity = Identity {
            member_id: response.member_id,
            generation: response.generation_id,
            protocol: response.protocol_name.unwrap_or_default(),
        };
        self.rebalance_reported = false;
        self.contact();
        // Events of the previous generation no longer matter.
        self.shared.events.clear();
        let member_id = self.identity.member_id.as_str().to_owned();
        let Identity { generation, protocol, .. } = &self.identity;
        debug!(group = self.settings.group_id, member_id, generation, protocol = protocol.as_str(), "joined group");
        let instance = |member: &JoinGroupResponseMember| {
            let instance = member.group_instance_id.as_ref()?;
            Some((member.member_id.as_str().to_owned(), instance.as_str().to_owned()))
        };
        let instance_ids = response.members.iter().filter_map(instance).collect();
        let members = response.members.into_iter();
        Joined {
            generation: *generation,
            member_id,
            leader_id: response.leader.as_str().to_owned(),
            protocol: protocol.as_str().to_owned(),
            members: members.map(|member| (member.member_id.as_str().to_owned(), member.metadata)).collect(),
            instance_ids,
        }
    }

    /// Exchanges assignments; retries retriable errors. If the call is dropped, the coordinator may have accepted them.
    pub(super) async fn sync(&mut self, assignments: &[(String, Bytes)]) -> GroupResult<Bytes> {
        let started = Instant::now();
        let outcome = self.sync_until_answered(assignments).await;
        self.count_rebalance(&outcome, |status| {
            status.syncs += 1;
            status.last_sync = Some(started.elapsed());
        });
        outcome
    }

    async fn sync_until_answered(&mut self, assignments: &[(String, Bytes)]) -> GroupResult<Bytes> {
        let mut retry = self.coordinator.retry();
        loop {
            if !self.is_member() {
                return Err(if self.identity.member_id.is_empty() { GroupError::Reset } else { GroupError::Rejoin });
            }
            self.coordinator.find_soon(self.settings.session_timeout).await?;
            let (settings, identity) = (&self.settings, &self.identity);
            let request = |version| requests::sync(settings, identity, assignments, version);
            let within = self.rebalance_deadline();
            match self.coordinator.connection()?.call(within, request).await {
                Err(error) => self.coordinator.call_failed(error)?,
                Ok(response) => match response.error_code.err() {
                    None => {
                        self.settles_until = Instant::now() + SETTLING;
                        self.contact();
                        return Ok(response.assignment);
                    }
                    Some(error) => self.sync_refused(error)?,
                },
            }
            sleep(retry.next()).await;
        }
    }

    fn sync_refused(&mut self, error: ResponseError) -> GroupResult<()> {
        match answer::remedy(error) {
            Remedy::Rejoin => {
                self.leave_generation_if_over(error);
                Err(GroupError::Rejoin)
            }
            Remedy::Reset => {
                self.forget_member_id();
                Err(GroupError::Reset)
            }
            remedy => self.apply("sync with", remedy, error),
        }
    }

    /// Keeps the membership alive: waits for the next heartbeat and sends it, or waits for the coordinator to be found.
    /// Returns after each step; call it in a loop. Dropping it loses nothing.
    pub(super) async fn tend(&mut self) {
        if !self.is_member() {
            return std::future::pending().await;
        }
        if !self.coordinator.is_connected() {
            if let Err(error) = self.coordinator.await_lost().await {
                self.refused(error);
            }
            return;
        }
        sleep_until(self.next_heartbeat).await;
        let session_ends = self.last_contact + self.settings.session_timeout;
        let left = session_ends.saturating_duration_since(Instant::now());
        if left.is_zero() {
            // The broker answers, but does not confirm the session: another broker may be the coordinator.
            self.last_contact = Instant::now();
            return self.coordinator.lose_since(session_ends, "the session was not confirmed for its time-out");
        }
        self.heartbeat(left.min(self.coordinator.request_timeout())).await;
    }

    async fn heartbeat(&mut self, within: Duration) {
        let (settings, identity) = (&self.settings, &self.identity);
        let request = |version| requests::heartbeat(settings, identity, version);
        let Ok(connection) = self.coordinator.connection() else { return };
        let outcome = connection.call(within, request).await;
        // A failed heartbeat is not retried at once.
        self.next_heartbeat = Instant::now() + self.coordinator.retry().next();
        let error = match outcome {
            Ok(response) => response.error_code.err(),
            Err(error) if error.is_retriable() => return self.heartbeat_lost(&error),
            Err(error) => return self.refused(error),
        };
        let Some(error) = error else {
            self.shared.status.lock().heartbeats += 1;
            return self.contact();
        };
        match answer::remedy(error) {
            Remedy::Rejoin => {
                self.shared.status.lock().heartbeats += 1;
                self.contact();
                self.rebalance_seen(error);
            }
            Remedy::Reset => {
                self.forget_member_id();
                self.shared.events.push(GroupEvent::MemberLost(MemberLoss::UnknownMember));
            }
            remedy => {
                if let Err(GroupError::Fatal(error)) = self.apply("stay in", remedy, error) {
                    self.refused(error);
                }
            }
        }
    }

    fn heartbeat_lost(&mut self, error: &Error) {
        let now = Instant::now();
        let is_session_over = now >= self.last_contact + self.settings.session_timeout;
        let since = if is_session_over { self.last_contact } else { now };
        self.coordinator.lose_since(since, &error.to_string());
    }

    fn rebalance_seen(&mut self, error: ResponseError) {
        if error == ResponseError::IllegalGeneration {
            self.leave_generation_if_over(error);
            self.shared.events.push(GroupEvent::MemberLost(MemberLoss::IllegalGeneration));
        } else if !self.rebalance_reported {
            self.rebalance_reported = true;
            self.shared.events.push(GroupEvent::RebalanceInProgress);
        }
    }

    /// Leaves the group, if that succeeds in a few seconds; a static member does not. The member id is dropped in any case.
    pub(super) async fn leave(&mut self, reason: &str) {
        if !self.identity.member_id.is_empty() && self.settings.group_instance_id.is_none() {
            let group = self.settings.group_id.clone();
            match timeout(LEAVE_WITHIN, self.say_goodbye(reason)).await {
                Ok(Ok(())) => info!(group, reason, "left group"),
                Ok(Err(error)) => warn!(group, reason, %error, "could not leave the group, it will notice"),
                Err(_) => warn!(group, reason, "could not leave the group in time, it will notice"),
            }
        }
        self.forget_member_id();
        self.coordinator.forget_loss();
        self.shared.events.clear();
    }

    async fn say_goodbye(&mut self, reason: &str) -> Result<()> {
        self.coordinator.find().await?;
        let (settings, identity) = (&self.settings, &self.identity);
        let request = |version| requests::leave(&settings.group_id, &identity.member_id, reason, version);
        let within = LEAVE_WITHIN.min(self.coordinator.request_timeout());
        let response = self.coordinator.connection()?.call(within, request).await?;
        match answer::leave_error(&response) {
            Some(error) => Err(answer::refusal("leave", &self.settings.group_id, error)),
            None => Ok(()),
        }
    }

    /// Leaves because the owner hangs.
    pub(super) async fn leave_because_owner_hangs(&mut self) {
        warn!(
            group = self.settings.group_id,
            "worker poll timeout has expired. The time between two rounds of the worker's main loop was longer than \
             `rebalance.timeout.ms`: something in it takes too long"
        );
        self.leave("worker poll timeout has expired.").await;
        self.shared.events.push(GroupEvent::MemberLost(MemberLoss::PollTimeout));
    }

    /// Notes that the coordinator answered as one.
    fn contact(&mut self) {
        let now = Instant::now();
        self.last_contact = now;
        let usual = self.settings.heartbeat_interval.min(LONGEST_SILENCE);
        let interval = if now < self.settles_until { SETTLING_HEARTBEATS.min(usual) } else { usual };
        self.next_heartbeat = now + interval;
        self.coordinator.confirmed();
        self.publish();
    }

    /// Reacts to an answer that concerns the coordinator rather than the member.
    fn apply(&mut self, action: &str, remedy: Remedy, error: ResponseError) -> GroupResult<()> {
        let reason = format!("the broker says {error:?}");
        match remedy {
            Remedy::FindCoordinator => self.coordinator.lose(reason),
            Remedy::Retry => self.coordinator.not_confirmed(reason),
            _ => return Err(GroupError::Fatal(answer::refusal(action, &self.settings.group_id, error))),
        }
        Ok(())
    }

    fn refused(&mut self, error: Error) {
        self.identity.generation = -1;
        self.publish();
        self.shared.events.push(GroupEvent::MemberLost(MemberLoss::Refused(error)));
    }

    fn leave_generation_if_over(&mut self, error: ResponseError) {
        if error == ResponseError::IllegalGeneration {
            self.identity.generation = -1;
            self.publish();
        }
    }

    fn forget_member_id(&mut self) {
        self.identity = Identity::nobody();
        self.publish();
    }

    fn count_rebalance<T>(&self, outcome: &GroupResult<T>, count: impl FnOnce(&mut MemberStatus)) {
        let mut status = self.shared.status.lock();
        match outcome {
            Ok(_) => count(&mut status),
            Err(_) => status.failed_rebalances += 1,
        }
    }

    fn publish(&self) {
        let mut status = self.shared.status.lock();
        self.identity.member_id.as_str().clone_into(&mut status.member_id);
        status.generation = self.identity.generation;
        status.last_heartbeat = self.is_member().then_some(self.last_contact);
    }

    fn rebalance_deadline(&self) -> Duration {
        self.coordinator.request_timeout().max(self.settings.rebalance_timeout + GRACE)
    }
}
