//! Plug-ins of every kind.

use std::sync::Arc;

use arrow::array::{BinaryArray, BooleanArray};
use volley_api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Converted, Converter, Error, Header, HeaderConverter,
    Importance, Plugin, PluginFactory, Predicate, RawBatch, RawHeader, Records, Result, RowIndex, Run, Serialized,
    Side, Transformation, Transformed, Unserialized, Value,
};

use super::fake_connectors::{FakeConnector, FakeSinkTask, FakeSourceTask, fake_config_def};

struct FakeConverter;

impl Converter for FakeConverter {
    fn to_connect(&mut self, batch: &RawBatch, _: Side) -> Result<Converted> {
        let run = Run { rows: RowIndex::all(batch.len()), column: Column::nulls(batch.len()) };
        Ok(Converted { runs: vec![run], rejected: Vec::new() })
    }

    fn from_connect(&mut self, rows: &Unserialized<'_>) -> Result<Serialized> {
        Ok(Serialized::new(BinaryArray::new_null(rows.column.len()), Vec::new()))
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
    Plugin::new(class, "1.0", "For tests.", config_def, factory)
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
    let transformation =
        || PluginFactory::transformation(|config| check_transformation(config).map(|()| FakeTransformation));
    let mut plugins = vec![
        plugin(
            "org.example.FakeSourceConnector",
            fake_config_def(),
            PluginFactory::source(FakeConnector, FakeSourceTask::start),
        ),
        plugin(
            "org.example.FakeSinkConnector",
            fake_config_def(),
            PluginFactory::sink(FakeConnector, FakeSinkTask::start),
        ),
        plugin(
            "org.example.FakeConverter",
            ConfigDef::new().key(flag),
            PluginFactory::converter(|_, _| Ok(FakeConverter)),
        ),
        plugin(
            "org.example.FakeHeaderConverter",
            ConfigDef::new(),
            PluginFactory::header_converter(|_| Ok(FakeHeaderConverter)),
        ),
        plugin("org.example.Fake", ConfigDef::new().key(text("query")), transformation()),
        plugin("org.example.Cast$Value", ConfigDef::new(), transformation()),
        plugin("org.example.Flatten$Value", ConfigDef::new(), transformation()),
        plugin("org.example.FakePredicate", ConfigDef::new(), PluginFactory::predicate(|_| Ok(FakePredicate))),
    ];
    plugins.extend(crate::config_providers::plugins());
    plugins
}
