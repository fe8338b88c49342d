//! The first stage of a sink task: it consumes, within the memory budget, up to the end of a bounded input. It runs on the task's
//! own thread and is the only one that uses the consumer.
//!
//! ```text
//!  Fetcher ─ RawBatch ─► reserve memory ─► held_back ─► convert stage
//!     ▲                                        │ pipeline full, or budget used up: pause
//!     └── rewinds and pauses of the put stage ◄┘
//! ```

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::SendTimeoutError;
use tracing::{info, warn};
use volley_api::{Offsets, RawBatch, Result, TopicPartition};
use volley_kafka::Fetcher;

use crate::connector_task_id::ConnectorTaskId;
use crate::memory_budget::Reservation;
use crate::task::TaskState;
use crate::task::control::Wanted;
use crate::task::sink::BoundedRun;
use crate::task::sink::bounded::absent_partitions::AbsentPartitions;
use crate::task::sink::converting::Converting;
use crate::task::sink::downstream::Downstream;
use crate::task::sink::pipeline::{Fetched, FetchedBatch, Signal};
use crate::task::sink::read_positions::{ReadPositions, Unread};
use crate::task::sink::shared_state::SharedState;

/// Longest wait of one poll. The desired state of the task is checked between two polls.
const POLL: Duration = Duration::from_millis(100);
/// Longest wait of one poll of an idle or paused task.
const IDLE_POLL: Duration = Duration::from_millis(250);
/// Longest wait of one poll while the pipeline is full or the budget is used up.
const HELD_POLL: Duration = Duration::from_millis(5);
/// Longest wait of one poll at the end, while the put stage commits.
const LAST_POLL: Duration = Duration::from_millis(10);
/// How long after its deadline a stopping task stays in the group. The put stage may be committing, and its commit may wait
/// until other members have joined. Leaving the group ends that wait.
const LAST_COMMIT: Duration = Duration::from_millis(250);
/// Time that a pipeline may be full before partitions are paused. A pause drops the messages that librdkafka has prefetched.
const FULL_LIMIT: Duration = Duration::from_secs(5);
/// Waits of a bounded task that has read everything, before it asks the put stage again to deliver. They grow.
const FIRST_REQUEST: Duration = Duration::from_millis(2);
const LONGEST_REQUEST: Duration = Duration::from_millis(250);
/// Interval at which such a task requests the committed offsets of the other tasks.
const OTHERS_INTERVAL: Duration = Duration::from_secs(1);
/// Bytes that a row occupies in memory beside its key and value, roughly.
const ROW_OVERHEAD: usize = 32;
/// After this long without a batch a bounded task checks whether it is at the end.
const IDLE: Duration = Duration::from_secs(1);
/// Interval at which the lag is computed, and the same for an idle task without lag. The broker is asked each time.
const LAG_INTERVAL: Duration = Duration::from_secs(2);
const IDLE_LAG_INTERVAL: Duration = Duration::from_secs(15);
/// Interval at which a bounded task notes how far it is.
const NOTE_INTERVAL: Duration = Duration::from_millis(100);

/// Interval at which positions behind the last records are sent to the put stage.
const REACH_INTERVAL: Duration = Duration::from_secs(1);

/// The fetch stage.
pub(crate) struct FetchStage {
    shared: SharedState,
    fetcher: Fetcher,
    downstream: Downstream,
    read: ReadPositions,
    /// Batches fetched and not yet passed on, in order.
    held_back: VecDeque<Polled>,
    /// The share of the memory budget that the fetcher's buffers take.
    unread: Reservation,
    /// Partitions that the sink has paused, and that are paused in the fetcher.
    paused: BTreeSet<TopicPartition>,
    is_held: bool,
    is_paused: bool,
    /// Set while a bounded task has read everything of its assignment.
    at_end: Option<AtEnd>,
    /// Partitions of other tasks that the cluster does not have any more.
    absent: AbsentPartitions,
    next_lag: Instant,
    next_note: Instant,
    next_reach: Instant,
    last_batch: Instant,
    /// The call of the put stage that was under way at the last poll.
    last_call: Option<u64>,
}

impl FetchStage {
    /// A stage that has fetched nothing yet.
    pub(crate) fn new(shared: SharedState, fetcher: Fetcher, downstream: Downstream) -> Self {
        let now = Instant::now();
        Self {
            unread: shared.budget.reserve_unread(),
            shared,
            fetcher,
            downstream,
            read: ReadPositions::default(),
            held_back: VecDeque::new(),
            paused: BTreeSet::new(),
            is_held: false,
            is_paused: false,
            at_end: None,
            absent: AbsentPartitions::default(),
            next_lag: now,
            next_note: now,
            next_reach: now,
            last_batch: now,
            last_call: None,
        }
    }

    /// Runs until a stop, until everything of a bounded connector is delivered, or until a later stage is gone. Keeps its
    /// place in the group until the put stage has ended, since that commits last, or is given up.
    pub(crate) fn run(&mut self, output: Converting) -> Result<()> {
        let outcome = self.serve(&output);
        let last = match &outcome {
            Ok(End::Stop) => Some(Signal::Stop),
            Ok(End::Done) => Some(Signal::Done),
            // the put stage may still commit what was put before another stage failed
            Ok(End::Disconnected) => None,
            Err(error) => Some(Signal::Failed(error.clone())),
        };
        if let Some(signal) = last {
            self.send(&output, Fetched::Signal(signal));
        }
        drop(output);
        outcome.map(|_| ()).and(self.keep_place())
    }

    /// Keeps the place in the group while the put stage is there, and in time. After an error only the connection is kept: the
    /// put stage still commits.
    fn keep_place(&mut self) -> Result<()> {
        self.fetcher.pause_all();
        let mut kept = Ok(());
        while !self.downstream.is_gone() && !self.is_overdue() {
            match &kept {
                Ok(()) => kept = self.fetcher.poll(LAST_POLL).map(drop),
                Err(_) => std::thread::sleep(LAST_POLL),
            }
        }
        kept
    }

    fn is_overdue(&self) -> bool {
        matches!(self.shared.control.wanted(), Wanted::Stopped { deadline } if Instant::now() >= deadline + LAST_COMMIT)
    }

    fn serve(&mut self, output: &Converting) -> Result<End> {
        loop {
            match self.shared.control.wanted() {
                Wanted::Stopped { .. } => return Ok(End::Stop),
                Wanted::Paused if !self.is_paused => {
                    self.is_paused = true;
                    self.send(output, Fetched::Signal(Signal::Commit));
                    self.shared.control.report(TaskState::Paused);
                }
                Wanted::Running if self.is_paused => {
                    self.is_paused = false;
                    self.shared.control.report(TaskState::Running);
                }
                _ => {}
            }
            self.pause()?;
            self.rewind()?;
            // batches that are held back go first, or they would grow without bound
            let is_full = self.shared.budget.is_exhausted() || !self.held_back.is_empty();
            self.hold(self.is_paused || is_full || self.at_end.is_some());
            self.poll(self.longest_poll())?;
            let ends = match self.ends() {
                // nothing can be said of where the new partitions end: they have to wait
                Err(error) if error.is_retriable() => continue,
                ends => ends?,
            };
            while let Some(polled) = self.held_back.pop_front() {
                if !self.deliver(polled, ends.as_deref(), output) {
                    return Ok(End::Disconnected);
                }
            }
            if self.downstream.is_gone() {
                return Ok(End::Disconnected);
            }
            self.reach(ends.as_deref(), output);
            if Instant::now() >= self.next_note {
                self.note_positions();
            }
            if ends.is_some_and(|ends| self.is_done(&ends, output)) {
                return Ok(End::Done);
            }
            self.update_lag();
        }
    }

    /// Tells the put stage how far partitions were read behind their last records. All that was polled has been passed on.
    fn reach(&mut self, ends: Option<&Offsets>, output: &Converting) {
        if Instant::now() < self.next_reach || (self.shared.bounded.is_some() && ends.is_none()) {
            return;
        }
        self.next_reach = Instant::now() + REACH_INTERVAL;
        let reached = self.read.reach(self.fetcher.positions(), ends);
        if !reached.is_empty() {
            self.send(output, Fetched::Signal(Signal::Reached(reached)));
        }
    }

    fn longest_poll(&self) -> Duration {
        let is_idle = self.last_batch.elapsed() >= IDLE && self.shared.bounded.is_none();
        match self.is_held {
            true if self.at_end.as_ref().is_some_and(|at_end| at_end.is_delivered) => POLL,
            true if self.is_paused && self.held_back.is_empty() => IDLE_POLL,
            true => HELD_POLL,
            false if is_idle => IDLE_POLL,
            false => POLL,
        }
    }

    /// Takes the fetched batches, each with the current generation of its partition.
    fn poll(&mut self, max_wait: Duration) -> Result<()> {
        // in Kafka a task does not poll while it calls its plug-in, and after `max.poll.interval.ms` others get its partitions
        let call = self.shared.calls.under_way();
        self.fetcher.held_up(call.is_some() && call == self.last_call);
        self.last_call = call;
        let polled = self.fetcher.poll(max_wait)?;
        self.count_unread();
        if self.shared.assignment.take_started(&mut self.read) {
            self.note_positions();
        }
        if !polled.is_empty() {
            self.last_batch = Instant::now();
        }
        for raw in polled {
            let generation = self.read.generation(&raw.origin.partition);
            self.held_back.push_back(Polled { raw, generation });
        }
        Ok(())
    }

    /// Counts what the fetcher holds, and has it ask for less while memory is scarce.
    fn count_unread(&mut self) {
        self.unread.resize(self.fetcher.buffered_bytes());
        self.fetcher.be_sparing(self.shared.budget.is_scarce());
    }

    /// Tells a bounded run how far it is.
    fn note_positions(&mut self) {
        self.next_note = Instant::now() + NOTE_INTERVAL;
        let Some(bounded) = &self.shared.bounded else { return };
        let position = |partition: TopicPartition| Some((partition.clone(), self.read.position(&partition)?));
        bounded.reached(self.fetcher.assignment().into_iter().filter_map(position));
    }

    /// Pauses and resumes partitions as the task has asked for.
    fn pause(&mut self) -> Result<()> {
        let Some(wanted) = self.shared.pauses.take_changed() else { return Ok(()) };
        let only_in = |one: &BTreeSet<TopicPartition>, other| one.difference(other).cloned().collect::<Vec<_>>();
        self.fetcher.pause(&only_in(&wanted, &self.paused))?;
        self.fetcher.resume(&only_in(&self.paused, &wanted))?;
        self.paused = wanted;
        Ok(())
    }

    fn rewind(&mut self) -> Result<()> {
        for rewind in self.shared.rewinds.take() {
            if self.read.awaits(&rewind) && self.fetcher.assignment().contains(&rewind.partition) {
                self.held_back.retain(|polled| polled.raw.origin.partition != rewind.partition);
                self.fetcher.seek(&rewind.partition, rewind.offset)?;
                self.read.rewind(rewind);
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
    fn deliver(&mut self, polled: Polled, ends: Option<&Offsets>, output: &Converting) -> bool {
        let Polled { raw, generation } = polled;
        let Some(raw) = self.read.accept(raw, generation, ends) else { return true };
        self.shared.metrics.batch_in(raw.len());
        self.shared.metrics.bytes(raw.bytes() as u64);
        let batch = FetchedBatch {
            generation,
            _reservation: self.shared.budget.reserve(raw.bytes() + raw.len() * ROW_OVERHEAD),
            raw: Arc::new(raw),
        };
        self.send(output, Fetched::Batch(batch))
    }

    /// Sends in order. While the pipeline is full the group membership is kept up. `false` if the pipeline is gone.
    fn send(&mut self, output: &Converting, mut message: Fetched) -> bool {
        let mut pause_at = Instant::now() + FULL_LIMIT;
        loop {
            match output.send_timeout(message, POLL) {
                Ok(()) => return true,
                Err(SendTimeoutError::Disconnected(_)) => return false,
                Err(SendTimeoutError::Timeout(unsent)) => message = unsent,
            }
            self.count_unread();
            if self.downstream.is_gone() {
                return false;
            }
            if Instant::now() < pause_at {
                continue;
            }
            pause_at = Instant::now() + FULL_LIMIT;
            self.hold(true);
            if let Err(error) = self.poll(Duration::ZERO) {
                warn!(task = %self.shared.id, %error, "could not keep up the group membership while the sink waits");
            }
        }
    }

    fn ends(&self) -> Result<Option<Arc<Offsets>>> {
        let Some(bounded) = &self.shared.bounded else { return Ok(None) };
        if !self.shared.assignment.is_joined() {
            return Ok(None);
        }
        let committer = self.fetcher.committer();
        let subscribed = || self.fetcher.subscribed_partitions();
        let assigned = self.fetcher.assignment();
        bounded
            .including(&assigned, subscribed, |partitions| committer.place_offsets(partitions, bounded.end_place()))
            .map(Some)
    }

    /// Whether everything of a bounded connector is delivered, by this task and by all others. Has delivered what this one
    /// has read to the end; until the others are done too, it may still get partitions of theirs.
    fn is_done(&mut self, ends: &Offsets, output: &Converting) -> bool {
        let Some(bounded) = self.shared.bounded.clone() else { return false };
        let assigned = self.fetcher.assignment();
        if !self.is_read(&assigned, ends) {
            self.at_end = None;
            return false;
        }
        let mut at_end = self.at_end.take().unwrap_or_else(|| AtEnd::now(&self.shared.id, assigned.len()));
        at_end.is_delivered = self.shared.deliveries.include(&assigned, self.read.generations());
        let now = Instant::now();
        let mut is_done = false;
        if !at_end.is_delivered {
            if now >= at_end.next_request {
                at_end.requested();
                self.send(output, Fetched::Signal(Signal::EndOfInput(self.read.generations().clone())));
            }
        } else if bounded.undelivered().is_empty() {
            is_done = true;
        } else if now >= at_end.next_look {
            let is_moving = self.look_at_others(&bounded);
            at_end.next_look = Instant::now() + if is_moving { Duration::ZERO } else { OTHERS_INTERVAL };
        }
        self.at_end = Some(at_end);
        if is_done {
            let rows = self.shared.metrics.rows_in();
            if ends.is_empty() {
                warn!(task = %self.shared.id, "no topic of the bounded input exists, there was nothing to deliver");
            }
            info!(task = %self.shared.id, rows, "the bounded input is delivered");
        }
        is_done
    }

    /// Whether this task has read everything of its assignment.
    fn is_read(&mut self, assigned: &[TopicPartition], ends: &Offsets) -> bool {
        if !self.held_back.is_empty() {
            return false;
        }
        let is_idle = !self.is_held && self.last_batch.elapsed() >= IDLE;
        match self.read.unread(assigned, ends) {
            Unread::Nothing => return true,
            // one such question takes a while: between two of them the group and what is wanted of the task are looked at
            Unread::Rest { partition, position, end } if is_idle && self.is_drained(&partition, position, end) => {
                self.read.skip_to(&partition, end);
            }
            Unread::Rest { .. } | Unread::Unknown => {}
        }
        false
    }

    /// Looks which partitions of other tasks are delivered, in this worker or another: of these, nothing would be left for
    /// a task that got them now. Returns whether it should look again at once.
    fn look_at_others(&mut self, bounded: &BoundedRun) -> bool {
        self.look_at_undelivered(bounded).unwrap_or_else(|error| {
            warn!(task = %self.shared.id, %error, "could not look how far the other tasks are, trying again");
            false
        })
    }

    fn look_at_undelivered(&mut self, bounded: &BoundedRun) -> Result<bool> {
        let undelivered = bounded.undelivered();
        let mut partitions: Vec<_> = undelivered.keys().cloned().collect();
        let topics: BTreeSet<&str> = undelivered.keys().map(|partition| &*partition.topic).collect();
        let existing = self.fetcher.existing_partitions(topics)?.into_iter().collect();
        let gone = self.absent.observe(&partitions, &existing, Instant::now());
        for partition in &gone {
            warn!(task = %self.shared.id, %partition, "the partition is gone, its topic was deleted: its end is not waited for");
        }
        bounded.deliver(gone);
        // one question about an absent partition would leave those about all others without an answer
        partitions.retain(|partition| !self.absent.contains(partition));
        let positions = self.fetcher.start_positions(&partitions)?;
        let is_left = |(partition, position): &(TopicPartition, i64)| *position < undelivered[partition];
        let (left, delivered): (Vec<_>, Vec<_>) = positions.into_iter().partition(is_left);
        bounded.deliver(delivered.into_iter().map(|(partition, _)| partition));
        // all have to be: where one is not, the rest need not be asked for
        let Some((partition, position)) = left.into_iter().next() else { return Ok(false) };
        let is_drained = self.is_drained(&partition, position, undelivered[&partition]);
        if is_drained {
            bounded.deliver([partition]);
        }
        Ok(is_drained)
    }

    /// Whether nothing but transaction markers and the like is left before the end; not, where that cannot be told now.
    fn is_drained(&self, partition: &TopicPartition, position: i64, end: i64) -> bool {
        self.fetcher.committer().is_drained(partition, position, end).unwrap_or_else(|error| {
            warn!(task = %self.shared.id, %partition, %error, "could not look for the end of the partition, trying again");
            false
        })
    }

    fn update_lag(&mut self) {
        if Instant::now() < self.next_lag {
            return;
        }
        let is_idle = self.last_batch.elapsed() >= IDLE && self.shared.metrics.lag() == Some(0);
        self.next_lag = Instant::now() + if is_idle { IDLE_LAG_INTERVAL } else { LAG_INTERVAL };
        let assignment = self.fetcher.assignment();
        // unknown for now, known again at the next try
        let Ok(ends) = self.fetcher.committer().end_offsets(&assignment) else { return };
        let behind = |(partition, end): (&TopicPartition, &i64)| {
            self.read.position(partition).map_or(0, |position| u64::try_from(end - position).unwrap_or_default())
        };
        self.shared.metrics.set_lag(ends.iter().map(behind).sum());
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
    Done,
    Disconnected,
}

/// A bounded task that has read everything.
#[derive(Debug)]
pub(crate) struct AtEnd {
    is_delivered: bool,
    next_request: Instant,
    request_wait: Duration,
    next_look: Instant,
}

impl AtEnd {
    fn now(id: &ConnectorTaskId, partitions: usize) -> Self {
        info!(task = %id, partitions, "end of the bounded input");
        let now = Instant::now();
        Self { is_delivered: false, next_request: now, request_wait: FIRST_REQUEST, next_look: now + OTHERS_INTERVAL }
    }

    fn requested(&mut self) {
        self.next_request = Instant::now() + self.request_wait;
        self.request_wait = (self.request_wait * 2).min(LONGEST_REQUEST);
    }
}
