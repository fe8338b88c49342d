//! The begin and end offsets of a log's partitions.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::{ClientConfig, Offset};
use tracing::warn;
use volley_api::{ConfigMap, Error, Offsets, Result, TopicPartition};

use crate::bootstrap::check_bootstrap_servers;
use crate::connection::Connection;
use crate::consumer::{ConsumerEvents, NativeConsumer, list_offsets};
use crate::token_polling::TokenPolling;
use crate::{ClientRole, broker_error, translate};

/// Time limit of one request. A client that is cut off from its broker may not notice earlier.
const QUESTION: Duration = Duration::from_secs(10);

/// Pause between two failed requests.
const RETRY: Duration = Duration::from_millis(100);

/// How long requests may fail before it is logged: the leaders of new partitions are not known at once.
const SILENCE: Duration = Duration::from_secs(2);

/// Interval between two checks whether open transactions have ended.
const TRANSACTION_LOOK: Duration = Duration::from_millis(20);

/// Reads offsets from the brokers through a connection of its own: on a consumer's connection the answer would wait
/// behind its fetches. Shared by all logs of a worker.
pub struct LogEnds {
    config: ClientConfig,
    connection: Arc<Connection>,
    all: Arc<Questioner>,
    committed: Mutex<Option<Arc<Questioner>>>,
}

/// A consumer without topics, through which requests are sent.
struct Questioner {
    _polling: Option<TokenPolling>,
    consumer: Arc<NativeConsumer>,
}

impl fmt::Debug for LogEnds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogEnds").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl LogEnds {
    /// Makes the client. Does not wait for the broker.
    ///
    /// # Errors
    /// `Config` when a property has a bad value.
    pub fn connect(properties: &ConfigMap) -> Result<Self> {
        check_bootstrap_servers(properties, ClientRole::Admin)?;
        let mut config = translate(properties, ClientRole::Consumer).config;
        config.set("isolation.level", "read_uncommitted").set("topic.metadata.refresh.interval.ms", "300000");
        if config.get("group.id").is_none_or(str::is_empty) {
            config.set("group.id", crate::consumer::PROBE_GROUP);
        }
        let connection = Connection::of_client(properties, &config)?;
        let all = client_of(&config, &connection)?;
        Ok(Self { config, connection, all, committed: Mutex::default() })
    }

    /// The first offset and the end offset of each partition, in the order of `partitions`.
    ///
    /// # Errors
    /// `Retriable` if the brokers do not answer within `timeout`; `Config` if they refuse.
    pub(crate) fn bounds(&self, partitions: &[TopicPartition], timeout: Duration) -> Result<Vec<(i64, i64)>> {
        let deadline = Instant::now() + timeout;
        let first = self.ask(&self.all, partitions, Offset::Beginning, deadline)?;
        let end = self.ask(&self.all, partitions, Offset::End, deadline)?;
        Ok(first.into_iter().zip(end).collect())
    }

    /// The end offset of each partition, in the order of `partitions`. With `read_committed`, waits until transactions
    /// that are open before it have ended.
    ///
    /// # Errors
    /// As [`LogEnds::bounds`].
    pub(crate) fn ends(
        &self,
        partitions: &[TopicPartition],
        read_committed: bool,
        timeout: Duration,
    ) -> Result<Vec<i64>> {
        let deadline = Instant::now() + timeout;
        let ends = self.ask(&self.all, partitions, Offset::End, deadline)?;
        if read_committed {
            self.await_transactions(partitions, &ends, deadline)?;
        }
        Ok(ends)
    }

    fn await_transactions(&self, partitions: &[TopicPartition], ends: &[i64], deadline: Instant) -> Result<()> {
        let consumer = self.committed()?;
        let mut report_at = Some(Instant::now() + SILENCE);
        loop {
            let stable = self.ask(&consumer, partitions, Offset::End, deadline)?;
            let open = partitions.iter().zip(&stable).zip(ends).find(|((_, stable), end)| stable < end);
            let Some(((partition, stable), end)) = open else { return Ok(()) };
            if report_at.take_if(|at| Instant::now() >= *at).is_some() {
                warn!(%partition, offset = stable, end, "a transaction that begins there is still open, waiting for its end");
            }
            if Instant::now() >= deadline {
                return Err(Error::retriable(format!(
                    "a transaction on topic {} did not end in time",
                    partitions.first().map_or("", |partition| &partition.topic)
                ))
                .with_exception("org.apache.kafka.common.errors.TimeoutException"));
            }
            thread::sleep(TRANSACTION_LOOK);
        }
    }

    /// A client with `read_committed`: it gets the offset of the first open transaction as the end.
    fn committed(&self) -> Result<Arc<Questioner>> {
        let mut committed = self.committed.lock();
        if let Some(consumer) = &*committed {
            return Ok(Arc::clone(consumer));
        }
        let mut config = self.config.clone();
        config.set("isolation.level", "read_committed");
        let consumer = client_of(&config, &self.connection)?;
        *committed = Some(Arc::clone(&consumer));
        Ok(consumer)
    }

    fn ask(
        &self,
        asker: &Questioner,
        partitions: &[TopicPartition],
        which: Offset,
        deadline: Instant,
    ) -> Result<Vec<i64>> {
        let report_at = Instant::now() + SILENCE;
        let mut is_reported = false;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = left.clamp(RETRY, QUESTION);
            match list_offsets(&asker.consumer, &self.connection, partitions, which, timeout) {
                Ok(offsets) => return Ok(in_order(partitions, &offsets)),
                Err(error) if !error.is_retriable() || left.is_zero() => return Err(error),
                Err(error) if !is_reported && Instant::now() >= report_at => {
                    is_reported = true;
                    warn!(client = self.connection.client(), %error, "the end of a topic is not known yet, retrying");
                }
                Err(_) => {}
            }
            thread::sleep(RETRY.min(left));
        }
    }
}

fn in_order(partitions: &[TopicPartition], offsets: &Offsets) -> Vec<i64> {
    partitions.iter().map(|partition| offsets.get(partition).copied().unwrap_or(0)).collect()
}

fn client_of(config: &ClientConfig, connection: &Arc<Connection>) -> Result<Arc<Questioner>> {
    let events = ConsumerEvents::new(Arc::clone(connection));
    events.close();
    let consumer: NativeConsumer = config
        .create_with_context(events)
        .map_err(|error| broker_error::from_client("make a client that asks for offsets", &error))?;
    let consumer = Arc::new(consumer);
    let polled = Arc::clone(&consumer);
    let poll = move || drop(polled.poll(Duration::ZERO));
    Ok(Arc::new(Questioner { _polling: TokenPolling::start(connection, poll)?, consumer }))
}
