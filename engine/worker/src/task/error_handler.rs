//! Decides about rejected rows (KIP-298): retry, dead letter, skip or fail. No component decides for itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tracing::error;
use volley_api::{Config, Error, RawBatch, RejectedRow, Result};

use crate::task::dead_letter_queue::DeadLetterQueue;
use crate::task::{ConnectorTaskId, TaskProgress};

/// First delay before a retry; it doubles with each further one.
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(300);

/// The input that rejected rows belong to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input<'a> {
    /// Consumed messages.
    Consumed(&'a RawBatch),
    /// Records of a source on their way to this topic.
    Polled(&'a str),
}

/// The `errors.*` settings of a connector at work in one task.
pub(crate) struct ErrorHandler {
    id: ConnectorTaskId,
    tolerates_all: bool,
    logs: bool,
    logs_messages: bool,
    retry_timeout: Option<Duration>,
    retry_delay_max: Duration,
    dead_letters: Option<DeadLetterQueue>,
    progress: Arc<TaskProgress>,
}

impl ErrorHandler {
    /// A handler with the parsed framework keys of the connector.
    pub(crate) fn new(
        id: ConnectorTaskId,
        config: &Config,
        dead_letters: Option<DeadLetterQueue>,
        progress: Arc<TaskProgress>,
    ) -> Self {
        let millis = |key: &str| config.long(key).and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
        Self {
            id,
            tolerates_all: config.string("errors.tolerance").is_some_and(|text| text == "all"),
            logs: config.boolean("errors.log.enable"),
            logs_messages: config.boolean("errors.log.include.messages"),
            // -1 = for ever
            retry_timeout: millis("errors.retry.timeout"),
            retry_delay_max: millis("errors.retry.delay.max.ms").unwrap_or(Duration::from_secs(60)),
            dead_letters,
            progress,
        }
    }

    /// Whether a failed row is skipped rather than the end of the task.
    pub(crate) fn tolerates_all(&self) -> bool {
        self.tolerates_all
    }

    /// Reports each rejected row once, to the log and the dead letter queue, whatever the tolerance.
    ///
    /// # Errors
    /// With `errors.tolerance=none`, if there is any: the error of the first row.
    pub(crate) fn handle(&self, input: Input<'_>, rejected: Vec<RejectedRow>) -> Result<()> {
        let mut by_row: BTreeMap<usize, RejectedRow> = BTreeMap::new();
        for row in rejected {
            by_row.entry(row.row).or_insert(row);
        }
        self.progress.rows_rejected.fetch_add(by_row.len() as u64, Ordering::Relaxed);
        let mut first = None;
        for row in by_row.into_values() {
            self.log(input, &row);
            if let (Some(dead_letters), Input::Consumed(batch)) = (&self.dead_letters, input) {
                dead_letters.report(batch, &row)?;
            }
            if first.is_none() {
                first = Some(row);
            }
            if !self.tolerates_all {
                break;
            }
        }
        match first {
            Some(row) if !self.tolerates_all => Err(tolerance_exceeded(input, row)),
            _ => Ok(()),
        }
    }

    /// Waits until every dead letter written so far is acknowledged, so that offsets may be committed (law 1).
    pub(crate) fn flush(&self) -> Result<()> {
        self.dead_letters.as_ref().map_or(Ok(()), DeadLetterQueue::flush)
    }

    /// Calls `operation` until it succeeds, fails for good, or `errors.retry.timeout` is over; `is_cancelled` is asked
    /// between the tries.
    pub(crate) fn with_retries<T>(
        &self,
        is_cancelled: &dyn Fn() -> bool,
        mut operation: impl FnMut() -> Result<T>,
    ) -> Result<T> {
        let started = Instant::now();
        let mut delay = FIRST_RETRY_DELAY;
        loop {
            let error = match operation() {
                Err(error) if error.is_retriable() => error,
                outcome => return outcome,
            };
            let remaining = self.retry_timeout.map(|timeout| timeout.saturating_sub(started.elapsed()));
            if is_cancelled() || remaining.is_some_and(|left| left.is_zero()) {
                return Err(Error::fatal("tolerance exceeded in error handler").with_source(error));
            }
            wait(remaining.unwrap_or(delay).min(delay), is_cancelled);
            delay = (delay * 2).min(self.retry_delay_max);
        }
    }

    fn log(&self, input: Input<'_>, row: &RejectedRow) {
        if !self.logs {
            return;
        }
        let record = match input {
            Input::Consumed(batch) if self.logs_messages => {
                format!(", where consumed record is {}", coordinates(batch, row.row))
            }
            _ => String::new(),
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

/// Waits, but not long after a cancellation.
fn wait(delay: Duration, is_cancelled: &dyn Fn() -> bool) {
    const STEP: Duration = Duration::from_millis(50);
    let until = Instant::now() + delay;
    while Instant::now() < until && !is_cancelled() {
        std::thread::sleep(STEP.min(until.saturating_duration_since(Instant::now())));
    }
}

fn coordinates(batch: &RawBatch, row: usize) -> String {
    let origin = &batch.origin;
    format!(
        "{{topic='{}', partition={}, offset={}, timestamp={}, timestampType=CreateTime}}",
        origin.partition.topic, origin.partition.partition, origin.offsets[row], origin.timestamps[row]
    )
}

fn tolerance_exceeded(input: Input<'_>, row: RejectedRow) -> Error {
    let place = match input {
        Input::Consumed(batch) => {
            format!("record at offset {} of partition {}", batch.origin.offsets[row.row], batch.origin.partition)
        }
        Input::Polled(topic) => format!("record for topic {topic}"),
    };
    let message = format!(
        "Tolerance exceeded in error handler: {place} failed in stage {} with class {} (errors.tolerance=all skips such records)",
        row.stage, row.class
    );
    Error::fatal(message).with_source(Cause(row.error))
}

/// The cause of a failure, with its exception class in the trace.
#[derive(Debug)]
struct Cause(Error);

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.trace())
    }
}

impl std::error::Error for Cause {}
