//! A log: a topic that all workers write to and read completely.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use volley_api::{ConfigMap, Result};

use super::ends::LogEnds;
use super::reader::LogListener;
use super::topic_reading::{POLL, ReadingSettings, TopicReading};
use super::writer::{LogEntry, LogWriter};
use crate::ClientRole;
use crate::bootstrap::check_bootstrap_servers;

/// The settings of a log.
#[derive(Clone)]
pub struct LogSettings {
    /// What is read, and how.
    pub reading: ReadingSettings,
    /// Properties of the producer, as for the Java client.
    pub producer: ConfigMap,
}

impl fmt::Debug for LogSettings {
    /// Leaves out the properties, whose values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSettings").field("reading", &self.reading).finish_non_exhaustive()
    }
}

/// The last end offsets that were read, and the time of the request.
#[derive(Debug)]
struct LastEnds {
    asked: Instant,
    ends: Arc<Vec<i64>>,
}

/// A topic that one thread reads completely from its beginning, and that any thread writes to. Waits for the end of
/// broker outages.
#[derive(Debug)]
pub struct TopicLog {
    reading: TopicReading,
    writer: LogWriter,
    ends: Arc<LogEnds>,
    last_ends: Mutex<Option<LastEnds>>,
}

impl TopicLog {
    /// Opens a log and reads all of it. When this returns, `listener` has received all its records.
    ///
    /// # Errors
    /// `Config` when a property has a bad value, no host of `bootstrap.servers` can be resolved or the broker refuses
    /// the client; `Retriable` when no record was read for `time_limit`.
    pub fn start(
        settings: &LogSettings,
        ends: Arc<LogEnds>,
        listener: Box<dyn LogListener>,
        time_limit: Duration,
    ) -> Result<Self> {
        check_bootstrap_servers(&settings.producer, ClientRole::Producer)?;
        check_bootstrap_servers(&settings.reading.consumer, ClientRole::Consumer)?;
        let writer = LogWriter::connect(&settings.reading.topic, &settings.producer)?;
        let reading = TopicReading::start(&settings.reading, &ends, listener, time_limit)?;
        Ok(Self { reading, writer, ends, last_ends: Mutex::default() })
    }

    /// Reads everything that any writer had written when this was called.
    ///
    /// # Errors
    /// `Retriable` if that takes longer than `timeout`, or the log has been closed; `Config` when the broker refuses.
    pub fn read_to_end(&self, timeout: Duration) -> Result<()> {
        let deadline = Instant::now() + timeout;
        self.writer.flush(timeout)?;
        let ends = self.end_offsets(deadline)?;
        self.read_past(&ends, deadline, timeout)
    }

    /// Writes records in order, waits for the outcome of each, and reads up to the written ones. Outcomes are as for
    /// [`LogWriter::write`].
    ///
    /// # Errors
    /// As [`TopicLog::read_to_end`]; the records may have been written nevertheless.
    pub fn write_and_read(&self, entries: &[LogEntry<'_>], timeout: Duration) -> Result<Vec<Result<(i32, i64)>>> {
        let deadline = Instant::now() + timeout;
        let fates = self.writer.write(entries, timeout);
        let written = fates.iter().filter_map(|fate| fate.as_ref().ok().copied());
        self.read_written(written, deadline.saturating_duration_since(Instant::now()))?;
        Ok(fates)
    }

    /// Reads up to records that were written at these partitions and offsets.
    ///
    /// # Errors
    /// As [`TopicLog::read_to_end`].
    pub fn read_written(&self, written: impl IntoIterator<Item = (i32, i64)>, timeout: Duration) -> Result<()> {
        let mut ends = vec![0; self.reading.partitions.len()];
        for (partition, offset) in written {
            if let Some(end) = usize::try_from(partition).ok().and_then(|partition| ends.get_mut(partition)) {
                *end = (offset + 1).max(*end);
            }
        }
        self.read_past(&ends, Instant::now() + timeout, timeout)
    }

    fn read_past(&self, ends: &[i64], deadline: Instant, timeout: Duration) -> Result<()> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if self.reading.outcome(self.reading.reading.wait_for(ends, POLL.min(left)))? {
                return Ok(());
            }
            if left.is_zero() {
                return Err(self.reading.timed_out(timeout));
            }
            self.reading.reading.ask_for_restarts();
        }
    }

    /// End offsets that were read after this was called. Concurrent callers share one request.
    fn end_offsets(&self, deadline: Instant) -> Result<Arc<Vec<i64>>> {
        let called = Instant::now();
        let mut last = self.last_ends.lock();
        if let Some(last) = last.as_ref().filter(|last| last.asked >= called) {
            return Ok(Arc::clone(&last.ends));
        }
        let asked = Instant::now();
        let left = deadline.saturating_duration_since(asked);
        let ends = Arc::new(self.ends.ends(&self.reading.partitions, self.reading.read_committed, left)?);
        *last = Some(LastEnds { asked, ends: Arc::clone(&ends) });
        Ok(ends)
    }

    /// Topic.
    pub fn topic(&self) -> &str {
        &self.reading.topic
    }

    /// A writer that does not read its records back.
    pub fn writer(&self) -> &LogWriter {
        &self.writer
    }

    /// Ends reading. The thread stops soon, and the listener gets no further calls.
    pub fn stop(&self) {
        self.reading.stop();
    }
}
