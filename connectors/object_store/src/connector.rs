//! The connector: its plug-in entry and the checks of its configuration.

use std::sync::Arc;

use volley_api::{
    ConfigDef, ConfigIssue, ConfigMap, Connector, ConnectorContext, Plugin, PluginFactory, QueryEngine, Records,
    Result, RunningConnector, SinkContext, SinkTask,
};

use super::config::{CLASS, SinkConfig, config_def, config_issues, grouped};
use super::sink::start_task;
use crate::chain::files_text;
use crate::keyed::keyed_text;
use crate::layout::PARTITION_SQL;
use crate::query::{QUERY, QueryConfig, QueryTask, query_issues, query_keys};
use crate::store::{check_error, look, open_storage};
use crate::success::{RunningSink, success_issues};

/// The plug-in.
pub(crate) fn sink_plugin(queries: Arc<dyn QueryEngine>) -> Plugin {
    let for_tasks = Arc::clone(&queries);
    let task = move |context: SinkContext, config: &ConfigMap| new_task(context, config, &for_tasks);
    Plugin::new(
        CLASS,
        env!("CARGO_PKG_VERSION"),
        "Writes records as Parquet, JSON or other files to local disk, Amazon S3 and stores like it, Google Cloud \
                        Storage, Azure Blob Storage or HDFS, each record exactly once.",
        config_def_with_query(),
        PluginFactory::Sink { connector: Arc::new(ObjectStoreSinkConnector { queries }), task: Arc::new(task) },
    )
}

fn config_def_with_query() -> ConfigDef {
    grouped("Query", query_keys()).into_iter().fold(config_def(), ConfigDef::key)
}

fn new_task(context: SinkContext, config: &ConfigMap, queries: &Arc<dyn QueryEngine>) -> Result<Box<dyn SinkTask>> {
    let parsed = config_def_with_query().parse(config)?;
    let sink = SinkConfig::parse(config)?.with_queries(queries);
    match QueryConfig::from_config(&parsed, &context.connector)? {
        Some(query) => Ok(Box::new(QueryTask::start(context, sink, query, queries.as_ref())?)),
        None => start_task(context, sink),
    }
}

/// `ObjectStoreSink`. All tasks are alike; the worker's consumer group divides the partitions among them. A query over all
/// records has one.
struct ObjectStoreSinkConnector {
    queries: Arc<dyn QueryEngine>,
}

impl Connector for ObjectStoreSinkConnector {
    fn config_def(&self) -> ConfigDef {
        config_def_with_query()
    }

    fn start(&self, context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        let sink = RunningSink::new(&context.connector, config, SinkConfig::parse(config)?);
        Ok(Box::new(if has_query(config) { sink.with_one_task() } else { sink }))
    }

    fn remarks(&self, config: &ConfigMap) -> Vec<String> {
        SinkConfig::parse(config).map_or_else(|_| Vec::new(), |sink| sink.remarks())
    }

    fn takes_json_text(&self, config: &ConfigMap) -> bool {
        !has_query(config) && SinkConfig::parse(config).is_ok_and(|config| config.takes_json_text())
    }

    fn preview(&self, config: &ConfigMap, records: &[Records]) -> Result<Vec<String>> {
        if has_query(config) {
            return Ok(vec![
                "The query is over all records: its result is not known before the run has ended.".to_owned(),
            ]);
        }
        preview_files(&SinkConfig::parse(config)?.with_queries(&self.queries), records)
    }

    /// Looks at the store too, if all keys are right. A store out of reach is no issue: it may be there later.
    fn validate(&self, config: &ConfigMap) -> Vec<ConfigIssue> {
        let (parsed, wrong) = config_def_with_query().validate(config);
        if !wrong.is_empty() {
            // the worker reports these itself
            return Vec::new();
        }
        let mut issues = config_issues(&parsed);
        issues.extend(query_issues(self.queries.as_ref(), config, &parsed));
        if issues.is_empty()
            && let Err(error) =
                SinkConfig::parse(config).and_then(|sink| sink.with_queries(&self.queries).partitioner.partitioner())
        {
            issues.push(ConfigIssue::new(PARTITION_SQL, error.to_string()));
        }
        issues.extend(SinkConfig::parse(config).map_or_else(|_| Vec::new(), |sink| success_issues(config, &sink)));
        if !issues.is_empty() {
            return issues;
        }
        check_store(config)
    }
}

/// The files that records would go to.
pub(crate) fn preview_files(config: &SinkConfig, records: &[Records]) -> Result<Vec<String>> {
    match &config.keyed {
        Some(template) => keyed_text(config, template, records),
        None => files_text(config, records),
    }
}

fn has_query(config: &ConfigMap) -> bool {
    config.get(QUERY).is_some_and(|query| !query.trim().is_empty())
}

/// What the store has against a configuration without issues. A store out of reach is no issue.
pub(crate) fn check_store(config: &ConfigMap) -> Vec<ConfigIssue> {
    look_at_store(config).err().map(|error| ConfigIssue::new("store.url", error.to_string())).into_iter().collect()
}

fn look_at_store(config: &ConfigMap) -> Result<()> {
    let config = SinkConfig::parse(config)?;
    let storage = open_storage(&config.store, "validate", &config.spool_directory)?;
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
