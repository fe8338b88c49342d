//! What is known of a membership at the moment.

use std::time::Duration;

use tokio::time::Instant;

/// A membership at one moment, for logs, metrics and health checks.
#[derive(Clone, Debug, Default)]
pub struct MemberStatus {
    /// The id that the coordinator gave; empty before the first join and after leaving.
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
    /// How long the last join took that succeeded, the wait for the other members included.
    pub last_join: Option<Duration>,
    /// How long the last sync took that succeeded.
    pub last_sync: Option<Duration>,
}

impl MemberStatus {
    pub(super) fn new() -> Self {
        Self { generation: -1, ..Self::default() }
    }
}
