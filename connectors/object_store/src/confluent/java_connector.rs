//! The plug-in of a Java sink: it translates, and runs `ObjectStoreSink`.

use volley_api::{
    ConfigDef, ConfigIssue, ConfigMap, Connector, ConnectorContext, Offsets, Plugin, PluginFactory, Records,
    RejectedRow, Result, RunningConnector, SinkBatch, SinkContext, SinkTask, TopicPartition,
};

use super::java_sink::JavaSink;
use super::key_names::KeyNames;
use crate::config::SinkConfig;
use crate::connector::{check_store, preview_files};
use crate::sink::start_task;
use crate::success::{RunningSink, success_issues};

/// The plug-in of a Java sink.
pub(crate) fn plugin(sink: &'static JavaSink) -> Plugin {
    let start = |context: SinkContext, config: &ConfigMap| JavaSinkTask::start(sink, context, config);
    let factory = PluginFactory::sink(JavaConnector(sink), start);
    let plugin = Plugin::new(sink.class, env!("CARGO_PKG_VERSION"), sink.documentation, sink.config_def(), factory);
    match sink.alias {
        Some(name) => plugin.alias(name),
        None => plugin,
    }
}

#[derive(Debug)]
struct JavaConnector(&'static JavaSink);

impl Connector for JavaConnector {
    fn config_def(&self) -> ConfigDef {
        self.0.config_def()
    }

    /// What of the configuration is without effect, and what the sink says of it.
    fn remarks(&self, config: &ConfigMap) -> Vec<String> {
        let Ok(translated) = self.0.translated(config) else { return Vec::new() };
        let of_sink = SinkConfig::parse(&translated.config).map_or_else(|_| Vec::new(), |sink| sink.remarks());
        translated.remarks.into_iter().chain(of_sink).collect()
    }

    /// The tasks have the user's configuration.
    fn start(&self, context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        let translated = self.0.translated(config)?;
        let sink = SinkConfig::parse(&translated.config).map_err(|error| self.0.names.in_error(error))?;
        Ok(Box::new(RunningSink::new(&context.connector, config, sink)))
    }

    fn takes_json_text(&self, config: &ConfigMap) -> bool {
        let translated = self.0.translated(config);
        translated.and_then(|sink| SinkConfig::parse(&sink.config)).is_ok_and(|sink| sink.takes_json_text())
    }

    fn preview(&self, config: &ConfigMap, records: &[Records]) -> Result<Vec<String>> {
        preview_files(&SinkConfig::parse(&self.0.translated(config)?.config)?, records)
    }

    fn validate(&self, config: &ConfigMap) -> Vec<ConfigIssue> {
        if !self.0.config_def().validate(config).1.is_empty() {
            // the worker reports these itself
            return Vec::new();
        }
        match self.0.translate(config) {
            Err(issues) => issues,
            Ok(translated) => {
                let sink = SinkConfig::parse(&translated.config);
                let mut issues = sink.map_or_else(|_| Vec::new(), |sink| success_issues(config, &sink));
                if issues.is_empty() {
                    issues = check_store(&translated.config);
                }
                issues.iter().map(|issue| self.0.names.in_issue(issue)).collect()
            }
        }
    }
}

/// A task of `ObjectStoreSink` whose errors name the user's keys.
struct JavaSinkTask {
    names: KeyNames,
    task: Box<dyn SinkTask>,
}

impl JavaSinkTask {
    fn start(sink: &JavaSink, context: SinkContext, config: &ConfigMap) -> Result<Self> {
        let config = sink.translated(config)?.config;
        let names = sink.names;
        let task = SinkConfig::parse(&config).and_then(|config| start_task(context, config));
        let task = task.map_err(|error| names.in_error(error))?;
        Ok(Self { names, task })
    }

    fn call<T>(&mut self, call: impl FnOnce(&mut dyn SinkTask) -> Result<T>) -> Result<T> {
        call(self.task.as_mut()).map_err(|error| self.names.in_error(error))
    }
}

impl SinkTask for JavaSinkTask {
    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        self.call(|task| task.put(batch))
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        self.call(|task| task.pre_commit(current))
    }

    fn stop(&mut self) {
        self.task.stop();
    }

    fn open(&mut self, partitions: &Offsets) -> Result<()> {
        self.call(|task| task.open(partitions))
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.call(|task| task.close(partitions))
    }

    fn flush(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.call(|task| task.flush(partitions))
    }

    fn tick(&mut self) -> Result<()> {
        self.call(|task| task.tick())
    }

    fn buffered_bytes(&self) -> usize {
        self.task.buffered_bytes()
    }

    fn relieve(&mut self) -> Result<()> {
        self.call(|task| task.relieve())
    }
}
