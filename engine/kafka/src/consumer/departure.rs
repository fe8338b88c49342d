//! Leaving a group on behalf of a consumer whose own request to leave cannot get through.
//!
//! A broker takes the requests of a connection one after the other, and answers JoinGroup and SyncGroup only when the other
//! members have come as well. librdkafka's LeaveGroup goes over the same connection, where it waits behind them; after five
//! seconds librdkafka gives up, and the member stays in the group as a ghost, for which the next generation has to wait. So
//! the request is made over a connection of its own.

use std::fmt;
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use rdkafka::ClientConfig;
use volley_api::{ConfigMap, Result};

use crate::group::{leave_error, leave_request, refusal};
use crate::questions::{Questions, not_ready};

/// Leaving must not hold up a task that stops.
const WITHIN: Duration = Duration::from_secs(2);

const REASON: &str = "the consumer is being closed";

/// Knows which group to leave, and how to reach its coordinator.
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
    /// For a consumer that `properties` describe, and `config` in librdkafka's words. None for one that no request can hold
    /// up, as there is no group or it has the newer protocol, and none for a static member, which stays in its group.
    pub(crate) fn of(properties: &ConfigMap, config: &ClientConfig) -> Option<Self> {
        let group = config.get("group.id").filter(|group| !group.is_empty())?;
        let is_static = config.get("group.instance.id").is_some();
        let is_newer = config.get("group.protocol").is_some_and(|protocol| protocol.eq_ignore_ascii_case("consumer"));
        (!is_static && !is_newer).then(|| Self { properties: properties.clone(), group: group.to_owned() })
    }

    /// Has the coordinator forget the member. It is no error if it does not know it.
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
