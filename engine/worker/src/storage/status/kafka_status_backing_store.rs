//! Statuses in the status topic, shared by a group of workers.

use std::collections::BTreeSet;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tracing::error;
use volley_api::Result;
use volley_kafka::{LogListener, LogRecord, TopicLog};

use crate::connector_task_id::ConnectorTaskId;
use crate::storage::internal_topics::InternalTopics;
use crate::storage::json_bytes::json_bytes;
use crate::storage::status::status_record::StatusRecord;
use crate::storage::status::status_sender::StatusSender;
use crate::storage::stored_json::stored_json;
use crate::storage::{Status, StatusBackingStore, StatusCache, StatusKey, TaskRun, TopicStatus};
use crate::worker_config::WorkerConfig;

/// Time limit for pending writes when the store is stopped.
const LAST_FLUSH: Duration = Duration::from_secs(5);

/// Called after every change.
type ChangeListener = Arc<dyn Fn() + Send + Sync>;

/// The state of the store, shared with the thread that reads the topic.
#[derive(Default)]
struct Known {
    cache: Mutex<StatusCache>,
    /// Topic and connector of sent topic statuses that were not read back yet.
    announced: Mutex<HashSet<(String, String)>>,
    listener: RwLock<Option<ChangeListener>>,
}

/// Stores statuses in a topic. A status is visible once it has been read back, as on every other worker.
pub struct KafkaStatusBackingStore {
    known: Arc<Known>,
    log: Arc<TopicLog>,
    sender: Arc<StatusSender>,
}

impl fmt::Debug for KafkaStatusBackingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaStatusBackingStore").field("log", &self.log).finish_non_exhaustive()
    }
}

impl KafkaStatusBackingStore {
    /// Opens the status topic of `config` and reads all of it. Blocks.
    ///
    /// # Errors
    /// `Config` if the topic is unsuitable or cannot be created; `Retriable` if the brokers do not answer.
    pub fn start(config: &WorkerConfig) -> Result<Self> {
        Self::open(config, &crate::storage::kafka_stores::topics_of(config)?)
    }

    pub(in crate::storage) fn open(config: &WorkerConfig, topics: &InternalTopics) -> Result<Self> {
        let topic = config.status_topic();
        let known = Arc::new(Known::default());
        let reader = StatusLogReader { topic: topic.name.clone(), known: Arc::clone(&known) };
        let log = Arc::new(topics.open(&topic, config.status_log_clients(), false, Box::new(reader))?);
        let sender = StatusSender::start(Arc::clone(&log))?;
        Ok(Self { known, log, sender })
    }

    /// Waits until all statuses that any worker has stored so far are visible.
    ///
    /// # Errors
    /// `Retriable` if that takes longer than `timeout`.
    pub fn refresh(&self, timeout: Duration) -> Result<()> {
        self.log.read_to_end(timeout)
    }

    fn send(&self, record: &StatusRecord) {
        match record.value().map(|value| json_bytes(&value)).transpose() {
            Ok(value) => self.sender.send(record.key(), value),
            Err(error) => error!(key = record.key(), %error, "status cannot be stored"),
        }
    }
}

impl StatusBackingStore for KafkaStatusBackingStore {
    fn put(&self, key: StatusKey, status: Option<Status>) {
        let gives_way = status.as_ref().is_some_and(|status| self.known.cache.lock().gives_way(&key, status));
        if !gives_way {
            self.send(&StatusRecord::Status(key, status));
        }
    }

    fn get(&self, key: &StatusKey) -> Option<Status> {
        self.known.cache.lock().get(key).cloned()
    }

    fn connectors(&self) -> BTreeSet<String> {
        self.known.cache.lock().connectors()
    }

    fn tasks(&self, connector: &str) -> Vec<(usize, Status)> {
        self.known.cache.lock().tasks(connector)
    }

    fn put_task_run(&self, task: ConnectorTaskId, run: Option<TaskRun>) {
        self.send(&StatusRecord::TaskRun(task, run));
    }

    fn task_runs(&self, connector: &str) -> Vec<(usize, TaskRun)> {
        self.known.cache.lock().task_runs(connector)
    }

    fn put_topic(&self, topic: TopicStatus) {
        let key = (topic.topic.clone(), topic.task.connector.clone());
        {
            // held over both: a status that is read back in between would be in neither
            let mut announced = self.known.announced.lock();
            if self.known.cache.lock().uses_topic(&key.1, &key.0) || !announced.insert(key) {
                return;
            }
        }
        let (name, connector) = (topic.topic.clone(), topic.task.connector.clone());
        self.send(&StatusRecord::Topic(name, connector, Some(topic)));
    }

    fn topics(&self, connector: &str) -> Vec<TopicStatus> {
        self.known.cache.lock().topics(connector)
    }

    fn reset_topics(&self, connector: &str) {
        let mut topics: HashSet<String> = self.topics(connector).into_iter().map(|topic| topic.topic).collect();
        self.known.announced.lock().retain(|(topic, owner)| {
            let is_other = owner != connector;
            if !is_other {
                topics.insert(topic.clone());
            }
            is_other
        });
        for topic in topics {
            self.send(&StatusRecord::Topic(topic, connector.to_owned(), None));
        }
    }

    fn on_change(&self, listener: ChangeListener) {
        *self.known.listener.write() = Some(listener);
    }

    fn flush(&self, timeout: Duration) {
        self.sender.flush(timeout);
    }

    fn stop(&self) {
        self.sender.flush(LAST_FLUSH);
        self.sender.stop();
        self.log.stop();
    }
}

impl Drop for KafkaStatusBackingStore {
    fn drop(&mut self) {
        self.sender.stop();
        self.log.stop();
    }
}

/// Applies the records of the topic to the cache.
struct StatusLogReader {
    topic: String,
    known: Arc<Known>,
}

impl LogListener for StatusLogReader {
    fn record(&mut self, record: &LogRecord<'_>) {
        let Some((key, value)) = stored_json(&self.topic, record) else { return };
        self.known.cache.lock().apply(&key, value.as_ref());
        if let Some(StatusRecord::Topic(topic, connector, _)) = StatusRecord::parse(&key, value.as_ref()) {
            self.known.announced.lock().remove(&(topic, connector));
        }
        if let Some(listener) = &*self.known.listener.read() {
            listener();
        }
    }
}
