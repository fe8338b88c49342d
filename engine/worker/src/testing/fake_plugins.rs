//! Plug-ins of every kind.

use std::sync::Arc;

use arrow::array::{Array, BinaryArray, BooleanArray};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Converted, Converter, Error, Header, HeaderConverter,
    Importance, Plugin, PluginFactory, Predicate, RawBatch, RawHeader, Records, Result, RowIndex, Run, Serialized,
    Side, Transformation, Transformed, Value,
};

use super::fake_connectors::{FakeConnector, FakeSinkTask, FakeSourceTask, fake_config_def};

struct FakeConverter;

impl Converter for FakeConverter {
    fn to_connect(&mut self, batch: &RawBatch, _: Side) -> Result<Converted> {
        let run = Run { rows: RowIndex::all(batch.len()), column: Column::nulls(batch.len()) };
        Ok(Converted { runs: vec![run], rejected: Vec::new() })
    }

    fn from_connect(&mut self, _: &str, column: &Column) -> Result<Serialized> {
        Ok(Serialized { bytes: BinaryArray::new_null(column.array.len()), rejected: Vec::new() })
    }
}

/// Keeps names and forgets values.
pub(crate) struct FakeHeaderConverter;

impl HeaderConverter for FakeHeaderConverter {
    fn to_connect(&mut self, _: &str, header: &RawHeader) -> Result<Header> {
        Ok(Header::new(Arc::clone(&header.name), Value::Null))
    }

    fn from_connect(&mut self, _: &str, header: &Header) -> Result<RawHeader> {
        Ok(RawHeader { name: Arc::clone(&header.name), value: None })
    }
}

struct FakeTransformation;

impl Transformation for FakeTransformation {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        Ok(Transformed::of(records))
    }
}

struct FakePredicate;

impl Predicate for FakePredicate {
    fn test(&mut self, records: &Records) -> Result<BooleanArray> {
        Ok(BooleanArray::from(vec![true; records.len()]))
    }
}

fn plugin(class: &'static str, config_def: ConfigDef, factory: PluginFactory) -> Plugin {
    Plugin { class, aliases: &[], version: "1.0", documentation: "For tests.", config_def, factory }
}

fn check_transformation(config: &ConfigMap) -> Result<()> {
    match config.get("query").map(String::as_str) {
        Some("nonsense") => Err(Error::config("could not parse the query, at position 1")),
        _ => Ok(()),
    }
}

/// One plug-in of each kind, and some whose simple names collide.
pub(crate) fn fake_plugins() -> Vec<Plugin> {
    let text = |name| ConfigKey::required(name, ConfigType::String, Importance::High, "For tests.");
    let flag = ConfigKey::with_default("schemas.enable", ConfigType::Boolean, "true", Importance::Low, "For tests.");
    let transformation = || {
        PluginFactory::Transformation(Arc::new(|config| {
            check_transformation(config)?;
            Ok(Box::new(FakeTransformation))
        }))
    };
    let mut plugins = vec![
        plugin(
            "org.example.FakeSourceConnector",
            fake_config_def(),
            PluginFactory::Source {
                connector: Arc::new(|| Box::new(FakeConnector::default())),
                task: Arc::new(|| Box::new(FakeSourceTask::default())),
            },
        ),
        plugin(
            "org.example.FakeSinkConnector",
            fake_config_def(),
            PluginFactory::Sink {
                connector: Arc::new(|| Box::new(FakeConnector::default())),
                task: Arc::new(|| Box::new(FakeSinkTask)),
            },
        ),
        plugin(
            "org.example.FakeConverter",
            ConfigDef::new().key(flag),
            PluginFactory::Converter(Arc::new(|_, _| Ok(Box::new(FakeConverter)))),
        ),
        plugin(
            "org.example.FakeHeaderConverter",
            ConfigDef::new(),
            PluginFactory::HeaderConverter(Arc::new(|_| Ok(Box::new(FakeHeaderConverter)))),
        ),
        plugin("org.example.Fake", ConfigDef::new().key(text("query")), transformation()),
        plugin("org.example.Cast$Value", ConfigDef::new(), transformation()),
        plugin("org.example.Flatten$Value", ConfigDef::new(), transformation()),
        plugin(
            "org.example.FakePredicate",
            ConfigDef::new(),
            PluginFactory::Predicate(Arc::new(|_| Ok(Box::new(FakePredicate)))),
        ),
    ];
    plugins.extend(crate::config_providers::plugins());
    plugins
}
