//! The connector: its plug-in entries, the checks of its configuration, and its tasks.

use std::sync::Arc;

use volley_api::{
    ConfigDef, ConfigIssue, ConfigMap, Connector, ConnectorContext, Error, ErrorKind, KAFKA_VERSION, Plugin,
    PluginFactory, Result, RunningConnector, SourceOffset, SourcePartition, Support,
};

use super::config::config_keys::{Flavour, URL, config_def};
use super::config::query_task_configs;
use super::config::{SourceConfig, issues};
use super::splits::{Planner, check_split_offset, task_configs};
use super::stored_offset;
use super::table_monitor::TableMonitor;
use super::task::JdbcSourceTask;
use crate::database::{Driver, find_driver};

/// Drivers that a connector can choose from.
pub(super) type Drivers = Arc<[Arc<dyn Driver>]>;

/// The source under the class names of Confluent and Aiven.
pub(crate) fn source_plugins(drivers: &[Arc<dyn Driver>]) -> Vec<Plugin> {
    let drivers: Drivers = drivers.into();
    let plugin = |class: &'static str, flavour: Flavour| {
        let connector = JdbcSourceConnector { flavour, drivers: Arc::clone(&drivers) };
        let drivers = Arc::clone(&drivers);
        Plugin::new(
            class,
            KAFKA_VERSION,
            "Reads tables of a database, or a query, into topics: as a whole, or what is new by a number or a time in \
            each row.",
            config_def(flavour),
            PluginFactory::source(connector, move |context, config| {
                JdbcSourceTask::start(context, flavour, &drivers, config)
            }),
        )
    };
    vec![
        plugin("io.confluent.connect.jdbc.JdbcSourceConnector", Flavour::Confluent),
        plugin("io.aiven.connect.jdbc.JdbcSourceConnector", Flavour::Aiven),
    ]
}

/// The connector of one class.
#[derive(Debug)]
struct JdbcSourceConnector {
    flavour: Flavour,
    drivers: Drivers,
}

impl Connector for JdbcSourceConnector {
    fn config_def(&self) -> ConfigDef {
        config_def(self.flavour)
    }

    fn start(&self, context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        let parsed = SourceConfig::parse(self.flavour, config)?;
        if !parsed.queries.is_empty() {
            let config = config.clone();
            return Ok(Box::new(move |max_tasks: usize| Ok(query_task_configs(&config, &parsed.queries, max_tasks))));
        }
        let driver = find_driver(&self.drivers, &parsed.settings.url.subprotocol)?;
        let quote = driver.quote();
        let planner = Planner::new(Arc::clone(driver), parsed.clone(), context.clone());
        let monitor = TableMonitor::start(Arc::clone(driver), parsed, context)?;
        Ok(Box::new(RunningSource { monitor, planner, config: config.clone(), quote }))
    }

    /// Which parameters of the URL have no effect.
    fn remarks(&self, config: &ConfigMap) -> Vec<String> {
        let unknown = SourceConfig::parse(self.flavour, config)
            .and_then(|config| driver_of(&self.drivers, &config)?.check(&config.settings));
        match unknown {
            Ok(unknown) if !unknown.is_empty() => {
                vec![format!("these parameters of the Java driver have no effect here: {}", unknown.join(", "))]
            }
            _ => Vec::new(),
        }
    }

    /// Connects too, if all keys are right. A database out of reach is no issue: it may be there later.
    fn validate(&self, config: &ConfigMap) -> Vec<ConfigIssue> {
        let (parsed, wrong) = config_def(self.flavour).validate(config);
        if !wrong.is_empty() {
            // the worker reports these itself
            return Vec::new();
        }
        let issues = issues(&parsed, config);
        if issues.is_empty() { self.check_database(config) } else { issues }
    }

    fn is_bounded(&self, config: &ConfigMap) -> bool {
        SourceConfig::parse(self.flavour, config).is_ok_and(|config| config.is_bounded)
    }

    /// With a number each row has an offset of its own. Rows with the same time have one together, and may be divided among
    /// transactions; in bulk mode there are no offsets.
    fn exactly_once_support(&self, config: &ConfigMap) -> Result<Option<Support>> {
        let config = SourceConfig::parse(self.flavour, config)?;
        let is_numbered = match config.queries.as_slice() {
            // in other modes the rows of one key of a range may be divided among transactions
            [] if !config.splits.is_off() => config.reading.mode.is_incrementing && !config.reading.mode.is_timestamp,
            [] => config.reading.mode.is_incrementing,
            queries => queries.iter().all(|query| query.reading.mode.is_incrementing),
        };
        Ok(Some(if is_numbered { Support::Supported } else { Support::Unsupported }))
    }

    fn alter_offsets(&self, _config: &ConfigMap, offsets: &[(SourcePartition, Option<SourceOffset>)]) -> Result<bool> {
        for (partition, offset) in offsets {
            // offsets may be forgotten whatever they are, so that nothing unwanted stays for ever
            if let Some(offset) = offset {
                stored_offset::check(partition, offset)?;
                check_split_offset(partition, offset)?;
            }
        }
        Ok(true)
    }
}

impl JdbcSourceConnector {
    /// What the driver and the database have against a configuration without issues.
    fn check_database(&self, config: &ConfigMap) -> Vec<ConfigIssue> {
        let outcome = SourceConfig::parse(self.flavour, config).and_then(|config| {
            let driver = find_driver(&self.drivers, &config.settings.url.subprotocol)?;
            driver.check(&config.settings)?;
            driver.connect(&config.settings).map(drop)
        });
        match outcome {
            Ok(()) => Vec::new(),
            Err(error) if error.kind() == ErrorKind::Retriable => {
                tracing::warn!(error = %format!("{error:#}"), "could not connect to the database");
                Vec::new()
            }
            Err(error) => vec![ConfigIssue::new(URL, format!("{error:#}"))],
        }
    }
}

/// A connector that reads tables.
#[derive(Debug)]
struct RunningSource {
    monitor: TableMonitor,
    planner: Planner,
    config: ConfigMap,
    quote: char,
}

impl RunningConnector for RunningSource {
    fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        let tables = self.monitor.tables()?;
        if tables.is_empty() {
            tracing::warn!("there are no tables to read: there is nothing to do until some come");
        }
        let planned = self.planner.plan(&tables, max_tasks)?;
        Ok(task_configs(&self.config, &planned, max_tasks, self.quote))
    }

    fn stop(&mut self) {
        self.monitor.stop();
    }
}

/// The driver of a configuration.
pub(super) fn driver_of(drivers: &Drivers, config: &SourceConfig) -> Result<Arc<dyn Driver>> {
    find_driver(drivers, &config.settings.url.subprotocol)
        .map(Arc::clone)
        .map_err(|error| Error::config(format!("invalid `{URL}`: {error}")))
}
