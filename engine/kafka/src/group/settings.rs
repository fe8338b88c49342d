//! The settings that a member sends to the coordinator.

use std::time::Duration;

use volley_api::{Error, Result};

/// Settings of a membership.
#[derive(Clone, Debug)]
pub struct GroupSettings {
    /// `group.id`
    pub group_id: String,
    /// The kind of group, for example `connect`; all members must agree.
    pub protocol_type: String,
    /// `session.timeout.ms`: the coordinator removes a member after so long without a heartbeat.
    pub session_timeout: Duration,
    /// `rebalance.timeout.ms`: the time that members have to rejoin, and the longest time between two calls of
    /// [`poll`](crate::GroupMember::poll).
    pub rebalance_timeout: Duration,
    /// `group.instance.id`: a static member (KIP-345). It keeps its place while it restarts, and does not leave.
    pub group_instance_id: Option<String>,
    /// `heartbeat.interval.ms`. The effective interval is at most a second. It is also the time after which an
    /// unreachable coordinator counts as lost.
    pub heartbeat_interval: Duration,
}

impl GroupSettings {
    /// Kafka Connect's defaults for a group.
    pub fn new(group_id: impl Into<String>, protocol_type: impl Into<String>) -> Self {
        Self {
            group_id: group_id.into(),
            protocol_type: protocol_type.into(),
            group_instance_id: None,
            session_timeout: Duration::from_secs(10),
            rebalance_timeout: Duration::from_secs(60),
            heartbeat_interval: Duration::from_secs(3),
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.group_id.is_empty() {
            return Err(Error::config("`group.id` is empty"));
        }
        if self.heartbeat_interval.is_zero() || self.heartbeat_interval >= self.session_timeout {
            return Err(Error::config(format!(
                "`heartbeat.interval.ms` is {}: it must be more than 0 and less than `session.timeout.ms`, which is {}",
                self.heartbeat_interval.as_millis(),
                self.session_timeout.as_millis()
            )));
        }
        let longest = Duration::from_millis(i32::MAX as u64);
        for (key, value) in
            [("session.timeout.ms", self.session_timeout), ("rebalance.timeout.ms", self.rebalance_timeout)]
        {
            if value > longest || value.is_zero() {
                return Err(Error::config(format!("`{key}` must be from 1 to {}", i32::MAX)));
            }
        }
        Ok(())
    }
}
