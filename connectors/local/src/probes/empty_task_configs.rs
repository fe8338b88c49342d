//! A sink whose tasks have empty configurations.

use std::sync::Arc;

use volley_api::{ConfigDef, ConfigMap, Connector, Plugin, PluginFactory, Result};

use super::dropping_sink::DroppingTask;

/// `EmptyTaskConfigsConnector`.
pub(super) fn sink_plugin() -> Plugin {
    Plugin {
        class: "org.apache.kafka.connect.integration.ConnectWorkerIntegrationTest$EmptyTaskConfigsConnector",
        aliases: &[],
        version: "0.0",
        documentation: "A probe that drops its records, and whose tasks have empty configurations.",
        config_def: ConfigDef::new(),
        factory: PluginFactory::Sink {
            connector: Arc::new(|| Box::new(EmptyTaskConfigsConnector)),
            task: Arc::new(|| Box::new(DroppingTask::content())),
        },
    }
}

#[derive(Debug)]
struct EmptyTaskConfigsConnector;

impl Connector for EmptyTaskConfigsConnector {
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn task_configs(&mut self, _config: &ConfigMap, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![ConfigMap::new(); max_tasks])
    }
}
