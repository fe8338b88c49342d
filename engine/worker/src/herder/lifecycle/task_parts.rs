//! The parts that the tasks of a connector are made from.

use std::time::Duration;

use volley_api::{ConfigMap, Plugin};

use super::connector_parts::{check_task_count, resolved};
use crate::connector_config::BoundedRange;
use crate::error::{HerderError, HerderResult};
use crate::herder::WorkerContext;
use crate::plugin_call::Deadline;
use crate::storage::TargetState;

/// How long config providers, and the opening of an offset store, may hold up the start of a task.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(90);

/// The parts that tasks are made from. MUST NOT be logged: the connector's configuration has its variables resolved.
#[derive(Clone)]
pub(crate) struct TaskParts {
    pub(crate) plugin: Plugin,
    pub(crate) connector_config: ConfigMap,
    /// Where a bounded sink begins and ends.
    pub(crate) range: BoundedRange,
    /// As stored, with references.
    pub(crate) task_configs: Vec<ConfigMap>,
    pub(crate) paused: bool,
}

/// The parts that the tasks of connector `name` are made from.
///
/// # Errors
/// If there is no such connector, or no such plug-in; that of a config provider; if it has more tasks than it may have.
///
/// # Cancellation
/// Resolving goes on; its outcome is dropped.
pub(crate) async fn task_parts(context: &WorkerContext, name: &str, target: TargetState) -> HerderResult<TaskParts> {
    let snapshot = context.configs.snapshot();
    let raw = snapshot.connector_config(name);
    let raw = raw.ok_or_else(|| HerderError::NotFound(format!("Unknown connector: {name}")))?;
    let found = resolved(context, name, raw, Deadline::after(START_LIMIT)).await?;
    let (connector_config, plugin) = (found.config, found.plugin);
    let task_configs: Vec<_> = snapshot.task_configs(name).into_iter().cloned().collect();
    check_task_count(name, &connector_config, task_configs.len())?;
    let range = BoundedRange::of(&connector_config)?;
    Ok(TaskParts { plugin, connector_config, range, task_configs, paused: target == TargetState::Paused })
}
