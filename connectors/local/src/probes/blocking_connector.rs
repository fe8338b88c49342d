//! The connectors of `BlockingConnectorTest`: each hangs in the call that its key `block` names, or in one of its own.

use volley_api::{
    ConfigDef, ConfigIssue, ConfigKey, ConfigMap, ConfigType, Connector, ConnectorContext, Importance, Plugin,
    PluginFactory, Result, RunningConnector,
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
        PluginFactory::source(BlockingConnector { always }, move |_, config| {
            Ok(BlockingSourceTask::start(hangs, config))
        }),
    )
}

fn sink(class: &'static str, always: Always) -> Plugin {
    let hangs = always == Always::TaskInitialize;
    plugin(
        class,
        PluginFactory::sink(BlockingConnector { always }, move |_, config| Ok(BlockingSinkTask::start(hangs, config))),
    )
}

fn plugin(class: &'static str, factory: PluginFactory) -> Plugin {
    Plugin::new(class, VERSION, "A probe that hangs for good in one call.", config_def(), factory)
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
}

impl Connector for BlockingConnector {
    fn config_def(&self) -> ConfigDef {
        if self.always == Always::Config {
            hang();
        }
        config_def()
    }

    fn start(&self, _context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        if self.always == Always::Initialize {
            hang();
        }
        let block = Block::of(config);
        block.at(&[
            "Connector::version",
            "Connector::initialize",
            "Connector::initializeWithTaskConfigs",
            "Connector::start",
            "Connector::reconfigure",
        ]);
        Ok(Box::new(RunningBlocking { config: config.clone(), block }))
    }

    /// `Connector::config` hangs here, where the configuration is known.
    fn validate(&self, config: &ConfigMap) -> Vec<ConfigIssue> {
        if self.always == Always::Validate {
            hang();
        }
        Block::of(config).at(&["Connector::validate", "Connector::config"]);
        Vec::new()
    }
}

#[derive(Debug)]
struct RunningBlocking {
    config: ConfigMap,
    block: Block,
}

impl RunningConnector for RunningBlocking {
    fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        self.block.at(&["Connector::taskClass", "Connector::taskConfigs"]);
        Ok(vec![self.config.clone(); max_tasks])
    }

    fn stop(&mut self) {
        self.block.at(&["Connector::stop"]);
    }
}
