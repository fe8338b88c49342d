//! The connector: its plug-in entry and the checks of its configuration.

use std::sync::Arc;

use volley_api::{ConfigDef, ConfigIssue, ConfigMap, Connector, Plugin, PluginFactory, Result, task_configs_for_all};

use super::config::{CLASS, SinkConfig, config_def};
use super::sink::ObjectStoreSinkTask;
use crate::store::{check_error, issues, look, open_storage};

/// The plug-in.
pub(crate) fn sink_plugin() -> Plugin {
    Plugin {
        class: CLASS,
        aliases: &[],
        version: env!("CARGO_PKG_VERSION"),
        documentation: "Writes records as Parquet files to local disk, Amazon S3 and stores like it, Google Cloud \
                        Storage or Azure Blob Storage, each record exactly once.",
        config_def: config_def(),
        factory: PluginFactory::Sink {
            connector: Arc::new(|| Box::new(ObjectStoreSinkConnector)),
            task: Arc::new(|| Box::<ObjectStoreSinkTask>::default()),
        },
    }
}

/// `ObjectStoreSink`. All tasks are alike; the worker's consumer group divides the partitions among them.
#[derive(Debug)]
struct ObjectStoreSinkConnector;

impl Connector for ObjectStoreSinkConnector {
    fn config_def(&self) -> ConfigDef {
        config_def()
    }

    fn task_configs(&mut self, config: &ConfigMap, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(task_configs_for_all(config, max_tasks))
    }

    /// Looks at the store too, if all keys are right. A store out of reach is no issue: it may be there later.
    fn validate(&self, config: &ConfigMap) -> Vec<ConfigIssue> {
        let (parsed, wrong) = config_def().validate(config);
        if !wrong.is_empty() {
            // the worker reports these itself
            return Vec::new();
        }
        let issues = issues(&parsed);
        if !issues.is_empty() {
            return issues;
        }
        check_store(config).err().map(|error| ConfigIssue::new("store.url", error.to_string())).into_iter().collect()
    }
}

fn check_store(config: &ConfigMap) -> Result<()> {
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
