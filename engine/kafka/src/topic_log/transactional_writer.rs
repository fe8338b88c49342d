//! Writes to a log in transactions. A new writer with the same `transactional.id` fences the earlier ones.

use std::time::{Duration, Instant};

use rdkafka::producer::Producer as _;
use tracing::debug;
use volley_api::{ConfigMap, Error, Result};

use super::writer::{LogEntry, LogWriter};

/// Shortest time limit for a broker's answer, however little time is left.
const SHORTEST: Duration = Duration::from_millis(100);

/// Writes to one topic: all records of a call or none.
#[derive(Debug)]
pub struct TransactionalLogWriter {
    writer: LogWriter,
}

impl TransactionalLogWriter {
    /// Makes the producer and takes over its `transactional.id`. Earlier writers with this id can no longer write, and
    /// their uncommitted records are discarded.
    ///
    /// # Errors
    /// `Retriable` if the broker does not answer within `timeout`; `Config` if it refuses.
    pub fn connect(topic: &str, properties: &ConfigMap, timeout: Duration) -> Result<Self> {
        let mut properties = properties.clone();
        // the time limit of a transaction ends before that of its records
        properties.shift_remove("delivery.timeout.ms");
        let writer = LogWriter::connect(topic, &properties)?;
        let outcome = writer.native().init_transactions(timeout);
        writer.outcome("prepare transactions on", outcome)?;
        Ok(Self { writer })
    }

    /// Writes records in order; returns the partition and offset of each. After an error either nothing was written, or
    /// everything if only the commit's answer was lost. The writer is unusable after an error.
    ///
    /// # Errors
    /// `Fatal` if another writer has fenced this one; otherwise as [`LogWriter::write`].
    pub fn write(&self, entries: &[LogEntry<'_>], timeout: Duration) -> Result<Vec<(i32, i64)>> {
        let deadline = Instant::now() + timeout;
        let left = || deadline.saturating_duration_since(Instant::now()).max(SHORTEST);
        self.writer.outcome("begin a transaction on", self.writer.native().begin_transaction())?;
        let fates = self.writer.write(entries, left());
        let written = fates.into_iter().collect::<Result<Vec<_>>>().and_then(|written| {
            self.writer.outcome("commit a transaction on", self.writer.native().commit_transaction(left()))?;
            Ok(written)
        });
        written.inspect_err(|error| self.abort(error))
    }

    fn abort(&self, reason: &Error) {
        if let Err(error) = self.writer.native().abort_transaction(SHORTEST) {
            debug!(%reason, %error, "a transaction was not aborted; it ends when the next writer begins");
        }
    }
}
