//! Config records in the config topic, shared by a group of workers.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use volley_api::{Error, Result};
use volley_kafka::{LogEntry, LogListener, LogRecord, TopicLog};

use crate::storage::config::config_leadership::ConfigLeadership;
use crate::storage::internal_topics::InternalTopics;
use crate::storage::json_bytes::json_bytes;
use crate::storage::stored_json::stored_json;
use crate::storage::{ClusterConfigState, ConfigBackingStore, ConfigRecord, ConfigUpdate};
use crate::worker_config::WorkerConfig;

/// Kafka Connect's time limit for a write and for reading it back.
const WRITE: Duration = Duration::from_secs(30);

/// Called for every update after the store was opened, in order, on the thread that reads the topic. It MUST NOT write
/// to or refresh the same store, which would wait for itself.
pub type ConfigUpdateListener = Arc<dyn Fn(ConfigUpdate) + Send + Sync>;

/// Stores config records in a topic with one partition. Every worker reads all of it; the group's leader writes most of
/// it.
pub struct KafkaConfigBackingStore {
    state: Arc<Mutex<Arc<ClusterConfigState>>>,
    log: TopicLog,
    leadership: Option<ConfigLeadership>,
}

impl fmt::Debug for KafkaConfigBackingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaConfigBackingStore").field("log", &self.log).finish_non_exhaustive()
    }
}

impl KafkaConfigBackingStore {
    /// Opens the config topic of `config` and reads all of it. Blocks.
    ///
    /// # Errors
    /// `Config` if the topic is unsuitable or cannot be created; `Retriable` if the brokers do not answer.
    pub fn start(config: &WorkerConfig, listener: ConfigUpdateListener) -> Result<Self> {
        Self::open(config, &crate::storage::kafka_stores::topics_of(config)?, listener)
    }

    pub(in crate::storage) fn open(
        config: &WorkerConfig,
        topics: &InternalTopics,
        listener: ConfigUpdateListener,
    ) -> Result<Self> {
        let topic = config.config_topic();
        let state = Arc::new(Mutex::new(Arc::default()));
        let reader =
            ConfigLogReader { topic: topic.name.clone(), state: Arc::clone(&state), listener, has_caught_up: false };
        let log = topics.open(
            &topic,
            config.config_log_clients(),
            config.transactional_leader_enabled(),
            Box::new(reader),
        )?;
        let leadership = config
            .transactional_leader_enabled()
            .then(|| ConfigLeadership::new(topic.name, config.leader_producer_properties()));
        Ok(Self { state, log, leadership })
    }

    /// Writes records, and returns after they have been read back.
    fn write_through(&self, records: &[ConfigRecord], deadline: Instant) -> Result<()> {
        let serialised: Vec<_> = records.iter().map(serialise).collect::<Result<_>>()?;
        let entries: Vec<_> =
            serialised.iter().map(|(key, value)| LogEntry { key: key.as_bytes(), value: value.as_deref() }).collect();
        let left = || deadline.saturating_duration_since(Instant::now());
        let written = match &self.leadership {
            Some(leadership) if records.iter().any(is_privileged) => leadership.write(&entries, left())?,
            _ => self.log.writer().write(&entries, left()).into_iter().collect::<Result<Vec<_>>>()?,
        };
        self.log.read_written(written, left())
    }
}

impl ConfigBackingStore for KafkaConfigBackingStore {
    fn snapshot(&self) -> Arc<ClusterConfigState> {
        Arc::clone(&self.state.lock())
    }

    fn write(&self, records: &[ConfigRecord]) -> Result<()> {
        let deadline = Instant::now() + WRITE;
        let is_commit = |record: &ConfigRecord| matches!(record, ConfigRecord::Commit(..));
        let failed = |error: Error| write_error(records, error);
        if records.iter().any(is_commit) {
            self.log.read_to_end(deadline.saturating_duration_since(Instant::now())).map_err(failed)?;
        }
        // A commit is written once the records that it commits have been read back.
        for batch in records.chunk_by(|one, next| is_commit(one) == is_commit(next)) {
            self.write_through(batch, deadline).map_err(failed)?;
        }
        Ok(())
    }

    fn refresh(&self, timeout: Duration) -> Result<()> {
        self.log.read_to_end(timeout)
    }

    fn set_leader(&self, is_leader: bool) -> Result<()> {
        match &self.leadership {
            Some(leadership) => leadership.set(is_leader),
            None => Ok(()),
        }
    }

    fn stop(&self) {
        if let Some(leadership) = &self.leadership {
            leadership.give_up();
        }
        self.log.stop();
    }
}

/// Whether only the leader writes this record.
fn is_privileged(record: &ConfigRecord) -> bool {
    !matches!(
        record,
        ConfigRecord::TargetState(_, Some(_)) | ConfigRecord::Completed(..) | ConfigRecord::LoggerLevel(..)
    )
}

fn serialise(record: &ConfigRecord) -> Result<(String, Option<Vec<u8>>)> {
    Ok((record.key(), record.value().map(|value| json_bytes(&value)).transpose()?))
}

/// Wraps the error in Kafka Connect's message for such a write. The error of a fenced leader stays as it is.
fn write_error(records: &[ConfigRecord], error: Error) -> Error {
    if super::config_leadership::is_fencing(&error) {
        return error;
    }
    let what = records.iter().map(|record| match record {
        ConfigRecord::Connector(_, Some(_)) => "writing connector configuration to",
        ConfigRecord::Connector(_, None) => "removing connector configuration from",
        ConfigRecord::Task(..) | ConfigRecord::Commit(..) => "writing task configurations to",
        ConfigRecord::TargetState(..) | ConfigRecord::Completed(..) => "writing target state to",
        ConfigRecord::Restart(_) => "writing restart request to",
        ConfigRecord::TaskCount(..) => "writing task count record to",
        ConfigRecord::SessionKey(_) => "writing session key to",
        ConfigRecord::LoggerLevel(..) => "writing logger level to",
    });
    // The message names the configuration of a new connector rather than its target state, which is written with it.
    let what = what.max_by_key(|what| what.contains("connector configuration")).unwrap_or("writing to");
    Error::new(error.kind(), format!("Error {what} Kafka"))
        .with_exception("org.apache.kafka.connect.errors.ConnectException")
        .with_source(error)
}

/// Applies the records of the topic to the state.
struct ConfigLogReader {
    topic: String,
    state: Arc<Mutex<Arc<ClusterConfigState>>>,
    listener: ConfigUpdateListener,
    has_caught_up: bool,
}

impl LogListener for ConfigLogReader {
    fn record(&mut self, record: &LogRecord<'_>) {
        let Some((key, value)) = stored_json(&self.topic, record) else { return };
        let update = Arc::make_mut(&mut *self.state.lock()).apply(record.offset, &key, value.as_ref());
        if let Some(update) = update.filter(|_| self.has_caught_up) {
            (self.listener)(update);
        }
    }

    fn caught_up(&mut self) {
        self.has_caught_up = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::TargetState;

    #[test]
    fn errors_are_told_in_kafka_connect_s_words() {
        let records = [
            ConfigRecord::TargetState("a".into(), Some(TargetState::Stopped)),
            ConfigRecord::Connector("a".into(), Some(Default::default())),
        ];
        let error = write_error(&records, Error::retriable("no answer"));
        assert_eq!(error.to_string(), "Error writing connector configuration to Kafka");
        let error = write_error(&records[..1], Error::retriable("no answer"));
        assert_eq!(error.to_string(), "Error writing target state to Kafka");
        assert!(error.trace().contains("no answer"));
    }

    #[test]
    fn any_worker_may_write_target_states_and_levels_and_only_the_leader_the_rest() {
        assert!(!is_privileged(&ConfigRecord::TargetState("a".into(), Some(TargetState::Paused))));
        assert!(!is_privileged(&ConfigRecord::LoggerLevel("root".into(), "INFO".into())));
        assert!(is_privileged(&ConfigRecord::TargetState("a".into(), None)), "goes with the removal of the connector");
        assert!(is_privileged(&ConfigRecord::Commit("a".into(), 0)));
    }
}
