//! The dead letter queue of a sink: rejected messages with their original bytes, and why (KIP-298).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arrow::array::Array;
use volley_api::{Error, RawBatch, RawHeader, RejectedRow, Result};
use volley_kafka::{Outgoing, Producer};

use crate::task::ConnectorTaskId;

/// How long a commit waits for the acknowledgement of dead letters before the task fails.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(60);

/// A producer to the dead letter topic.
pub(crate) struct DeadLetterQueue {
    topic: String,
    id: ConnectorTaskId,
    context_headers: bool,
    producer: Mutex<Pending>,
}

struct Pending {
    producer: Producer,
    unacknowledged: usize,
}

impl DeadLetterQueue {
    /// A queue that writes to `topic`, which exists; with `context_headers` it says in headers what went wrong.
    pub(crate) fn new(topic: String, id: ConnectorTaskId, context_headers: bool, producer: Producer) -> Self {
        Self { topic, id, context_headers, producer: Mutex::new(Pending { producer, unacknowledged: 0 }) }
    }

    /// Writes the original message of a rejected row. Returns before it is acknowledged: see [`DeadLetterQueue::flush`].
    pub(crate) fn report(&self, batch: &RawBatch, row: &RejectedRow) -> Result<()> {
        let mut headers = batch.headers.as_ref().map(|headers| headers[row.row].clone()).unwrap_or_default();
        if self.context_headers {
            headers.extend(self.context(batch, row));
        }
        let bytes = |array: &arrow::array::BinaryArray| array.is_valid(row.row).then(|| array.value(row.row).to_vec());
        let (key, value) = (bytes(&batch.keys), bytes(&batch.values));
        let outgoing = Outgoing {
            topic: &self.topic,
            partition: None,
            timestamp: Some(batch.origin.timestamps[row.row]).filter(|timestamp| *timestamp >= 0),
            key: key.as_deref(),
            value: value.as_deref(),
            headers: &headers,
        };
        let mut pending = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        pending.producer.send(&outgoing, 0).map_err(|error| self.failed(error))?;
        pending.unacknowledged += 1;
        Ok(())
    }

    /// Waits until every message is acknowledged.
    ///
    /// # Errors
    /// If one is not: then no offset behind it may be committed.
    pub(crate) fn flush(&self) -> Result<()> {
        let mut pending = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        let deadline = Instant::now() + FLUSH_TIMEOUT;
        while pending.unacknowledged > 0 {
            let wait = deadline.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                let open = pending.unacknowledged;
                return Err(self.failed(Error::retriable(format!("{open} messages are not acknowledged"))));
            }
            for delivery in pending.producer.deliveries(wait.min(Duration::from_millis(100))) {
                pending.unacknowledged -= 1;
                delivery.result.map_err(|error| self.failed(error))?;
            }
        }
        Ok(())
    }

    fn failed(&self, error: Error) -> Error {
        Error::fatal(format!("could not write to the dead letter topic `{}`", self.topic)).with_source(error)
    }

    fn context(&self, batch: &RawBatch, row: &RejectedRow) -> Vec<RawHeader> {
        let origin = &batch.origin;
        let entries = [
            ("topic", origin.partition.topic.to_string()),
            ("partition", origin.partition.partition.to_string()),
            ("offset", origin.offsets[row.row].to_string()),
            ("connector.name", self.id.connector.clone()),
            ("task.id", self.id.task.to_string()),
            ("stage", row.stage.to_string()),
            ("class.name", row.class.clone()),
            ("exception.class.name", row.error.exception().to_owned()),
            ("exception.message", row.error.to_string()),
            ("exception.stacktrace", row.error.trace()),
        ];
        let header = |(name, value): (&str, String)| RawHeader {
            name: Arc::from(format!("__connect.errors.{name}")),
            value: Some(value.into_bytes()),
        };
        entries.into_iter().map(header).collect()
    }
}
