//! The connector: its plug-in entries and the checks of its configuration.

use std::sync::Arc;

use volley_api::{
    Config, ConfigDef, ConfigIssue, ConfigMap, Connector, ConnectorContext, Error, ErrorKind, KAFKA_VERSION, Plugin,
    PluginFactory, Result, RunningConnector, SourceOffset, SourcePartition, identical_tasks,
};

use super::config::{SinkConfig, issues};
use super::config_keys::{Flavour, URL, config_def};
use super::debezium_config;
use super::task::JdbcSinkTask;
use crate::database::{Driver, find_driver};

/// Drivers that a connector can choose from.
pub(super) type Drivers = Arc<[Arc<dyn Driver>]>;

const ABOUT: &str = "Writes records into tables of a database: inserts, upserts, updates and removals; creates tables and \
    adds columns.";

/// Whose keys a class has.
#[derive(Clone, Copy, Debug)]
enum Keys {
    Jdbc(Flavour),
    Debezium,
}

impl Keys {
    fn config_def(self) -> ConfigDef {
        match self {
            Self::Jdbc(flavour) => config_def(flavour),
            Self::Debezium => debezium_config::config_def(),
        }
    }

    fn parse(self, config: &ConfigMap) -> Result<SinkConfig> {
        match self {
            Self::Jdbc(flavour) => SinkConfig::parse(flavour, config),
            Self::Debezium => debezium_config::parse(config),
        }
    }

    fn issues(self, config: &Config) -> Vec<ConfigIssue> {
        match self {
            Self::Jdbc(_) => issues(config),
            Self::Debezium => debezium_config::issues(config),
        }
    }
}

/// The sink under the class names of Confluent, Aiven and Debezium.
pub(crate) fn sink_plugins(drivers: &[Arc<dyn Driver>]) -> Vec<Plugin> {
    let drivers: Drivers = drivers.into();
    [
        ("io.confluent.connect.jdbc.JdbcSinkConnector", Keys::Jdbc(Flavour::Confluent)),
        ("io.aiven.connect.jdbc.JdbcSinkConnector", Keys::Jdbc(Flavour::Aiven)),
        ("io.debezium.connector.jdbc.JdbcSinkConnector", Keys::Debezium),
    ]
    .into_iter()
    .map(|(class, keys)| {
        let connector = JdbcSinkConnector { keys, drivers: Arc::clone(&drivers) };
        let drivers = Arc::clone(&drivers);
        let factory = PluginFactory::sink(connector, move |context, config| {
            JdbcSinkTask::start(context, class, keys.parse(config)?, &drivers)
        });
        Plugin::new(class, KAFKA_VERSION, ABOUT, keys.config_def(), factory)
    })
    .collect()
}

/// The connector of one class.
#[derive(Debug)]
struct JdbcSinkConnector {
    keys: Keys,
    drivers: Drivers,
}

impl Connector for JdbcSinkConnector {
    fn config_def(&self) -> ConfigDef {
        self.keys.config_def()
    }

    fn start(&self, _context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        driver_of(&self.drivers, &self.keys.parse(config)?)?;
        identical_tasks(config)
    }

    /// Which parameters of the URL have no effect.
    fn remarks(&self, config: &ConfigMap) -> Vec<String> {
        let unknown =
            self.keys.parse(config).and_then(|config| driver_of(&self.drivers, &config)?.check(&config.settings));
        match unknown {
            Ok(unknown) if !unknown.is_empty() => {
                vec![format!("these parameters of the Java driver have no effect here: {}", unknown.join(", "))]
            }
            _ => Vec::new(),
        }
    }

    /// Connects too, if all keys are right. A database out of reach is no issue: it may be there later.
    fn validate(&self, config: &ConfigMap) -> Vec<ConfigIssue> {
        let (parsed, wrong) = self.keys.config_def().validate(config);
        if !wrong.is_empty() {
            // the worker reports these itself
            return Vec::new();
        }
        let issues = self.keys.issues(&parsed);
        if !issues.is_empty() {
            return issues;
        }
        let parsed = self.keys.parse(config);
        match parsed {
            Ok(config) => check_database(&self.drivers, &config).err().into_iter().collect(),
            Err(error) => vec![ConfigIssue::new(URL, error.to_string())],
        }
    }

    /// With `volley.exactly.once` the offsets that count are in the database.
    fn alter_offsets(&self, config: &ConfigMap, _offsets: &[(SourcePartition, Option<SourceOffset>)]) -> Result<bool> {
        if self.keys.parse(config).is_ok_and(|config| config.is_exactly_once) {
            return Err(Error::config(
                "with `volley.exactly.once` the offsets that count are in the table `volley_offsets` of the database: \
                 change or delete its rows while the connector is stopped",
            ));
        }
        Ok(true)
    }
}

/// What the driver and the database have against a configuration without issues.
fn check_database(drivers: &Drivers, config: &SinkConfig) -> std::result::Result<(), ConfigIssue> {
    let outcome = driver_of(drivers, config).and_then(|driver| {
        driver.check(&config.settings)?;
        if driver.creates_databases() { Ok(()) } else { driver.connect(&config.settings).map(drop) }
    });
    match outcome {
        Err(error) if error.kind() == ErrorKind::Retriable => {
            tracing::warn!(error = %format!("{error:#}"), "could not connect to the database");
            Ok(())
        }
        outcome => outcome.map_err(|error| ConfigIssue::new(URL, format!("{error:#}"))),
    }
}

/// The driver of a configuration.
pub(super) fn driver_of(drivers: &Drivers, config: &SinkConfig) -> Result<Arc<dyn Driver>> {
    find_driver(drivers, &config.settings.url.subprotocol)
        .map(Arc::clone)
        .map_err(|error| Error::config(format!("invalid `{URL}`: {error}")))
}
