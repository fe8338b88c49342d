//! How the put stage delivers and commits: flush, pre-commit, close, commit.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tracing::warn;
use volley_api::{Error, OffsetMetadata, Offsets, Result, TopicPartition};

use super::put_stage::{PutStage, tolerate_retriable, unrecoverable};

/// Waits between two attempts to flush and commit. They grow: most flushes end soon.
const FIRST_DELIVERY_WAIT: Duration = Duration::from_millis(2);
const LONGEST_DELIVERY_WAIT: Duration = Duration::from_millis(250);

/// What the task vouches for, and the text that is to stand beside it.
pub(super) struct Vouched {
    offsets: Offsets,
    metadata: OffsetMetadata,
}

impl PutStage {
    /// Commits if the interval is over, or the task asks for it.
    pub(super) fn commit_if_due(&mut self) -> Result<()> {
        let is_asked_for = self.context.requests().take_commit();
        if is_asked_for || Instant::now() >= self.next_commit {
            self.commit()?;
            // what the task has asked for meanwhile is this one: it might ask each time
            self.context.requests().take_commit();
            self.next_commit = Instant::now() + self.commit_interval;
        }
        Ok(())
    }

    /// Commits what the task vouches for.
    pub(super) fn commit(&mut self) -> Result<()> {
        self.commit_vouched(&[]).map(|_| ())
    }

    /// The same. Returns whether that is everything put so far of `partitions`.
    fn commit_vouched(&mut self, partitions: &[TopicPartition]) -> Result<bool> {
        let reached = self.positions.reached();
        Ok(match self.vouched_of(&reached)? {
            Some(vouched) => self.commit_offsets_of(&vouched, partitions),
            None => false,
        })
    }

    /// What the task vouches for of `reached`, unless it cannot say so now.
    fn vouched_of(&mut self, reached: &Offsets) -> Result<Option<Vouched>> {
        if self.shared.control.is_abandoned() {
            return Ok(None);
        }
        self.flush_dead_letters()?;
        let offsets = match self.watched(|task| task.pre_commit(reached)) {
            Err(error) if error.is_retriable() => {
                self.shared.metrics.commit_skipped();
                warn!(task = %self.shared.id, %error, "offsets cannot be committed yet");
                self.carry_out_requests()?;
                return Ok(None);
            }
            outcome => self.vouched_for(outcome)?,
        };
        let metadata = self.task.offset_metadata();
        self.carry_out_requests()?;
        // the task may have vouched for rows since it has rejected them
        self.flush_dead_letters()?;
        Ok(Some(Vouched { offsets, metadata }))
    }

    /// Returns whether everything put so far of `partitions` is committed.
    fn commit_offsets_of(&mut self, vouched: &Vouched, partitions: &[TopicPartition]) -> bool {
        let is_everything = self.positions.is_everything(&vouched.offsets, partitions);
        // the task may have been abandoned while its plug-in hung
        if self.shared.control.is_abandoned() {
            return false;
        }
        let changed = self.positions.uncommitted(&vouched.offsets);
        if changed.is_empty() {
            return is_everything;
        }
        let since = Instant::now();
        let outcome = (self.commit_offsets)(&changed, &vouched.metadata);
        self.shared.metrics.committed(since.elapsed(), outcome.is_ok());
        match outcome {
            Ok(()) => {
                self.positions.committed(&changed);
                self.count_positions();
                is_everything
            }
            Err(error) => {
                warn!(task = %self.shared.id, %error, "offset commit failed, trying again at the next interval");
                false
            }
        }
    }

    /// Flushes and commits until everything is delivered or the deadline has passed. A task that is asked once has what it vouches
    /// for committed when it has closed the partitions.
    pub(super) fn deliver(&mut self, partitions: &[TopicPartition], deadline: Instant) -> Result<()> {
        let mut wait = FIRST_DELIVERY_WAIT;
        loop {
            self.flush(partitions)?;
            if self.task.delivers_once() {
                let mut reached = self.positions.reached();
                reached.retain(|partition, _| partitions.contains(partition));
                self.to_commit = self.vouched_of(&reached)?;
                return Ok(());
            }
            let is_everything = self.commit_vouched(partitions)?;
            if is_everything || Instant::now() >= deadline || self.shared.control.is_abandoned() {
                return Ok(());
            }
            std::thread::sleep(wait);
            wait = (wait * 2).min(LONGEST_DELIVERY_WAIT);
            tolerate_retriable(&self.shared.id, self.task.tick()).map_err(unrecoverable)?;
        }
    }

    /// Closes partitions, and commits what waits for that. Nothing is committed any more of a task that cannot close: as in Kafka's
    /// worker, `close` may be where it writes the last of what it has vouched for.
    pub(super) fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let to_commit = self.to_commit.take();
        let outcome = self.task.close(partitions);
        self.cannot_vouch |= outcome.is_err();
        outcome?;
        if let Some(vouched) = to_commit {
            self.commit_offsets_of(&vouched, partitions);
        }
        Ok(())
    }

    /// Commits after a failure elsewhere, or when the task has closed. After a failed delivery it does not: a second try could
    /// succeed only because the failure was forgotten.
    pub(super) fn commit_before_failure(&mut self, error: &Error) {
        if self.cannot_vouch {
            warn!(task = %self.shared.id, %error, "nothing is committed, since what was put may not be delivered");
            return;
        }
        warn!(task = %self.shared.id, %error, "committing what was delivered before the failure");
        let outcome = if self.task.delivers_once() {
            self.vouched_of(&self.positions.reached()).map(|vouched| self.to_commit = vouched)
        } else {
            self.commit()
        };
        if let Err(error) = outcome {
            warn!(task = %self.shared.id, %error, "offset commit failed");
        }
    }

    /// Tries to deliver everything of a bounded task, and notes success. The fetch stage repeats the signal until then. Does
    /// nothing if partitions were assigned or rewound since the signal was sent.
    pub(super) fn deliver_the_end(&mut self, generations: &HashMap<TopicPartition, u64>) -> Result<()> {
        let Some(bounded) = self.shared.bounded.clone() else { return Ok(()) };
        let partitions = self.positions.partitions();
        if !self.positions.are_of(generations) {
            return Ok(());
        }
        if bounded.undelivered().keys().all(|partition| partitions.contains(partition)) && !self.end_of_input()? {
            return Ok(());
        }
        self.flush(&partitions)?;
        if !self.commit_vouched(&partitions)? {
            return Ok(());
        }
        self.tick()?;
        if self.positions.are_of(generations) {
            bounded.deliver(partitions.iter().cloned());
            let generation = |partition| generations.get(&partition).map(|generation| (partition, *generation));
            self.shared.deliveries.note(partitions.into_iter().filter_map(generation));
        }
        Ok(())
    }

    /// Whether the task has done what it does at the end of a run.
    fn end_of_input(&mut self) -> Result<bool> {
        let mut is_done = false;
        let outcome = self.task.end_of_input().map(|done| is_done = done);
        self.vouched_for(tolerate_retriable(&self.shared.id, outcome))?;
        self.carry_out_requests()?;
        Ok(is_done)
    }

    fn flush(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let outcome = tolerate_retriable(&self.shared.id, self.task.flush(partitions));
        self.vouched_for(outcome)?;
        self.carry_out_requests()
    }

    /// Notes the failure of a call that makes records durable.
    pub(super) fn vouched_for<T>(&mut self, outcome: Result<T>) -> Result<T> {
        self.cannot_vouch |= outcome.is_err();
        outcome.map_err(unrecoverable)
    }

    /// Waits for the acknowledgement of all dead letters. Nothing behind a refused one is ever committed.
    fn flush_dead_letters(&mut self) -> Result<()> {
        let outcome = self.errors.flush();
        self.vouched_for(outcome)
    }
}
