//! Decides about rejected rows (KIP-298): retry, dead letter, skip or fail. Other components do not decide.
//!
//! ```text
//!  tried:   operation ─ retriable error ─► wait, try again ─ time is over ─► every row is rejected
//!                     ├ data error ────────────────────────────────────────► every row is rejected
//!                     └ any other error ─► the task fails
//!  handle:  rejected rows ─► log, dead letter queue ─┬ errors.tolerance=all ──► the rows are skipped
//!                                                    └ errors.tolerance=none ─► the task fails
//! ```
//!
//! This differs from Kafka Connect on purpose in one case. There, a record whose operation was retriable and ran out of
//! time is skipped even with `errors.tolerance=none`. Here the tolerance decides about it as about any other record.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use tracing::error;
use volley_api::{Config, Error, ErrorKind, RawBatch, RejectedRow, Result, Stage, TakeReport};

use crate::connector_task_id::ConnectorTaskId;
use crate::metrics::TaskMetrics;
use crate::task::control::Control;
use crate::task::errors::dead_letter_queue::DeadLetterQueue;
use crate::task::errors::retry_policy::{Retries, RetryPolicy};
use crate::task::source::polled_batch::PolledBatch;

/// The input that rejected rows belong to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input<'a> {
    /// Consumed messages.
    Consumed(&'a RawBatch),
    /// Records of a source.
    Polled(&'a PolledBatch),
}

/// The `errors.*` settings of a connector, applied in one task.
pub(crate) struct ErrorHandler {
    id: ConnectorTaskId,
    tolerates_all: bool,
    logs: bool,
    logs_messages: bool,
    retry_policy: RetryPolicy,
    dead_letters: Option<DeadLetterQueue>,
    control: Arc<Control>,
    metrics: Arc<TaskMetrics>,
    /// Why a row that the task reported by itself must not be skipped. Never cleared: the row is not delivered.
    failed_report: OnceLock<Error>,
}

impl ErrorHandler {
    /// A handler with the parsed framework keys of the connector.
    pub(crate) fn new(
        id: ConnectorTaskId,
        config: &Config,
        dead_letters: Option<DeadLetterQueue>,
        control: Arc<Control>,
        metrics: Arc<TaskMetrics>,
    ) -> Self {
        Self {
            id,
            tolerates_all: config.string("errors.tolerance").is_some_and(|text| text == "all"),
            logs: config.boolean("errors.log.enable"),
            logs_messages: config.boolean("errors.log.include.messages"),
            retry_policy: RetryPolicy::new(config),
            dead_letters,
            control,
            metrics,
            failed_report: OnceLock::new(),
        }
    }

    /// Whether a failed row is skipped rather than ending the task.
    pub(crate) fn tolerates_all(&self) -> bool {
        self.tolerates_all
    }

    /// Whether error reports need the records of a source.
    pub(crate) fn needs_records(&self) -> bool {
        (self.logs && self.logs_messages) || self.dead_letters.is_some()
    }

    /// Reports each rejected row once, to the log and the dead letter queue, for any tolerance.
    ///
    /// # Errors
    /// With `errors.tolerance=none`, the error of the first rejected row, if there is one.
    pub(crate) fn handle(&self, input: Input<'_>, rejected: Vec<RejectedRow>) -> Result<()> {
        let mut by_row: BTreeMap<usize, RejectedRow> = BTreeMap::new();
        for row in rejected {
            by_row.entry(row.row).or_insert(row);
        }
        self.metrics.rejected(by_row.values().map(|row| row.stage), self.tolerates_all);
        let mut first = None;
        for mut row in by_row.into_values() {
            if row.stage == Stage::TaskPut {
                // Kafka Connect's class name for every sink
                row.class = "org.apache.kafka.connect.sink.SinkTask".to_owned();
            }
            self.log(input, &row);
            if let Some(dead_letters) = &self.dead_letters {
                match input {
                    Input::Consumed(batch) => dead_letters.report(batch, &row)?,
                    Input::Polled(batch) => dead_letters.report_polled(batch, &row)?,
                }
            }
            if first.is_none() {
                first = Some(row);
            }
            if !self.tolerates_all {
                break;
            }
        }
        // a sink waits before it commits; what a source has skipped counts as delivered at once
        if first.is_some() && matches!(input, Input::Polled(_)) {
            self.flush()?;
        }
        match first {
            Some(row) if !self.tolerates_all => Err(tolerance_exceeded(input, row)),
            _ => Ok(()),
        }
    }

    /// Waits until all dead letters written so far are acknowledged, so that offsets may be committed (law 1).
    pub(crate) fn flush(&self) -> Result<()> {
        self.check_reports()?;
        self.dead_letters.as_ref().map_or(Ok(()), DeadLetterQueue::flush)
    }

    /// Fails if the task has reported a row that must not be skipped, now or earlier.
    pub(crate) fn check_reports(&self) -> Result<()> {
        self.failed_report.get().cloned().map_or(Ok(()), Err)
    }

    /// The retries of an operation before its first attempt.
    pub(crate) fn retries(&self) -> Retries<'_> {
        self.retry_policy.begin(&self.control, &self.metrics)
    }

    /// Calls `operation` until it succeeds and `may_improve` is false for its result, it fails with a final error, or
    /// `errors.retry.timeout` is over. An error that concerns the whole batch and that tolerance covers is converted by
    /// `reject_all`.
    ///
    /// # Errors
    /// Errors that tolerance does not cover: configuration, fatal errors, and a stop during a wait for a retry.
    pub(crate) fn tried<T>(
        &self,
        mut operation: impl FnMut() -> Result<T>,
        may_improve: impl Fn(&T) -> bool,
        reject_all: impl FnOnce(Error) -> T,
    ) -> Result<T> {
        let mut retries = self.retries();
        loop {
            match operation() {
                Ok(outcome) if may_improve(&outcome) => {
                    if !retries.wait()? {
                        return Ok(outcome);
                    }
                }
                Ok(outcome) => return Ok(outcome),
                Err(error) if error.is_retriable() => {
                    if !retries.wait()? {
                        return Ok(reject_all(error));
                    }
                }
                Err(error) if error.kind() == ErrorKind::Data => return Ok(reject_all(error)),
                Err(error) => return Err(error),
            }
        }
    }

    fn log(&self, input: Input<'_>, row: &RejectedRow) {
        if !self.logs {
            return;
        }
        self.metrics.error_logged();
        let record = match input {
            _ if !self.logs_messages => String::new(),
            Input::Consumed(batch) => format!(", where consumed record is {}", coordinates(batch, row.row)),
            Input::Polled(batch) => {
                // Kafka Connect does not show which of the messages failed
                let row = (row.stage != Stage::KafkaProduce).then_some(row.row);
                format!(", where source record is = {}", batch.describe(row))
            }
        };
        error!(
            "Error encountered in task {}. Executing stage '{}' with class '{}'{record}.\n{}",
            self.id,
            row.stage,
            row.class,
            row.error.trace()
        );
    }
}

impl TakeReport for ErrorHandler {
    fn report(&self, batch: &Arc<RawBatch>, row: usize, class: &str, error: Error) -> Result<()> {
        if self.control.is_abandoned() {
            return Err(Error::fatal("the task has been given up, so its reports count for nothing").with_source(error));
        }
        let rejected = reject_rows([row], Stage::TaskPut, class, &error);
        self.handle(Input::Consumed(batch), rejected).inspect_err(|failure| {
            // the first is what the task fails with
            let _ = self.failed_report.set(failure.clone());
        })
    }
}

/// Whether a retry may accept some of these rows.
pub(crate) fn may_be_retried(rejected: &[RejectedRow]) -> bool {
    rejected.iter().any(|row| row.error.is_retriable())
}

/// Rejects all of these rows for the same reason.
pub(crate) fn reject_rows(
    rows: impl IntoIterator<Item = usize>,
    stage: Stage,
    class: &str,
    error: &Error,
) -> Vec<RejectedRow> {
    rows.into_iter().map(|row| RejectedRow { row, stage, class: class.to_owned(), error: error.clone() }).collect()
}

fn coordinates(batch: &RawBatch, row: usize) -> String {
    let origin = &batch.origin;
    format!(
        "{{topic='{}', partition={}, offset={}, timestamp={}, timestampType={}}}",
        origin.partition.topic,
        origin.partition.partition,
        origin.offsets[row],
        origin.timestamps[row],
        origin.timestamp_type
    )
}

fn tolerance_exceeded(input: Input<'_>, row: RejectedRow) -> Error {
    let place = match input {
        Input::Consumed(batch) => {
            format!("record at offset {} of partition {}", batch.origin.offsets[row.row], batch.origin.partition)
        }
        Input::Polled(batch) => format!("record for topic {}", batch.topic),
    };
    let place = format!(
        "{place} failed in stage {} with class {} (errors.tolerance=all skips such records)",
        row.stage, row.class
    );
    Error::fatal("Tolerance exceeded in error handler").with_place(place).with_source(row.error)
}
#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use volley_api::testing::raw_batch;
    use volley_api::{Origin, TimestampType};

    use super::*;

    #[test]
    fn a_record_is_shown_as_kafka_connect_shows_it() {
        let mut batch = raw_batch("t", 3, 7, [None]);
        let timestamps = vec![1_700_000_000_000].into();
        let timestamp_type = TimestampType::LogAppendTime;
        batch.origin = Arc::new(Origin { timestamp_type, timestamps, ..Origin::clone(&batch.origin) });
        assert_eq!(
            coordinates(&batch, 0),
            "{topic='t', partition=3, offset=7, timestamp=1700000000000, timestampType=LogAppendTime}"
        );
    }
}
