//! The loop of a distributed worker: it stays in the group, and applies its assignment.
//!
//! ```text
//!  group ── rebalance ──► Membership ─► assignment ─┐
//!  config topic ── ConfigUpdates ───────────────────┴─► desired_here ─► AssignedWork
//! ```
//! It waits for brokers and for work that stops, and for nothing else. No plug-in runs on it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use volley_api::Error;
use volley_kafka::GroupEvent;

use super::config_updates::ConfigUpdates;
use super::config_writer::ConfigWriter;
use super::cut_off::CutOff;
use super::group_view::GroupView;
use super::leader_duties::LeaderDuties;
use super::membership::Membership;
use super::signs_of_life::{Ping, SignsOfLife};
use crate::clock::sleep_until;
use crate::group::ExtendedAssignment;
use crate::group::SyncBackoff;
use crate::herder::connector_queries::ConnectorQueries;
use crate::herder::lifecycle::{AssignedWork, desired_here, is_out_of_date};
use crate::herder::{RestartPlan, Stages, WorkerContext};
use crate::storage::{ClusterConfigState, RestartRequest};

/// What the loop and the requests share.
pub(super) struct LoopParts {
    pub(super) context: Arc<WorkerContext>,
    pub(super) group: Arc<GroupView>,
    pub(super) writer: Arc<ConfigWriter>,
    pub(super) work: Arc<AssignedWork>,
    pub(super) updates: Arc<ConfigUpdates>,
    pub(super) stages: Arc<Stages>,
    pub(super) is_ready: Arc<AtomicBool>,
}

/// The loop.
pub(super) struct HerderLoop {
    pub(super) parts: LoopParts,
    pub(super) membership: Membership,
    pub(super) duties: LeaderDuties,
    /// The assignment after the last rebalance; `None` outside of the group.
    pub(super) assignment: Option<ExtendedAssignment>,
    /// The position of the config topic that it was made from.
    pub(super) agreed: i64,
    pub(super) must_join: bool,
    pub(super) join_at: Option<Instant>,
    pub(super) renew_key_at: Option<Instant>,
    pub(super) is_leader: bool,
    pub(super) cut_off: CutOff,
    pub(super) sync_backoff: SyncBackoff,
}

impl HerderLoop {
    pub(super) fn new(
        parts: LoopParts,
        membership: Membership,
        duties: LeaderDuties,
        sync_backoff: SyncBackoff,
    ) -> Self {
        Self {
            parts,
            membership,
            duties,
            assignment: None,
            agreed: 0,
            must_join: true,
            join_at: None,
            renew_key_at: None,
            is_leader: false,
            cut_off: CutOff::default(),
            sync_backoff,
        }
    }

    /// Runs until `end`; then ends everything that runs here, and leaves the group.
    ///
    /// # Cancellation
    /// Never dropped while the runtime lives.
    pub(super) async fn run(mut self, pings: mpsc::Receiver<Ping>, end: CancellationToken) {
        let mut signs = SignsOfLife::new(pings, self.cut_off.watch());
        loop {
            let turn = self.turn();
            tokio::pin!(turn);
            loop {
                tokio::select! {
                    biased;
                    () = end.cancelled() => break,
                    () = &mut turn => break,
                    () = signs.next() => {}
                }
            }
            signs.catch_up();
            if end.is_cancelled() {
                break;
            }
        }
        self.shut_down().await;
    }

    async fn shut_down(&mut self) {
        let _stage = self.parts.stages.enter("shutting down");
        self.parts.group.update(|state| {
            *state = super::group_view::GroupState::default();
        });
        self.stop_everything().await;
        self.flush_statuses().await;
        self.membership.member().leave("the worker is shutting down").await;
    }

    /// One step: a rebalance if one is due, else the next event.
    async fn turn(&mut self) {
        self.membership.member().poll();
        if self.must_join {
            self.rebalance().await;
            return;
        }
        self.parts.is_ready.store(true, Ordering::Release);
        let tick = self.parts.context.config.rebalance_timeout() / 4;
        let (join_at, renew_key_at) = (self.join_at, self.renew_key_at);
        tokio::select! {
            event = self.membership.member().next_event() => self.on_group_event(event).await,
            () = self.parts.updates.changed() => self.on_config_updates().await,
            () = sleep_until(join_at) => {
                info!("the scheduled rebalance is due");
                self.must_join = true;
            }
            () = sleep_until(renew_key_at) => self.renew_session_key().await,
            () = tokio::time::sleep(tick) => {}
        }
    }

    async fn on_group_event(&mut self, event: GroupEvent) {
        match event {
            GroupEvent::RebalanceInProgress => self.must_join = true,
            GroupEvent::CoordinatorFound => self.must_join |= self.assignment.is_none(),
            GroupEvent::MemberLost(reason) => {
                warn!(?reason, "this worker was put out of the group, joining again");
                self.must_join = true;
            }
            GroupEvent::CoordinatorLost(error) => {
                self.cut_off(&error).await;
                self.must_join = true;
            }
        }
    }

    /// Stops everything, since the coordinator is out of reach. Logs it once.
    pub(super) async fn cut_off(&mut self, error: &Error) {
        if self.cut_off.begin(&self.parts.stages) {
            warn!(%error, "this worker is cut off from its group: it stops what it runs, and tries to come back");
        }
        self.membership.was_cut_off(&self.parts.context);
        self.lose_everything().await;
    }

    /// Stops everything: outside of the group another worker may be assigned the same. Forgets the leader, too.
    pub(super) async fn lose_everything(&mut self) {
        self.parts.group.update(|state| {
            state.is_leader = false;
            state.leader_url = None;
            state.protocol = None;
        });
        if self.assignment.take().is_some() {
            let _stage = self.parts.stages.enter("stopping everything, since the worker group cannot be reached");
            self.stop_everything().await;
            info!("everything that was assigned to this worker is stopped until it is back in the group");
        }
    }

    /// Applies changes of the config topic at once, where the assignment allows it.
    async fn on_config_updates(&mut self) {
        let state = self.parts.context.configs.snapshot();
        if is_out_of_date(&state, self.agreed) {
            debug!("connectors or tasks have changed, a rebalance is due");
            self.must_join = true;
        }
        self.apply_assignment(&state);
        for request in self.parts.updates.take_restarts() {
            self.carry_out_restart(&request);
        }
    }

    /// Sets the desired states from the assignment and `state`. Does not wait for work that stops.
    pub(super) fn apply_assignment(&self, state: &ClusterConfigState) {
        self.parts.work.set_desired(desired_here(self.assignment.as_ref(), state, self.agreed));
    }

    /// Stops everything, and waits until it has.
    pub(super) async fn stop_everything(&self) {
        self.parts.work.set_desired(BTreeMap::new());
        self.parts.work.await_stopped().await;
    }

    fn carry_out_restart(&self, request: &RestartRequest) {
        let queries = ConnectorQueries::new(Arc::clone(&self.parts.context));
        let states = queries.states(&request.connector);
        let outcome = states.and_then(|states| self.parts.work.restart_share(&RestartPlan::new(request, states)));
        if let Err(error) = outcome {
            warn!(connector = request.connector, %error, "restart request was not carried out");
        }
    }
}
