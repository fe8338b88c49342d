//! Source offsets in a topic, shared by a group of workers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tracing::warn;
use volley_api::{Error, Result, SourceOffset, SourcePartition};
use volley_kafka::{LogEntry, LogListener, LogRecord, TopicLog};

use crate::storage::internal_topics::InternalTopics;
use crate::storage::offset::offset_key::{
    OffsetBytes, check_primitive, list_offsets, offset_key, offset_value, parse_offset_value, stored_key,
};
use crate::storage::{OffsetBackingStore, OffsetEntry, OffsetRecords};
use crate::worker_config::{InternalTopic, LogClients, WorkerConfig};

/// Time limit for pending writes when the store is stopped.
const LAST_FLUSH: Duration = Duration::from_secs(5);

/// Keeps offsets in a topic, and all of the topic in memory. Keys and values are the bytes that Kafka Connect writes.
///
/// A write without an answer within `default.api.timeout.ms` has failed. Its offsets may still be stored later, but
/// never after those of later writes.
pub struct KafkaOffsetBackingStore {
    bytes: Arc<Mutex<OffsetBytes>>,
    log: TopicLog,
    timeout: Duration,
}

impl fmt::Debug for KafkaOffsetBackingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaOffsetBackingStore").field("log", &self.log).finish_non_exhaustive()
    }
}

impl KafkaOffsetBackingStore {
    /// Opens the offset topic of `config` and reads all of it. Blocks.
    ///
    /// # Errors
    /// `Config` if the topic is unsuitable or cannot be created; `Retriable` if the brokers do not answer.
    pub fn start(config: &WorkerConfig) -> Result<Self> {
        let topics = crate::storage::kafka_stores::topics_of(config)?;
        Self::open(config, &topics, &config.offset_topic(), config.offset_log_clients())
    }

    pub(in crate::storage) fn open(
        config: &WorkerConfig,
        topics: &InternalTopics,
        topic: &InternalTopic,
        clients: LogClients,
    ) -> Result<Self> {
        let bytes = Arc::new(Mutex::new(OffsetBytes::new()));
        let has_transactions = clients.consumer.get("isolation.level").is_some_and(|level| level == "read_committed");
        let reader = OffsetLogReader { bytes: Arc::clone(&bytes) };
        let log = topics.open(topic, clients, has_transactions, Box::new(reader))?;
        Ok(Self { bytes, log, timeout: config.default_api_timeout() })
    }

    /// Key and value of each offset. An offset that is already stored keeps its key.
    fn serialise(&self, connector: &str, offsets: &[OffsetEntry]) -> Result<Vec<(Vec<u8>, Option<Vec<u8>>)>> {
        let bytes = self.bytes.lock();
        let entries = offsets.iter().map(|(partition, offset)| {
            check_primitive(partition)?;
            let key = match stored_key(&bytes, connector, partition)? {
                Some(key) => key,
                None => offset_key(connector, partition)?,
            };
            let value = match offset {
                Some(offset) => {
                    check_primitive(offset)?;
                    Some(offset_value(offset)?)
                }
                None => None,
            };
            Ok((key, value))
        });
        entries.collect()
    }
}

impl OffsetBackingStore for KafkaOffsetBackingStore {
    fn get(&self, connector: &str, partition: &SourcePartition) -> Result<Option<SourceOffset>> {
        self.log.read_to_end(self.timeout).map_err(not_read)?;
        offset_in(&self.bytes.lock(), connector, partition)
    }

    fn get_many(&self, connector: &str, partitions: &[SourcePartition]) -> Result<Vec<Option<SourceOffset>>> {
        self.log.read_to_end(self.timeout).map_err(not_read)?;
        let bytes = self.bytes.lock();
        partitions.iter().map(|partition| offset_in(&bytes, connector, partition)).collect()
    }

    fn set(&self, connector: &str, offsets: &[OffsetEntry]) -> Result<()> {
        let serialised = self.serialise(connector, offsets)?;
        let fates = self.log.writer().write(&entries(&serialised), self.timeout);
        fates.into_iter().try_for_each(|fate| {
            fate.map(drop).map_err(|error| {
                Error::new(error.kind(), format!("could not store offsets of connector {connector}"))
                    .with_exception("org.apache.kafka.connect.errors.ConnectException")
                    .with_source(error)
            })
        })
    }

    fn list(&self, connector: &str) -> Result<Vec<(SourcePartition, SourceOffset)>> {
        self.log.read_to_end(self.timeout).map_err(not_read)?;
        list_offsets(&self.bytes.lock(), connector)
    }

    fn set_later(&self, connector: &str, offsets: &[OffsetEntry]) {
        let serialised = match self.serialise(connector, offsets) {
            Ok(serialised) => serialised,
            Err(error) => return super::offset_backing_store::was_not_set(connector, &error),
        };
        let writer = self.log.writer();
        for entry in entries(&serialised) {
            let connector = connector.to_owned();
            let told = move |fate: Result<(i32, i64)>| {
                if let Err(error) = fate {
                    super::offset_backing_store::was_not_set(&connector, &error);
                }
            };
            writer.send(entry, Box::new(told));
        }
        // takes the outcomes of earlier writes
        writer.serve(Duration::ZERO);
    }

    fn topic(&self) -> Option<&str> {
        Some(self.log.topic())
    }

    fn records(&self, connector: &str, offsets: &[OffsetEntry]) -> Result<OffsetRecords> {
        Ok(OffsetRecords { topic: self.log.topic().to_owned(), entries: self.serialise(connector, offsets)? })
    }

    fn stop(&self) {
        if let Err(error) = self.log.writer().flush(LAST_FLUSH) {
            warn!(topic = self.log.topic(), %error, "not all offsets were stored");
        }
        // pending reads of other threads now fail
        self.log.stop();
    }
}

fn entries(serialised: &[(Vec<u8>, Option<Vec<u8>>)]) -> Vec<LogEntry<'_>> {
    serialised.iter().map(|(key, value)| LogEntry { key, value: value.as_deref() }).collect()
}

fn offset_in(bytes: &OffsetBytes, connector: &str, partition: &SourcePartition) -> Result<Option<SourceOffset>> {
    let key = stored_key(bytes, connector, partition)?;
    key.and_then(|key| bytes.get(&key)).map(|value| parse_offset_value(value)).transpose()
}

fn not_read(error: Error) -> Error {
    Error::new(error.kind(), "Failed to read from the offsets topic")
        .with_exception("org.apache.kafka.connect.errors.ConnectException")
        .with_source(error)
}

/// Applies the records of the topic to the offsets in memory.
struct OffsetLogReader {
    bytes: Arc<Mutex<OffsetBytes>>,
}

impl LogListener for OffsetLogReader {
    fn record(&mut self, record: &LogRecord<'_>) {
        let Some(key) = record.key else {
            warn!(partition = record.partition, offset = record.offset, "an offset without key is skipped");
            return;
        };
        let mut bytes = self.bytes.lock();
        match record.value {
            Some(value) => drop(bytes.insert(key.to_vec(), value.to_vec())),
            None => drop(bytes.remove(key)),
        }
    }
}
