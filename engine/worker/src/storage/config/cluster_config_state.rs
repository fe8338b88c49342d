//! The state of all connectors, built from the records of the config topic. Pure: a store applies the records, in order.
//!
//! ```text
//!  connector-a {…} ─► configuration, target state STARTED      ─► ConnectorUpdated
//!  task-a-0 {…}    ─► deferred                                 (counts for nothing yet)
//!  commit-a {1}    ─► task 0 is in force                       ─► TasksUpdated
//! ```
//! All workers of a group apply the same records, so all have the same state at the same position.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use volley_api::ConfigMap;

use crate::json_config::GivenConfig;
use crate::storage::config::config_record::{ConfigRecord, RestartRequest, SessionKey};
use crate::storage::{Completion, TargetState};

/// A change made by a record. The herder acts on it.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigUpdate {
    /// A connector is new or has another configuration.
    ConnectorUpdated(String),
    /// A connector is gone.
    ConnectorRemoved(String),
    /// A connector has other tasks.
    TasksUpdated(String),
    /// A connector has another target state.
    TargetStateChanged(String),
    /// A user has requested a restart.
    RestartRequested(RestartRequest),
    /// There is another session key.
    SessionKeyUpdated,
    /// A log level for all workers: namespace, level.
    LoggerLevel(String, String),
}

#[derive(Clone, Debug, Default, PartialEq)]
struct ConnectorEntry {
    config: ConfigMap,
    nulls: Vec<String>,
    tasks: BTreeMap<usize, ConfigMap>,
    task_count: usize,
    applied_config: Option<ConfigMap>,
    is_inconsistent: bool,
    config_position: i64,
    tasks_position: i64,
}

/// All connectors with their tasks and target states, at one position of the config topic.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterConfigState {
    offset: i64,
    connectors: BTreeMap<String, ConnectorEntry>,
    /// Task configurations that no commit has put in force yet. An empty entry stays after a commit, and means that the
    /// connector has had tasks.
    deferred: BTreeMap<String, BTreeMap<usize, ConfigMap>>,
    target_states: BTreeMap<String, TargetState>,
    /// The results of bounded connectors that are done. A new configuration or target state removes them.
    completions: BTreeMap<String, Completion>,
    /// Number of commits by connector. It outlives the connector, so that a later one of the same name continues it.
    task_generations: BTreeMap<String, u64>,
    fenced_task_counts: BTreeMap<String, usize>,
    pending_fencing: BTreeSet<String>,
    session_key: Option<SessionKey>,
    work_position: i64,
}

impl Default for ClusterConfigState {
    /// The state of an empty topic. Its offset is -1, as in Java: all workers of a group compare it.
    fn default() -> Self {
        Self {
            offset: -1,
            connectors: BTreeMap::new(),
            deferred: BTreeMap::new(),
            target_states: BTreeMap::new(),
            completions: BTreeMap::new(),
            task_generations: BTreeMap::new(),
            fenced_task_counts: BTreeMap::new(),
            pending_fencing: BTreeSet::new(),
            session_key: None,
            work_position: -1,
        }
    }
}

impl ClusterConfigState {
    /// One past the offset of the last record applied; -1 before the first. Workers of a group compare it.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// Names of all connectors, sorted.
    pub fn connectors(&self) -> impl Iterator<Item = &str> {
        self.connectors.keys().map(String::as_str)
    }

    /// Whether the connector exists.
    pub fn contains(&self, connector: &str) -> bool {
        self.connectors.contains_key(connector)
    }

    /// A connector's configuration as the user wrote it, with the keys that are null: they count as not given.
    pub fn given_connector_config(&self, connector: &str) -> Option<GivenConfig> {
        let entry = self.connectors.get(connector)?;
        Some(GivenConfig { values: entry.config.clone(), nulls: entry.nulls.clone() })
    }

    /// A connector's configuration as the user wrote it.
    pub fn connector_config(&self, connector: &str) -> Option<&ConfigMap> {
        self.connectors.get(connector).map(|entry| &entry.config)
    }

    /// The target state of a connector; `None` if the connector does not exist.
    pub fn target_state(&self, connector: &str) -> Option<TargetState> {
        let state = self.target_states.get(connector).copied().unwrap_or(TargetState::Started);
        self.contains(connector).then_some(state)
    }

    /// The result of a bounded connector that is done; `None` again once it is resumed or configured anew.
    pub fn completion(&self, connector: &str) -> Option<&Completion> {
        self.completions.get(connector)
    }

    /// The committed task configurations, in order; none where the records do not fit together.
    pub fn task_configs(&self, connector: &str) -> Vec<&ConfigMap> {
        match self.connectors.get(connector) {
            Some(entry) if !entry.is_inconsistent => {
                (0..entry.task_count).filter_map(|task| entry.tasks.get(&task)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether the connector has this task, or had it before its last commit.
    pub fn had_task(&self, connector: &str, task: usize) -> bool {
        self.connectors.get(connector).is_some_and(|entry| entry.tasks.contains_key(&task))
    }

    /// Number of tasks of the last commit.
    pub fn task_count(&self, connector: &str) -> usize {
        self.connectors.get(connector).map_or(0, |entry| entry.task_count)
    }

    /// The connector configuration that was in force at the last commit of tasks.
    pub fn applied_connector_config(&self, connector: &str) -> Option<&ConfigMap> {
        self.connectors.get(connector)?.applied_config.as_ref()
    }

    /// Counts the commits of tasks, from 0; `None` before the first. It never goes back, even if the connector is deleted.
    pub fn task_config_generation(&self, connector: &str) -> Option<u64> {
        self.task_generations.get(connector).copied()
    }

    /// Position (as [`ClusterConfigState::offset`]) of the last record with a configuration of the connector: an instance
    /// started from an earlier position is out of date. 0 if there is no such connector.
    pub fn config_position(&self, connector: &str) -> i64 {
        self.connectors.get(connector).map_or(0, |entry| entry.config_position)
    }

    /// Position of the connector's last commit of tasks: tasks started from an earlier one are out of date.
    pub fn tasks_position(&self, connector: &str) -> i64 {
        self.connectors.get(connector).map_or(0, |entry| entry.tasks_position)
    }

    /// Position of the last record that changed which connectors and tasks there are: an assignment made from an earlier
    /// one is out of date.
    pub fn work_position(&self) -> i64 {
        self.work_position
    }

    /// Connectors whose last commit came without all its task configurations (compaction took them).
    pub fn inconsistent_connectors(&self) -> impl Iterator<Item = &str> {
        self.connectors.iter().filter(|(_, entry)| entry.is_inconsistent).map(|(name, _)| name.as_str())
    }

    /// Exactly-once: how many tasks were fenced last.
    pub fn fenced_task_count(&self, connector: &str) -> Option<usize> {
        self.fenced_task_counts.get(connector).copied()
    }

    /// Exactly-once: whether tasks were committed since the last fencing.
    pub fn is_fencing_pending(&self, connector: &str) -> bool {
        self.pending_fencing.contains(connector)
    }

    /// The current session key.
    pub fn session_key(&self) -> Option<&SessionKey> {
        self.session_key.as_ref()
    }

    /// Applies the record at `offset`. Unknown and malformed records only move the position.
    pub fn apply(&mut self, offset: i64, key: &str, value: Option<&Value>) -> Option<ConfigUpdate> {
        self.offset = offset + 1;
        match ConfigRecord::parse(key, value)? {
            ConfigRecord::Connector(name, Some(config)) => {
                if !self.connectors.contains_key(&name) {
                    self.work_position = self.offset;
                }
                let entry = self.connectors.entry(name.clone()).or_default();
                (entry.config, entry.nulls) = (config.values, config.nulls);
                entry.config_position = self.offset;
                self.target_states.entry(name.clone()).or_insert(TargetState::Started);
                self.completions.remove(&name);
                Some(ConfigUpdate::ConnectorUpdated(name))
            }
            ConfigRecord::Connector(name, None) => self.remove(name),
            ConfigRecord::Task(id, config) => {
                self.deferred.entry(id.connector).or_default().insert(id.task, config);
                None
            }
            ConfigRecord::Commit(name, tasks) => self.commit(name, tasks),
            ConfigRecord::TargetState(name, state) => {
                self.completions.remove(&name);
                self.change_target(name, state)
            }
            ConfigRecord::Completed(name, completion) => {
                if self.contains(&name) {
                    self.completions.insert(name.clone(), completion);
                }
                self.change_target(name, Some(TargetState::Stopped))
            }
            ConfigRecord::Restart(request) => Some(ConfigUpdate::RestartRequested(request)),
            ConfigRecord::TaskCount(name, count) => {
                self.pending_fencing.remove(&name);
                self.fenced_task_counts.insert(name, count);
                None
            }
            ConfigRecord::SessionKey(key) => {
                self.session_key = Some(key);
                Some(ConfigUpdate::SessionKeyUpdated)
            }
            ConfigRecord::LoggerLevel(namespace, level) => Some(ConfigUpdate::LoggerLevel(namespace, level)),
        }
    }

    fn remove(&mut self, name: String) -> Option<ConfigUpdate> {
        self.deferred.remove(&name);
        self.completions.remove(&name);
        self.connectors.remove(&name)?;
        self.work_position = self.offset;
        Some(ConfigUpdate::ConnectorRemoved(name))
    }

    fn commit(&mut self, name: String, tasks: usize) -> Option<ConfigUpdate> {
        let Some(entry) = self.connectors.get_mut(&name) else { return self.remove(name) };
        let deferred = self.deferred.get_mut(&name).map(std::mem::take);
        if (0..tasks).all(|task| deferred.as_ref().is_some_and(|deferred| deferred.contains_key(&task))) {
            if let Some(deferred) = deferred {
                entry.tasks.extend(deferred);
                let generation = self.task_generations.get(&name).map_or(0, |generation| generation + 1);
                self.task_generations.insert(name.clone(), generation);
            }
            entry.is_inconsistent = false;
            entry.applied_config = Some(entry.config.clone());
        } else {
            entry.is_inconsistent = true;
        }
        entry.task_count = tasks;
        entry.tasks_position = self.offset;
        self.work_position = self.offset;
        self.pending_fencing.insert(name.clone());
        Some(ConfigUpdate::TasksUpdated(name))
    }

    fn change_target(&mut self, name: String, state: Option<TargetState>) -> Option<ConfigUpdate> {
        let before = self.target_state(&name);
        match state {
            Some(state) => {
                self.target_states.insert(name.clone(), state);
            }
            None => {
                self.target_states.remove(&name);
            }
        }
        (self.target_state(&name) != before).then_some(ConfigUpdate::TargetStateChanged(name))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use volley_api::testing::config_map;

    use super::*;

    fn apply(state: &mut ClusterConfigState, record: &ConfigRecord) -> Option<ConfigUpdate> {
        state.apply(state.offset().max(0), &record.key(), record.value().as_ref())
    }

    fn with_connector() -> ClusterConfigState {
        let mut state = ClusterConfigState::default();
        apply(&mut state, &ConfigRecord::Connector("a".into(), Some(config_map(&[("k", "1")]).into())));
        state
    }

    fn commit_tasks(state: &mut ClusterConfigState, configs: &[ConfigMap]) {
        for record in ConfigRecord::tasks("a", configs) {
            apply(state, &record);
        }
    }

    #[test]
    fn task_configs_take_effect_at_the_commit() {
        let mut state = with_connector();
        let records = ConfigRecord::tasks("a", &[config_map(&[("t", "0")]), config_map(&[("t", "1")])]);
        assert_eq!(apply(&mut state, &records[0]), None);
        assert_eq!(apply(&mut state, &records[1]), None);
        assert!(state.task_configs("a").is_empty());
        assert_eq!(apply(&mut state, &records[2]), Some(ConfigUpdate::TasksUpdated("a".into())));
        assert_eq!(state.task_configs("a").len(), 2);
        assert_eq!(state.task_config_generation("a"), Some(0));
        assert_eq!(state.applied_connector_config("a"), Some(&config_map(&[("k", "1")])));
        assert!(state.is_fencing_pending("a"));
    }

    #[test]
    fn a_commit_without_all_its_tasks_is_inconsistent_until_a_good_one() {
        let mut state = with_connector();
        apply(&mut state, &ConfigRecord::tasks("a", &[config_map(&[])])[0]);
        apply(&mut state, &ConfigRecord::Commit("a".into(), 2));
        assert_eq!(state.inconsistent_connectors().collect::<Vec<_>>(), ["a"]);
        assert!(state.task_configs("a").is_empty());
        commit_tasks(&mut state, &[config_map(&[])]);
        assert_eq!(state.inconsistent_connectors().count(), 0);
        assert_eq!(state.task_configs("a").len(), 1);
    }

    #[test]
    fn a_deleted_connector_leaves_nothing_behind_but_its_fencing_and_generation() {
        let mut state = with_connector();
        commit_tasks(&mut state, &[config_map(&[])]);
        apply(&mut state, &ConfigRecord::TaskCount("a".into(), 1));
        let removed = apply(&mut state, &ConfigRecord::Connector("a".into(), None));
        assert_eq!(removed, Some(ConfigUpdate::ConnectorRemoved("a".into())));
        apply(&mut state, &ConfigRecord::TargetState("a".into(), None));
        assert_eq!((state.target_state("a"), state.task_count("a"), state.fenced_task_count("a")), (None, 0, Some(1)));
        apply(&mut state, &ConfigRecord::Connector("a".into(), Some(config_map(&[]).into())));
        assert_eq!(state.task_config_generation("a"), Some(0));
        commit_tasks(&mut state, &[config_map(&[])]);
        assert_eq!(state.task_config_generation("a"), Some(1), "tasks of the deleted connector have another one");
    }

    #[test]
    fn a_target_state_written_before_the_connector_holds() {
        let mut state = ClusterConfigState::default();
        let target = ConfigRecord::TargetState("a".into(), Some(TargetState::Stopped));
        assert_eq!(apply(&mut state, &target), None, "nobody to tell of a connector that does not exist");
        apply(&mut state, &ConfigRecord::Connector("a".into(), Some(config_map(&[]).into())));
        assert_eq!(state.target_state("a"), Some(TargetState::Stopped));
        apply(&mut state, &ConfigRecord::TargetState("a".into(), None));
        assert_eq!(state.target_state("a"), Some(TargetState::Started));
    }

    #[test]
    fn positions_tell_what_is_out_of_date() {
        let mut state = with_connector();
        assert_eq!((state.config_position("a"), state.tasks_position("a"), state.work_position()), (1, 0, 1));
        commit_tasks(&mut state, &[config_map(&[])]);
        assert_eq!((state.config_position("a"), state.tasks_position("a"), state.work_position()), (1, 3, 3));
        apply(&mut state, &ConfigRecord::Connector("a".into(), Some(config_map(&[("k", "2")]).into())));
        assert_eq!((state.config_position("a"), state.work_position()), (4, 3), "the same work, configured anew");
        apply(&mut state, &ConfigRecord::TargetState("a".into(), Some(TargetState::Paused)));
        assert_eq!((state.offset(), state.work_position()), (5, 3));
        apply(&mut state, &ConfigRecord::Connector("a".into(), None));
        assert_eq!((state.config_position("a"), state.work_position()), (0, 6));
    }

    #[test]
    fn unknown_records_move_the_position_only() {
        let mut state = with_connector();
        let before = state.offset();
        assert_eq!(state.apply(before, "from-the-future", Some(&Value::Bool(true))), None);
        assert_eq!(state.offset(), before + 1);
    }

    fn any_record() -> impl Strategy<Value = ConfigRecord> {
        let name = prop_oneof![Just("a".to_owned()), Just("b-0".to_owned())];
        prop_oneof![
            (name.clone(), any::<bool>(), "[xy]").prop_map(|(name, some, v)| ConfigRecord::Connector(
                name,
                some.then(|| config_map(&[("k", &v)]).into())
            )),
            (name.clone(), 0usize..3, "[xy]").prop_map(|(connector, task, v)| {
                ConfigRecord::Task(
                    crate::connector_task_id::ConnectorTaskId { connector, task },
                    config_map(&[("t", &v)]),
                )
            }),
            (name, 0usize..4).prop_map(|(name, tasks)| ConfigRecord::Commit(name, tasks)),
        ]
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[A-Z]{0,7}".prop_map(Value::from),
        ];
        let member = "properties|tasks|state|state.v2|task-count|key|algorithm|creation-timestamp|level|only-failed";
        leaf.prop_recursive(3, 12, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::vec((member, inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn any_key() -> impl Strategy<Value = String> {
        let prefix =
            "connector-|task-|commit-|target-state-|restart-connector-|tasks-fencing-|session-key|logger-cluster-|";
        (prefix, "a|b-0|-|a-0|a--1|Ä-1|").prop_map(|(prefix, name)| prefix + &name)
    }

    proptest! {
        #[test]
        fn no_record_panics_and_each_moves_the_position(
            records in prop::collection::vec((any_key(), prop::option::of(any_json())), 0..30),
        ) {
            let mut state = ClusterConfigState::default();
            for (offset, (key, value)) in records.iter().enumerate() {
                let generation = state.task_config_generation("a");
                state.apply(offset as i64, key, value.as_ref());
                prop_assert_eq!(state.offset(), offset as i64 + 1);
                prop_assert!(state.work_position() <= state.offset());
                prop_assert!(generation <= state.task_config_generation("a"));
            }
        }

        /// Whatever the order of records: a connector's task list is whole or empty.
        #[test]
        fn task_lists_are_whole_or_empty(records in prop::collection::vec(any_record(), 0..40)) {
            let mut state = ClusterConfigState::default();
            for record in &records {
                apply(&mut state, record);
                for name in ["a", "b-0"] {
                    let tasks = state.task_configs(name).len();
                    prop_assert!(tasks == 0 || tasks == state.task_count(name));
                    prop_assert!(state.contains(name) || state.task_count(name) == 0);
                }
            }
        }
    }
}
