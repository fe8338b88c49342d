//! The connector and tasks that a restart request selects (KIP-745). Pure.

use super::ConnectorStateInfo;
use crate::storage::{RestartRequest, State};

/// The parts that will be restarted, and the states to show meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub struct RestartPlan {
    /// Whether the connector's own instance is.
    pub connector: bool,
    /// Which tasks are.
    pub tasks: Vec<usize>,
    /// The states, RESTARTING for what is restarted.
    pub states: ConnectorStateInfo,
}

impl RestartPlan {
    /// The plan for a request, given the states as they are.
    pub fn new(request: &RestartRequest, mut states: ConnectorStateInfo) -> Self {
        let failed = State::Failed.to_string();
        let connector = !request.only_failed || states.connector.state == failed;
        let selected =
            states.tasks.iter().filter(|task| request.include_tasks && (!request.only_failed || task.state == failed));
        let tasks: Vec<usize> = selected.map(|task| task.id).collect();
        if connector {
            states.connector.state = State::Restarting.to_string();
        }
        for task in states.tasks.iter_mut().filter(|task| tasks.contains(&task.id)) {
            task.state = State::Restarting.to_string();
        }
        Self { connector, tasks, states }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::herder::{ConnectorState, TaskStateInfo};

    fn states(connector: State, tasks: &[State]) -> ConnectorStateInfo {
        let worker_id = "w:1".to_owned();
        let task = |(id, state): (usize, &State)| TaskStateInfo {
            id,
            state: state.to_string(),
            worker_id: worker_id.clone(),
            trace: None,
            version: None,
        };
        ConnectorStateInfo {
            name: "a".into(),
            connector: ConnectorState {
                state: connector.to_string(),
                worker_id: worker_id.clone(),
                trace: None,
                version: None,
            },
            tasks: tasks.iter().enumerate().map(task).collect(),
            kind: "sink",
            completion: None,
        }
    }

    fn plan(only_failed: bool, include_tasks: bool) -> RestartPlan {
        let request = RestartRequest { connector: "a".into(), only_failed, include_tasks };
        RestartPlan::new(&request, states(State::Running, &[State::Failed, State::Running]))
    }

    #[test]
    fn only_what_the_request_selects_is_restarted() {
        let selected = |plan: RestartPlan| (plan.connector, plan.tasks);
        assert_eq!(selected(plan(false, false)), (true, vec![]));
        assert_eq!(selected(plan(false, true)), (true, vec![0, 1]));
        assert_eq!(selected(plan(true, true)), (false, vec![0]));
        assert_eq!(selected(plan(true, false)), (false, vec![]));
    }

    #[test]
    fn only_what_is_restarted_is_shown_as_restarting() {
        let shown = plan(true, true).states;
        assert_eq!(shown.connector.state, "RUNNING");
        assert_eq!(shown.tasks.iter().map(|task| task.state.as_str()).collect::<Vec<_>>(), ["RESTARTING", "RUNNING"]);
    }
}
