//! Follows messages from the producer to the offset store: deliveries, failures and commits.
//!
//! ```text
//!  Outbox ── deliveries ──► acknowledged ──► InFlight ── committable ──► OffsetCommits
//!                     │                         ▲                             │
//!                     ├──► failed: tolerated? ──┤                             │
//!                     └──► returned ────────────┴──────── not stored ◄────────┘
//! ```
//!
//! Whoever waits for anything waits in [`DeliveryTracker::poll_deliveries`], so that acknowledgements and commits never wait
//! with him.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::warn;
use volley_api::{Error, RejectedRow, Result, Stage};
use volley_kafka::{Delivery, Returned};

use crate::connector_task_id::ConnectorTaskId;
use crate::metrics::TaskMetrics;
use crate::task::control::Control;
use crate::task::errors::error_handler::{ErrorHandler, Input};
use crate::task::source::produce::acknowledged_batches::AcknowledgedBatches;
use crate::task::source::produce::batch_part::{BatchPart, MessageToken};
use crate::task::source::produce::in_flight::InFlight;
use crate::task::source::produce::offset_commits::OffsetCommits;
use crate::task::source::produce::outbox::Outbox;
use crate::task::source::produce::topics::{TopicStep, Topics};
use crate::task::source::produce::transactions::{OFFSET_PART, Transactions};

const SEND_FAILED: &str = "Unrecoverable exception from producer send callback";

/// What is sent and what has become of it.
pub(crate) struct DeliveryTracker {
    pub(crate) id: ConnectorTaskId,
    pub(crate) outbox: Outbox,
    pub(crate) topics: Topics,
    pub(crate) in_flight: InFlight,
    /// Of a task that delivers at least once.
    pub(crate) commits: OffsetCommits,
    /// Set for a task that delivers exactly once: its offsets go with its messages, and nothing is committed otherwise.
    pub(crate) transactions: Option<Transactions>,
    /// `None`: the task does not want to know where its records are.
    pub(crate) acknowledged: Option<Arc<AcknowledgedBatches>>,
    pub(crate) errors: Arc<ErrorHandler>,
    pub(crate) control: Arc<Control>,
    pub(crate) metrics: Arc<TaskMetrics>,
}

impl DeliveryTracker {
    /// Notes deliveries, waiting for at most `max_wait` for one, and commits what is due.
    ///
    /// # Errors
    /// The first failure that is not tolerated. All deliveries are noted nevertheless.
    pub(crate) fn poll_deliveries(&mut self, max_wait: Duration) -> Result<()> {
        let is_awaiting = self.in_flight.outstanding() > 0;
        let deliveries = self.outbox.deliveries(if is_awaiting { max_wait } else { Duration::ZERO });
        let outcome = self.on_deliveries(deliveries);
        if !is_awaiting && !max_wait.is_zero() {
            self.control.wait(max_wait);
        }
        if self.transactions.is_none() {
            self.tell_acknowledged();
            self.commit_if_due();
        }
        self.metrics.active(self.in_flight.outstanding() as u64);
        outcome
    }

    /// Has the task told of acknowledged batches, if it wants that, before it is told of their offsets.
    pub(super) fn tell_acknowledged(&mut self) {
        let Some(acknowledged) = &self.acknowledged else { return };
        let batches = self.in_flight.take_settled();
        if !batches.is_empty() {
            acknowledged.add(batches);
            self.control.ring();
        }
    }

    /// See [`Topics::step`].
    ///
    /// # Errors
    /// If there is no topic or no producer, and there never will be.
    pub(crate) fn prepare_topic(&mut self, topic: &Arc<str>) -> Result<TopicStep> {
        self.topics.step(topic, self.outbox.producer()?)
    }

    fn on_deliveries(&mut self, deliveries: Vec<Delivery>) -> Result<()> {
        let mut outcome = Ok(());
        // messages of a part mostly come together: their number is noted once
        let mut run: Option<(u32, usize)> = None;
        for Delivery { token, result, returned } in deliveries {
            let token = MessageToken::from(token);
            if token.part == OFFSET_PART {
                self.on_offset_delivery(result);
                continue;
            }
            if let Ok(place) = &result {
                self.in_flight.on_stored(token, *place);
            }
            match (result, &mut run) {
                (Ok(_), Some((part, messages))) if *part == token.part => *messages += 1,
                (Ok(_), _) => self.on_acknowledged(run.replace((token.part, 1))),
                (Err(error), _) => match returned {
                    // what has failed is part of the transaction, which can only be aborted
                    Some(content) if self.transactions.is_none() => self.on_returned(token, content, &error),
                    _ => outcome = outcome.and(self.on_failed(token, error)),
                },
            }
        }
        self.on_acknowledged(run);
        outcome
    }

    fn on_acknowledged(&mut self, run: Option<(u32, usize)>) {
        let Some((part, messages)) = run else { return };
        let Some(part) = self.in_flight.on_acknowledged(part, messages) else { return };
        self.metrics.rows_out(messages);
        self.control.uses_topic(&part.topic);
    }

    /// The topic of a message is gone: the message is kept, to be sent again.
    pub(crate) fn on_returned(&mut self, token: MessageToken, content: Box<Returned>, error: &Error) {
        let Some(part) = self.in_flight.on_returned(token, content) else { return };
        if self.topics.on_lost(&part.topic) {
            let topic = &part.topic;
            warn!(task = %self.id, %topic, %error, "the topic is gone; what was sent to it is sent again when it is back");
        }
    }

    /// Kafka does not take a message: that is the end of the task, or it is tolerated and counts as acknowledged.
    ///
    /// # Errors
    /// What the task fails with.
    pub(crate) fn on_failed(&mut self, token: MessageToken, error: Error) -> Result<()> {
        let Some(part) = self.in_flight.part(token.part).cloned() else { return Ok(()) };
        if self.transactions.is_some() {
            self.in_flight.on_undelivered(token);
            warn!(task = %self.id, topic = %part.topic, error = %error.trace(), "could not produce");
            return Err(self.transaction_failure(SEND_FAILED, error));
        }
        let outcome = self.tolerate(&part, part.rows.input_row(token.row as usize), error);
        match outcome {
            Ok(()) => self.in_flight.on_skipped(token),
            Err(_) => self.in_flight.on_undelivered(token),
        }
        outcome
    }

    /// `row`: of the polled batch.
    fn tolerate(&self, part: &BatchPart, row: usize, error: Error) -> Result<()> {
        if !self.errors.tolerates_all() || !may_be_tolerated(&error) {
            warn!(task = %self.id, topic = %part.topic, error = %error.trace(), "could not produce");
            return Err(Error::fatal(SEND_FAILED).with_source(error));
        }
        let class = "org.apache.kafka.connect.runtime.WorkerSourceTask".to_owned();
        let row = RejectedRow { row, stage: Stage::KafkaProduce, class, error };
        self.errors.handle(Input::Polled(&part.polled), vec![row])
    }

    fn commit_if_due(&mut self) {
        if let Ok(outcome) = self.commits.outcomes().try_recv() {
            self.on_commit_finished(outcome);
        }
        if self.commits.is_due(self.in_flight.outstanding() == 0) {
            self.start_commit();
        }
    }

    /// The commit under way has finished.
    pub(crate) fn on_commit_finished(&mut self, outcome: Result<()>) {
        let unstored = self.commits.on_finished(outcome);
        self.in_flight.restore(unstored);
    }

    /// Returns whether it is under way, or there is nothing to commit.
    fn start_commit(&mut self) -> bool {
        let unstored = self.commits.start(self.in_flight.take_committable());
        let is_started = unstored.is_empty();
        self.in_flight.restore(unstored);
        is_started
    }

    /// The last commit. With `until_stored` it is tried again until it succeeds or the task is to stop. Returns whether
    /// everything committable is stored.
    pub(crate) fn commit_finally(&mut self, timeout: Duration, until_stored: bool) -> bool {
        self.tell_acknowledged();
        loop {
            let is_stored = self.commit_all(self.commits.last_deadline(timeout));
            if is_stored || !until_stored || self.control.is_stopping() {
                return is_stored;
            }
            self.control.wait(self.commits.interval());
        }
    }

    /// Waits for the commit under way, if any, and then commits what has become committable since.
    fn commit_all(&mut self, deadline: Instant) -> bool {
        self.await_commit(deadline).is_some() && self.start_commit() && self.await_commit(deadline).unwrap_or_default()
    }

    /// Waits for the commit under way. Returns whether it succeeded; `None` if it has not finished.
    fn await_commit(&mut self, deadline: Instant) -> Option<bool> {
        let unstored = self.commits.wait_until(deadline)?;
        let is_stored = unstored.is_empty();
        self.in_flight.restore(unstored);
        Some(is_stored)
    }
}

/// Whether a message that failed may be skipped. A message that would be taken later must not be lost, unless the producer's
/// settings limit how late. A refused login says nothing about the message.
fn may_be_tolerated(error: &Error) -> bool {
    (!error.is_retriable() || volley_kafka::is_timeout(error)) && !volley_kafka::is_login_refused(error)
}
