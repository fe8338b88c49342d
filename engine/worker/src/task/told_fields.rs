//! The fields that the records of a sink get, as far as the configuration alone tells them: the converter has a schema of
//! its own, and the transformations know what they make of it.

use std::sync::Arc;

use arrow::array::BinaryArray;
use volley_api::{
    Column, ConfigMap, ConnectorKind, OffsetRange, Origin, RawBatch, RecordFields, Result, Side, TimestampType,
    TopicPartition, TransformationContext,
};

use crate::connector_config::framework_config_def;
use crate::plugins::Plugins;
use crate::worker_config::WorkerConfig;

/// The fields after one transformation.
#[derive(Clone, Debug)]
pub struct ToldFields {
    /// The alias of the transformation.
    pub alias: String,
    /// The fields of key and value.
    pub fields: RecordFields,
}

/// The fields after each transformation of a sink, up to the first that does not tell them. None at all where the converter
/// has no schema before messages come.
///
/// # Errors
/// `Config` if a transformation does not fit the fields of its records.
pub fn told_fields(plugins: &Plugins, connector: &ConfigMap, worker: &WorkerConfig) -> Result<Vec<ToldFields>> {
    let plugins = &plugins.of_connector(connector);
    // what a task makes by itself tells nothing here
    let plugin = connector.get("connector.class").and_then(|class| plugins.find_connector(class.trim()).ok());
    let plugin = plugin.and_then(|plugin| plugin.factory.connector());
    if plugin.is_some_and(|connector| connector.has_own_chain()) {
        return Ok(Vec::new());
    }
    let config = framework_config_def(ConnectorKind::Sink).parse(connector)?;
    let topic = config.list("topics").first().map_or("the sink", String::as_str);
    let mut told = Vec::new();
    let Some(value) = known_column(plugins, Side::Value, topic, connector, worker)? else { return Ok(told) };
    let key = known_column(plugins, Side::Key, topic, connector, worker)?.unwrap_or_else(|| Column::nulls(1));
    let mut fields = RecordFields { key: key.field, value: value.field };
    for alias in config.list("transforms").iter().filter(|alias| !alias.is_empty()) {
        // where some records are not transformed, there are two kinds of them
        if connector.contains_key(&format!("transforms.{alias}.predicate")) {
            break;
        }
        let context = TransformationContext::default();
        let mut transformation = plugins.new_transformation(alias, context, connector)?;
        let Some(output) = transformation.output_fields(topic, &fields)? else { break };
        told.push(ToldFields { alias: alias.clone(), fields: output.clone() });
        fields = output;
    }
    Ok(told)
}

/// The column of one message, if each message has the same fields.
fn known_column(
    plugins: &Plugins,
    side: Side,
    topic: &str,
    connector: &ConfigMap,
    worker: &WorkerConfig,
) -> Result<Option<Column>> {
    let key = match side {
        Side::Key => "key.converter",
        Side::Value => "value.converter",
    };
    let (class, config) = match connector.get(key) {
        Some(class) => (class.as_str(), connector),
        None => (worker.parsed().string(key).unwrap_or_default(), worker.originals()),
    };
    let has_schema =
        ["volley.schema", "schema.content"].iter().any(|name| config.contains_key(&format!("{key}.{name}")));
    let message: &[u8] = match class.trim().rsplit('.').next() {
        Some("JsonConverter") if has_schema => b"{}",
        Some("StringConverter") => b"text",
        _ => return Ok(None),
    };
    let bytes = || BinaryArray::from_vec(vec![message]);
    let origin = Origin {
        partition: TopicPartition::new(topic, 0),
        range: OffsetRange { first: 0, end: 1 },
        offsets: vec![0].into(),
        timestamp_type: TimestampType::CreateTime,
        timestamps: vec![-1].into(),
    };
    let batch = RawBatch { origin: Arc::new(origin), keys: bytes(), values: bytes(), headers: None };
    let mut converter = plugins.new_converter(side, connector, worker)?;
    Ok(converter.to_connect(&batch, side)?.runs.into_iter().next().map(|run| run.column))
}
