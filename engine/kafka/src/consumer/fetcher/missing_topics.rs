//! Missing topics. If none of its topics exists, a consumer does not join its group, so the group never reports an
//! empty assignment.

use std::time::{Duration, Instant};

use tracing::debug;
use volley_api::{Offsets, Result};

use super::Fetcher;
use crate::TopicSelection;

/// Interval between two checks.
const RETRY: Duration = Duration::from_secs(1);

impl Fetcher {
    /// Reports an empty assignment to the listener if none of the topics exists.
    pub(super) fn look_for_topics(&mut self) -> Result<()> {
        self.missing = None;
        let TopicSelection::Topics(topics) = &self.settings.topics else { return Ok(()) };
        if self.unjoined.is_some() || self.pending.is_some() || !self.assignment.partitions().is_empty() {
            return Ok(());
        }
        match self.existing_partitions(topics.iter().map(String::as_str)) {
            Ok(partitions) if partitions.is_empty() => self.listener.assigned(&Offsets::new()),
            // the consumer joins
            Ok(_) => {}
            Err(error) if error.is_retriable() => {
                debug!(client = self.connection.client(), %error, "could not look whether any topic exists, trying again");
                self.missing = Some(Instant::now() + RETRY);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
