//! Statuses in memory, for standalone workers and tests.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use crate::connector_task_id::ConnectorTaskId;
use crate::storage::status::status_record::StatusRecord;
use crate::storage::{Status, StatusBackingStore, StatusCache, StatusKey, TaskRun, TopicStatus};

/// Keeps the state that the status records produce. Every record passes through its key and JSON value, as in Kafka.
#[derive(Debug, Default)]
pub struct MemoryStatusBackingStore {
    cache: Mutex<StatusCache>,
}

impl MemoryStatusBackingStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

fn apply(cache: &mut StatusCache, record: &StatusRecord) {
    cache.apply(&record.key(), record.value().as_ref());
}

impl StatusBackingStore for MemoryStatusBackingStore {
    fn put(&self, key: StatusKey, status: Option<Status>) {
        let mut cache = self.cache.lock();
        if !status.as_ref().is_some_and(|status| cache.gives_way(&key, status)) {
            apply(&mut cache, &StatusRecord::Status(key, status));
        }
    }

    fn get(&self, key: &StatusKey) -> Option<Status> {
        self.cache.lock().get(key).cloned()
    }

    fn connectors(&self) -> BTreeSet<String> {
        self.cache.lock().connectors()
    }

    fn tasks(&self, connector: &str) -> Vec<(usize, Status)> {
        self.cache.lock().tasks(connector)
    }

    fn put_task_run(&self, task: ConnectorTaskId, run: Option<TaskRun>) {
        apply(&mut self.cache.lock(), &StatusRecord::TaskRun(task, run));
    }

    fn task_runs(&self, connector: &str) -> Vec<(usize, TaskRun)> {
        self.cache.lock().task_runs(connector)
    }

    fn put_topic(&self, topic: TopicStatus) {
        let mut cache = self.cache.lock();
        let (name, connector) = (topic.topic.clone(), topic.task.connector.clone());
        if !cache.uses_topic(&connector, &name) {
            apply(&mut cache, &StatusRecord::Topic(name, connector, Some(topic)));
        }
    }

    fn topics(&self, connector: &str) -> Vec<TopicStatus> {
        self.cache.lock().topics(connector)
    }

    fn reset_topics(&self, connector: &str) {
        let mut cache = self.cache.lock();
        for topic in cache.topics(connector) {
            apply(&mut cache, &StatusRecord::Topic(topic.topic, connector.to_owned(), None));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::status::status_conformance::assert_status_store_conforms;

    #[test]
    fn conforms() {
        assert_status_store_conforms(&MemoryStatusBackingStore::new(), &|| {});
    }
}
