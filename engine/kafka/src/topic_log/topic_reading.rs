//! A topic that is read completely, and then on and on.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tracing::{debug, info};
use volley_api::{ConfigMap, Error, Result, TopicPartition};

use super::ends::LogEnds;
use super::positions::Positions;
use super::reader::{LogListener, NotReached, Reader, Reading};
use crate::bootstrap::check_bootstrap_servers;
use crate::connection::Connection;
use crate::consumer::{ConsumerEvents, NativeConsumer, PROBE_GROUP};
use crate::{ClientRole, broker_error, translate};

/// How long records may be in flight before the reader checks why none arrive.
pub(super) const POLL: Duration = Duration::from_millis(100);

/// How long a fetch waits at the broker for new records. It delays only the report of a partition's end, which matters
/// only if transactions are written.
const FETCH_WAIT: &str = "1000";
const FETCH_WAIT_WITH_TRANSACTIONS: &str = "200";

/// How long the thread waits for records before it checks whether to stop, or to restart fetching where a transaction's
/// marker may be the end.
const LOOK: Duration = Duration::from_millis(1000);
const LOOK_WITH_TRANSACTIONS: Duration = Duration::from_millis(100);

/// Size of the reader's prefetch queue.
const QUEUE_KIBIBYTES: &str = "4096";
const QUEUE_MESSAGES: &str = "1000";

/// What is read, and how.
#[derive(Clone)]
pub struct ReadingSettings {
    /// Topic.
    pub topic: String,
    /// Number of partitions.
    pub partitions: i32,
    /// Properties of the consumer, as for the Java client.
    pub consumer: ConfigMap,
    /// Whether the topic may contain transactions.
    pub has_transactions: bool,
}

impl fmt::Debug for ReadingSettings {
    /// Leaves out the properties, whose values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadingSettings")
            .field("topic", &self.topic)
            .field("partitions", &self.partitions)
            .finish_non_exhaustive()
    }
}

/// A topic that one thread reads completely from its beginning. Waits for the end of broker outages. Ends when it is
/// dropped.
#[derive(Debug)]
pub struct TopicReading {
    pub(super) topic: Arc<str>,
    pub(super) partitions: Vec<TopicPartition>,
    pub(super) read_committed: bool,
    pub(super) reading: Arc<Reading>,
}

impl TopicReading {
    /// Opens a topic and reads all of it. When this returns, `listener` has received all records that were in it.
    ///
    /// # Errors
    /// `Config` when a property has a bad value, no host of `bootstrap.servers` can be resolved or the broker refuses
    /// the client; `Retriable` when no record was read for `time_limit`.
    pub fn start(
        settings: &ReadingSettings,
        ends: &LogEnds,
        listener: Box<dyn LogListener>,
        time_limit: Duration,
    ) -> Result<Self> {
        check_bootstrap_servers(&settings.consumer, ClientRole::Consumer)?;
        let topic: Arc<str> = settings.topic.as_str().into();
        let partition = |number| TopicPartition::new(Arc::clone(&topic), number);
        let partitions: Vec<_> = (0..settings.partitions).map(partition).collect();
        let config = consumer_config(settings);
        let bounds = ends.bounds(&partitions, time_limit)?;
        let reading = Arc::new(Reading::new(Positions::new(&bounds)));
        let reader = Reader {
            topic: Arc::clone(&topic),
            consumer: consumer_at(&settings.consumer, &config, &partitions, &bounds)?,
            reading: Arc::clone(&reading),
            listener,
            wait: if settings.has_transactions { LOOK_WITH_TRANSACTIONS } else { LOOK },
            backlog: Some(bounds.iter().map(|(_, end)| *end).collect()),
        };
        spawn(reader)?;
        let read_committed = config.get("isolation.level") == Some("read_committed");
        let started = Self { topic, partitions, read_committed, reading };
        started.read_backlog(time_limit)?;
        Ok(started)
    }

    fn read_backlog(&self, time_limit: Duration) -> Result<()> {
        let started = Instant::now();
        let mut progress = (Instant::now(), Vec::new());
        while !self.outcome(self.reading.wait_for_backlog(POLL))? {
            let next = self.reading.next_offsets();
            if next != progress.1 {
                progress = (Instant::now(), next);
            }
            if progress.0.elapsed() >= time_limit {
                return Err(self.timed_out(time_limit));
            }
        }
        let offsets: i64 = self.reading.next_offsets().iter().sum();
        debug!(topic = %self.topic, offsets, elapsed_ms = started.elapsed().as_millis(), "log has been read");
        Ok(())
    }

    /// Whether the position was reached.
    pub(super) fn outcome(&self, waited: std::result::Result<(), NotReached>) -> Result<bool> {
        match waited {
            Ok(()) => Ok(true),
            Err(NotReached::Yet) => Ok(false),
            Err(NotReached::Over) => {
                Err(Error::retriable(format!("could not read topic {}: its log has been closed", self.topic)))
            }
        }
    }

    pub(super) fn timed_out(&self, timeout: Duration) -> Error {
        Error::retriable(format!("could not read topic {} to its end within {} ms", self.topic, timeout.as_millis()))
            .with_exception("org.apache.kafka.common.errors.TimeoutException")
    }

    /// Ends reading. The thread stops soon, and the listener gets no further calls.
    pub fn stop(&self) {
        self.reading.stop();
    }
}

impl Drop for TopicReading {
    fn drop(&mut self) {
        self.reading.stop();
    }
}

fn consumer_config(settings: &ReadingSettings) -> ClientConfig {
    let given = &settings.consumer;
    let translation = translate(given, ClientRole::Consumer);
    let mut config = translation.config;
    let client = config.get("client.id").unwrap_or("volley").to_owned();
    for warning in &translation.warnings {
        debug!(client, "{warning}");
    }
    let fetch_wait = if settings.has_transactions { FETCH_WAIT_WITH_TRANSACTIONS } else { FETCH_WAIT };
    for (java_key, key, value) in [
        ("fetch.max.wait.ms", "fetch.wait.max.ms", fetch_wait),
        ("metadata.max.age.ms", "topic.metadata.refresh.interval.ms", "300000"),
        ("queued.max.messages.kbytes", "queued.max.messages.kbytes", QUEUE_KIBIBYTES),
        ("queued.min.messages", "queued.min.messages", QUEUE_MESSAGES),
    ] {
        if !given.contains_key(java_key) {
            config.set(key, value);
        }
    }
    config.set("enable.partition.eof", "true").set("auto.offset.reset", "earliest");
    if config.get("group.id").is_none_or(str::is_empty) {
        config.set("group.id", PROBE_GROUP);
    }
    config
}

/// A consumer that fetches from the first offset of each partition on.
fn consumer_at(
    given: &ConfigMap,
    config: &ClientConfig,
    partitions: &[TopicPartition],
    bounds: &[(i64, i64)],
) -> Result<NativeConsumer> {
    let connection = Connection::of_client(given, config)?;
    let events = ConsumerEvents::new(Arc::clone(&connection));
    events.close();
    let consumer: NativeConsumer =
        config.create_with_context(events).map_err(|error| broker_error::from_client("make a consumer", &error))?;
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for (partition, (first, _)) in partitions.iter().zip(bounds) {
        list.add_partition_offset(&partition.topic, partition.partition, Offset::Offset(*first))
            .map_err(|error| broker_error::from_client(&format!("set the offset of {partition}"), &error))?;
    }
    connection.outcome("assign partitions", consumer.assign(&list))?;
    Ok(consumer)
}

fn spawn(reader: Reader) -> Result<()> {
    let topic = Arc::clone(&reader.topic);
    let run = move || {
        let topic = Arc::clone(&reader.topic);
        reader.run();
        info!(%topic, "log is closed");
    };
    let spawned = thread::Builder::new().name(format!("log {topic}")).spawn(run);
    spawned.map(drop).map_err(|error| {
        Error::fatal(format!("could not start the thread that reads topic {topic}")).with_source(error)
    })
}
