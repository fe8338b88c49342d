//! Performs the assignments and revocations of the group.

use std::time::Instant;

use rdkafka::Offset;
use tracing::{debug, warn};
use volley_api::{Offsets, Result, TopicPartition};

use super::{ASSIGN_RETRY, Fetcher, Pause, PendingAssign};
use crate::broker_error;
use crate::consumer::committer::with_offsets;
use crate::consumer::consumer_events;
use crate::consumer::partition_offsets::KnownOffsets;

impl Fetcher {
    pub(super) fn note_assign(&mut self, partitions: Vec<TopicPartition>) {
        debug!(client = self.connection.client(), partitions = partitions.len(), "partitions assigned");
        self.pending = Some(PendingAssign { partitions, retry_at: Instant::now(), warned: false });
    }

    pub(super) fn assign_pending(&mut self) -> Result<()> {
        let Some(mut pending) = self.pending.take_if(|pending| pending.retry_at <= Instant::now()) else {
            return Ok(());
        };
        match self.positions.resolve(&self.committer, &pending.partitions) {
            Ok(known) => self.assign(&pending.partitions, known),
            Err(error) if error.is_retriable() => {
                if !pending.warned {
                    warn!(client = self.connection.client(), %error, "could not find where new partitions begin, retrying");
                    pending.warned = true;
                }
                pending.retry_at = Instant::now() + ASSIGN_RETRY;
                self.pending = Some(pending);
                Ok(())
            }
            Err(error) => {
                self.pending = Some(pending);
                Err(error)
            }
        }
    }

    pub(super) fn assign(&mut self, partitions: &[TopicPartition], known: KnownOffsets) -> Result<()> {
        if !consumer_events::adds_to_assignment(&self.consumer) {
            self.lose_all();
        }
        let KnownOffsets { offsets: positions, trouble } = known;
        self.listener.assigned(&positions);
        let mut list = with_offsets(&positions)?;
        let leaderless: Vec<_> = partitions.iter().filter(|name| !positions.contains_key(name)).cloned().collect();
        for partition in &leaderless {
            // a start offset that is replaced before anything is read
            list.add_partition_offset(&partition.topic, partition.partition, Offset::Beginning)
                .map_err(|error| broker_error::from_client(&format!("assign {partition}"), &error))?;
        }
        consumer_events::assign(&self.consumer, &list)
            .map_err(|error| broker_error::from_client("take over partitions", &error))?;
        self.add(&positions)?;
        if let Some(error) = trouble {
            self.note_leaderless(leaderless, &error)?;
        }
        Ok(())
    }

    pub(super) fn add(&mut self, positions: &Offsets) -> Result<()> {
        for partition in positions.keys() {
            self.assignment.add(partition.clone());
        }
        self.messages.assign(&self.consumer, positions)?;
        let left_paused: Vec<_> =
            positions.keys().filter(|partition| self.left_paused.remove(*partition)).cloned().collect();
        match self.pause {
            Pause::Hard => self.pause_messages(&positions.keys().cloned().collect::<Vec<_>>()),
            _ => self.resume_messages(&left_paused),
        }
    }

    pub(super) fn revoke(&mut self, partitions: &[TopicPartition], lost: bool) -> Result<()> {
        let announced: Vec<_> = partitions.iter().filter(|p| self.assignment.contains(p)).cloned().collect();
        debug!(client = self.connection.client(), partitions = partitions.len(), lost, "partitions revoked");
        self.forget(&announced);
        self.misplaced.retain(|partition| !partitions.contains(partition));
        if let Some(waiting) = &mut self.leaderless {
            waiting.forget(partitions);
        }
        if !announced.is_empty() {
            if lost { self.listener.lost(&announced) } else { self.listener.revoked(&announced) }
        }
        consumer_events::unassign(&self.consumer, partitions)
            .map_err(|error| broker_error::from_client("give up partitions", &error))
    }

    /// For an assignment that replaces the current one. Mostly that is empty by then. But librdkafka joins again
    /// without a revocation when topics change while an assignment is pending.
    pub(super) fn lose_all(&mut self) {
        self.leaderless = None;
        let partitions = self.assignment.partitions();
        if !partitions.is_empty() {
            warn!(client = self.connection.client(), partitions = partitions.len(), "assignment replaced by another");
            self.forget(&partitions);
            self.listener.lost(&partitions);
            self.misplaced.extend(partitions);
        }
    }

    pub(super) fn forget(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            if self.assignment.is_paused(partition) || matches!(self.pause, Pause::Hard | Pause::Ending) {
                self.left_paused.insert(partition.clone());
            }
            self.assignment.remove(partition);
        }
        self.resets.forget(partitions);
        self.messages.revoke(partitions);
        self.ready.retain(|batch| !partitions.contains(&batch.origin.partition));
    }
}
