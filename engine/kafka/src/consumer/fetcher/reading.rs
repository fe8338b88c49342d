//! Reads what the native client has fetched, while librdkafka's consumer is served for the group's sake.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use tracing::{info, warn};
use volley_api::{Error, Offsets, Result, TopicPartition};

use super::messages::Messages;
use super::{ASSIGN_RETRY, Fetcher, LINES_PER_LOOK, Pause};
use crate::consumer::membership::Membership;
use crate::fetch::Trouble;
use crate::sasl;

/// Partitions whose position is in no log: they begin anew where `auto.offset.reset` says.
#[derive(Debug, Default)]
pub(super) struct Resets {
    partitions: BTreeSet<TopicPartition>,
    retry_at: Option<Instant>,
}

impl Resets {
    /// Partitions that go away, or go on elsewhere.
    pub(super) fn forget(&mut self, partitions: &[TopicPartition]) {
        self.partitions.retain(|partition| !partitions.contains(partition));
    }
}

impl Fetcher {
    /// Reads until a batch is closed, other work is due, or the deadline has passed. `true` if all that has come was read.
    pub(super) fn drain_fetched(&mut self, deadline: Instant) -> Result<bool> {
        if let Messages::Native(fetch) = &self.messages {
            fetch.answer_call();
        }
        self.serve_consumer()?;
        self.take_troubles()?;
        self.reset_positions()?;
        if self.group.has_rebalance() {
            return Ok(true);
        }
        let until = Instant::now() + self.longest_wait(deadline);
        let until = self.resets.retry_at.map_or(until, |at| until.min(at));
        let Messages::Native(fetch) = &mut self.messages else { return Ok(true) };
        let mut has_read = false;
        // what is ready during a pause stays so
        if self.pause == Pause::None {
            while self.ready.is_empty() && fetch.read_into(&mut self.assignment, &self.settings, &mut self.ready)? {
                has_read = true;
            }
            if !self.ready.is_empty() {
                return Ok(false);
            }
        }
        if !has_read {
            fetch.wait(until);
        }
        Ok(true)
    }

    /// Lets librdkafka say what it has to. It may have fetched something just before its partitions were paused: that comes
    /// again by our own hand.
    fn serve_consumer(&mut self) -> Result<()> {
        let Membership::Librdkafka(consumer) = &self.group else { return Ok(()) };
        let consumer = Arc::clone(consumer);
        for _ in 0..LINES_PER_LOOK {
            let lines = consumer.context().lines();
            match consumer.poll(std::time::Duration::ZERO) {
                Some(Ok(_)) => {}
                Some(Err(error)) => self.take_error(&error)?,
                // a log line was taken
                None if consumer.context().lines() != lines => {}
                None => break,
            }
        }
        Ok(())
    }

    fn take_troubles(&mut self) -> Result<()> {
        let Messages::Native(fetch) = &self.messages else { return Ok(()) };
        let mut refusal: Option<Error> = None;
        for trouble in fetch.troubles() {
            match trouble {
                Trouble::OutOfRange { partition, offset } => {
                    warn!(%partition, offset, "the partition's log has no such offset, `auto.offset.reset` decides");
                    self.resets.partitions.insert(partition);
                    self.resets.retry_at = None;
                }
                Trouble::Refused(error) => refusal = Some(error),
            }
        }
        refusal.map_or(Ok(()), |error| Err(sasl::in_words_of_broker(error)))
    }

    fn reset_positions(&mut self) -> Result<()> {
        if self.resets.partitions.is_empty() || self.resets.retry_at.is_some_and(|at| at > Instant::now()) {
            return Ok(());
        }
        let assignment = &self.assignment;
        self.resets.partitions.retain(|partition| assignment.contains(partition));
        let partitions = Vec::from_iter(self.resets.partitions.iter().cloned());
        let found = match self.positions.reset(&self.committer, &partitions) {
            Ok(known) => known.offsets,
            Err(error) if error.is_retriable() => {
                warn!(client = self.connection.client(), %error, "could not find where partitions begin anew, retrying");
                Offsets::new()
            }
            Err(error) => return Err(error),
        };
        for (partition, offset) in found {
            info!(%partition, offset, "the partition begins anew");
            self.seek_messages(&partition, offset)?;
            self.resets.partitions.remove(&partition);
        }
        self.resets.retry_at = (!self.resets.partitions.is_empty()).then(|| Instant::now() + ASSIGN_RETRY);
        Ok(())
    }

    /// Where each partition stands of which something was read, whatever of it is buffered.
    pub(super) fn read_positions(&self) -> Offsets {
        if let Messages::Native(fetch) = &self.messages {
            return fetch.positions();
        }
        let Membership::Librdkafka(consumer) = &self.group else { return Offsets::new() };
        let Ok(list) = consumer.position() else { return Offsets::new() };
        let known = list.elements().into_iter().filter_map(|element| {
            let Offset::Offset(offset) = element.offset() else { return None };
            Some((TopicPartition::new(element.topic(), element.partition()), offset))
        });
        known.filter(|(partition, _)| !self.misplaced.contains(partition)).collect()
    }
}
