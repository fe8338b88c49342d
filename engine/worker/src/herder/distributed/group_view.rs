//! The view that this worker has of its group, from which requests are forwarded.

use std::time::Duration;

use tokio::sync::watch;

use crate::error::{HerderError, HerderResult};
use crate::group::{ConnectProtocol, LeaderState};

/// How long a request waits for a rebalance. It is longer than a request may take, so that the request's own time-out names
/// the stage of the worker.
const REBALANCE_LIMIT: Duration = Duration::from_secs(120);

/// The group, as of the last rebalance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct GroupState {
    /// Whether a rebalance is under way. It lasts until the worker is back in its group.
    pub(super) is_rebalancing: bool,
    /// Whether this worker is the leader.
    pub(super) is_leader: bool,
    /// URL of the leader; `None` while there is none.
    pub(super) leader_url: Option<String>,
    /// The protocol in force; `None` outside of a group.
    pub(super) protocol: Option<ConnectProtocol>,
    /// The owners of connectors and tasks; on the leader only.
    pub(super) owners: LeaderState,
}

impl GroupState {
    /// Fails if another worker is the leader.
    ///
    /// # Errors
    /// `Forward`
    pub(super) fn check_leader(&self) -> HerderResult<()> {
        if self.is_leader { Ok(()) } else { Err(HerderError::Forward(self.leader_url.clone())) }
    }

    /// The error for a request about something that is not assigned here. The leader forwards it to the owner, others to the
    /// leader.
    pub(super) fn forward_to(&self, owner: Option<&str>) -> HerderError {
        HerderError::Forward(if self.is_leader { owner.map(str::to_owned) } else { self.leader_url.clone() })
    }
}

/// Shared by the herder's loop, which writes it, and requests, which read it.
#[derive(Debug, Default)]
pub(super) struct GroupView {
    state: watch::Sender<GroupState>,
}

impl GroupView {
    /// Changes it.
    pub(super) fn update(&self, change: impl FnOnce(&mut GroupState)) {
        self.state.send_modify(change);
    }

    /// As of now, even in the middle of a rebalance.
    pub(super) fn current(&self) -> GroupState {
        self.state.borrow().clone()
    }

    /// Once no rebalance is under way, or it takes too long.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(super) async fn settled(&self) -> GroupState {
        let mut changes = self.state.subscribe();
        let settled = changes.wait_for(|state| !state.is_rebalancing);
        match tokio::time::timeout(REBALANCE_LIMIT, settled).await {
            Ok(Ok(state)) => state.clone(),
            _ => self.current(),
        }
    }
}
