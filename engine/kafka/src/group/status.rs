//! The current state of a membership.

use std::time::Duration;

use tokio::time::Instant;

/// A membership at one moment, for logs, metrics and health checks.
#[derive(Clone, Debug, Default)]
pub struct MemberStatus {
    /// The member id from the coordinator; empty before the first join and after leaving.
    pub member_id: String,
    /// The generation; -1 without one.
    pub generation: i32,
    /// `host:port` of the coordinator, while it is connected.
    pub coordinator: Option<String>,
    /// When the coordinator last answered a heartbeat, a join or a sync.
    pub last_heartbeat: Option<Instant>,
    /// Heartbeats that were answered.
    pub heartbeats: u64,
    /// Joins that succeeded.
    pub joins: u64,
    /// Syncs that succeeded.
    pub syncs: u64,
    /// Joins and syncs that failed.
    pub failed_rebalances: u64,
    /// Duration of the last successful join, including the wait for the other members.
    pub last_join: Option<Duration>,
    /// Duration of the last successful sync.
    pub last_sync: Option<Duration>,
}

impl MemberStatus {
    pub(super) fn new() -> Self {
        Self { generation: -1, ..Self::default() }
    }
}
