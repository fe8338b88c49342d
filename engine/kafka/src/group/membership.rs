//! What a member knows and says: the requests of the protocol, and what their answers mean. Decides nothing about when.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::error::{ParseResponseErrorCode, ResponseError};
use kafka_protocol::messages::JoinGroupResponse;
use kafka_protocol::protocol::StrBytes;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tracing::{debug, info, warn};
use volley_api::{Error, Result};

use super::answer::{self, Remedy};
use super::backoff::Backoff;
use super::coordinator_search::{Cluster, CoordinatorSearch};
use super::error::{GroupError, GroupResult};
use super::event::{EventQueue, GroupEvent, MemberLoss};
use super::member::Joined;
use super::requests::{self, Identity};
use super::settings::GroupSettings;
use super::status::MemberStatus;
use crate::wire::Connection;

/// What the coordinator is given beyond the rebalance timeout to answer a join or a sync.
const GRACE: Duration = Duration::from_secs(5);
/// Leaving must not hold up a worker that stops.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// What the task of a membership shares with its handles.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) status: Mutex<MemberStatus>,
    pub(super) events: EventQueue,
    last_poll: Mutex<Instant>,
}

impl Shared {
    pub(super) fn new() -> Arc<Self> {
        let (status, last_poll) = (Mutex::new(MemberStatus::new()), Mutex::new(Instant::now()));
        Arc::new(Self { status, events: EventQueue::default(), last_poll })
    }

    /// Notes that the owner is alive.
    pub(super) fn poll(&self) {
        *self.last_poll.lock() = Instant::now();
    }

    pub(super) fn last_poll(&self) -> Instant {
        *self.last_poll.lock()
    }
}

/// A membership, in a group or not.
#[derive(Debug)]
pub(super) struct Membership {
    settings: GroupSettings,
    cluster: Arc<Cluster>,
    shared: Arc<Shared>,
    identity: Identity,
    coordinator: Option<Connection>,
    search: Option<CoordinatorSearch>,
    /// Since when the coordinator has not answered as one; `None` while it does.
    lost_since: Option<Instant>,
    lost_reported: bool,
    rebalance_reported: bool,
    last_contact: Instant,
    next_heartbeat: Instant,
}

impl Membership {
    pub(super) fn new(settings: GroupSettings, cluster: Arc<Cluster>, shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        Self {
            settings,
            cluster,
            shared,
            identity: Identity::nobody(),
            coordinator: None,
            search: None,
            lost_since: None,
            lost_reported: false,
            rebalance_reported: false,
            last_contact: now,
            next_heartbeat: now,
        }
    }

    /// Whether there is a generation to keep alive.
    pub(super) fn is_member(&self) -> bool {
        self.identity.generation >= 0
    }

    pub(super) fn rebalance_timeout(&self) -> Duration {
        self.settings.rebalance_timeout
    }

    /// Joins; tries again what may succeed. Dropped, the coordinator may have taken the join.
    pub(super) async fn join(&mut self, protocols: &[(String, Bytes)]) -> GroupResult<Joined> {
        let started = Instant::now();
        let outcome = self.join_until_answered(protocols).await;
        self.count_rebalance(&outcome, |status| {
            status.joins += 1;
            status.last_join = Some(started.elapsed());
        });
        outcome
    }

    async fn join_until_answered(&mut self, protocols: &[(String, Bytes)]) -> GroupResult<Joined> {
        let mut retry = self.retry();
        loop {
            self.coordinator_soon().await?;
            let request = requests::join(&self.settings, &self.identity, protocols);
            let within = self.rebalance_deadline();
            match self.connection()?.call(within, |_| request).await {
                Err(error) => self.call_failed(error)?,
                Ok(response) => match response.error_code.err() {
                    None => return Ok(self.joined(response)),
                    Some(error) => match answer::remedy(error) {
                        Remedy::TakeMemberId => {
                            self.identity.member_id = response.member_id;
                            continue;
                        }
                        Remedy::Reset => self.forget_member_id(),
                        Remedy::Rejoin => debug!(group = self.settings.group_id, ?error, "joining again"),
                        remedy => self.remedy("join", remedy, error)?,
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
        // Whatever was told of the generation before no longer matters.
        self.shared.events.clear();
        let member_id = self.identity.member_id.as_str().to_owned();
        let Identity { generation, protocol, .. } = &self.identity;
        debug!(group = self.settings.group_id, member_id, generation, protocol = protocol.as_str(), "joined group");
        let members = response.members.into_iter();
        Joined {
            generation: *generation,
            member_id,
            leader_id: response.leader.as_str().to_owned(),
            protocol: protocol.as_str().to_owned(),
            members: members.map(|member| (member.member_id.as_str().to_owned(), member.metadata)).collect(),
        }
    }

    /// Gives and takes assignments; tries again what may succeed. Dropped, the coordinator may have taken them.
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
        let mut retry = self.retry();
        loop {
            if !self.is_member() {
                return Err(if self.identity.member_id.is_empty() { GroupError::Reset } else { GroupError::Rejoin });
            }
            self.coordinator_soon().await?;
            let (settings, identity) = (self.settings.clone(), self.identity.clone());
            let within = self.rebalance_deadline();
            let request = |version| requests::sync(&settings, &identity, assignments, version);
            match self.connection()?.call(within, request).await {
                Err(error) => self.call_failed(error)?,
                Ok(response) => match response.error_code.err() {
                    None => {
                        self.contact();
                        return Ok(response.assignment);
                    }
                    Some(error) => match answer::remedy(error) {
                        Remedy::Rejoin => {
                            self.leave_generation_if_over(error);
                            return Err(GroupError::Rejoin);
                        }
                        Remedy::Reset => {
                            self.forget_member_id();
                            return Err(GroupError::Reset);
                        }
                        remedy => self.remedy("sync with", remedy, error)?,
                    },
                },
            }
            sleep(retry.next()).await;
        }
    }

    /// Keeps the membership alive: waits until the next heartbeat is due and sends it, or waits for the coordinator to be
    /// found. Returns after each step, so that it is to be called again. Nothing is lost if it is dropped.
    pub(super) async fn tend(&mut self) {
        if !self.is_member() {
            return std::future::pending().await;
        }
        if !self.is_connected() {
            return self.await_lost_coordinator().await;
        }
        sleep_until(self.next_heartbeat).await;
        let session_ends = self.last_contact + self.settings.session_timeout;
        let left = session_ends.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return self.session_expired("the coordinator has not confirmed the session for its time-out");
        }
        self.heartbeat(left.min(self.cluster.request_timeout())).await;
    }

    async fn heartbeat(&mut self, within: Duration) {
        let request = requests::heartbeat(&self.settings, &self.identity);
        let Ok(connection) = self.connection() else { return };
        let error = match connection.call(within, |_| request).await {
            Ok(response) => response.error_code.err(),
            Err(error) if error.is_retriable() => return self.lose_coordinator(error.to_string()),
            Err(error) => return self.refused(error),
        };
        self.next_heartbeat = Instant::now() + self.settings.heartbeat_interval;
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
            Remedy::FindCoordinator => self.lose_coordinator(format!("the broker says {error:?}")),
            Remedy::Retry => self.next_heartbeat = Instant::now() + self.settings.retry_backoff,
            Remedy::TakeMemberId | Remedy::Refuse => {
                self.refused(answer::refusal("stay in", &self.settings.group_id, error));
            }
        }
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

    async fn await_lost_coordinator(&mut self) {
        let since = *self.lost_since.get_or_insert_with(Instant::now);
        let found = if self.lost_reported {
            self.find_coordinator().await
        } else {
            match timeout_at(since + self.settings.heartbeat_interval, self.find_coordinator()).await {
                Ok(found) => found,
                Err(_) => return self.report_lost(),
            }
        };
        match found {
            Ok(()) => self.next_heartbeat = Instant::now(),
            Err(error) => self.refused(error),
        }
    }

    fn report_lost(&mut self) {
        let reason = self.cluster.not_found();
        let cause = std::error::Error::source(&reason).map(ToString::to_string).unwrap_or_default();
        warn!(group = self.settings.group_id, reason = cause, "group coordinator lost");
        self.lost_reported = true;
        self.shared.events.push(GroupEvent::CoordinatorLost(reason));
    }

    /// Leaves the group, as far as that succeeds in a few seconds; in any case the member id is forgotten.
    pub(super) async fn leave(&mut self, reason: &str) {
        if !self.identity.member_id.is_empty() {
            let group = self.settings.group_id.clone();
            match timeout(LEAVE_WITHIN, self.say_goodbye(reason)).await {
                Ok(Ok(())) => info!(group, reason, "left group"),
                Ok(Err(error)) => warn!(group, reason, %error, "could not leave the group, it will notice"),
                Err(_) => warn!(group, reason, "could not leave the group in time, it will notice"),
            }
        }
        self.forget_member_id();
        self.lost_reported = false;
        self.lost_since = None;
        self.shared.events.clear();
    }

    async fn say_goodbye(&mut self, reason: &str) -> Result<()> {
        self.find_coordinator().await?;
        let (settings, identity) = (self.settings.clone(), self.identity.clone());
        let within = LEAVE_WITHIN.min(self.cluster.request_timeout());
        let request = |version| requests::leave(&settings, &identity, reason, version);
        let Some(connection) = &mut self.coordinator else { return Err(self.cluster.not_found()) };
        let response = connection.call(within, request).await?;
        let error = response.members.iter().map(|member| member.error_code).chain([response.error_code]);
        match error.filter_map(ParseResponseErrorCode::err).next() {
            Some(error) => Err(answer::refusal("leave", &settings.group_id, error)),
            None => Ok(()),
        }
    }

    /// Leaves because the owner does not move.
    pub(super) async fn leave_because_owner_hangs(&mut self) {
        warn!(
            group = self.settings.group_id,
            "worker poll timeout has expired. The time between two rounds of the worker's main loop was longer than \
             `rebalance.timeout.ms`: something in it takes too long"
        );
        self.leave("worker poll timeout has expired.").await;
        self.shared.events.push(GroupEvent::MemberLost(MemberLoss::PollTimeout));
    }

    fn is_connected(&self) -> bool {
        self.coordinator.as_ref().is_some_and(|connection| !connection.is_broken())
    }

    fn connection(&mut self) -> GroupResult<&mut Connection> {
        self.coordinator.as_mut().ok_or_else(|| GroupError::Coordinator(self.cluster.not_found()))
    }

    /// Finds the coordinator unless it is connected, however long it takes. Dropped, the search goes on.
    async fn find_coordinator(&mut self) -> Result<()> {
        if self.is_connected() {
            return Ok(());
        }
        self.disconnect();
        let search = self.search.get_or_insert_with(|| CoordinatorSearch::start(&self.cluster));
        let found = search.found().await;
        self.search = None;
        let connection = found?;
        self.shared.status.lock().coordinator = Some(connection.address().to_string());
        self.coordinator = Some(connection);
        Ok(())
    }

    /// Finds the coordinator within the heartbeat interval. One that is found again and again and never answers as a
    /// coordinator is as good as lost when the session is over; that is said once.
    async fn coordinator_soon(&mut self) -> GroupResult<()> {
        let found = timeout(self.settings.heartbeat_interval, self.find_coordinator()).await;
        let is_mute = self.lost_since.is_some_and(|since| since.elapsed() > self.settings.session_timeout);
        match found {
            Ok(Err(error)) => return Err(GroupError::Fatal(error)),
            Ok(Ok(())) if self.lost_reported || !is_mute => return Ok(()),
            Ok(Ok(())) | Err(_) => {}
        }
        self.lost_since.get_or_insert_with(Instant::now);
        self.lost_reported = true;
        Err(GroupError::Coordinator(self.cluster.not_found()))
    }

    /// Notes that the coordinator answered as one.
    fn contact(&mut self) {
        let now = Instant::now();
        self.last_contact = now;
        self.next_heartbeat = now + self.settings.heartbeat_interval;
        self.lost_since = None;
        if std::mem::take(&mut self.lost_reported) {
            self.shared.events.push(GroupEvent::CoordinatorFound);
        }
        self.publish();
    }

    fn call_failed(&mut self, error: Error) -> GroupResult<()> {
        if !error.is_retriable() {
            return Err(GroupError::Fatal(error));
        }
        self.lose_coordinator(error.to_string());
        Ok(())
    }

    fn remedy(&mut self, action: &str, remedy: Remedy, error: ResponseError) -> GroupResult<()> {
        match remedy {
            Remedy::FindCoordinator => self.lose_coordinator(format!("the broker says {error:?}")),
            Remedy::Retry => {
                self.lost_since.get_or_insert_with(Instant::now);
                self.cluster.note_failure(format!("the broker says {error:?}"));
            }
            _ => return Err(GroupError::Fatal(answer::refusal(action, &self.settings.group_id, error))),
        }
        Ok(())
    }

    fn lose_coordinator(&mut self, reason: String) {
        debug!(group = self.settings.group_id, reason, "group coordinator lost, looking for it");
        self.cluster.note_failure(reason);
        self.lost_since.get_or_insert_with(Instant::now);
        self.disconnect();
    }

    fn session_expired(&mut self, reason: &str) {
        self.lost_since.get_or_insert(self.last_contact);
        self.lose_coordinator(reason.to_owned());
    }

    fn disconnect(&mut self) {
        self.coordinator = None;
        self.shared.status.lock().coordinator = None;
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
        self.identity = Identity { member_id: StrBytes::new(), ..Identity::nobody() };
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

    fn retry(&self) -> Backoff {
        Backoff::new(self.settings.retry_backoff, self.settings.retry_backoff_max)
    }

    fn rebalance_deadline(&self) -> Duration {
        self.cluster.request_timeout().max(self.settings.rebalance_timeout + GRACE)
    }
}
