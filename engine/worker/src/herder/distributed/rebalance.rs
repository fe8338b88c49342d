//! A rebalance, as one worker goes through it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, error, info, warn};
use volley_kafka::GroupError;

use super::cut_off::ENSURING_MEMBERSHIP;
use super::herder_loop::HerderLoop;
use super::membership::Rebalanced;
use crate::group::ConnectProtocol;
use crate::storage::ClusterConfigState;

/// How long the worker waits for the statuses of revoked work to be stored, before it joins again.
const STATUS_FLUSH: Duration = Duration::from_secs(5);
/// Wait after an attempt to join that failed.
const JOIN_BACKOFF: Duration = Duration::from_millis(500);
/// Wait after the group or the broker refused this worker for a reason that only an administrator can remove.
const REFUSED_BACKOFF: Duration = Duration::from_secs(10);

impl HerderLoop {
    /// Joins, and applies the assignment. Another rebalance follows where this one did not end.
    ///
    /// # Cancellation
    /// The assignment may be applied or not; the next rebalance decides.
    pub(super) async fn rebalance(&mut self) {
        self.parts.group.update(|state| state.is_rebalancing = true);
        self.parts.context.metrics.rebalances.begin();
        self.must_join = false;
        self.join_at = None;
        if let Err(error) = self.join().await {
            self.must_join = true;
            self.on_join_failure(error).await;
        }
        if !self.must_join {
            self.parts.group.update(|state| state.is_rebalancing = false);
        }
    }

    async fn on_join_failure(&mut self, error: GroupError) {
        let pause = match &error {
            GroupError::Rejoin => {
                debug!("the group moved on, joining again");
                Duration::ZERO
            }
            GroupError::Reset => {
                info!("the group does not know this worker any more, joining as a new member");
                Duration::ZERO
            }
            GroupError::Coordinator(error) => {
                self.cut_off(error).await;
                JOIN_BACKOFF
            }
            GroupError::Fatal(error) => {
                error!(error = %error.trace(), "this worker may not join its group");
                self.lose_everything().await;
                REFUSED_BACKOFF
            }
        };
        // Requests should not wait for a group that does not take this worker.
        self.parts.group.update(|state| state.is_rebalancing = !matches!(error, GroupError::Fatal(_)));
        tokio::time::sleep(pause).await;
    }

    async fn join(&mut self) -> Result<(), GroupError> {
        let stage = self.parts.stages.enter(ENSURING_MEMBERSHIP);
        if self.eager_revocation_is_due() {
            self.stop_everything().await;
            self.flush_statuses().await;
            self.assignment = None;
        }
        let state = self.parts.context.configs.snapshot();
        // Tasks that were replaced since the last rebalance stop before another worker can be assigned them.
        self.apply_assignment(&state);
        self.parts.work.await_stopped().await;
        let writer = Arc::clone(&self.parts.writer);
        let round = self.membership.rebalance(&self.parts.context, &writer, &state, self.assignment.as_ref()).await?;
        drop(stage);
        if !round.protocol.is_cooperative() && self.assignment.is_some() {
            // It joined while it ran something, as the former protocol allowed. Others may be assigned that now.
            info!(
                protocol = round.protocol.name(),
                "the group's protocol is eager now: joining again with nothing running"
            );
            self.stop_everything().await;
            self.flush_statuses().await;
            self.assignment = None;
            self.must_join = true;
            return Ok(());
        }
        if round.assignment.has_failed() {
            info!(position = round.assignment.config_offset, "the leader has not read the config topic to its end");
            self.catch_up(&state, round.assignment.config_offset).await;
            self.must_join = true;
            return Ok(());
        }
        if state.offset() < round.assignment.config_offset
            && !self.catch_up(&state, round.assignment.config_offset).await
        {
            self.must_join = true;
            return Ok(());
        }
        self.sync_backoff.reset();
        if self.cut_off.end() {
            info!("this worker is back in its group");
        }
        self.take_up(round).await;
        Ok(())
    }

    /// With the eager protocol a worker runs nothing while it joins.
    fn eager_revocation_is_due(&self) -> bool {
        let protocol = self.parts.group.current().protocol;
        self.assignment.is_some() && protocol.is_some_and(|protocol| !protocol.is_cooperative())
    }

    /// Takes up an assignment.
    async fn take_up(&mut self, round: Rebalanced) {
        let Rebalanced { generation, protocol, is_leader, assignment, owners, must_follow } = round;
        info!(
            generation,
            protocol = protocol.name(),
            is_leader,
            config_offset = assignment.config_offset,
            "Joined group"
        );
        self.parts.context.generation.store(generation, Ordering::Release);
        let state = self.parts.context.configs.snapshot();
        self.agreed = assignment.config_offset;
        let (revokes, delay) = (assignment.revokes(), assignment.delay_ms);
        let assignment_leader = assignment.leader_url.clone();
        let leader_url = Some(assignment_leader.clone()).filter(|url| !url.is_empty());
        let before = self.assignment.take().filter(|_| protocol.is_cooperative());
        let started = assignment.assigned();
        self.assignment = Some(assignment.augmented(before.as_ref()));
        self.become_leader_or_not(is_leader).await;
        self.parts.group.update(|group| {
            group.is_leader = is_leader;
            group.leader_url = leader_url;
            group.protocol = Some(protocol);
            group.owners = owners;
        });
        {
            let what = format!(
                "starting {} connector(s) and {} task(s) after a rebalance",
                started.connectors.len(),
                started.tasks.len()
            );
            let _stage = self.parts.stages.enter(what);
            info!(
                connectors = started.connectors.len(),
                tasks = started.tasks.len(),
                revokes,
                delay,
                "Starting connectors and tasks using config offset {}",
                self.agreed
            );
            self.apply_assignment(&state);
            self.parts.work.await_stopped().await;
        }
        self.parts.context.metrics.rebalances.complete(generation, assignment_leader);
        if revokes {
            // The others wait for the work that this worker has stopped.
            self.flush_statuses().await;
            self.must_join = true;
        } else if delay > 0 {
            self.join_at = Some(Instant::now() + Duration::from_millis(delay.unsigned_abs().into()));
        }
        if is_leader {
            self.duties.clean_statuses();
            self.renew_session_key().await;
        }
        if must_follow || crate::herder::lifecycle::is_out_of_date(&self.parts.context.configs.snapshot(), self.agreed)
        {
            self.must_join = true;
        }
    }

    async fn become_leader_or_not(&mut self, is_leader: bool) {
        if is_leader == self.is_leader {
            return;
        }
        self.is_leader = is_leader;
        if let Err(error) = self.parts.writer.set_leader(is_leader).await {
            warn!(%error, is_leader, "the config topic could not be told of the new leader, the next write tries again");
        }
    }

    /// Makes sure that there is a session key, while this worker is the leader of a group that signs.
    pub(super) async fn renew_session_key(&mut self) {
        self.renew_key_at = None;
        let group = self.parts.group.current();
        if group.is_leader && group.protocol.is_some_and(|protocol| protocol.is_signed()) {
            let again = self.duties.renew_session_key().await;
            self.renew_key_at = again.map(|delay| Instant::now() + delay);
        }
    }

    /// Reads the config topic at least to `position`; whether it got there. If it did not, the worker leaves the group for
    /// a while, and in the end stops everything.
    async fn catch_up(&mut self, state: &ClusterConfigState, position: i64) -> bool {
        let _stage = self.parts.stages.enter("reading to the end of the config topic");
        if state.offset() >= position {
            return true;
        }
        let outcome = self.parts.writer.refresh(self.parts.context.config.worker_sync_timeout()).await;
        if outcome.is_ok() {
            self.sync_backoff.reset();
            return true;
        }
        if let Err(error) = outcome {
            warn!(%error, position, "could not read the config topic to its end");
        }
        self.membership.member().leave("the worker could not read the config topic to its end").await;
        let protocol = self.parts.group.current().protocol.unwrap_or(ConnectProtocol::Sessioned);
        let (pause, gives_up) = self.sync_backoff.next(protocol);
        if gives_up {
            self.lose_everything().await;
        }
        tokio::time::sleep(pause).await;
        false
    }

    /// Waits until the statuses of stopped work are stored, so that those of its next owners come later.
    pub(super) async fn flush_statuses(&self) {
        let statuses = Arc::clone(&self.parts.context.statuses);
        if tokio::task::spawn_blocking(move || statuses.flush(STATUS_FLUSH)).await.is_err() {
            warn!("the status store ended early");
        }
    }
}
