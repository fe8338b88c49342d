//! The connector: its plug-in entry and the checks of its configuration.

use std::time::Duration;

use volley_api::{
    ConfigDef, ConfigIssue, ConfigMap, Connector, ConnectorContext, Plugin, PluginFactory, Result, RunningConnector,
    SourceOffset, SourcePartition,
};
use volley_store::store_issues;

use super::config::{CLASS, STORE_URL, SourceConfig, config_def, task_config};
use super::store::{FileStore, NO_FILE, Search};
use super::stored_offset;
use super::task::ObjectStoreSourceTask;

/// How long a check of the configuration looks at the store.
const LOOK_LIMIT: Duration = Duration::from_secs(15);

/// The plug-in.
pub(crate) fn source_plugin() -> Plugin {
    Plugin::new(
        CLASS,
        env!("CARGO_PKG_VERSION"),
        "Reads Parquet, JSON, Avro and other files from local disk, Amazon S3 and stores like it, Google Cloud Storage, \
         Azure Blob Storage or HDFS into topics: those that ObjectStoreSink has written, and others.",
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

    /// Looks at the store too, if all keys are right. A store out of reach is no issue: it may be there later.
    fn validate(&self, config: &ConfigMap) -> Vec<ConfigIssue> {
        let (parsed, wrong) = config_def().validate(config);
        if !wrong.is_empty() {
            // the worker reports these itself
            return Vec::new();
        }
        let issues = store_issues(&parsed);
        if issues.is_empty() { check_store(config) } else { issues }
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

/// What the store has against a configuration without issues. That no file is found is told in the log: there may be some later.
fn check_store(config: &ConfigMap) -> Vec<ConfigIssue> {
    let found = SourceConfig::parse(config).and_then(|config| {
        let store = FileStore::open(&config.store)?;
        store.find(&Search::any(&config.pattern, LOOK_LIMIT))
    });
    match found {
        Ok(files) => {
            if files.is_empty() {
                tracing::warn!("{NO_FILE}");
            }
            Vec::new()
        }
        Err(error) if error.is_retriable() => {
            tracing::warn!(%error, "could not look at the store");
            Vec::new()
        }
        Err(error) => vec![ConfigIssue::new(STORE_URL, error.to_string())],
    }
}
