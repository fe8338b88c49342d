//! Sinks that drop their records, and one that reports each of them as bad.

use volley_api::{
    ConfigDef, ConfigMap, Connector, ConnectorContext, Error, Offsets, Plugin, PluginFactory, RejectedRow, Result,
    RunningConnector, SinkBatch, SinkTask, SourceOffset, SourcePartition, Stage, identical_tasks,
};

const ERRANT: &str = "org.apache.kafka.connect.integration.ErrantRecordSinkConnector";
const VERSION: &str = "some great version";

/// All of them.
pub(super) fn plugins() -> Vec<Plugin> {
    vec![
        plugin("org.apache.kafka.connect.integration.TestableSinkConnector", VERSION, false),
        plugin("org.apache.kafka.connect.integration.MonitorableSinkConnector", VERSION, false),
        plugin(ERRANT, VERSION, true),
        plugin("test.plugins.InnocuousSinkConnector", "0.0.0", false),
    ]
}

fn plugin(class: &'static str, version: &'static str, rejects: bool) -> Plugin {
    Plugin::new(
        class,
        version,
        if rejects { "A probe that reports every record as bad." } else { "A probe that drops its records." },
        ConfigDef::new(),
        PluginFactory::sink(DroppingConnector, move |_, _| Ok(DroppingTask { rejects })),
    )
}

#[derive(Debug)]
struct DroppingConnector;

impl Connector for DroppingConnector {
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn start(&self, _context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        identical_tasks(config)
    }

    fn alter_offsets(&self, config: &ConfigMap, _: &[(SourcePartition, Option<SourceOffset>)]) -> Result<bool> {
        Ok(alter_offsets_result(config))
    }
}

/// What `alter.offsets.result` says.
pub(super) fn alter_offsets_result(config: &ConfigMap) -> bool {
    config.get("alter.offsets.result").is_some_and(|result| result.eq_ignore_ascii_case("true"))
}

/// Drops its records.
#[derive(Debug)]
pub(super) struct DroppingTask {
    rejects: bool,
}

impl DroppingTask {
    /// One that is content with its records.
    pub(super) fn content() -> Self {
        Self { rejects: false }
    }
}

impl SinkTask for DroppingTask {
    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        if !self.rejects {
            return Ok(Vec::new());
        }
        let reject = |row| RejectedRow {
            row,
            stage: Stage::TaskPut,
            class: ERRANT.to_owned(),
            error: Error::data("every record is reported as bad").with_exception("java.lang.Throwable"),
        };
        Ok(batch.records.iter().flat_map(|records| records.rows.iter()).map(reject).collect())
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        Ok(current.clone())
    }
}
