//! The second stage of a source task: records to bytes, to Kafka, and the offsets of what is acknowledged to the store.
//!
//! It starts with the first batch, so that a task that has nothing to deliver has neither this thread nor a producer. See the
//! parent module for what its parts do; this file joins them:
//!
//! ```text
//!  serve:  batch ─► serialize ─► MessageSender ─┐
//!          nothing comes ─► poll deliveries ────┤ until the input ends, or the task is to stop, or fails
//!          messages have come back ─► resend ───┘
//!  settle: wait for what is still in flight
//!  commit: once more, what has become committable
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, select};
use tracing::{info, warn};
use volley_api::{Records, Result};

use crate::connector_task_id::ConnectorTaskId;
use crate::metrics::TaskMetrics;
use crate::task::control::{Control, Wanted};
use crate::task::errors::error_handler::{ErrorHandler, Input};
use crate::task::source::polled_batch::PolledBatch;
use crate::task::source::produce::acknowledged_batches::AcknowledgedBatches;
use crate::task::source::produce::acknowledgements::BatchId;
use crate::task::source::produce::batch_part::BatchPart;
use crate::task::source::produce::delivery_tracker::DeliveryTracker;
use crate::task::source::produce::in_flight::InFlight;
use crate::task::source::produce::message_sender::MessageSender;
use crate::task::source::produce::offset_commits::OffsetCommits;
use crate::task::source::produce::outbox::{Outbox, ProducerFactory};
use crate::task::source::produce::record_serializer::{RecordSerializer, check_timestamps};
use crate::task::source::produce::topic_creator::TopicCreator;
use crate::task::source::produce::topics::Topics;
use crate::task::source::produce::transactions::{Boundary, Transactions};

/// Longest wait for acknowledgements while messages are in flight and no batch comes.
const ACKNOWLEDGEMENT_POLL: Duration = Duration::from_millis(20);
/// Time between two polls of a producer while nothing is in flight.
const IDLE_POLL: Duration = Duration::from_secs(5);

/// From the task's thread to this stage.
pub(crate) enum ToProduce {
    /// Records to be delivered.
    Batch(BatchToProduce),
    /// What came before ends here.
    Boundary(Boundary),
    /// Everything of a bounded source has been sent.
    Finished,
    /// The task has failed: nothing more follows.
    Failed,
}

/// What became of one polled batch.
pub(crate) struct BatchToProduce {
    /// The records, after the transformation chain.
    pub(crate) records: Vec<Records>,
    /// What they were made from.
    pub(crate) polled: Arc<PolledBatch>,
    /// Whether the batch was polled without records, to move the offset.
    pub(crate) only_moves_offset: bool,
}

/// What the produce stage works with.
pub(crate) struct ProduceStage {
    pub(crate) id: ConnectorTaskId,
    pub(crate) serializer: RecordSerializer,
    pub(crate) new_producer: ProducerFactory,
    /// `None`: topics are left to the broker.
    pub(crate) creator: Option<Arc<TopicCreator>>,
    pub(crate) commits: OffsetCommits,
    /// Set for a task that delivers exactly once. Then `new_producer` makes one producer and no more.
    pub(crate) transactions: Option<Transactions>,
    /// Set for a task that wants to know where its records are.
    pub(crate) acknowledged: Option<Arc<AcknowledgedBatches>>,
    pub(crate) errors: Arc<ErrorHandler>,
    pub(crate) control: Arc<Control>,
    pub(crate) metrics: Arc<TaskMetrics>,
    pub(crate) flush_timeout: Duration,
}

/// Why the stage has nothing more to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// A bounded source is at its end.
    Finished,
    /// The task stops.
    Cut,
    /// The task has failed elsewhere.
    Failed,
}

impl ProduceStage {
    /// Runs until the input ends and its messages are acknowledged. Returns whether everything was delivered and
    /// committed.
    ///
    /// # Errors
    /// What the task fails with. What can be committed has been.
    pub(crate) fn run(self, input: Receiver<ToProduce>) -> Result<bool> {
        let mut stage = RunningStage::new(self);
        let outcome = stage.serve(&input);
        // the task's thread learns by this that there is nobody to send to
        drop(input);
        stage.control.ring();
        if stage.sender.tracker.transactions.is_some() {
            return stage.end_transactions(outcome);
        }
        let settled = stage.settle(outcome.as_ref().copied().unwrap_or(End::Cut));
        let is_finished = settled.is_ok() && outcome.as_ref().is_ok_and(|end| *end == End::Finished);
        let is_committed = stage.sender.tracker.commit_finally(stage.flush_timeout, is_finished);
        outcome?;
        Ok(settled? && is_committed)
    }
}

/// The stage on its own thread.
struct RunningStage {
    serializer: RecordSerializer,
    sender: MessageSender,
    errors: Arc<ErrorHandler>,
    control: Arc<Control>,
    flush_timeout: Duration,
}

impl RunningStage {
    fn new(stage: ProduceStage) -> Self {
        let mut commits = stage.commits;
        commits.begin();
        let mut transactions = stage.transactions;
        transactions.iter_mut().for_each(Transactions::begin);
        let tracker = DeliveryTracker {
            id: stage.id.clone(),
            outbox: Outbox::new(stage.new_producer),
            topics: Topics::new(stage.id, stage.creator),
            in_flight: InFlight::new(stage.acknowledged.is_some()),
            commits,
            transactions,
            acknowledged: stage.acknowledged,
            errors: Arc::clone(&stage.errors),
            control: Arc::clone(&stage.control),
            metrics: stage.metrics,
        };
        Self {
            serializer: stage.serializer,
            sender: MessageSender { tracker },
            errors: stage.errors,
            control: stage.control,
            flush_timeout: stage.flush_timeout,
        }
    }

    fn serve(&mut self, input: &Receiver<ToProduce>) -> Result<End> {
        let changes = self.control.changes();
        loop {
            let wait = self.longest_wait();
            select! {
                recv(input) -> message => match message {
                    Ok(ToProduce::Batch(batch)) => {
                        if !self.produce(&batch)? {
                            return Ok(End::Cut);
                        }
                    }
                    Ok(ToProduce::Boundary(place)) => self.sender.tracker.on_boundary(place)?,
                    Ok(ToProduce::Finished) => return Ok(End::Finished),
                    Ok(ToProduce::Failed) => return Ok(End::Failed),
                    Err(_) => return Ok(End::Cut),
                },
                recv(self.sender.tracker.commits.outcomes()) -> outcome => {
                    // the sender is the committer's own
                    if let Ok(outcome) = outcome {
                        self.sender.tracker.on_commit_finished(outcome);
                    }
                }
                // looked at below
                recv(changes) -> _ => {}
                default(wait) => {}
            }
            if self.control.is_abandoned() {
                return Ok(End::Cut);
            }
            self.sender.tracker.poll_deliveries(Duration::ZERO)?;
            self.sender.tracker.end_transaction_in_time()?;
            if !self.sender.resend()? {
                return Ok(End::Cut);
            }
            self.close_idle_producer();
        }
    }

    /// How long nothing need be polled if nothing comes.
    fn longest_wait(&self) -> Duration {
        let tracker = &self.sender.tracker;
        if tracker.in_flight.outstanding() > 0 {
            return ACKNOWLEDGEMENT_POLL;
        }
        let until_commit = match &tracker.transactions {
            None => tracker.commits.until_next(),
            Some(transactions) => transactions.time_left().unwrap_or(IDLE_POLL),
        };
        let until_commit = until_commit.max(ACKNOWLEDGEMENT_POLL);
        if tracker.outbox.has_producer() { until_commit.min(IDLE_POLL) } else { until_commit }
    }

    fn close_idle_producer(&mut self) {
        let tracker = &mut self.sender.tracker;
        // another producer with the same id could fence that of a task that has taken over
        let may_be_closed = tracker.transactions.is_none() && tracker.in_flight.outstanding() == 0;
        if may_be_closed && tracker.outbox.close_if_idle() {
            info!(task = %tracker.id, "producer closed until there is something to send again");
        }
    }

    /// Returns `false` if the task is to stop before the batch is sent: then its offset is never committed.
    fn produce(&mut self, batch: &BatchToProduce) -> Result<bool> {
        if self.control.is_abandoned() {
            return Ok(false);
        }
        let (partition, offset) = (batch.polled.partition.clone(), batch.polled.offset.clone());
        let tracker = &mut self.sender.tracker;
        let id = tracker.in_flight.open_batch(partition.clone(), offset.clone(), batch.only_moves_offset);
        let sent_before = tracker.transactions.as_ref().map_or(0, Transactions::records);
        for records in &batch.records {
            if !self.produce_records(id, records, &batch.polled)? {
                self.sender.tracker.transactions.iter_mut().for_each(Transactions::tear);
                return Ok(false);
            }
        }
        let tracker = &mut self.sender.tracker;
        tracker.in_flight.close_batch(id);
        if let Some(transactions) = &mut tracker.transactions
            && (batch.only_moves_offset || transactions.records() > sent_before)
        {
            transactions.add_batch(partition, offset);
        }
        Ok(true)
    }

    /// Commits what can be committed, and aborts the rest. Returns whether everything is committed.
    fn end_transactions(&mut self, outcome: Result<End>) -> Result<bool> {
        let may_commit = outcome.as_ref().is_ok_and(|end| *end != End::Failed);
        let committed = self.sender.tracker.end_transactions(may_commit);
        outcome?;
        committed
    }

    fn produce_records(&mut self, batch: BatchId, records: &Records, polled: &Arc<PolledBatch>) -> Result<bool> {
        check_timestamps(records)?;
        let mut serialized = self.serializer.serialize(records, &self.errors)?;
        // a converter may have waited for its registry all the while
        if self.control.is_abandoned() {
            return Ok(false);
        }
        self.errors.handle(Input::Polled(polled), std::mem::take(&mut serialized.rejected))?;
        if serialized.is_empty() {
            return Ok(true);
        }
        let part = BatchPart {
            batch,
            topic: Arc::clone(&records.topic),
            polled: Arc::clone(polled),
            partition: records.kafka_partition,
            timestamps: records.timestamps.clone(),
            rows: records.rows.clone(),
        };
        self.sender.send(part, records, &serialized)
    }

    /// Waits for what is in flight: for ever at the end of a bounded source, for `offset.flush.timeout.ms` at a stop or
    /// after a failure. Returns whether everything is delivered, or the first failure, which ends no waiting.
    fn settle(&mut self, mut end: End) -> Result<bool> {
        let mut deadline = (end != End::Finished).then(|| Instant::now() + self.flush_timeout);
        let mut failure = None;
        while self.sender.tracker.in_flight.outstanding() > 0 {
            deadline = self.settle_deadline(deadline);
            if self.gives_up(end, deadline) {
                break;
            }
            if let Err(error) = self.poll_and_resend(end) {
                failure.get_or_insert(error);
                if end == End::Finished {
                    end = End::Cut;
                    deadline = Some(Instant::now() + self.flush_timeout);
                }
            }
        }
        match failure {
            Some(error) => Err(error),
            None => Ok(self.sender.tracker.in_flight.is_settled()),
        }
    }

    /// A stop limits the time that is left.
    fn settle_deadline(&self, deadline: Option<Instant>) -> Option<Instant> {
        match self.control.wanted() {
            Wanted::Stopped { deadline: stop } => {
                Some(deadline.unwrap_or_else(|| Instant::now() + self.flush_timeout).min(stop))
            }
            _ => deadline,
        }
    }

    /// Whether waiting any longer is of no use, or takes too long.
    fn gives_up(&self, end: End, deadline: Option<Instant>) -> bool {
        let tracker = &self.sender.tracker;
        // what has failed or come back is not sent again any more
        let is_hopeless = end != End::Finished && tracker.in_flight.is_hopeless();
        let is_over = is_hopeless || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if is_over {
            let open = tracker.in_flight.outstanding();
            warn!(task = %tracker.id, open, "messages are not acknowledged in time; they will be sent again");
        }
        is_over
    }

    fn poll_and_resend(&mut self, end: End) -> Result<()> {
        self.sender.tracker.poll_deliveries(ACKNOWLEDGEMENT_POLL)?;
        if end == End::Finished {
            self.sender.resend()?;
        }
        Ok(())
    }
}
