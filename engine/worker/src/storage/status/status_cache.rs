//! The state that the records of the status topic produce. Pure: a store applies the records, in order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::connector_task_id::ConnectorTaskId;
use crate::storage::status::status_record::StatusRecord;
use crate::storage::{State, Status, StatusKey, TaskRun, TopicStatus};

/// The statuses of all connectors and tasks, and the topics they use.
#[derive(Clone, Debug, Default)]
pub struct StatusCache {
    statuses: BTreeMap<StatusKey, Status>,
    topics: BTreeMap<(String, String), TopicStatus>,
    task_runs: BTreeMap<ConnectorTaskId, TaskRun>,
}

impl StatusCache {
    /// A status.
    pub fn get(&self, key: &StatusKey) -> Option<&Status> {
        self.statuses.get(key)
    }

    /// The statuses of a connector's tasks, by task number.
    pub fn tasks(&self, connector: &str) -> Vec<(usize, Status)> {
        let first = StatusKey::Task(ConnectorTaskId { connector: connector.to_owned(), task: 0 });
        let tasks = self.statuses.range(first..).map_while(|(key, status)| match key {
            StatusKey::Task(id) if id.connector == connector => Some((id.task, status.clone())),
            _ => None,
        });
        tasks.collect()
    }

    /// The runs of a bounded connector's tasks, by task number.
    pub fn task_runs(&self, connector: &str) -> Vec<(usize, TaskRun)> {
        let first = ConnectorTaskId { connector: connector.to_owned(), task: 0 };
        let runs = self.task_runs.range(first..).take_while(|(id, _)| id.connector == connector);
        runs.map(|(id, run)| (id.task, run.clone())).collect()
    }

    /// Names of all connectors with a status, a task status, a task run or a topic.
    pub fn connectors(&self) -> BTreeSet<String> {
        let of_statuses = self.statuses.keys().map(|key| match key {
            StatusKey::Connector(name) => name,
            StatusKey::Task(id) => &id.connector,
        });
        let of_topics = self.topics.keys().map(|(connector, _)| connector);
        of_statuses.chain(of_topics).chain(self.task_runs.keys().map(|id| &id.connector)).cloned().collect()
    }

    /// The topics that a connector uses, by name.
    pub fn topics(&self, connector: &str) -> Vec<TopicStatus> {
        let first = (connector.to_owned(), String::new());
        let topics = self.topics.range(first..).take_while(|((owner, _), _)| owner == connector);
        topics.map(|(_, topic)| topic.clone()).collect()
    }

    /// Whether a connector is known to use a topic.
    pub fn uses_topic(&self, connector: &str, topic: &str) -> bool {
        self.topics.contains_key(&(connector.to_owned(), topic.to_owned()))
    }

    /// Whether a status must not be written: a FAILED or UNASSIGNED status does not replace that of another worker with
    /// a higher generation.
    pub fn gives_way(&self, key: &StatusKey, status: &Status) -> bool {
        let is_newer = |cached: &Status| cached.worker_id != status.worker_id && cached.generation > status.generation;
        matches!(status.state, State::Failed | State::Unassigned) && self.get(key).is_some_and(is_newer)
    }

    /// Applies a record. Unknown and malformed ones change nothing.
    pub fn apply(&mut self, key: &str, value: Option<&Value>) {
        match StatusRecord::parse(key, value) {
            Some(StatusRecord::Status(key, Some(status))) if !self.is_late_unassigned(&key, &status) => {
                self.statuses.insert(key, status);
            }
            Some(StatusRecord::Status(key, None)) => {
                self.statuses.remove(&key);
            }
            Some(StatusRecord::Topic(topic, connector, Some(status))) => {
                self.topics.insert((connector, topic), status);
            }
            Some(StatusRecord::Topic(topic, connector, None)) => {
                self.topics.remove(&(connector, topic));
            }
            Some(StatusRecord::TaskRun(id, Some(run))) => {
                self.task_runs.insert(id, run);
            }
            Some(StatusRecord::TaskRun(id, None)) => {
                self.task_runs.remove(&id);
            }
            Some(StatusRecord::Status(_, Some(_))) | None => {}
        }
    }

    /// Whether an UNASSIGNED status of a previous owner is late: another worker has reported in a later generation, or
    /// runs the task already in the same one.
    fn is_late_unassigned(&self, key: &StatusKey, status: &Status) -> bool {
        let is_later = |cached: &Status| {
            cached.generation > status.generation
                || cached.generation == status.generation && cached.state == State::Running
        };
        let others = self.get(key).filter(|cached| cached.worker_id != status.worker_id);
        status.state == State::Unassigned && others.is_some_and(is_later)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(state: State, worker: &str, generation: i32) -> Status {
        Status { state, trace: None, worker_id: worker.into(), generation, version: None }
    }

    fn put(cache: &mut StatusCache, key: &StatusKey, status: Option<Status>) {
        let record = StatusRecord::Status(key.clone(), status);
        cache.apply(&record.key(), record.value().as_ref());
    }

    #[test]
    fn a_late_unassigned_of_the_old_owner_is_ignored() {
        let key = StatusKey::Task(ConnectorTaskId { connector: "a".into(), task: 0 });
        let mut cache = StatusCache::default();
        put(&mut cache, &key, Some(status(State::Running, "new:1", 5)));
        put(&mut cache, &key, Some(status(State::Unassigned, "old:1", 4)));
        assert_eq!(cache.get(&key).unwrap().state, State::Running);
        put(&mut cache, &key, Some(status(State::Unassigned, "new:1", 5)));
        assert_eq!(cache.get(&key).unwrap().state, State::Unassigned);
    }

    #[test]
    fn a_late_unassigned_changes_nothing_of_a_connector_or_of_what_is_paused() {
        let task = StatusKey::Task(ConnectorTaskId { connector: "a".into(), task: 0 });
        for (key, state) in [(StatusKey::Connector("a".into()), State::Running), (task, State::Paused)] {
            let mut cache = StatusCache::default();
            put(&mut cache, &key, Some(status(state, "new:1", 6)));
            put(&mut cache, &key, Some(status(State::Unassigned, "old:1", 5)));
            assert_eq!(cache.get(&key).unwrap().state, state);
        }
    }

    #[test]
    fn tombstones_delete() {
        let key = StatusKey::Connector("a".into());
        let mut cache = StatusCache::default();
        put(&mut cache, &key, Some(status(State::Running, "w:1", 0)));
        put(&mut cache, &key, None);
        assert_eq!(cache.get(&key), None);
    }

    #[test]
    fn careful_writes_give_way_to_newer_generations_elsewhere() {
        let key = StatusKey::Connector("a".into());
        let mut cache = StatusCache::default();
        put(&mut cache, &key, Some(status(State::Running, "new:1", 5)));
        assert!(cache.gives_way(&key, &status(State::Failed, "old:1", 4)));
        assert!(!cache.gives_way(&key, &status(State::Running, "old:1", 4)));
        assert!(!cache.gives_way(&key, &status(State::Failed, "new:1", 4)));
        assert!(!cache.gives_way(&key, &status(State::Failed, "old:1", 5)));
    }
}
