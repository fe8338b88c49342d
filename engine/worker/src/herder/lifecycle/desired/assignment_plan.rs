//! Derives the desired states from an assignment and the config store. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::desired_state::DesiredState;
use crate::group::ExtendedAssignment;
use crate::storage::{ClusterConfigState, TargetState};

/// The desired state of each connector that has a part here. The assignment was made from position `agreed`. Tasks that were
/// committed later wait for the next assignment; until then no worker may run them. A connector whose target state is STOPPED
/// has no tasks.
pub(crate) fn desired_here(
    assignment: Option<&ExtendedAssignment>,
    state: &ClusterConfigState,
    agreed: i64,
) -> BTreeMap<String, DesiredState> {
    let mut desired: BTreeMap<String, DesiredState> = BTreeMap::new();
    let Some(assignment) = assignment else { return desired };
    let target = |name: &str| state.target_state(name).unwrap_or(TargetState::Started);
    for name in assignment.connectors.iter().filter(|name| state.contains(name)) {
        let entry = desired.entry(name.clone()).or_insert_with(DesiredState::nothing);
        entry.connector = Some(state.config_position(name));
        entry.commit = state.tasks_position(name);
        entry.target = target(name);
    }
    let names: BTreeSet<&str> = assignment.tasks.iter().map(|id| id.connector.as_str()).collect();
    let task_counts: BTreeMap<&str, usize> =
        names.into_iter().map(|name| (name, state.task_configs(name).len())).collect();
    for id in &assignment.tasks {
        let name = id.connector.as_str();
        let position = state.tasks_position(name);
        let is_stopped = state.target_state(name) == Some(TargetState::Stopped);
        if id.task < task_counts[name] && position <= agreed && !is_stopped {
            let entry = desired.entry(name.to_owned()).or_insert_with(DesiredState::nothing);
            entry.tasks.insert(id.task, position);
            entry.target = target(name);
        }
    }
    desired
}

/// Whether the assignment was made from other connectors or tasks than there are now.
pub(crate) fn is_out_of_date(state: &ClusterConfigState, agreed: i64) -> bool {
    state.work_position() > agreed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector_task_id::ConnectorTaskId;
    use crate::storage::ConfigRecord;

    fn state(records: &[ConfigRecord]) -> ClusterConfigState {
        let mut state = ClusterConfigState::default();
        for record in records {
            state.apply(state.offset().max(0), &record.key(), record.value().as_ref());
        }
        state
    }

    fn connector(name: &str) -> ConfigRecord {
        ConfigRecord::Connector(
            name.into(),
            Some(volley_api::ConfigMap::from([("k".to_owned(), "v".to_owned())]).into()),
        )
    }

    fn tasks(name: &str, count: usize) -> Vec<ConfigRecord> {
        ConfigRecord::tasks(name, &vec![[("t".to_owned(), "v".to_owned())].into_iter().collect(); count])
    }

    fn assignment(connectors: &[&str], tasks: &[(&str, usize)]) -> ExtendedAssignment {
        ExtendedAssignment {
            connectors: connectors.iter().map(|name| (*name).to_owned()).collect(),
            tasks: tasks
                .iter()
                .map(|(name, task)| ConnectorTaskId { connector: (*name).to_owned(), task: *task })
                .collect(),
            ..ExtendedAssignment::default()
        }
    }

    #[test]
    fn tasks_of_a_later_commit_wait_for_the_next_assignment() {
        let mut records = vec![connector("a")];
        records.extend(tasks("a", 2));
        let before = state(&records);
        let assigned = assignment(&["a"], &[("a", 0), ("a", 1)]);
        let desired = desired_here(Some(&assigned), &before, before.offset());
        assert_eq!(desired["a"].tasks, BTreeMap::from([(0, 4), (1, 4)]));
        assert!(!is_out_of_date(&before, before.offset()));

        records.extend(tasks("a", 2));
        let after = state(&records);
        let desired = desired_here(Some(&assigned), &after, before.offset());
        assert!(desired["a"].tasks.is_empty());
        assert_eq!(desired["a"].connector, Some(1));
        assert!(is_out_of_date(&after, before.offset()));
        assert_eq!(desired_here(Some(&assigned), &after, after.offset())["a"].tasks.len(), 2);
    }

    #[test]
    fn what_is_deleted_is_not_desired() {
        let mut records = vec![connector("a"), connector("b")];
        records.extend(tasks("b", 1));
        records.push(ConfigRecord::Connector("b".into(), None));
        let state = state(&records);
        let assigned = assignment(&["a", "b"], &[("b", 0)]);
        assert_eq!(desired_here(Some(&assigned), &state, state.offset()).keys().collect::<Vec<_>>(), ["a"]);
        assert!(desired_here(None, &state, state.offset()).is_empty());
    }

    #[test]
    fn a_stopped_connector_has_no_tasks() {
        let mut records = vec![connector("a")];
        records.extend(tasks("a", 2));
        records.push(ConfigRecord::TargetState("a".into(), Some(TargetState::Stopped)));
        let state = state(&records);
        let desired = desired_here(Some(&assignment(&["a"], &[("a", 0), ("a", 1)])), &state, state.offset());
        assert_eq!((desired["a"].connector, desired["a"].tasks.len()), (Some(1), 0));
    }

    #[test]
    fn a_target_state_reaches_connector_and_tasks_at_once() {
        let mut records = vec![connector("a")];
        records.extend(tasks("a", 1));
        records.push(ConfigRecord::TargetState("a".into(), Some(TargetState::Paused)));
        let state = state(&records);
        let desired = desired_here(Some(&assignment(&[], &[("a", 0)])), &state, 3);
        assert_eq!(desired["a"].target, TargetState::Paused);
        assert!(!is_out_of_date(&state, 3), "pausing moves nothing");
    }
}
