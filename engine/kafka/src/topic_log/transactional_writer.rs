//! Writing to a log in transactions: whoever begins to do so under an id fences all who did before.

use std::time::{Duration, Instant};

use rdkafka::producer::Producer as _;
use tracing::debug;
use volley_api::{ConfigMap, Error, Result};

use super::writer::{LogEntry, LogWriter};

/// Shortest time that the broker is given to answer, however little is left.
const SHORTEST: Duration = Duration::from_millis(100);

/// Writes to one topic, all records of a call or none.
#[derive(Debug)]
pub struct TransactionalLogWriter {
    writer: LogWriter,
}

impl TransactionalLogWriter {
    /// Makes the producer and takes over its `transactional.id`: who wrote under it before can do so no longer, and what
    /// they had not committed is gone.
    ///
    /// # Errors
    /// `Retriable` if the broker does not answer within `timeout`; `Config` if it refuses.
    pub fn connect(topic: &str, properties: &ConfigMap, timeout: Duration) -> Result<Self> {
        let mut properties = properties.clone();
        // a transaction ends before the time that its records have
        properties.shift_remove("delivery.timeout.ms");
        let writer = LogWriter::connect(topic, &properties)?;
        let outcome = writer.native().init_transactions(timeout);
        writer.outcome("prepare transactions on", outcome)?;
        Ok(Self { writer })
    }

    /// Writes records in order; tells partition and offset of each. After an error of any kind nothing was written, or
    /// everything where the commit's answer was lost, and the writer is of no more use.
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
