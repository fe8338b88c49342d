//! Task configurations as they are stored.

use volley_api::{ConfigMap, Plugin};

use crate::config_transformer::restore_references;
use crate::herder::lifecycle::bounded::without_run_offsets;
use crate::storage::ClusterConfigState;

/// The configurations that the connector made, with the keys that the worker adds, and with references in the place of
/// resolved values.
pub(crate) fn stored_task_configs(mut configs: Vec<ConfigMap>, plugin: &Plugin, raw: &ConfigMap) -> Vec<ConfigMap> {
    for config in &mut configs {
        config.entry("task.class".to_owned()).or_insert_with(|| task_class(&plugin.class));
        for key in ["topics", "topics.regex"] {
            if let Some(value) = raw.get(key).filter(|_| plugin.kind() == volley_api::PluginKind::Sink) {
                config.insert(key.to_owned(), value.clone());
            }
        }
    }
    restore_references(raw, &mut configs);
    configs
}

/// Whether tasks have to be written and started anew. Other offsets of a bounded run are no reason for it.
pub(crate) fn have_changed(state: &ClusterConfigState, connector: &str, configs: &[ConfigMap]) -> bool {
    let current = state.task_configs(connector);
    current.len() != configs.len()
        || state.task_count(connector) != configs.len()
        || current
            .into_iter()
            .zip(configs)
            .any(|(current, config)| without_run_offsets(current) != without_run_offsets(config))
}

/// The task's class beside the connector's, as Kafka's own connectors name theirs.
fn task_class(connector: &str) -> String {
    format!("{}Task", connector.strip_suffix("Connector").unwrap_or(connector))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_task_s_class_is_named_after_the_connector_s() {
        assert_eq!(task_class("a.b.FileStreamSinkConnector"), "a.b.FileStreamSinkTask");
        assert_eq!(task_class("Datagen"), "DatagenTask");
    }
}
