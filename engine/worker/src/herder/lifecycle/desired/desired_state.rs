//! The desired state of one connector on this worker.

use std::collections::BTreeMap;

use crate::storage::TargetState;

/// What shall run here. Positions are those of the config store: what was started from an earlier one is out of date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DesiredState {
    /// The connector's own instance.
    pub(crate) connector: Option<i64>,
    /// The last commit of its tasks, where the instance is desired: it compares the commit with what it made.
    pub(crate) commit: i64,
    /// Tasks by number.
    pub(crate) tasks: BTreeMap<usize, i64>,
    /// The state of all of it.
    pub(crate) target: TargetState,
}

impl DesiredState {
    /// Nothing.
    pub(crate) fn nothing() -> Self {
        Self { connector: None, commit: 0, tasks: BTreeMap::new(), target: TargetState::Started }
    }

    /// The part of the connector's own instance.
    pub(crate) fn of_instance(&self) -> Self {
        Self { tasks: BTreeMap::new(), ..self.clone() }
    }

    /// The part of the tasks.
    pub(crate) fn of_tasks(&self) -> Self {
        Self { connector: None, commit: 0, ..self.clone() }
    }

    /// Whether the instance of the state `before` has to end, or to stop, for this one.
    pub(crate) fn ends_instance_of(&self, before: &Self) -> bool {
        before.connector.is_some() && (self.connector != before.connector || self.target == TargetState::Stopped)
    }

    /// Whether something of the state `before` has to stop, be it to be started anew.
    pub(crate) fn takes_away_from(&self, before: &Self) -> bool {
        let stops = |(task, position): (&usize, &i64)| self.tasks.get(task) != Some(position);
        (before.connector.is_some() && self.connector.is_none()) || before.tasks.iter().any(stops)
    }

    /// Whether nothing of the connector shall run.
    pub(crate) fn is_nothing(&self) -> bool {
        self.connector.is_none() && self.tasks.is_empty()
    }
}
