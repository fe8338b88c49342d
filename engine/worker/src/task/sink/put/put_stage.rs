//! The third stage of a sink task: put, flush, pre-commit, commit. It runs on a thread of its own and is the only one that calls
//! the `SinkTask`.
//!
//! ```text
//!  batches ──► put ──► rejected rows ─► error handler
//!  interval, revocation, stop ──► flush ─► dead letters acknowledged? ─► pre_commit ─► commit offsets
//! ```
//! How it delivers and commits is in `delivery`. The sink's requests (rewind, seek, pause, reject) are carried out after each of its calls.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use tracing::{info, warn};
use volley_api::{
    Error, LateRejection, OffsetMetadata, Offsets, RejectedRow, Result, SinkBatch, SinkContext, SinkTask, Stage,
    TopicPartition,
};

use super::delivery::Vouched;
use crate::connector_task_id::ConnectorTaskId;
use crate::memory_budget::Reservation;
use crate::task::control::{Control, Wanted};
use crate::task::errors::error_handler::{ErrorHandler, Input, reject_rows};
use crate::task::sink::pipeline::{Prepared, Rewind, Signal};
use crate::task::sink::put::gathering::{Gathering, Next, ToPut};
use crate::task::sink::put::put_positions::PutPositions;
use crate::task::sink::shared_state::SharedState;

/// Interval of `SinkTask::tick`.
const TICK: Duration = Duration::from_millis(100);
/// Interval of `SinkTask::tick` for a task that received nothing since the last tick and buffers nothing.
const IDLE_TICK: Duration = Duration::from_millis(500);
/// Wait before the same batch is put again. The task may ask for another.
const PUT_RETRY_DELAY: Duration = Duration::from_millis(100);
/// The longest one that counts, so that its end is a time that there is.
const LONGEST_RETRY_DELAY: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Commits offsets for the consumer group, with the text that is to stand beside them, and waits for the response.
pub(crate) type CommitOffsets = Box<dyn Fn(&Offsets, &OffsetMetadata) -> Result<()> + Send>;

/// The put stage.
pub(crate) struct PutStage {
    pub(super) shared: SharedState,
    pub(super) task: Box<dyn SinkTask>,
    pub(super) context: SinkContext,
    pub(super) commit_offsets: CommitOffsets,
    pub(super) errors: Arc<ErrorHandler>,
    pub(super) commit_interval: Duration,
    pub(super) next_commit: Instant,
    /// The share of the memory budget that the sink's buffers take.
    buffers: Reservation,
    pub(super) positions: PutPositions,
    /// Whether the task converts by itself, so that its batches are messages.
    takes_messages: bool,
    gathering: Gathering,
    /// Whether the task holds what its last call has not put.
    has_left: bool,
    /// Set once a flush or a pre-commit has failed for good. Later answers of `pre_commit` may cover lost records.
    pub(super) cannot_vouch: bool,
    /// What is committed once the task has closed the partitions that it gives up.
    pub(super) to_commit: Option<Vouched>,
}

/// How the stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Asked to stop.
    Stopped,
    /// Everything of a bounded connector is delivered and committed.
    Done,
}

impl PutStage {
    /// A stage that has put nothing yet. Offsets are committed every `commit_interval`.
    pub(crate) fn new(
        shared: SharedState,
        (task, context): (Box<dyn SinkTask>, SinkContext),
        commit_offsets: CommitOffsets,
        errors: Arc<ErrorHandler>,
        commit_interval: Duration,
    ) -> Self {
        let buffers = shared.budget.reserve(0);
        Self {
            shared,
            takes_messages: context.own_chain().is_some(),
            gathering: Gathering::up_to(context.own_chain().map_or(0, |chain| chain.max_poll_records)),
            task,
            context,
            commit_offsets,
            errors,
            commit_interval,
            next_commit: Instant::now() + commit_interval,
            buffers,
            positions: PutPositions::default(),
            has_left: false,
            cannot_vouch: false,
            to_commit: None,
        }
    }

    /// Runs until a stop, the end of a bounded connector, or an error. Commits everything that can be committed before it
    /// returns.
    pub(crate) fn run(&mut self, input: &Receiver<Prepared>) -> Result<Outcome> {
        let outcome = self.serve(input);
        if let Err(error) = &outcome {
            self.commit_before_failure(error);
        }
        let left = self.positions.partitions();
        if !left.is_empty()
            && let Err(error) = self.close(&left)
        {
            warn!(task = %self.shared.id, %error, "could not close partitions");
        }
        outcome
    }

    /// Ends the task. Called once, after `run`.
    pub(crate) fn stop_task(&mut self) {
        self.task.stop();
    }

    fn serve(&mut self, input: &Receiver<Prepared>) -> Result<Outcome> {
        let mut next_tick = Instant::now() + TICK;
        self.next_commit = Instant::now() + self.commit_interval;
        let mut is_idle = true;
        while !self.shared.control.is_abandoned() {
            match self.gathering.next(input, next_tick) {
                Ok(Next::Batches(batches)) if self.is_interrupted() => self.give_back_all(&batches)?,
                Ok(Next::Batches(batches)) => {
                    self.announce_next(input);
                    self.put(batches)?;
                    if is_idle {
                        next_tick = next_tick.min(Instant::now() + TICK);
                    }
                    is_idle = false;
                }
                Ok(Next::Signal(Signal::Stop)) => return self.stop(),
                Ok(Next::Signal(Signal::Done)) => return Ok(Outcome::Done),
                Ok(Next::Signal(signal)) => self.signal(signal)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.stop(),
            }
            let now = Instant::now();
            if now >= next_tick {
                self.tick()?;
                is_idle = is_idle && self.shared.metrics.buffered_bytes() == 0;
                next_tick = now + if is_idle { IDLE_TICK } else { TICK };
                is_idle = true;
            }
            self.commit_if_due()?;
        }
        // another task may have replaced it: nothing that it still holds counts
        Ok(Outcome::Stopped)
    }

    fn signal(&mut self, signal: Signal) -> Result<()> {
        match signal {
            Signal::Assigned(positions, generation) => self.assigned(&positions, generation),
            Signal::Revoked(partitions, done) => {
                let outcome = self.revoked(&partitions);
                self.shared.revocation.finished(&partitions);
                // the fetch stage may have given up waiting
                let _ = done.send(());
                outcome
            }
            Signal::Lost(partitions) => {
                self.shared.revocation.finished(&partitions);
                self.forget(&partitions)
            }
            Signal::Reached(reached) => {
                self.positions.reach(reached);
                Ok(())
            }
            Signal::Commit => self.commit(),
            Signal::EndOfInput(generations) => self.deliver_the_end(&generations),
            Signal::Failed(error) => Err(error),
            Signal::Stop | Signal::Done => Ok(()),
        }
    }

    fn assigned(&mut self, positions: &Offsets, generation: u64) -> Result<()> {
        if positions.is_empty() {
            return Ok(());
        }
        info!(task = %self.shared.id, partitions = positions.len(), "partitions assigned");
        let mut assignment = self.positions.partitions();
        assignment.extend(positions.keys().filter(|partition| !self.positions.contains(partition)).cloned());
        assignment.sort_unstable();
        self.context.requests().set_assignment(assignment);
        retried(&self.shared.control, &self.shared.id, || self.task.open(positions))?;
        self.positions.open(positions, generation);
        self.count_positions();
        self.carry_out_requests()
    }

    fn revoked(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        info!(task = %self.shared.id, partitions = partitions.len(), "partitions revoked");
        let deadline = Instant::now() + Duration::from_secs(5);
        self.deliver(partitions, deadline)?;
        self.forget(partitions)
    }

    fn forget(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.close(partitions)?;
        self.positions.forget(partitions);
        self.count_positions();
        self.shared.pauses.forget(partitions);
        self.context.requests().set_assignment(self.positions.partitions());
        // a seek that `close` has asked for must not wait until the partition comes back: others move on meanwhile
        self.carry_out_requests()
    }

    /// Tells a task that converts by itself what it can convert while it puts.
    fn announce_next(&mut self, input: &Receiver<Prepared>) {
        if self.takes_messages
            && let Some(next) = self.gathering.look_ahead(input)
        {
            self.task.announce(&next.iter().map(|one| one.batch.clone()).collect::<Vec<_>>());
        }
    }

    /// Puts batches with one call. Repeats it while the task answers `Retriable`. Drops those whose partition is paused: they are
    /// read again after the resume.
    fn put(&mut self, mut batches: Vec<ToPut>) -> Result<()> {
        let mut waits = false;
        loop {
            batches.retain(|one| self.is_wanted(one));
            if batches.is_empty() || self.shared.control.is_abandoned() {
                return self.withdraw();
            }
            let since = Instant::now();
            let outcome = self.watched(|task| put_once(task, &batches));
            let took = since.elapsed();
            self.shared.metrics.called(took);
            match outcome {
                Ok(_) if self.shared.control.is_abandoned() => return Ok(()),
                Ok(rejected) => {
                    let mut left = batches.split_off(rejected.len().min(batches.len()));
                    for (one, rejected) in batches.iter().zip(rejected) {
                        let messages = one.batch.raw.len().saturating_sub(rejected.len());
                        let rows = if self.takes_messages { messages } else { one.batch.rows() };
                        self.errors.handle(Input::Consumed(&one.fetched.raw), rejected).map_err(unrecoverable)?;
                        self.delivered(&one.batch, rows);
                    }
                    // a time-out is for a failed put only
                    self.context.requests().take_timeout();
                    self.has_left = !left.is_empty();
                    if self.is_interrupted() {
                        self.give_back_all(&left)?;
                        left.clear();
                    }
                    self.gathering.called(took, left);
                    return self.carry_out_requests();
                }
                Err(error) if error.is_retriable() => {
                    if !waits {
                        warn!(task = %self.shared.id, %error, "the sink cannot take records now, trying again");
                    }
                    waits = true;
                    self.has_left = true;
                }
                Err(error) => return Err(unrecoverable(error)),
            }
            self.carry_out_requests()?;
            if !self.wait_to_retry()? {
                batches.iter().for_each(|one| self.give_back(one.batch.partition()));
                return self.withdraw();
            }
        }
    }

    fn is_wanted(&self, one: &ToPut) -> bool {
        let partition = one.batch.partition();
        !self.positions.is_stale(partition, one.fetched.generation) && !self.shared.pauses.contains(partition)
    }

    /// Calls the task, where it has a chain of its own under the eyes of the fetch stage: a plug-in may never return.
    pub(super) fn watched<T>(&mut self, call: impl FnOnce(&mut dyn SinkTask) -> T) -> T {
        let _watched = self.takes_messages.then(|| self.shared.calls.begin());
        call(&mut *self.task)
    }

    /// Waits before a batch is put again: as long as the task wants, and one with a chain of its own up to the next commit, as in
    /// Kafka. Returns `false` if a stop or a revocation comes first.
    fn wait_to_retry(&mut self) -> Result<bool> {
        let wanted = self.context.requests().take_timeout().map(|wait| wait.min(LONGEST_RETRY_DELAY));
        self.commit_if_due()?;
        let now = Instant::now();
        let until = match self.takes_messages {
            true => wanted.map_or(self.next_commit, |wait| self.next_commit.min(now + wait)),
            false => now + wanted.unwrap_or(PUT_RETRY_DELAY),
        };
        loop {
            if self.is_called_away() {
                return Ok(false);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.shared.control.is_abandoned() {
                return Ok(true);
            }
            self.shared.control.wait(left.min(PUT_RETRY_DELAY));
            self.tick()?;
            self.commit_if_due()?;
        }
    }

    /// Whether something else is to be done than to put what is at hand.
    fn is_called_away(&self) -> bool {
        self.shared.control.is_stopping() || self.shared.revocation.is_under_way()
    }

    /// Whether batches that wait for a plug-in are to wait in Kafka instead, as many of them may be here, and each may take long.
    fn is_interrupted(&self) -> bool {
        self.takes_messages && (self.is_called_away() || self.shared.control.wanted() == Wanted::Paused)
    }

    fn give_back_all(&mut self, batches: &[ToPut]) -> Result<()> {
        // a task that stops reads nothing again
        if !self.shared.control.is_stopping() {
            for one in batches {
                if self.is_wanted(one) {
                    self.give_back(one.batch.partition());
                }
            }
        }
        self.withdraw()
    }

    /// Tells the task that it is not asked again for what it has left.
    fn withdraw(&mut self) -> Result<()> {
        if std::mem::take(&mut self.has_left) && !self.shared.control.is_abandoned() {
            self.task.withdrawn().map_err(unrecoverable)?;
        }
        Ok(())
    }

    /// Drops a batch that the sink does not take, and has its partition read again from there. Later batches of the partition
    /// are dropped too, or there would be a gap. This is also needed if another partition is revoked: the signal of the
    /// revocation waits behind the batch.
    fn give_back(&mut self, partition: &TopicPartition) {
        self.read_again(partition.clone(), None);
    }

    fn delivered(&mut self, batch: &SinkBatch, rows: usize) {
        self.shared.metrics.rows_out(rows);
        self.positions.put(batch.partition(), batch.origin().range.end);
        self.count_positions();
    }

    pub(super) fn count_positions(&self) {
        self.shared.metrics.partitions(self.positions.len());
        self.shared.metrics.active(self.positions.uncommitted_offsets());
    }

    /// Carries out the requests of the task.
    pub(super) fn carry_out_requests(&mut self) -> Result<()> {
        for (partition, offset) in self.context.requests().take_rewinds() {
            self.read_again(partition, Some(offset));
        }
        self.seek()?;
        for (partition, paused) in self.context.requests().take_pauses() {
            if self.positions.contains(&partition) && self.shared.pauses.set(&partition, paused) {
                // batches in the pipeline are dropped, and read again after the resume
                self.read_again(partition, None);
            }
        }
        self.handle_late_rejections()?;
        let outcome = self.errors.check_reports();
        self.vouched_for(outcome)
    }

    /// Goes where the task wants to go on.
    fn seek(&mut self) -> Result<()> {
        let (to_committed, seeks) = self.context.requests().take_seeks();
        let everywhere = if to_committed { self.positions.partitions() } else { Vec::new() };
        for partition in everywhere {
            let generation = self.shared.generations.next();
            let place = self.positions.seek_to_committed(&partition, generation);
            self.read_from(partition, place, generation);
        }
        for (partition, offset) in seeks {
            if offset < 0 {
                return Err(unrecoverable(Error::fatal(format!(
                    "the task wants to go on at offset {offset} of {partition}, and there is none below 0"
                ))));
            }
            let generation = self.shared.generations.next();
            let place = self.positions.seek(&partition, offset, generation);
            self.read_from(partition, place, generation);
        }
        Ok(())
    }

    /// Reports rows that were found bad after they were put. If such a row may not be skipped, nothing more is committed: the
    /// task counts the row as delivered.
    fn handle_late_rejections(&mut self) -> Result<()> {
        if self.shared.control.is_abandoned() {
            return Ok(());
        }
        for LateRejection { batch, row, error } in self.context.requests().take_rejections() {
            let rejected = reject_rows([row], Stage::TaskPut, "", &error);
            let outcome = self.errors.handle(Input::Consumed(&batch), rejected);
            self.vouched_for(outcome)?;
        }
        Ok(())
    }

    /// Has a partition read again from `offset`, or from the end of the last put.
    fn read_again(&mut self, partition: TopicPartition, offset: Option<i64>) {
        let generation = self.shared.generations.next();
        let place = self.positions.rewind(&partition, offset, generation);
        self.read_from(partition, place, generation);
    }

    /// Has a partition read from an offset, unless it is not assigned. `place`: the offset, and the generation that this ends.
    fn read_from(&self, partition: TopicPartition, place: Option<(i64, u64)>, generation: u64) {
        let Some((offset, replaces)) = place else { return };
        info!(task = %self.shared.id, %partition, offset, "reading the partition from this offset");
        self.shared.rewinds.push(Rewind { partition, offset, replaces, generation });
    }

    pub(super) fn tick(&mut self) -> Result<()> {
        let outcome = self.watched(|task| task.tick());
        tolerate_retriable(&self.shared.id, outcome).map_err(unrecoverable)?;
        if self.shared.budget.is_exhausted() {
            tolerate_retriable(&self.shared.id, self.task.relieve()).map_err(unrecoverable)?;
        }
        let buffered = self.task.buffered_bytes();
        self.buffers.resize(buffered);
        self.shared.metrics.set_buffered_bytes(buffered);
        self.carry_out_requests()
    }

    fn stop(&mut self) -> Result<Outcome> {
        let partitions = self.positions.partitions();
        let deadline = match self.shared.control.wanted() {
            Wanted::Stopped { deadline } => deadline,
            _ => Instant::now(),
        };
        self.deliver(&partitions, deadline)?;
        Ok(Outcome::Stopped)
    }
}

/// What the task rejects of each batch.
fn put_once(task: &mut dyn SinkTask, batches: &[ToPut]) -> Result<Vec<Vec<RejectedRow>>> {
    match batches {
        [one] => Ok(vec![task.put(&one.batch)?]),
        several => task.put_together(&several.iter().map(|one| one.batch.clone()).collect::<Vec<_>>()),
    }
}

/// Kafka Connect's error for a sink that cannot continue.
pub(crate) fn unrecoverable(error: Error) -> Error {
    Error::new(error.kind(), "Exiting WorkerSinkTask due to unrecoverable exception.")
        .with_exception("org.apache.kafka.connect.errors.ConnectException")
        .with_source(error)
}

/// Calls `operation` until it succeeds, fails for good, or the task is to stop.
fn retried(control: &Control, id: &ConnectorTaskId, mut operation: impl FnMut() -> Result<()>) -> Result<()> {
    loop {
        match operation() {
            Err(error) if error.is_retriable() && !control.is_stopping() => {
                warn!(task = %id, %error, "trying again");
                control.wait(Duration::from_secs(1));
            }
            outcome => return outcome,
        }
    }
}

pub(super) fn tolerate_retriable(id: &ConnectorTaskId, outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(error) if error.is_retriable() => {
            tracing::debug!(task = %id, %error, "trying again later");
            Ok(())
        }
        outcome => outcome,
    }
}
