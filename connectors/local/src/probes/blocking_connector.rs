//! The connectors of `BlockingConnectorTest`: each hangs in the call that its key `block` names, or in one of its own.

use std::sync::Arc;

use volley_api::{
    ConfigDef, ConfigIssue, ConfigKey, ConfigMap, ConfigType, Connector, ConnectorContext, Importance, Plugin,
    PluginFactory, Result, task_configs_for_all,
};

use super::block::{Block, hang};
use super::blocking_tasks::{BlockingSinkTask, BlockingSourceTask};

const VERSION: &str = "0.0.0";

/// The call in which a connector hangs whatever its configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Always {
    Nowhere,
    Config,
    Validate,
    Initialize,
    /// In its tasks.
    TaskInitialize,
}

/// All of them.
pub(super) fn plugins() -> Vec<Plugin> {
    vec![
        source("org.apache.kafka.connect.integration.BlockingConnectorTest$BlockingConnector", Always::Nowhere),
        source("org.apache.kafka.connect.integration.BlockingConnectorTest$BlockingSourceConnector", Always::Nowhere),
        sink("org.apache.kafka.connect.integration.BlockingConnectorTest$BlockingSinkConnector", Always::Nowhere),
        source("org.apache.kafka.connect.integration.BlockingConnectorTest$ConfigBlockingConnector", Always::Config),
        source(
            "org.apache.kafka.connect.integration.BlockingConnectorTest$ValidateBlockingConnector",
            Always::Validate,
        ),
        source(
            "org.apache.kafka.connect.integration.BlockingConnectorTest$InitializeBlockingConnector",
            Always::Initialize,
        ),
        source(
            "org.apache.kafka.connect.integration.BlockingConnectorTest$TaskInitializeBlockingSourceConnector",
            Always::TaskInitialize,
        ),
        sink(
            "org.apache.kafka.connect.integration.BlockingConnectorTest$TaskInitializeBlockingSinkConnector",
            Always::TaskInitialize,
        ),
    ]
}

fn source(class: &'static str, always: Always) -> Plugin {
    let hangs = always == Always::TaskInitialize;
    plugin(
        class,
        PluginFactory::Source {
            connector: Arc::new(move || Box::new(BlockingConnector { always, block: Block::default() })),
            task: Arc::new(move || Box::new(BlockingSourceTask::new(hangs))),
        },
    )
}

fn sink(class: &'static str, always: Always) -> Plugin {
    let hangs = always == Always::TaskInitialize;
    plugin(
        class,
        PluginFactory::Sink {
            connector: Arc::new(move || Box::new(BlockingConnector { always, block: Block::default() })),
            task: Arc::new(move || Box::new(BlockingSinkTask::new(hangs))),
        },
    )
}

fn plugin(class: &'static str, factory: PluginFactory) -> Plugin {
    Plugin {
        class,
        aliases: &[],
        version: VERSION,
        documentation: "A probe that hangs for good in one call.",
        config_def: config_def(),
        factory,
    }
}

fn config_def() -> ConfigDef {
    ConfigDef::new().key(ConfigKey::with_default(
        "block",
        ConfigType::String,
        "",
        Importance::Medium,
        "The call in which to hang for good, such as `Connector::start` or `SinkTask::put`.",
    ))
}

#[derive(Debug)]
struct BlockingConnector {
    always: Always,
    block: Block,
}

impl Connector for BlockingConnector {
    fn config_def(&self) -> ConfigDef {
        if self.always == Always::Config {
            hang();
        }
        config_def()
    }

    /// `Connector::config` hangs here, where the configuration is known.
    fn validate(&self, config: &ConfigMap) -> Vec<ConfigIssue> {
        if self.always == Always::Validate {
            hang();
        }
        Block::of(config).at(&["Connector::validate", "Connector::config"]);
        Vec::new()
    }

    fn start(&mut self, _context: ConnectorContext, config: &ConfigMap) -> Result<()> {
        if self.always == Always::Initialize {
            hang();
        }
        self.block = Block::of(config);
        self.block.at(&[
            "Connector::version",
            "Connector::initialize",
            "Connector::initializeWithTaskConfigs",
            "Connector::start",
            "Connector::reconfigure",
        ]);
        Ok(())
    }

    fn task_configs(&mut self, config: &ConfigMap, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        self.block.at(&["Connector::taskClass", "Connector::taskConfigs"]);
        Ok(task_configs_for_all(config, max_tasks))
    }

    fn stop(&mut self) {
        self.block.at(&["Connector::stop"]);
    }
}
