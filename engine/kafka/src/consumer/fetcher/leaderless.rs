//! Assigned partitions whose start offset is unknown because they have no leader, or one that does not answer. They stay
//! paused while the other partitions are consumed. A thread asks for the offsets: a broker that does not answer is waited for.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tracing::{debug, info, warn};
use volley_api::{Error, Offsets, Result, TopicPartition};

use super::{Fetcher, Pause};
use crate::consumer::partition_offsets::KnownOffsets;

/// Interval between two checks for a leader.
const RETRY: Duration = Duration::from_secs(1);

/// Interval between two looks whether a check has ended.
const LOOK: Duration = Duration::from_millis(50);

/// Partitions that wait for a leader.
#[derive(Debug)]
pub(super) struct Leaderless {
    partitions: Vec<TopicPartition>,
    /// When there is something to do next.
    pub(super) due: Instant,
    /// A check that has begun. What it finds is the truth while the same partitions are waited for.
    check: Option<Receiver<Result<KnownOffsets>>>,
}

impl Leaderless {
    fn new(partitions: Vec<TopicPartition>) -> Self {
        Self { partitions, due: Instant::now() + RETRY, check: None }
    }

    /// Partitions that go away.
    pub(super) fn forget(&mut self, partitions: &[TopicPartition]) {
        let before = self.partitions.len();
        self.partitions.retain(|partition| !partitions.contains(partition));
        if self.partitions.len() != before {
            self.check = None;
        }
    }
}

impl Fetcher {
    /// Postpones these partitions. librdkafka has them assigned; the listener does not know of them yet.
    pub(super) fn note_leaderless(&mut self, partitions: Vec<TopicPartition>, error: &Error) -> Result<()> {
        warn!(
            client = self.connection.client(), ?partitions, %error,
            "these partitions wait until it can be told where they begin, others are consumed"
        );
        self.group.pause(&partitions)?;
        let earlier = self.leaderless.take().into_iter().flat_map(|earlier| earlier.partitions);
        self.leaderless = Some(Leaderless::new(partitions.into_iter().chain(earlier).collect()));
        Ok(())
    }

    /// Asks where these partitions begin, on a thread of its own.
    fn begin_check(&self, partitions: Vec<TopicPartition>) -> Result<Receiver<Result<KnownOffsets>>> {
        let (found, check) = sync_channel(1);
        let (positions, committer) = (self.positions.clone(), self.committer.clone());
        let run = move || {
            // nobody waits for it any more where the partitions have gone away
            let _ = found.send(positions.resolve(&committer, &partitions));
        };
        thread::Builder::new()
            .name("start-offsets".to_owned())
            .spawn(run)
            .map_err(|error| Error::fatal("could not start a thread").with_source(error))?;
        Ok(check)
    }

    /// Starts partitions that have a leader now.
    pub(super) fn start_leaderless(&mut self) -> Result<()> {
        let Some(mut waiting) = self.leaderless.take_if(|waiting| waiting.due <= Instant::now()) else {
            return Ok(());
        };
        if waiting.partitions.is_empty() {
            return Ok(());
        }
        let check = match waiting.check.take() {
            Some(check) => check,
            None => self.begin_check(waiting.partitions.clone())?,
        };
        let found = match check.try_recv() {
            Err(TryRecvError::Empty) => {
                self.leaderless = Some(Leaderless { due: Instant::now() + LOOK, check: Some(check), ..waiting });
                return Ok(());
            }
            Ok(Ok(known)) => self.start_found(known.offsets),
            Ok(Err(error)) if !error.is_retriable() => Err(error),
            Ok(Err(_)) | Err(TryRecvError::Disconnected) => Ok(Vec::new()),
        };
        let started = found.as_deref().unwrap_or_default();
        waiting.partitions.retain(|partition| !started.contains(partition));
        if !waiting.partitions.is_empty() {
            self.leaderless = Some(Leaderless::new(waiting.partitions));
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
