//! The connector: its plug-in entry and the checks of its configuration.

use volley_api::{
    ConfigDef, ConfigIssue, ConfigMap, Connector, ConnectorContext, Plugin, PluginFactory, Result, RunningConnector,
    SourceOffset, SourcePartition,
};

use super::config::{CLASS, SourceConfig, config_def, config_issues, task_config};
use super::stored_offset;
use super::task::ObjectStoreSourceTask;

/// The plug-in.
pub(crate) fn source_plugin() -> Plugin {
    Plugin::new(
        CLASS,
        env!("CARGO_PKG_VERSION"),
        "Reads Parquet, JSON, Avro and other files from local disk, Amazon S3 and stores like it, Google Cloud Storage or \
         Azure Blob Storage into topics: those that ObjectStoreSink has written, and others.",
        config_def(),
        PluginFactory::source(ObjectStoreSourceConnector, ObjectStoreSourceTask::start),
    )
}

/// `ObjectStoreSource`. Each task looks for files itself, and takes those of its share.
#[derive(Debug)]
struct ObjectStoreSourceConnector;

impl Connector for ObjectStoreSourceConnector {
    fn config_def(&self) -> ConfigDef {
        config_def()
    }

    fn start(&self, _context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        let config = config.clone();
        Ok(Box::new(move |max_tasks: usize| Ok(vec![task_config(&config, max_tasks); max_tasks])))
    }

    fn validate(&self, config: &ConfigMap) -> Vec<ConfigIssue> {
        let (parsed, wrong) = config_def().validate(config);
        // the worker reports these itself
        if wrong.is_empty() { config_issues(&parsed) } else { Vec::new() }
    }

    fn is_bounded(&self, config: &ConfigMap) -> bool {
        SourceConfig::parse(config).is_ok_and(|config| config.watch_interval.is_none())
    }

    fn alter_offsets(&self, _config: &ConfigMap, offsets: &[(SourcePartition, Option<SourceOffset>)]) -> Result<bool> {
        for (partition, offset) in offsets {
            // offsets may be forgotten whatever they are, so that nothing unwanted stays for ever
            if let Some(offset) = offset {
                stored_offset::check(partition, offset)?;
            }
        }
        Ok(true)
    }
}
