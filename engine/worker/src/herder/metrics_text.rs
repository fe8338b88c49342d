//! The answer of `/metrics`: what is counted of this worker, and the states of the connectors and tasks that it has.

use volley_api::PluginKind;

use super::WorkerContext;
use crate::metrics::{Exposition, Family, expose_java, expose_process, names};
use crate::storage::{State, Status, StatusKey};

impl WorkerContext {
    /// All metrics, in Prometheus' text format. Waits a moment for Java processes.
    pub(crate) fn metrics_text(&self) -> String {
        let mut to = Exposition::default();
        to.add(&names::BUILD_INFO, &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        to.add(&names::BUDGET_BYTES, &[], self.budget.limit() as f64);
        to.add(&names::BUDGET_USED_BYTES, &[], self.budget.used() as f64);
        expose_process(&mut to);
        self.metrics.expose(&mut to);
        self.expose_states(&mut to);
        if let Some(java) = self.plugins.java_processes() {
            expose_java(&*java, &mut to);
        }
        to.text()
    }

    fn expose_states(&self, to: &mut Exposition) {
        let here = self.worker_id();
        let is_here = |status: &Status| status.worker_id == here && status.state != State::Unassigned;
        let (mut connectors, mut all_tasks) = (0, 0);
        for name in self.statuses.connectors() {
            let instance = self.statuses.get(&StatusKey::Connector(name.clone())).filter(is_here);
            if let Some(status) = instance {
                connectors += 1;
                self.expose_connector(&name, status.state, to);
            }
            let tasks = self.statuses.tasks(&name).into_iter().map(|(_, status)| status);
            let tasks: Vec<State> =
                tasks.filter(|status| status.worker_id == here).map(|status| status.state).collect();
            all_tasks += tasks.iter().filter(|state| **state != State::Unassigned).count();
            expose_tasks(&name, &tasks, to);
        }
        to.add(&names::CONNECTOR_COUNT, &[], f64::from(connectors));
        to.add(&names::TASK_COUNT, &[], all_tasks as f64);
    }

    fn expose_connector(&self, name: &str, state: State, to: &mut Exposition) {
        let state = state.to_string().to_lowercase();
        to.add(&names::CONNECTOR_STATUS, &[("connector", name), ("status", &state)], 1.0);
        let configs = self.configs.snapshot();
        let Some(config) = configs.connector_config(name) else { return };
        let (class, plugins) = (config.get("connector.class"), self.plugins.of_connector(config));
        let Some(plugin) = class.and_then(|class| plugins.find_known(PluginKind::Source, class.trim())) else {
            return;
        };
        let kind = if plugin.kind() == PluginKind::Sink { "sink" } else { "source" };
        to.add(&names::CONNECTOR_TYPE, &[("connector", name), ("connector_type", kind)], 1.0);
        let labels = [("connector", name), ("connector_class", &plugin.class), ("connector_version", &plugin.version)];
        to.add(&names::CONNECTOR_CLASS, &labels, 1.0);
    }
}

/// How many tasks of a connector this worker has in each state; nothing where it has none.
fn expose_tasks(connector: &str, tasks: &[State], to: &mut Exposition) {
    if tasks.is_empty() {
        return;
    }
    let labels = [("connector", connector)];
    let by_state: [(&Family, Option<State>); 6] = [
        (&names::CONNECTOR_TOTAL_TASKS, None),
        (&names::CONNECTOR_RUNNING_TASKS, Some(State::Running)),
        (&names::CONNECTOR_PAUSED_TASKS, Some(State::Paused)),
        (&names::CONNECTOR_FAILED_TASKS, Some(State::Failed)),
        (&names::CONNECTOR_UNASSIGNED_TASKS, Some(State::Unassigned)),
        (&names::CONNECTOR_RESTARTING_TASKS, Some(State::Restarting)),
    ];
    for (family, state) in by_state {
        let count = tasks.iter().filter(|of| state.is_none_or(|state| **of == state)).count();
        to.add(family, &labels, count as f64);
    }
    // a destroyed task is a deleted status
    to.add(&names::CONNECTOR_DESTROYED_TASKS, &labels, 0.0);
}
