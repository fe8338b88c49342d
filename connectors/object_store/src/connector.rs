//! The connector: its plug-in entry and the checks of its configuration.

use volley_api::{
    ConfigDef, ConfigIssue, ConfigMap, Connector, ConnectorContext, Plugin, PluginFactory, Records, Result,
    RunningConnector, identical_tasks,
};

use super::config::{CLASS, SinkConfig, config_def, config_issues};
use super::sink::ObjectStoreSinkTask;
use crate::chain::files_text;
use crate::store::{check_error, look, open_storage};

/// The plug-in.
pub(crate) fn sink_plugin() -> Plugin {
    Plugin::new(
        CLASS,
        env!("CARGO_PKG_VERSION"),
        "Writes records as Parquet, JSON or other files to local disk, Amazon S3 and stores like it, Google Cloud \
                        Storage, Azure Blob Storage or HDFS, each record exactly once.",
        config_def(),
        PluginFactory::sink(ObjectStoreSinkConnector, ObjectStoreSinkTask::start),
    )
}

/// `ObjectStoreSink`. All tasks are alike; the worker's consumer group divides the partitions among them.
#[derive(Debug)]
struct ObjectStoreSinkConnector;

impl Connector for ObjectStoreSinkConnector {
    fn config_def(&self) -> ConfigDef {
        config_def()
    }

    fn start(&self, _context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        identical_tasks(config)
    }

    fn takes_json_text(&self, config: &ConfigMap) -> bool {
        SinkConfig::parse(config).is_ok_and(|config| config.takes_json_text())
    }

    fn preview(&self, config: &ConfigMap, records: &[Records]) -> Result<Vec<String>> {
        files_text(&SinkConfig::parse(config)?, records)
    }

    /// Looks at the store too, if all keys are right. A store out of reach is no issue: it may be there later.
    fn validate(&self, config: &ConfigMap) -> Vec<ConfigIssue> {
        let (parsed, wrong) = config_def().validate(config);
        if !wrong.is_empty() {
            // the worker reports these itself
            return Vec::new();
        }
        let issues = config_issues(&parsed);
        if !issues.is_empty() {
            return issues;
        }
        check_store(config)
    }
}

/// What the store has against a configuration without issues. A store out of reach is no issue.
pub(crate) fn check_store(config: &ConfigMap) -> Vec<ConfigIssue> {
    look_at_store(config).err().map(|error| ConfigIssue::new("store.url", error.to_string())).into_iter().collect()
}

fn look_at_store(config: &ConfigMap) -> Result<()> {
    let config = SinkConfig::parse(config)?;
    let storage = open_storage(&config.store, "validate")?;
    let url = storage.url().to_owned();
    match look(&url, storage, |storage| storage.check()) {
        Ok(()) => Ok(()),
        Err(error) => match check_error(&url, &error) {
            Some(error) => Err(error),
            None => {
                tracing::warn!(url, %error, "could not look at the store");
                Ok(())
            }
        },
    }
}
