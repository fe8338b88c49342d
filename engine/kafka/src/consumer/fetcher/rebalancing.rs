//! Performs the assignments and revocations of the group.

use std::time::Instant;

use tracing::{debug, warn};
use volley_api::{Offsets, Result, TopicPartition};

use super::{ASSIGN_RETRY, Fetcher, Pause, PendingAssign};
use crate::consumer::membership::Membership;
use crate::consumer::partition_offsets::KnownOffsets;

impl Fetcher {
    pub(super) fn note_assign(&mut self, mut partitions: Vec<TopicPartition>) {
        debug!(client = self.connection.client(), partitions = partitions.len(), "partitions assigned");
        // a member of our own goes on while start offsets are looked for
        if let Membership::Own(_) = &self.group {
            partitions.extend(self.pending.take().into_iter().flat_map(|pending| pending.partitions));
        }
        self.pending = Some(PendingAssign { partitions, retry_at: Instant::now(), warned: false });
    }

    /// A member of our own may have to give up what has no start offset yet.
    fn forget_pending(&mut self, partitions: &[TopicPartition]) {
        let Membership::Own(_) = &self.group else { return };
        let Some(pending) = &mut self.pending else { return };
        let before = pending.partitions.len();
        pending.partitions.retain(|partition| !partitions.contains(partition));
        if pending.partitions.is_empty() && before > 0 {
            self.pending = None;
        }
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
        if !self.group.adds_to_assignment() {
            self.lose_all();
        }
        let KnownOffsets { offsets: positions, trouble } = known;
        self.listener.assigned(&positions);
        let leaderless: Vec<_> = partitions.iter().filter(|name| !positions.contains_key(name)).cloned().collect();
        self.group.assign(&positions, &leaderless)?;
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
        self.messages.assign(&self.group, positions)?;
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
        self.forget_pending(partitions);
        self.misplaced.retain(|partition| !partitions.contains(partition));
        if let Some(waiting) = &mut self.leaderless {
            waiting.forget(partitions);
        }
        if !announced.is_empty() {
            if lost { self.listener.lost(&announced) } else { self.listener.revoked(&announced) }
        }
        self.group.unassign(partitions)
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
