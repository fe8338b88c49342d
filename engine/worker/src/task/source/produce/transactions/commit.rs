//! How transactions begin and end. Blocks the produce thread, and nobody else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{debug, info, warn};
use volley_api::{Error, Result, TransactionEnd};
use volley_kafka::Outgoing;

use crate::storage::{OffsetEntry, offset_entry};
use crate::task::control::Wanted;
use crate::task::source::produce::acknowledgements::SourceOffsets;
use crate::task::source::produce::batch_part::MessageToken;
use crate::task::source::produce::delivery_tracker::DeliveryTracker;
use crate::task::source::produce::outbox::Handover;
use crate::task::source::produce::transactions::{Boundary, OFFSET_PART};

/// How long one try to end a transaction takes, until it is looked whether the task is to stop.
const TRY: Duration = Duration::from_millis(500);
/// Time between two looks at acknowledgements.
const ACKNOWLEDGEMENT_POLL: Duration = Duration::from_millis(20);
/// Time for the last commit that a stop leaves after its deadline.
const LAST_COMMIT: Duration = Duration::from_secs(1);
/// Time to abort what will not be committed; the next producer with the same id aborts it otherwise.
const LAST_ABORT: Duration = Duration::from_secs(2);

const OWN_OFFSETS: &str =
    "Source tasks may not produce to their own offsets topics when exactly-once support is enabled";

impl DeliveryTracker {
    /// A message to `topic` follows: begins a transaction if none is open.
    ///
    /// # Errors
    /// If the topic is that of the task's offsets; if the producer was fenced.
    pub(crate) fn begin_transaction_for(&mut self, topic: &Arc<str>) -> Result<()> {
        let Some(transactions) = &self.transactions else { return Ok(()) };
        if transactions.store.topic() == Some(&**topic) {
            return Err(Error::fatal(OWN_OFFSETS).with_exception("org.apache.kafka.connect.errors.ConnectException"));
        }
        self.begin_transaction()
    }

    fn begin_transaction(&mut self) -> Result<()> {
        let Some(transactions) = self.transactions.as_mut().filter(|transactions| !transactions.is_open) else {
            return Ok(());
        };
        let begun = self.outbox.producer().and_then(|producer| producer.begin_transaction());
        transactions.is_open = begun.is_ok();
        begun.map_err(|error| self.transaction_failure("could not begin a transaction", error))
    }

    /// What was polled has come to this place. Ends the transaction where it ends there.
    ///
    /// # Errors
    /// What the task fails with: the transaction is not committed, or that is not known.
    pub(crate) fn on_boundary(&mut self, place: Boundary) -> Result<()> {
        let Some(transactions) = &self.transactions else { return Ok(()) };
        match transactions.boundary.end_at(place, transactions.last_end) {
            Some(TransactionEnd::Commit) => self.commit_transaction(),
            Some(TransactionEnd::Abort) => {
                self.abort_transaction()?;
                self.commit_transaction()
            }
            None => Ok(()),
        }
    }

    /// Commits a transaction whose interval is over while nothing is polled.
    ///
    /// # Errors
    /// As [`DeliveryTracker::on_boundary`].
    pub(crate) fn end_transaction_in_time(&mut self) -> Result<()> {
        let left = self.transactions.as_ref().and_then(|transactions| transactions.time_left());
        if left.is_some_and(|left| left.is_zero()) { self.commit_transaction() } else { Ok(()) }
    }

    /// Nothing more follows: commits what the boundary allows, and aborts the rest. Returns whether everything is committed.
    ///
    /// # Errors
    /// As [`DeliveryTracker::on_boundary`].
    pub(crate) fn end_transactions(&mut self, may_commit: bool) -> Result<bool> {
        let is_whole = self.transactions.as_ref().is_some_and(|transactions| transactions.is_whole());
        let outcome = if may_commit && is_whole && !self.control.is_abandoned() {
            self.on_boundary(Boundary::Pause)
        } else {
            Ok(())
        };
        let is_everything = self.transactions.as_ref().is_none_or(|transactions| transactions.is_empty());
        self.abandon_transaction();
        outcome.map(|()| is_everything && is_whole)
    }

    fn abandon_transaction(&mut self) {
        let is_open = self.transactions.as_mut().is_some_and(|transactions| std::mem::take(&mut transactions.is_open));
        // the producer of an abandoned task has no effect any more, nor should it wait
        if !is_open || self.control.is_abandoned() {
            return;
        }
        let aborted = self.outbox.producer().and_then(|producer| producer.abort_transaction(LAST_ABORT));
        match aborted {
            Ok(()) => info!(task = %self.id, "what was not committed is aborted; it will be read again"),
            Err(error) => {
                debug!(task = %self.id, %error, "the open transaction ends with the next producer of the task")
            }
        }
    }

    fn commit_transaction(&mut self) -> Result<()> {
        let started = Instant::now();
        let Some(transactions) = &mut self.transactions else { return Ok(()) };
        if transactions.is_empty() {
            transactions.last_end = started;
            // filtered batches count as delivered
            self.tell_acknowledged();
            return Ok(());
        }
        let offsets = transactions.take_offsets();
        let committed = self.commit_with(&offsets);
        self.metrics.committed(started.elapsed(), committed.is_ok());
        if let Err(error) = committed {
            let what = format!("Failed to flush offsets and/or records for task {}", self.id);
            return Err(self.transaction_failure(&what, error));
        }
        let Some(transactions) = &mut self.transactions else { return Ok(()) };
        transactions.is_open = false;
        transactions.last_end = Instant::now();
        if transactions.records > 0 {
            self.metrics.transaction(std::mem::take(&mut transactions.records));
        }
        transactions.store.records_are_committed(&self.id.connector, &entries(&offsets));
        let committed = Arc::clone(&transactions.committed);
        // they are those of the transaction
        drop(self.in_flight.take_committable());
        self.tell_acknowledged();
        committed.add(offsets);
        self.control.ring();
        Ok(())
    }

    fn commit_with(&mut self, offsets: &SourceOffsets) -> Result<()> {
        self.begin_transaction()?;
        self.send_offsets(offsets)?;
        self.await_acknowledgements()?;
        self.end_with(|tracker| tracker.outbox.producer()?.commit_transaction(TRY))
    }

    /// Drops what is in the transaction; its offsets are committed later.
    fn abort_transaction(&mut self) -> Result<()> {
        if !self.transactions.as_ref().is_some_and(|transactions| transactions.is_open) {
            warn!(task = %self.id, "the task has aborted a transaction without records");
            return Ok(());
        }
        info!(task = %self.id, "the task has aborted its transaction");
        let aborted = self.await_acknowledgements();
        let aborted = aborted.and_then(|()| self.end_with(|tracker| tracker.outbox.producer()?.abort_transaction(TRY)));
        if let Some(transactions) = &mut self.transactions {
            transactions.is_open = false;
            transactions.records = 0;
        }
        aborted.map_err(|error| self.transaction_failure("could not abort a transaction", error))
    }

    fn send_offsets(&mut self, offsets: &SourceOffsets) -> Result<()> {
        let Some(transactions) = &mut self.transactions else { return Ok(()) };
        if offsets.is_empty() {
            return Ok(());
        }
        let records = transactions.store.records(&self.id.connector, &entries(offsets))?;
        transactions.open_offsets = 0;
        for (row, (key, value)) in records.entries.iter().enumerate() {
            let message = Outgoing {
                topic: &records.topic,
                partition: None,
                timestamp: None,
                key: Some(key),
                value: value.as_deref(),
                headers: &[],
            };
            // there are fewer than 2^32 source partitions
            let token = MessageToken { part: OFFSET_PART, row: row as u32 };
            loop {
                match self.outbox.hand_over(&message, token)? {
                    Handover::Taken => break,
                    Handover::Full => self.poll_deliveries(ACKNOWLEDGEMENT_POLL)?,
                    Handover::NoTopic(error) | Handover::Refused(error) => return Err(error),
                }
                self.check_may_commit()?;
            }
            if let Some(transactions) = &mut self.transactions {
                transactions.open_offsets += 1;
            }
        }
        Ok(())
    }

    /// Waits until everything in the transaction is acknowledged.
    fn await_acknowledgements(&mut self) -> Result<()> {
        loop {
            let Some(transactions) = &mut self.transactions else { return Ok(()) };
            if let Some(error) = transactions.offset_failure.take() {
                return Err(error);
            }
            if self.in_flight.outstanding() == 0 && transactions.open_offsets == 0 {
                return Ok(());
            }
            self.check_may_commit()?;
            // does not wait for more messages that could go with them
            self.outbox.producer()?.flush(ACKNOWLEDGEMENT_POLL);
            self.poll_deliveries(Duration::ZERO)?;
        }
    }

    /// The acknowledgement of a record of offsets.
    pub(crate) fn on_offset_delivery(&mut self, outcome: Result<(i32, i64)>) {
        let Some(transactions) = &mut self.transactions else { return };
        transactions.open_offsets = transactions.open_offsets.saturating_sub(1);
        if let Err(error) = outcome {
            transactions.offset_failure.get_or_insert(error);
        }
    }

    /// Calls `end` until it succeeds, fails for good, or takes too long for a stop.
    fn end_with(&mut self, mut end: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        loop {
            self.check_may_commit()?;
            match end(self) {
                Err(error) if error.is_retriable() => {
                    debug!(task = %self.id, %error, "the transaction has not ended yet, trying on");
                    self.control.wait(ACKNOWLEDGEMENT_POLL);
                }
                outcome => return outcome,
            }
        }
    }

    /// Fails once the task is abandoned, or a stop leaves no more time.
    fn check_may_commit(&self) -> Result<()> {
        let is_late = match self.control.wanted() {
            Wanted::Stopped { deadline } => Instant::now() >= deadline + LAST_COMMIT,
            Wanted::Running | Wanted::Paused => false,
        };
        match is_late || self.control.is_abandoned() {
            true => Err(Error::fatal("the transaction was not committed in time before the task had to end")),
            false => Ok(()),
        }
    }

    /// The error of a transaction, in Kafka Connect's words; `what` if its time was not over.
    pub(crate) fn transaction_failure(&mut self, what: &str, error: Error) -> Error {
        let known = self.outbox.producer().ok().and_then(|producer| producer.fatal_failure());
        let error = match known {
            // the messages of a producer that is fenced fail with whatever comes first
            Some(fatal) if !volley_kafka::is_fenced(&error) => fatal.with_source(error),
            _ => error,
        };
        let message = match volley_kafka::is_fenced(&error) {
            true => format!(
                "The task {} was unable to finish writing records to Kafka before its producer transaction expired. It may \
                 be necessary to reconfigure this connector in order for it to run healthily with exactly-once support. \
                 Options for this include: tune the connector's producer configuration for higher throughput, increase the \
                 transaction timeout for the connector's producers, decrease the offset commit interval (if using \
                 interval-based transaction boundaries), or use the 'poll' transaction boundary (if the connector is not \
                 already configured to use it). Another task may also have taken over from this one: then nothing need be \
                 done.",
                self.id
            ),
            false => what.to_owned(),
        };
        Error::fatal(message).with_exception("org.apache.kafka.connect.errors.ConnectException").with_source(error)
    }
}

fn entries(offsets: &SourceOffsets) -> Vec<OffsetEntry> {
    offsets.iter().map(|(partition, offset)| offset_entry(partition, offset)).collect()
}
