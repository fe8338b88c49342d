//! Produces messages through librdkafka, and reports the delivery of each.
//!
//! ```text
//!  send, try_send ── Outgoing + token ──► librdkafka's queue ── batches ──► broker
//!  deliveries ◄── Delivery of each token ◄── poll ◄── acknowledgements ────┘
//! ```
//!
//! The caller gives each message a token. [`Producer::send`] copies the message into librdkafka's queue, and waits
//! while the queue is full. librdkafka sends batches, retries, and acknowledges each message with a partition and an
//! offset, or with an error. Acknowledgements are served while the producer is polled: in `send`, `deliveries` and
//! `flush`. [`Producer::deliveries`] returns them in the order of sending within each partition. A message whose topic
//! does not exist comes back with its content, so that the caller can send it again.
//!
//! A producer is used by one thread. A second thread polls it only if the client logs in with tokens, which librdkafka
//! requests during a poll.

mod transactions;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::Statistics;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Header, Headers as _, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};
use rdkafka::types::RDKafkaErrorCode as Code;
use tracing::warn;
use volley_api::{ConfigMap, Error, RawHeader, Result};

use crate::bootstrap::{check_bootstrap_servers, check_form};
use crate::connection::{Connection, Granted};
use crate::poll_time::poll_time;
use crate::token_polling::TokenPolling;
use crate::{ClientRole, broker_error, translate};

/// Java's `max.block.ms`.
const MAX_BLOCK: Duration = Duration::from_secs(60);

/// Number of messages sent between two polls for acknowledgements, so that librdkafka holds few of them.
const SENDS_PER_LOOK: u64 = 1024;

/// Duration of one wait for acknowledgements; librdkafka's poll does not return early.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_millis(20);

/// A message to be sent. Borrowed: the producer copies it.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Partition; `None` = by the key's hash, as Java's default partitioner does it, or any when there is no key.
    pub partition: Option<i32>,
    /// Milliseconds since 1970-01-01 UTC; `None` = now, and so is 0.
    pub timestamp: Option<i64>,
    /// Key.
    pub key: Option<&'a [u8]>,
    /// Value.
    pub value: Option<&'a [u8]>,
    /// Headers, in order.
    pub headers: &'a [RawHeader],
}

/// The outcome of a message.
#[derive(Debug)]
pub struct Delivery {
    /// The token it was sent with.
    pub token: u64,
    /// Partition and offset, or the error after all retries.
    pub result: Result<(i32, i64)>,
    /// The message, if its topic or partition does not exist (any more). The caller can send it again once it does.
    pub returned: Option<Box<Returned>>,
}

/// The content of a returned message. The sender knows topic, partition and timestamp by the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value.
    pub value: Option<Vec<u8>>,
    /// Headers, in order.
    pub headers: Vec<RawHeader>,
}

struct ProducerEvents {
    connection: Arc<Connection>,
    deliveries: Mutex<Vec<Delivery>>,
}

impl ClientContext for ProducerEvents {
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

impl ProducerContext for ProducerEvents {
    type DeliveryOpaque = usize;

    fn delivery(&self, outcome: &DeliveryResult<'_>, token: usize) {
        let (result, returned) = match outcome {
            Ok(message) => {
                self.connection.mark_up();
                (Ok((message.partition(), message.offset())), None)
            }
            Err((error, message)) => {
                let error = broker_error::from_client(&format!("produce to {}", message.topic()), error);
                let returned = broker_error::is_missing_topic(&error).then(|| Box::new(returned(message)));
                (Err(error), returned)
            }
        };
        self.deliveries.lock().push(Delivery { token: token as u64, result, returned });
    }
}

/// Sends messages and reports the outcome of each. Used by one thread.
///
/// Dropping it drops the messages without an outcome: call [`Producer::flush`] before.
pub struct Producer {
    _polling: Option<TokenPolling>,
    /// Held while acknowledgements are served, so that they stay in order.
    serving: Arc<Mutex<()>>,
    native: Arc<BaseProducer<ProducerEvents>>,
    connection: Arc<Connection>,
    max_block: Duration,
    sent: u64,
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl Producer {
    /// Checks for bad values and for servers that cannot be resolved, without making a producer, which costs threads
    /// and connections.
    ///
    /// # Errors
    /// `Config` when a property has a bad value, or no host of `bootstrap.servers` can be resolved. Values that
    /// contradict each other are found by [`Producer::connect`].
    pub fn check(properties: &ConfigMap) -> Result<()> {
        check_bootstrap_servers(properties, ClientRole::Producer)?;
        max_block(properties)?;
        let config = translate(properties, ClientRole::Producer).config;
        config.create_native_config().map(drop).map_err(|error| broker_error::from_client("make a producer", &error))
    }

    /// Makes the producer. Does not wait for the broker.
    ///
    /// # Errors
    /// `Config` when a property has a bad value.
    pub fn connect(properties: &ConfigMap) -> Result<Self> {
        check_form(properties, ClientRole::Producer)?;
        let max_block = max_block(properties)?;
        let translation = translate(properties, ClientRole::Producer);
        let config = translation.config;
        let client = config.get("client.id").unwrap_or("volley");
        for warning in &translation.warnings {
            warn!(client, "{warning}");
        }
        let connection = Connection::of_client(properties, &config)?;
        let events = ProducerEvents { connection: Arc::clone(&connection), deliveries: Mutex::default() };
        let native: BaseProducer<ProducerEvents> =
            config.create_with_context(events).map_err(|error| broker_error::from_client("make a producer", &error))?;
        let native = Arc::new(native);
        let polled = Arc::clone(&native);
        let serving = Arc::new(Mutex::new(()));
        let is_served = Arc::clone(&serving);
        let polling = TokenPolling::start(&connection, move || {
            if let Some(_serving) = is_served.try_lock() {
                polled.poll(Duration::ZERO);
            }
        })?;
        Ok(Self { _polling: polling, serving, native, connection, max_block, sent: 0 })
    }

    /// Queues a message, waiting up to `max.block.ms` while the queue is full. [`Producer::deliveries`] reports its
    /// outcome under `token`, unless this call returns an error.
    ///
    /// # Errors
    /// `Data` when it is larger than `max.request.size`; `Retriable` when the queue stayed full; `Config` when the broker
    /// refuses the client.
    pub fn send(&mut self, message: &Outgoing<'_>, token: u64) -> Result<()> {
        let mut full_since = None;
        let mut wait = SHORTEST_WAIT;
        while !self.try_send(message, token)? {
            if full_since.get_or_insert_with(Instant::now).elapsed() >= self.max_block {
                return Err(self.stayed_full(message.topic));
            }
            self.poll(poll_time(wait));
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        Ok(())
    }

    /// As [`Producer::send`], without waiting: `false` if the queue is full.
    ///
    /// # Errors
    /// As [`Producer::send`].
    pub fn try_send(&mut self, message: &Outgoing<'_>, token: u64) -> Result<bool> {
        self.sent += 1;
        if self.sent.is_multiple_of(SENDS_PER_LOOK) {
            self.poll(Duration::ZERO);
            self.connection.check()?;
        }
        match self.native.send(record(message, token)) {
            Ok(()) => Ok(true),
            Err((KafkaError::MessageProduction(Code::QueueFull), _)) => self.connection.check().map(|()| false),
            Err((error, _)) => Err(send_error(message, &error)),
        }
    }

    /// The error of a message for which the queue had no room for `max.block.ms`.
    pub fn stayed_full(&self, topic: &str) -> Error {
        Error::retriable(format!(
            "could not produce to {topic}: the send queue stayed full for {} ms",
            self.max_block.as_millis()
        ))
        .with_exception("org.apache.kafka.common.errors.TimeoutException")
    }

    /// How long a message may wait for room in the queue: `max.block.ms`.
    pub fn max_block(&self) -> Duration {
        self.max_block
    }

    /// Whether the topic exists, waiting at most `timeout` for the broker. A broker with `auto.create.topics.enable` creates
    /// it now.
    ///
    /// # Errors
    /// `Retriable` when the broker does not answer in time, `Config` when it refuses the client or the topic's name.
    pub fn has_topic(&self, topic: &str, timeout: Duration) -> Result<bool> {
        if topic.contains('\0') {
            return Err(broker_error::from_code(&format!("produce to {topic:?}"), Code::InvalidTopic));
        }
        let action = format!("look up topic {topic}");
        let metadata = self.native.client().fetch_metadata(Some(topic), timeout);
        let metadata = self.connection.outcome(&action, metadata)?;
        let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else { return Ok(false) };
        match found.error().map(Code::from) {
            None => Ok(!found.partitions().is_empty()),
            Some(Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::LeaderNotAvailable) => Ok(false),
            Some(code) => Err(broker_error::from_code(&action, code)),
        }
    }

    /// The outcomes of messages since the last call, waiting for at least one up to `max_wait`. They come in the order
    /// of acknowledgement, which within a partition is the order of sending.
    pub fn deliveries(&mut self, max_wait: Duration) -> Vec<Delivery> {
        let deadline = Instant::now() + max_wait;
        let mut wait = SHORTEST_WAIT;
        loop {
            self.serve_what_is_there();
            let deliveries = std::mem::take(&mut *self.native.context().deliveries.lock());
            let left = deadline.saturating_duration_since(Instant::now());
            if !deliveries.is_empty() || left.is_zero() {
                return deliveries;
            }
            self.poll(poll_time(wait.min(left)));
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    fn poll(&self, wait: Duration) {
        let _serving = self.serving.lock();
        self.native.poll(wait);
    }

    // A poll without waiting serves one event, which is a batch of acknowledgements.
    fn serve_what_is_there(&self) {
        let served = || self.native.context().deliveries.lock().len();
        let mut before = served();
        loop {
            self.poll(Duration::ZERO);
            let after = served();
            if after == before {
                return;
            }
            before = after;
        }
    }

    /// Waits until every message has an outcome; [`Producer::deliveries`] reports them.
    ///
    /// # Errors
    /// `Retriable` when some have none within `timeout`; `Config` when the broker refuses the client.
    pub fn flush(&mut self, timeout: Duration) -> Result<()> {
        let deadline = Instant::now() + timeout;
        while self.native.in_flight_count() > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            // A flush also ends the linger of the queue.
            let serving = self.serving.lock();
            let outcome = self.native.flush(left.min(LONGEST_WAIT));
            drop(serving);
            self.connection.check()?;
            match outcome {
                Ok(()) => return Ok(()),
                Err(_) if !left.is_zero() => {}
                Err(_) => {
                    return Err(Error::retriable(format!(
                        "{} messages were not acknowledged within {} ms",
                        self.in_flight(),
                        timeout.as_millis()
                    )));
                }
            }
        }
        Ok(())
    }

    /// Number of messages without an outcome.
    pub fn in_flight(&self) -> usize {
        usize::try_from(self.native.in_flight_count()).unwrap_or(0)
    }
}

fn max_block(properties: &ConfigMap) -> Result<Duration> {
    let Some(text) = properties.get("max.block.ms") else { return Ok(MAX_BLOCK) };
    text.trim().parse().map(Duration::from_millis).map_err(|error| {
        Error::config(format!("could not parse `max.block.ms` {text:?} as a number of ms")).with_source(error)
    })
}

fn returned(message: &impl Message) -> Returned {
    let headers = message.headers().map(|headers| {
        let owned = |header: Header<'_, &[u8]>| RawHeader {
            name: Arc::from(header.key),
            value: header.value.map(<[u8]>::to_vec),
        };
        headers.iter().map(owned).collect()
    });
    Returned {
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
    }
}

fn record<'a>(message: &Outgoing<'a>, token: u64) -> BaseRecord<'a, [u8], [u8], usize> {
    let mut record = BaseRecord::with_opaque_to(message.topic, token as usize);
    record.partition = message.partition;
    record.timestamp = message.timestamp.filter(|timestamp| *timestamp >= 0);
    record.key = message.key;
    record.payload = message.value;
    if !message.headers.is_empty() {
        record.headers = Some(headers(message.headers));
    }
    record
}

fn headers(headers: &[RawHeader]) -> OwnedHeaders {
    let empty = OwnedHeaders::new_with_capacity(headers.len());
    headers.iter().fold(empty, |all, header| all.insert(Header { key: &header.name, value: header.value.as_deref() }))
}

fn send_error(message: &Outgoing<'_>, error: &KafkaError) -> Error {
    let code = error.rdkafka_error_code();
    if code == Some(Code::MessageSizeTooLarge) {
        let bytes = message.key.map_or(0, <[u8]>::len) + message.value.map_or(0, <[u8]>::len);
        return Error::data(format!(
            "could not produce to {}: the message has {bytes} bytes, more than `max.request.size` allows",
            message.topic
        ))
        .with_exception("org.apache.kafka.common.errors.RecordTooLargeException");
    }
    broker_error::from_client(&format!("produce to {}", message.topic), error)
}
