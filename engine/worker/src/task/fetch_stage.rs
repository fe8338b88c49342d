//! The first stage of a sink task: consume, within the memory budget, up to the end of a bounded input.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{SendTimeoutError, Sender};
use tracing::{info, warn};
use volley_api::{Error, OffsetRange, Offsets, Origin, RawBatch, Result, TopicPartition};
use volley_kafka::{Fetcher, RebalanceListener};

use crate::memory_budget::MemoryBudget;
use crate::task::bounded::BoundedEnds;
use crate::task::control::{Control, Wanted};
use crate::task::pipeline::{Fetched, FetchedBatch, Generations, Rewinds, Signal};
use crate::task::revocation::Revocation;
use crate::task::{ConnectorTaskId, TaskProgress, TaskState};

/// Longest wait of one poll; what is wanted of the task is looked at in between.
const POLL: Duration = Duration::from_millis(100);
/// The same where nothing has come for a while, or nothing is to come: an idle task should not cost much.
const IDLE_POLL: Duration = Duration::from_millis(250);
/// The same while there is no room, so that it goes on soon when there is again.
const HELD_POLL: Duration = Duration::from_millis(5);
/// How long a full pipeline is waited for before partitions are paused, which costs librdkafka its prefetched messages.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a rebalance waits for the put stage to flush and commit.
const REVOCATION_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes that a row occupies in memory beside its key and value, roughly.
const ROW_OVERHEAD: usize = 32;
/// After this long without a batch a bounded task looks whether anything is left to come.
const IDLE: Duration = Duration::from_secs(1);
/// How often the lag is computed, and how often where there is none and nothing comes: the broker has to be asked.
const LAG_INTERVAL: Duration = Duration::from_secs(2);
const IDLE_LAG_INTERVAL: Duration = Duration::from_secs(15);

/// What the fetch stage works with.
pub(crate) struct FetchStage {
    pub(crate) id: ConnectorTaskId,
    pub(crate) fetcher: Fetcher,
    pub(crate) control: Arc<Control>,
    pub(crate) rewinds: Arc<Rewinds>,
    pub(crate) budget: Arc<MemoryBudget>,
    pub(crate) progress: Arc<TaskProgress>,
    pub(crate) bounded: Option<Arc<BoundedEnds>>,
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) is_put_running: Arc<AtomicBool>,
    pub(crate) positions: Offsets,
    pub(crate) generations: HashMap<TopicPartition, u64>,
    /// Batches fetched and not yet passed on, in order.
    pub(crate) held_back: VecDeque<Polled>,
    pub(crate) is_held: bool,
    pub(crate) is_paused: bool,
    pub(crate) next_lag: Instant,
    pub(crate) last_batch: Instant,
}

impl FetchStage {
    /// Runs until a stop, the end of a bounded input, or until a later stage is gone. Keeps its place in the group until
    /// the put stage has ended, since that commits last.
    pub(crate) fn run(&mut self, output: Sender<Fetched>) -> Result<()> {
        let outcome = self.serve(&output);
        let last = match &outcome {
            Ok(signal) => Some(match signal {
                End::Stop => Signal::Stop,
                End::Bounded => Signal::EndOfInput,
                End::Disconnected => return Ok(()),
            }),
            Err(error) => Some(Signal::Failed(Error::new(error.kind(), error.trace()))),
        };
        if let Some(signal) = last {
            self.send(&output, Fetched::Signal(signal));
        }
        drop(output);
        self.fetcher.pause_all();
        while self.is_put_running.load(Ordering::Acquire) {
            self.fetcher.poll(Duration::from_millis(10))?;
        }
        outcome.map(|_| ())
    }

    fn serve(&mut self, output: &Sender<Fetched>) -> Result<End> {
        loop {
            match self.control.wanted() {
                Wanted::Stopped { .. } => return Ok(End::Stop),
                Wanted::Paused if !self.is_paused => {
                    self.is_paused = true;
                    self.send(output, Fetched::Signal(Signal::Commit));
                    self.control.report(TaskState::Paused);
                }
                Wanted::Running if self.is_paused => {
                    self.is_paused = false;
                    self.control.report(TaskState::Running);
                }
                _ => {}
            }
            self.rewind()?;
            // what is held back has to go first, or it would grow without bound
            self.hold(self.is_paused || self.budget.is_exhausted() || !self.held_back.is_empty());
            self.poll(self.longest_poll())?;
            let ends = match self.ends() {
                // nothing can be said of where the new partitions end: they have to wait
                Err(error) if error.is_retriable() => continue,
                ends => ends?,
            };
            while let Some(polled) = self.held_back.pop_front() {
                if !self.deliver(polled, ends.as_ref(), output) {
                    return Ok(End::Disconnected);
                }
            }
            if !self.is_put_running.load(Ordering::Acquire) {
                return Ok(End::Disconnected);
            }
            if ends.is_some_and(|ends| self.is_at_end(&ends)) {
                return Ok(End::Bounded);
            }
            self.update_lag();
        }
    }

    fn longest_poll(&self) -> Duration {
        let is_idle = self.last_batch.elapsed() >= IDLE && self.bounded.is_none();
        match self.is_held {
            true if self.is_paused && self.held_back.is_empty() => IDLE_POLL,
            true => HELD_POLL,
            false if is_idle => IDLE_POLL,
            false => POLL,
        }
    }

    /// Takes what there is, each batch with its partition's generation of this moment.
    fn poll(&mut self, max_wait: Duration) -> Result<()> {
        let polled = self.fetcher.poll(max_wait)?;
        self.assignment.take_started(&mut self.positions, &mut self.generations);
        if !polled.is_empty() {
            self.last_batch = Instant::now();
        }
        for raw in polled {
            let generation = self.generations.get(&raw.origin.partition).copied().unwrap_or_default();
            self.held_back.push_back(Polled { raw, generation });
        }
        Ok(())
    }

    fn rewind(&mut self) -> Result<()> {
        for rewind in self.rewinds.take() {
            let is_current = self.generations.get(&rewind.partition).is_none_or(|current| *current < rewind.generation);
            if is_current && self.fetcher.assignment().contains(&rewind.partition) {
                self.held_back.retain(|polled| polled.raw.origin.partition != rewind.partition);
                self.fetcher.seek(&rewind.partition, rewind.offset)?;
                self.positions.insert(rewind.partition.clone(), rewind.offset);
                self.generations.insert(rewind.partition, rewind.generation);
            }
        }
        Ok(())
    }

    /// Pauses or resumes all partitions, if that is a change.
    fn hold(&mut self, is_held: bool) {
        if is_held == self.is_held {
            return;
        }
        self.is_held = is_held;
        if is_held {
            self.fetcher.pause_all();
        } else {
            self.fetcher.resume_all();
        }
    }

    /// `false` if the pipeline is gone.
    fn deliver(&mut self, polled: Polled, ends: Option<&Offsets>, output: &Sender<Fetched>) -> bool {
        let Polled { raw, generation } = polled;
        // Fetched before the partition was assigned anew: it comes again, and says nothing of how far the new start has read.
        if self.generations.get(&raw.origin.partition).is_some_and(|current| *current > generation) {
            return true;
        }
        let Some(raw) = self.up_to_the_end(raw, ends) else { return true };
        self.progress.rows_in.fetch_add(raw.len() as u64, Ordering::Relaxed);
        self.progress.bytes_in.fetch_add(raw.bytes() as u64, Ordering::Relaxed);
        self.positions.insert(raw.origin.partition.clone(), raw.origin.range.end);
        let batch = FetchedBatch {
            generation,
            _reservation: self.budget.reserve(raw.bytes() + raw.len() * ROW_OVERHEAD),
            raw: Arc::new(raw),
        };
        self.send(output, Fetched::Batch(batch))
    }

    /// Sends in order. While the pipeline is full the group membership is kept up. `false` if the pipeline is gone.
    fn send(&mut self, output: &Sender<Fetched>, mut message: Fetched) -> bool {
        loop {
            match output.send_timeout(message, PATIENCE) {
                Ok(()) => return true,
                Err(SendTimeoutError::Disconnected(_)) => return false,
                Err(SendTimeoutError::Timeout(unsent)) => message = unsent,
            }
            self.hold(true);
            if let Err(error) = self.poll(Duration::ZERO) {
                warn!(task = %self.id, %error, "could not keep up the group membership while the sink waits");
            }
        }
    }

    /// The part of a batch before the end of a bounded input.
    fn up_to_the_end(&mut self, raw: RawBatch, ends: Option<&Offsets>) -> Option<RawBatch> {
        let Some(end) = ends.and_then(|ends| ends.get(&raw.origin.partition)) else { return Some(raw) };
        if raw.origin.range.end <= *end {
            return Some(raw);
        }
        let len = raw.origin.offsets.iter().take_while(|offset| **offset < *end).count();
        self.positions.insert(raw.origin.partition.clone(), *end);
        (len > 0).then(|| head(&raw, len, *end))
    }

    fn ends(&self) -> Result<Option<Offsets>> {
        let Some(bounded) = &self.bounded else { return Ok(None) };
        let committer = self.fetcher.committer();
        let assignment = self.fetcher.assignment();
        bounded.of(&assignment, |partitions| committer.end_offsets(partitions)).map(Some)
    }

    /// Whether a bounded task has read everything of its assignment.
    fn is_at_end(&self, ends: &Offsets) -> bool {
        if !self.assignment.is_joined() || !self.held_back.is_empty() {
            return false;
        }
        let is_idle = !self.is_held && self.last_batch.elapsed() >= IDLE;
        let is_read = |(partition, end): (&TopicPartition, &i64)| {
            self.positions
                .get(partition)
                .is_some_and(|position| position >= end || (is_idle && self.is_drained(partition, *position, *end)))
        };
        if !ends.iter().all(is_read) {
            return false;
        }
        let read = self.progress.rows_in.load(Ordering::Relaxed);
        info!(task = %self.id, partitions = ends.len(), rows = read, "end of the bounded input");
        true
    }

    /// Whether nothing but transaction markers and the like is left before the end; not, where that cannot be told now.
    fn is_drained(&self, partition: &TopicPartition, position: i64, end: i64) -> bool {
        self.fetcher.committer().is_drained(partition, position, end).unwrap_or_else(|error| {
            warn!(task = %self.id, %partition, %error, "could not look for the end of the partition, trying again");
            false
        })
    }

    fn update_lag(&mut self) {
        if Instant::now() < self.next_lag {
            return;
        }
        let is_idle = self.last_batch.elapsed() >= IDLE && self.progress.lag.load(Ordering::Relaxed) == 0;
        self.next_lag = Instant::now() + if is_idle { IDLE_LAG_INTERVAL } else { LAG_INTERVAL };
        let assignment = self.fetcher.assignment();
        // unknown for now, known again at the next try
        let Ok(ends) = self.fetcher.committer().end_offsets(&assignment) else { return };
        let behind = |(partition, end): (&TopicPartition, &i64)| {
            self.positions.get(partition).map_or(0, |position| (end - position).max(0))
        };
        self.progress.lag.store(ends.iter().map(behind).sum(), Ordering::Relaxed);
    }
}

/// A batch with the generation that its partition had when it was fetched.
pub(crate) struct Polled {
    raw: RawBatch,
    generation: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Stop,
    Bounded,
    Disconnected,
}

/// The first `len` messages of a batch that covers everything up to `end`.
pub(crate) fn head(raw: &RawBatch, len: usize, end: i64) -> RawBatch {
    let origin = Origin {
        partition: raw.origin.partition.clone(),
        range: OffsetRange { first: raw.origin.range.first, end },
        offsets: raw.origin.offsets.slice(0, len),
        timestamps: raw.origin.timestamps.slice(0, len),
    };
    RawBatch {
        origin: Arc::new(origin),
        keys: raw.keys.slice(0, len),
        values: raw.values.slice(0, len),
        headers: raw.headers.as_ref().map(|headers| Arc::new(headers[..len].to_vec())),
    }
}

/// What the rebalance listener tells the fetch stage.
#[derive(Debug, Default)]
pub(crate) struct Assignment(Mutex<Started>);

#[derive(Debug, Default)]
struct Started {
    is_joined: bool,
    positions: Offsets,
    generations: HashMap<TopicPartition, u64>,
}

impl Assignment {
    fn started(&self, positions: &Offsets, generation: u64) {
        let mut started = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        started.is_joined = true;
        started.generations.extend(positions.keys().map(|partition| (partition.clone(), generation)));
        started.positions.extend(positions.iter().map(|(partition, offset)| (partition.clone(), *offset)));
    }

    fn is_joined(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_joined
    }

    fn take_started(&self, positions: &mut Offsets, generations: &mut HashMap<TopicPartition, u64>) {
        let mut started = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        positions.append(&mut started.positions);
        generations.extend(started.generations.drain());
    }
}

/// Passes rebalances on to the put stage. A revocation returns only when everything delivered is committed.
pub(crate) struct PipelineRebalances {
    pub(crate) id: ConnectorTaskId,
    pub(crate) output: Sender<Fetched>,
    pub(crate) revocation: Arc<Revocation>,
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) generations: Arc<Generations>,
}

impl RebalanceListener for PipelineRebalances {
    fn assigned(&self, positions: &Offsets) {
        let generation = self.generations.next();
        self.assignment.started(positions, generation);
        // the pipeline is gone only when the task ends anyway
        let _ = self.output.send(Fetched::Signal(Signal::Assigned(positions.clone(), generation)));
    }

    fn revoked(&self, partitions: &[TopicPartition]) {
        self.revocation.begins(partitions);
        let (done, is_done) = crossbeam_channel::bounded(1);
        if self.output.send(Fetched::Signal(Signal::Revoked(partitions.to_vec(), done))).is_err() {
            return;
        }
        if let Err(crossbeam_channel::RecvTimeoutError::Timeout) = is_done.recv_timeout(REVOCATION_TIMEOUT) {
            warn!(task = %self.id, "the sink did not flush in time for the rebalance");
        }
    }

    fn lost(&self, partitions: &[TopicPartition]) {
        self.revocation.begins(partitions);
        let _ = self.output.send(Fetched::Signal(Signal::Lost(partitions.to_vec())));
    }
}
