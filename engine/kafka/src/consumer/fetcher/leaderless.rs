//! Assigned partitions whose start offset is unknown because they have no leader. They stay paused while the other
//! partitions are consumed.

use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use tracing::{debug, info, warn};
use volley_api::{Error, Offsets, Result, TopicPartition};

use super::{Fetcher, Pause, PendingAssign};
use crate::broker_error;
use crate::consumer::consumer_events::list_of;

/// Interval between two checks for a leader. A check may take some time, while other partitions are consumed.
const RETRY: Duration = Duration::from_secs(1);

impl Fetcher {
    /// Postpones these partitions. librdkafka has them assigned; the listener does not know of them yet.
    pub(super) fn note_leaderless(&mut self, partitions: Vec<TopicPartition>, error: &Error) -> Result<()> {
        warn!(
            client = self.connection.client(), ?partitions, %error,
            "these partitions wait until it can be told where they begin, others are consumed"
        );
        self.consumer
            .pause(&list_of(&partitions))
            .map_err(|error| broker_error::from_client("pause partitions", &error))?;
        let mut pending = PendingAssign { partitions, retry_at: Instant::now() + RETRY, warned: true };
        pending.partitions.extend(self.leaderless.take().into_iter().flat_map(|earlier| earlier.partitions));
        self.leaderless = Some(pending);
        Ok(())
    }

    /// Starts partitions that have a leader now.
    pub(super) fn start_leaderless(&mut self) -> Result<()> {
        let Some(mut waiting) = self.leaderless.take_if(|waiting| waiting.retry_at <= Instant::now()) else {
            return Ok(());
        };
        let found = match self.positions.resolve(&self.committer, &waiting.partitions) {
            Ok(known) => self.start_found(known.offsets),
            Err(error) if error.is_retriable() => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        let started = found.as_deref().unwrap_or_default();
        waiting.partitions.retain(|partition| !started.contains(partition));
        if !waiting.partitions.is_empty() {
            waiting.retry_at = Instant::now() + RETRY;
            self.leaderless = Some(waiting);
        }
        found.map(|_| ())
    }

    /// Starts partitions that librdkafka has assigned and paused. Returns those that could be started.
    fn start_found(&mut self, mut positions: Offsets) -> Result<Vec<TopicPartition>> {
        positions.retain(|partition, offset| {
            let outcome = self.seek_messages(partition, *offset);
            outcome.inspect_err(|error| debug!(%partition, %error, "could not begin with a partition")).is_ok()
        });
        if positions.is_empty() {
            return Ok(Vec::new());
        }
        info!(client = self.connection.client(), ?positions, "these partitions have a leader now");
        let partitions = Vec::from_iter(positions.keys().cloned());
        self.listener.assigned(&positions);
        self.add(&positions)?;
        if matches!(self.pause, Pause::None | Pause::Soft(_)) {
            self.resume_messages(&partitions)?;
        }
        Ok(partitions)
    }
}
