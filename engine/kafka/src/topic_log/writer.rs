//! Writes to a log from any thread, in order, with an outcome for each record.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rdkafka::Statistics;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};
use rdkafka::types::RDKafkaErrorCode as Code;
use tracing::debug;
use volley_api::{ConfigMap, Error, Result};

use crate::connection::{Connection, Granted};
use crate::token_polling::TokenPolling;
use crate::{ClientRole, broker_error, translate};

/// Duration of one wait for acknowledgements; librdkafka's poll does not return early.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_millis(20);

/// A record to be written. Borrowed: the writer copies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogEntry<'a> {
    /// Key; its hash selects the partition, as in Java.
    pub key: &'a [u8],
    /// Value; `None` = tombstone.
    pub value: Option<&'a [u8]>,
}

/// Called once with the outcome of a record: partition and offset, or the error. It runs on any thread that waits for
/// acknowledgements at the time, and MUST NOT block.
pub type OnDelivery = Box<dyn FnOnce(Result<(i32, i64)>) + Send + Sync>;

/// Boxed again, since a closure is a wide pointer and librdkafka keeps a single pointer for each message.
pub(super) struct Told(OnDelivery);

pub(super) struct WriterEvents {
    connection: Arc<Connection>,
}

impl ClientContext for WriterEvents {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _config: Option<&str>) -> Granted {
        self.connection.oauth_token()
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.connection.log(level, facility, line);
    }

    fn stats(&self, _statistics: Statistics) {}

    fn stats_raw(&self, _statistics: &[u8]) {}

    fn error(&self, error: KafkaError, reason: &str) {
        self.connection.report(&error, reason);
    }
}

impl ProducerContext for WriterEvents {
    type DeliveryOpaque = Box<Told>;

    fn delivery(&self, outcome: &DeliveryResult<'_>, told: Box<Told>) {
        let result = match outcome {
            Ok(message) => {
                self.connection.mark_up();
                Ok((message.partition(), message.offset()))
            }
            Err((error, message)) => {
                Err(broker_error::from_client(&format!("write to topic {}", message.topic()), error))
            }
        };
        (told.0)(result);
    }
}

/// Writes to one topic. Dropping it drops the records without an outcome, and their outcome is that error.
pub struct LogWriter {
    _polling: Option<TokenPolling>,
    native: Arc<BaseProducer<WriterEvents>>,
    connection: Arc<Connection>,
    topic: String,
    /// Held by the thread that waits for acknowledgements for all callers.
    serving: Mutex<()>,
}

impl fmt::Debug for LogWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogWriter").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl LogWriter {
    /// Makes the producer. Does not wait for the broker.
    ///
    /// # Errors
    /// `Config` when a property has a bad value, or the topic's name is invalid.
    pub fn connect(topic: &str, properties: &ConfigMap) -> Result<Self> {
        if topic.is_empty() || topic.contains('\0') {
            return Err(Error::config(format!("there can be no topic named `{}`", topic.escape_debug())));
        }
        let translation = translate(properties, ClientRole::Producer);
        let mut config = translation.config;
        if !properties.contains_key("linger.ms") {
            // callers wait for each record
            config.set("linger.ms", "0");
        }
        let client = config.get("client.id").unwrap_or("volley");
        for warning in &translation.warnings {
            debug!(client, "{warning}");
        }
        let connection = Connection::of_client(properties, &config)?;
        let events = WriterEvents { connection: Arc::clone(&connection) };
        let native: BaseProducer<WriterEvents> = config
            .create_with_context(events)
            .map_err(|error| broker_error::from_client(&format!("make a producer for topic {topic}"), &error))?;
        let native = Arc::new(native);
        let polled = Arc::clone(&native);
        let polling = TokenPolling::start(&connection, move || polled.poll(Duration::ZERO))?;
        Ok(Self { _polling: polling, native, connection, topic: topic.to_owned(), serving: Mutex::default() })
    }

    pub(super) fn native(&self) -> &BaseProducer<WriterEvents> {
        &self.native
    }

    pub(super) fn outcome<T>(&self, action: &str, outcome: KafkaResult<T>) -> Result<T> {
        self.connection.outcome(&format!("{action} topic {}", self.topic), outcome)
    }

    /// Queues a record without waiting. The caller MUST make sure that [`LogWriter::serve`] is called until `told` has
    /// been called.
    ///
    /// # Errors
    /// `Data` when it is larger than `max.request.size`; `Retriable` when the queue is full. These errors, too, go to
    /// `told`.
    pub fn send(&self, entry: LogEntry<'_>, told: OnDelivery) {
        let mut record: BaseRecord<'_, [u8], [u8], Box<Told>> =
            BaseRecord::with_opaque_to(&self.topic, Box::new(Told(told))).key(entry.key);
        record.payload = entry.value;
        if let Err((error, record)) = self.native.send(record) {
            (record.delivery_opaque.0)(Err(self.send_error(entry, &error)));
        }
    }

    fn send_error(&self, entry: LogEntry<'_>, error: &KafkaError) -> Error {
        if error.rdkafka_error_code() == Some(Code::MessageSizeTooLarge) {
            let bytes = entry.key.len() + entry.value.map_or(0, <[u8]>::len);
            return Error::data(format!(
                "could not write to topic {}: the record has {bytes} bytes, more than `max.request.size` allows",
                self.topic
            ))
            .with_exception("org.apache.kafka.common.errors.RecordTooLargeException");
        }
        broker_error::from_client(&format!("write to topic {}", self.topic), error)
    }

    /// Waits up to `timeout` for acknowledgements and reports them.
    pub fn serve(&self, timeout: Duration) {
        self.native.poll(timeout.min(LONGEST_WAIT));
    }

    /// Waits until every record has an outcome, or `timeout` has passed.
    ///
    /// # Errors
    /// As [`LogWriter::check`].
    pub fn flush(&self, timeout: Duration) -> Result<()> {
        let deadline = Instant::now() + timeout;
        let mut wait = SHORTEST_WAIT;
        while self.in_flight() > 0 && Instant::now() < deadline {
            self.check()?;
            self.native.poll(wait);
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        Ok(())
    }

    /// Number of records without an outcome.
    pub fn in_flight(&self) -> usize {
        usize::try_from(self.native.in_flight_count()).unwrap_or(0)
    }

    /// Fails if the broker has refused this client, which then cannot write.
    ///
    /// # Errors
    /// `Config`, with the broker's reason.
    pub fn check(&self) -> Result<()> {
        self.connection.check()
    }

    /// Writes records in order and waits for the outcome of each. A record without an outcome in time gets a
    /// `Retriable` error, and may still be written later.
    pub fn write(&self, entries: &[LogEntry<'_>], timeout: Duration) -> Vec<Result<(i32, i64)>> {
        let deadline = Instant::now() + timeout;
        let fates = Arc::new(Fates::new(entries.len()));
        for (index, entry) in entries.iter().enumerate() {
            let fates = Arc::clone(&fates);
            self.send(*entry, Box::new(move |fate| fates.set(index, fate)));
        }
        let mut wait = SHORTEST_WAIT;
        while !fates.are_known() && self.check().is_ok() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            match self.serving.try_lock() {
                Some(_serving) => self.native.poll(wait.min(left)),
                None => fates.wait(wait.min(left)),
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        fates.take(|| match self.check() {
            Err(error) => error,
            Ok(()) => Error::retriable(format!(
                "a record written to topic {} was not acknowledged within {} ms",
                self.topic,
                timeout.as_millis()
            ))
            .with_exception("org.apache.kafka.common.errors.TimeoutException"),
        })
    }
}

/// The outcomes of the records of one write.
struct Fates {
    known: Mutex<(usize, Vec<Option<Result<(i32, i64)>>>)>,
    changed: Condvar,
}

impl Fates {
    fn new(count: usize) -> Self {
        Self { known: Mutex::new((count, (0..count).map(|_| None).collect())), changed: Condvar::new() }
    }

    fn set(&self, index: usize, fate: Result<(i32, i64)>) {
        let mut known = self.known.lock();
        known.0 = known.0.saturating_sub(1);
        if let Some(slot) = known.1.get_mut(index) {
            *slot = Some(fate);
        }
        if known.0 == 0 {
            self.changed.notify_all();
        }
    }

    fn are_known(&self) -> bool {
        self.known.lock().0 == 0
    }

    fn wait(&self, timeout: Duration) {
        let mut known = self.known.lock();
        if known.0 > 0 {
            self.changed.wait_for(&mut known, timeout);
        }
    }

    fn take(&self, missing: impl Fn() -> Error) -> Vec<Result<(i32, i64)>> {
        let fates = std::mem::take(&mut self.known.lock().1);
        fates.into_iter().map(|fate| fate.unwrap_or_else(|| Err(missing()))).collect()
    }
}
