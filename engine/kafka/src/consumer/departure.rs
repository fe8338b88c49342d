//! Leaves a group for a consumer whose own LeaveGroup request is blocked.
//!
//! A broker handles the requests of a connection in order, and answers JoinGroup and SyncGroup only after all other
//! members have sent theirs. librdkafka sends LeaveGroup over the same connection, so it waits behind them. After five
//! seconds librdkafka gives up. The member then remains in the group, and the next generation waits for it.
//! Therefore this request uses a connection of its own.

use std::fmt;
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use rdkafka::ClientConfig;
use volley_api::{ConfigMap, Result};

use crate::group::{leave_error, leave_request, refusal};
use crate::questions::{Questions, not_ready};

/// A stopping task must not wait long for the group.
const WITHIN: Duration = Duration::from_secs(2);

const REASON: &str = "the consumer is being closed";

/// The group to leave, and the settings to reach its coordinator.
pub(crate) struct Departure {
    properties: ConfigMap,
    group: String,
}

impl fmt::Debug for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Departure").field("group", &self.group).finish_non_exhaustive()
    }
}

impl Departure {
    /// For a consumer with these Java `properties`, translated to librdkafka's `config`. `None` for a consumer without
    /// a group or with the newer protocol, whose request nothing blocks, and for a static member, which remains in its
    /// group.
    pub(crate) fn of(properties: &ConfigMap, config: &ClientConfig) -> Option<Self> {
        let group = config.get("group.id").filter(|group| !group.is_empty())?;
        let is_static = config.get("group.instance.id").is_some();
        let is_newer = config.get("group.protocol").is_some_and(|protocol| protocol.eq_ignore_ascii_case("consumer"));
        (!is_static && !is_newer).then(|| Self { properties: properties.clone(), group: group.to_owned() })
    }

    /// Makes the coordinator remove the member. An unknown member is no error.
    ///
    /// # Errors
    /// `Retriable` when it does not answer in time; `Config` when it refuses.
    pub(crate) fn leave(&self, member_id: &str) -> Result<()> {
        let questions = Questions::new(&self.properties, WITHIN)?;
        questions.ask_coordinator(&self.group, async |connection| {
            let request = |version| leave_request(&self.group, member_id, REASON, version);
            let response = connection.call(WITHIN, request).await?;
            match leave_error(&response) {
                None | Some(ResponseError::UnknownMemberId) => Ok(Ok(())),
                Some(error) => not_ready(error).ok_or_else(|| refusal("leave", &self.group, error)).map(Err),
            }
        })
    }
}
