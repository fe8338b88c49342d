//! A sink whose tasks have empty configurations.

use volley_api::{
    ConfigDef, ConfigMap, Connector, ConnectorContext, Plugin, PluginFactory, Result, RunningConnector, identical_tasks,
};

use super::dropping_sink::DroppingTask;

/// `EmptyTaskConfigsConnector`.
pub(super) fn sink_plugin() -> Plugin {
    Plugin::new(
        "org.apache.kafka.connect.integration.ConnectWorkerIntegrationTest$EmptyTaskConfigsConnector",
        "0.0",
        "A probe that drops its records, and whose tasks have empty configurations.",
        ConfigDef::new(),
        PluginFactory::sink(EmptyTaskConfigsConnector, |_, _| Ok(DroppingTask::content())),
    )
}

#[derive(Debug)]
struct EmptyTaskConfigsConnector;

impl Connector for EmptyTaskConfigsConnector {
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn start(&self, _context: ConnectorContext, _config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        identical_tasks(&ConfigMap::new())
    }
}
