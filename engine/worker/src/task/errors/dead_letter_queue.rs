//! The dead letter queue: what was rejected, and the reason (KIP-298). Of a sink these are messages with their original bytes.
//!
//! Kafka Connect has none for sources. Here a source's record that cannot be converted or produced is written as JSON with its
//! schema, as it was polled.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arrow::array::Array;
use volley_api::{Error, RawBatch, RawHeader, RejectedRow, Result, is_null_map};
use volley_kafka::{Delivery, Outgoing, Producer};

use crate::connector_task_id::ConnectorTaskId;
use crate::dead_letters::error_headers::header;
use crate::metrics::TaskMetrics;
use crate::task::errors::polled_letters::PolledLetters;
use crate::task::source::polled_batch::PolledBatch;

/// How long a commit waits for the acknowledgement of dead letters before the task fails.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(60);

/// A producer to the dead letter topic.
pub(crate) struct DeadLetterQueue {
    topic: String,
    id: ConnectorTaskId,
    context_headers: bool,
    metrics: Arc<TaskMetrics>,
    producer: Mutex<Pending>,
    /// How the records of a source are written.
    polled: Option<PolledLetters>,
}

struct Pending {
    producer: Producer,
    letters: Letters,
}

/// The number of dead letters without an outcome, and the error of a refused one.
#[derive(Debug, Default)]
struct Letters {
    unacknowledged: usize,
    /// Never cleared: the record of the letter is neither delivered nor in the queue, so no offset behind it may ever
    /// be committed.
    refusal: Option<Error>,
}

impl Letters {
    fn sent(&mut self) {
        self.unacknowledged += 1;
    }

    /// Takes the outcomes of these letters, and counts them.
    fn settle(&mut self, deliveries: Vec<Delivery>, metrics: &TaskMetrics) {
        for delivery in deliveries {
            self.unacknowledged -= 1;
            match delivery.result {
                Ok(_) => metrics.dead_letter_written(),
                Err(error) => {
                    metrics.dead_letter_refused();
                    self.refusal.get_or_insert(error);
                }
            }
        }
    }

    /// Fails if a letter was refused, now or earlier.
    fn check(&self) -> Result<()> {
        self.refusal.clone().map_or(Ok(()), Err)
    }
}

impl DeadLetterQueue {
    /// A queue that writes to the existing `topic`; with `context_headers` it adds the error as headers.
    pub(crate) fn new(
        topic: String,
        id: ConnectorTaskId,
        context_headers: bool,
        producer: Producer,
        metrics: Arc<TaskMetrics>,
    ) -> Self {
        let producer = Mutex::new(Pending { producer, letters: Letters::default() });
        Self { topic, id, context_headers, metrics, producer, polled: None }
    }

    /// The same, for the records of a source.
    pub(crate) fn of_source(mut self, polled: PolledLetters) -> Self {
        self.polled = Some(polled);
        self
    }

    /// Writes the original message of a rejected row. Returns before it is acknowledged: see
    /// [`DeadLetterQueue::flush`].
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
        self.send(&outgoing)
    }

    /// Writes a rejected record of a source. As [`DeadLetterQueue::report`].
    pub(crate) fn report_polled(&self, batch: &PolledBatch, row: &RejectedRow) -> Result<()> {
        let (Some(polled), Some(record)) = (&self.polled, batch.record(row.row)) else { return Ok(()) };
        let mut letter = polled.letter(&record).map_err(|error| self.failed(error))?;
        if self.context_headers {
            let json = |map: &serde_json::Map<String, serde_json::Value>| match is_null_map(map) {
                true => "null".to_owned(),
                false => serde_json::Value::Object(map.clone()).to_string(),
            };
            let mut entries = vec![
                ("topic", batch.topic.to_string()),
                ("source.partition", json(&batch.partition)),
                ("source.offset", json(&batch.offset)),
            ];
            entries.extend(self.reason(row));
            letter.headers.extend(entries.into_iter().map(|(name, text)| header(name, text)));
        }
        let outgoing = Outgoing {
            topic: &self.topic,
            partition: None,
            timestamp: Some(record.records.timestamps[record.row]).filter(|timestamp| *timestamp >= 0),
            key: letter.key.as_deref(),
            value: letter.value.as_deref(),
            headers: &letter.headers,
        };
        self.send(&outgoing)
    }

    fn send(&self, outgoing: &Outgoing<'_>) -> Result<()> {
        let mut pending = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        self.metrics.dead_letter();
        let sent = pending.producer.send(outgoing, 0).inspect_err(|_| self.metrics.dead_letter_refused());
        sent.map_err(|error| self.failed(error))?;
        pending.letters.sent();
        Ok(())
    }

    /// Waits until every message is acknowledged.
    ///
    /// # Errors
    /// If one was not acknowledged, now or at an earlier call. Then no offset behind it may be committed.
    pub(crate) fn flush(&self) -> Result<()> {
        let mut pending = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        let deadline = Instant::now() + FLUSH_TIMEOUT;
        loop {
            pending.letters.check().map_err(|error| self.failed(error))?;
            let open = pending.letters.unacknowledged;
            if open == 0 {
                return Ok(());
            }
            let wait = deadline.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                return Err(self.failed(Error::retriable(format!("{open} messages are not acknowledged"))));
            }
            let deliveries = pending.producer.deliveries(wait.min(Duration::from_millis(100)));
            pending.letters.settle(deliveries, &self.metrics);
        }
    }

    fn failed(&self, error: Error) -> Error {
        Error::fatal(format!("could not write to the dead letter topic `{}`", self.topic)).with_source(error)
    }

    fn context(&self, batch: &RawBatch, row: &RejectedRow) -> Vec<RawHeader> {
        let origin = &batch.origin;
        let place = [
            ("topic", origin.partition.topic.to_string()),
            ("partition", origin.partition.partition.to_string()),
            ("offset", origin.offsets[row.row].to_string()),
        ];
        place.into_iter().chain(self.reason(row)).map(|(name, text)| header(name, text)).collect()
    }

    /// Whose record it is, and what was wrong.
    fn reason(&self, row: &RejectedRow) -> [(&'static str, String); 7] {
        [
            ("connector.name", self.id.connector.clone()),
            ("task.id", self.id.task.to_string()),
            ("stage", row.stage.to_string()),
            ("class.name", row.class.clone()),
            ("exception.class.name", row.error.exception().to_owned()),
            ("exception.message", row.error.to_string()),
            ("exception.stacktrace", row.error.trace()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use volley_api::ConnectorKind;

    use super::*;

    #[test]
    fn a_refused_letter_is_never_forgotten_and_holds_up_no_count() {
        let (mut letters, metrics) = (Letters::default(), TaskMetrics::alone(ConnectorKind::Sink));
        (0..4).for_each(|_| letters.sent());
        letters.settle(vec![Delivery { token: 0, result: Ok((0, 0)), returned: None }], &metrics);
        letters.check().unwrap();
        let refused = Error::data("the message is too large").with_source("10 bytes at most");
        let deliveries = vec![
            Delivery { token: 0, result: Err(refused), returned: None },
            Delivery { token: 0, result: Ok((0, 1)), returned: None },
            Delivery { token: 0, result: Ok((0, 2)), returned: None },
        ];
        letters.settle(deliveries, &metrics);
        assert_eq!(letters.unacknowledged, 0);
        let counted = metrics.snapshot();
        assert_eq!((counted.dead_letters_written, counted.dead_letters_refused), (3, 1));
        for _ in 0..2 {
            let error = letters.check().unwrap_err();
            assert!(error.trace().contains("too large") && error.trace().contains("10 bytes"), "{error:?}");
        }
    }
}
