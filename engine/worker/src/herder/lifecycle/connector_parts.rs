//! Prepares the start of connectors and tasks.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};
use volley_api::{ConfigMap, ConnectorKind, Error, Plugin, Result};

use super::restart_schedule::{Part, RestartSchedule};
use crate::config_transformer::ResolvedConfig;
use crate::connector_config::TopicCreation;
use crate::herder::WorkerContext;
use crate::herder::connector_kind::connector_kind;
use crate::plugin_call::{Deadline, call_plugin};
use crate::plugins::find_connector;

/// A connector whose values hold for less is not started again more often than this.
const SHORTEST_TTL: Duration = Duration::from_secs(1);
/// What holds for longer holds for ever.
const LONGEST_TTL: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Whether a sink's configuration says that it ends by itself.
pub(crate) fn is_bounded_mode(config: &ConfigMap) -> bool {
    config.get("volley.mode").is_some_and(|mode| mode.trim() == "bounded")
}

/// A connector as its configuration says.
pub(crate) struct ResolvedConnector {
    /// Without variables.
    pub(crate) config: ConfigMap,
    pub(crate) plugin: Plugin,
    /// When to start it again, since what a config provider has said of it holds no longer.
    pub(crate) reload_at: Option<Instant>,
}

/// The configuration `raw` of connector `name` with its variables resolved, and the plug-in that it names.
///
/// # Errors
/// That of a config provider; if there is no such plug-in.
///
/// # Cancellation
/// Resolving goes on; its outcome is dropped.
pub(crate) async fn resolved(
    context: &WorkerContext,
    name: &str,
    raw: &ConfigMap,
    deadline: Deadline,
) -> Result<ResolvedConnector> {
    let ResolvedConfig { config, ttl } = match has_variables(raw) {
        false => ResolvedConfig { config: raw.clone(), ttl: None },
        true => {
            let (transformer, raw) = (Arc::clone(&context.transformer), raw.clone());
            let what = format!("a config provider of connector `{name}`");
            call_plugin(&what, deadline, move || transformer.resolve_for_now(&raw)).await??
        }
    };
    let reload_at = ttl.filter(|_| reloads(&config)).map(|ttl| Instant::now() + ttl.clamp(SHORTEST_TTL, LONGEST_TTL));
    let class = config.get("connector.class").map(String::as_str).unwrap_or_default();
    let plugin = find_connector(&context.plugins, &config, class).await?;
    Ok(ResolvedConnector { config, plugin, reload_at })
}

/// Whether the connector is to be started again when a value has expired.
fn reloads(config: &ConfigMap) -> bool {
    config.get("config.action.reload").is_none_or(|action| !action.trim().eq_ignore_ascii_case("none"))
}

/// Checks the keys of topic creation. Kafka Connect checks them only when a connector starts.
///
/// # Errors
/// `Config`: the connector is FAILED then.
pub(crate) fn check_topic_creation(context: &WorkerContext, plugin: &Plugin, config: &ConfigMap) -> Result<()> {
    if connector_kind(plugin) == ConnectorKind::Source && context.config.topic_creation_enabled() {
        TopicCreation::parse(config)?;
    }
    Ok(())
}

/// Whether a configuration may have variables; one that has none needs no config provider.
pub(crate) fn has_variables(config: &ConfigMap) -> bool {
    config.values().any(|value| value.contains("${"))
}

/// Plans restarts of failed parts as `volley.restart.*` of the connector or the worker says. `config` has its variables
/// resolved; it is `None` if that was not possible, and then the configuration as written counts.
pub(crate) fn plan_restarts(
    schedule: &mut RestartSchedule,
    context: &WorkerContext,
    name: &str,
    config: Option<&ConfigMap>,
    failed: &[Part],
) {
    if failed.is_empty() {
        return;
    }
    let snapshot = context.configs.snapshot();
    let Some(config) = config.or_else(|| snapshot.connector_config(name)) else { return };
    let policy = match context.config.restart_policy(config) {
        Ok(policy) => policy,
        Err(error) => return warn!(connector = name, %error, "what has failed is not started again"),
    };
    let now = Instant::now();
    for part in failed {
        if let Some(due) = schedule.failed(*part, &policy, now) {
            info!(connector = name, ?part, after = ?due.saturating_duration_since(now), "what has failed will be started again");
        }
    }
}

/// Fails where the connector has more tasks than it may have: a worker that did not check may have committed them.
///
/// # Errors
/// Kafka Connect's `TooManyTasksException`.
pub(crate) fn check_task_count(name: &str, config: &ConfigMap, tasks: usize) -> Result<()> {
    let max_tasks = max_tasks(config);
    if tasks <= max_tasks || !enforces_max_tasks(config) {
        return Ok(());
    }
    let message = format!(
        "The connector {name} has generated {tasks} tasks, which is greater than {max_tasks}, the maximum number of tasks it \
         is configured to create. This behaviour should be considered a bug and is disallowed. If necessary, it can be \
         permitted by reconfiguring the connector with 'tasks.max.enforce' set to false; however, this option will be \
         removed in a future release of Kafka Connect."
    );
    Err(Error::fatal(message).with_exception("org.apache.kafka.connect.runtime.TooManyTasksException"))
}

/// `tasks.max`
pub(crate) fn max_tasks(config: &ConfigMap) -> usize {
    config.get("tasks.max").and_then(|max| max.trim().parse().ok()).unwrap_or(1)
}

fn enforces_max_tasks(config: &ConfigMap) -> bool {
    config.get("tasks.max.enforce").is_none_or(|value| !value.trim().eq_ignore_ascii_case("false"))
}
