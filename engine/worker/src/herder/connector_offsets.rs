//! Offsets of connectors, to be read and changed by users (KIP-875). Everything here blocks: on the offset store, on the
//! broker, and on the connector, which may have its say.

use std::collections::BTreeMap;
use std::sync::Arc;

use volley_api::{
    ConfigMap, ConnectorKind, Error, Offsets, Plugin, Result, SourceOffset, SourcePartition, TopicPartition,
};
use volley_kafka::{Admin, ClientRole, LogEntry, TransactionalLogWriter, check_bootstrap_servers};

use super::connector_kind::connector_kind;
use super::{ConnectorOffset, WorkerContext};
use crate::error::{HerderError, HerderResult};
use crate::storage::{OffsetBackingStore, OffsetEntry};

const TOPIC: &str = "kafka_topic";
const PARTITION: &str = "kafka_partition";
const OFFSET: &str = "kafka_offset";

/// Errors of Kafka, and so those of Volley's own connectors, need no more words.
const KAFKA_ERRORS: &str = "org.apache.kafka.";

/// A connector whose offsets are asked for. `config` has its variables resolved.
pub(super) struct OffsetsOf {
    pub(super) name: String,
    pub(super) config: ConfigMap,
    pub(super) plugin: Plugin,
}

impl OffsetsOf {
    /// All offsets.
    pub(super) fn read(&self, context: &WorkerContext) -> HerderResult<Vec<ConnectorOffset>> {
        match connector_kind(&self.plugin) {
            ConnectorKind::Source => {
                let offsets = self.store(context)?.list(&self.name)?.into_iter();
                Ok(offsets
                    .map(|(partition, offset)| ConnectorOffset { partition: Some(partition), offset: Some(offset) })
                    .collect())
            }
            ConnectorKind::Sink => Ok(from_kafka(&self.admin(context)?.group_offsets(&self.group(context))?)),
        }
    }

    /// Sets or forgets the given offsets; whether the connector vouches for them.
    pub(super) fn alter(&self, context: &WorkerContext, offsets: Vec<ConnectorOffset>) -> HerderResult<bool> {
        match connector_kind(&self.plugin) {
            ConnectorKind::Source => {
                let entries = offsets.into_iter().map(|offset| Ok((partition_of(offset.partition)?, offset.offset)));
                let entries: Vec<OffsetEntry> = entries.collect::<Result<_>>()?;
                self.alter_source(context, &entries)
            }
            ConnectorKind::Sink => self.alter_sink(context, &offsets),
        }
    }

    /// Forgets all offsets; whether the connector vouches for that.
    pub(super) fn reset(&self, context: &WorkerContext) -> HerderResult<bool> {
        match connector_kind(&self.plugin) {
            ConnectorKind::Source => {
                let stored = self.store(context)?.list(&self.name)?.into_iter();
                self.alter_source(context, &stored.map(|(partition, _)| (partition, None)).collect::<Vec<_>>())
            }
            ConnectorKind::Sink => {
                let (admin, group) = (self.admin(context)?, self.group(context));
                let entries = from_kafka(&admin.group_offsets(&group)?).into_iter();
                let entries: Vec<OffsetEntry> = entries.filter_map(|entry| Some((entry.partition?, None))).collect();
                let vouches = self.ask_connector(&entries)?;
                admin.delete_group(&group).map_err(|error| in_use(&self.name, "reset", error))?;
                Ok(vouches)
            }
        }
    }

    fn alter_source(&self, context: &WorkerContext, entries: &[OffsetEntry]) -> HerderResult<bool> {
        let vouches = self.ask_connector(entries)?;
        let store = self.store(context)?;
        match context.config.exactly_once_source_enabled() {
            true if !entries.is_empty() => self.set_in_transaction(context, &*store, entries)?,
            _ => store.set(&self.name, entries)?,
        }
        Ok(vouches)
    }

    /// Sets offsets as the first task of the connector would do it, so that it cannot write others at the same time.
    fn set_in_transaction(
        &self,
        context: &WorkerContext,
        store: &dyn OffsetBackingStore,
        entries: &[OffsetEntry],
    ) -> Result<()> {
        let (producer, _) = context.config.transactional_producer_properties(&self.config, &self.name, 0);
        let timeout = context.config.default_api_timeout();
        let records = store.records(&self.name, entries)?;
        let log_entries: Vec<_> =
            records.entries.iter().map(|(key, value)| LogEntry { key, value: value.as_deref() }).collect();
        let writer = TransactionalLogWriter::connect(&records.topic, &producer, timeout)?;
        writer.write(&log_entries, timeout)?;
        store.records_are_committed(&self.name, entries);
        Ok(())
    }

    fn alter_sink(&self, context: &WorkerContext, offsets: &[ConnectorOffset]) -> HerderResult<bool> {
        let wanted: Vec<(TopicPartition, Option<i64>)> = offsets.iter().map(to_kafka).collect::<HerderResult<_>>()?;
        // Kafka's own clients refuse these, and Kafka Connect answers so.
        if wanted.iter().any(|(_, offset)| offset.is_some_and(|offset| offset < 0)) {
            return Err(HerderError::Internal(format!("Failed to modify offsets for sink connector {}", self.name)));
        }
        if wanted.iter().any(|(partition, _)| partition.partition < 0) {
            let message = format!("Failed to alter consumer group offsets for connector {}", self.name);
            return Err(HerderError::Internal(message));
        }
        // If a partition is given more than once, the last offset counts.
        let wanted: BTreeMap<_, _> = wanted.into_iter().collect();
        let entries = wanted.iter().map(|(partition, offset)| (shown_partition(partition), offset.map(shown_offset)));
        let vouches = self.ask_connector(&entries.collect::<Vec<_>>())?;
        let (admin, group) = (self.admin(context)?, self.group(context));
        let failed = |error: Error| in_use(&self.name, "altered", error);
        let forgotten: Vec<_> =
            wanted.iter().filter(|(_, offset)| offset.is_none()).map(|(partition, _)| partition.clone()).collect();
        let altered = wanted.into_iter().filter_map(|(partition, offset)| Some((partition, offset?))).collect();
        admin.alter_group_offsets(&group, &altered).map_err(failed)?;
        admin.remove_group_offsets(&group, &forgotten).map_err(failed)?;
        Ok(vouches)
    }

    fn ask_connector(&self, entries: &[OffsetEntry]) -> Result<bool> {
        let connector = self.plugin.factory.connector();
        let connector =
            connector.ok_or_else(|| Error::config(format!("`{}` is not a connector", self.plugin.class)))?;
        connector.alter_offsets(&self.config, entries).map_err(|error| self.refused(error))
    }

    /// The error of a connector that does not take the offsets, as Kafka Connect tells it.
    fn refused(&self, error: Error) -> Error {
        let kind = match connector_kind(&self.plugin) {
            ConnectorKind::Source => "source",
            ConnectorKind::Sink => "sink",
        };
        let message = match error.exception() {
            "java.lang.UnsupportedOperationException" => format!(
                "Failed to modify offsets for connector {} because it doesn't support external modification of offsets",
                self.name
            ),
            class if class.starts_with(KAFKA_ERRORS) => return error,
            _ => format!("Failed to modify offsets for {kind} connector {}", self.name),
        };
        Error::fatal(message).with_source(error)
    }

    fn store(&self, context: &WorkerContext) -> Result<Arc<dyn OffsetBackingStore>> {
        context.offset_stores.of(&self.name, &self.config)
    }

    fn admin(&self, context: &WorkerContext) -> Result<Admin> {
        let properties = context.config.offsets_admin_properties(&self.config, &self.name);
        check_bootstrap_servers(&properties, ClientRole::Admin)?;
        Admin::connect(&properties)
    }

    fn group(&self, context: &WorkerContext) -> String {
        let mut properties = context.config.consumer_properties(&self.config, &self.name, 0);
        properties.swap_remove("group.id").unwrap_or_else(|| format!("connect-{}", self.name))
    }
}

fn partition_of(partition: Option<SourcePartition>) -> Result<SourcePartition> {
    partition.ok_or_else(|| Error::fatal("Partition objects cannot be null"))
}

fn in_use(name: &str, what: &str, error: Error) -> HerderError {
    let message = format!(
        "Failed to {} consumer group offsets for connector {name}. If the error is because its consumer group has members, \
         there may be zombie sink tasks: retry, or restart the worker",
        if what == "reset" { "reset" } else { "alter" }
    );
    HerderError::from(Error::fatal(format!("{message}: {error}")).with_source(error))
}

fn from_kafka(offsets: &Offsets) -> Vec<ConnectorOffset> {
    let shown = offsets.iter().map(|(partition, offset)| ConnectorOffset {
        partition: Some(shown_partition(partition)),
        offset: Some(shown_offset(*offset)),
    });
    shown.collect()
}

fn shown_partition(partition: &TopicPartition) -> SourcePartition {
    SourcePartition::from_iter([
        (TOPIC.to_owned(), partition.topic.as_ref().into()),
        (PARTITION.to_owned(), partition.partition.into()),
    ])
}

fn shown_offset(offset: i64) -> SourceOffset {
    SourceOffset::from_iter([(OFFSET.to_owned(), offset.into())])
}

fn to_kafka(entry: &ConnectorOffset) -> HerderResult<(TopicPartition, Option<i64>)> {
    let bad = |message: String| HerderError::BadRequest(message);
    let Some(partition) = &entry.partition else {
        return Err(bad("The partition for a sink connector offset cannot be null or missing".into()));
    };
    let (Some(topic), Some(number)) = (partition.get(TOPIC), partition.get(PARTITION)) else {
        return Err(bad(format!(
            "The partition for a sink connector offset must contain the keys '{TOPIC}' and '{PARTITION}'"
        )));
    };
    if topic.is_null() {
        return Err(bad("Kafka topic names must be valid strings and may not be null".into()));
    }
    if number.is_null() {
        return Err(bad("Kafka partitions must be valid numbers and may not be null".into()));
    }
    let topic = topic.as_str().map_or_else(|| topic.to_string(), str::to_owned);
    let parsed = integer(number).and_then(|number| i32::try_from(number).ok());
    let Some(parsed) = parsed else {
        return Err(bad(format!(
            "Failed to parse the following Kafka partition value in the provided offsets: '{}'. Partition values for sink \
             connectors need to be integers.",
            text(number)
        )));
    };
    let Some(offset) = &entry.offset else { return Ok((TopicPartition::new(topic, parsed), None)) };
    let Some(offset) = offset.get(OFFSET) else {
        return Err(bad(format!(
            "The offset for a sink connector should either be null or contain the key '{OFFSET}'"
        )));
    };
    let parsed_offset = integer(offset).ok_or_else(|| {
        bad(format!(
            "Failed to parse the following Kafka offset value in the provided offsets: '{}'. Offset values for sink \
             connectors need to be integers.",
            text(offset)
        ))
    })?;
    Ok((TopicPartition::new(topic, parsed), Some(parsed_offset)))
}

fn integer(value: &serde_json::Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(partition: serde_json::Value, offset: serde_json::Value) -> ConnectorOffset {
        ConnectorOffset { partition: partition.as_object().cloned(), offset: offset.as_object().cloned() }
    }

    #[test]
    fn numbers_may_come_as_text() {
        let parsed = to_kafka(&entry(json!({TOPIC: "t", PARTITION: "3"}), json!({OFFSET: "42"}))).unwrap();
        assert_eq!(parsed, (TopicPartition::new("t", 3), Some(42)));
        let parsed = to_kafka(&entry(json!({TOPIC: "t", PARTITION: 3}), json!(null))).unwrap();
        assert_eq!(parsed.1, None);
    }

    #[test]
    fn bad_shapes_are_bad_requests() {
        for (partition, offset) in [
            (json!(null), json!({OFFSET: 1})),
            (json!({TOPIC: "t"}), json!({OFFSET: 1})),
            (json!({PARTITION: 1}), json!({OFFSET: 1})),
            (json!({TOPIC: "t", PARTITION: "x"}), json!({OFFSET: 1})),
            (json!({TOPIC: "t", PARTITION: 1}), json!({"position": 1})),
            (json!({TOPIC: "t", PARTITION: 1}), json!({OFFSET: "many"})),
        ] {
            assert_eq!(to_kafka(&entry(partition, offset)).unwrap_err().status(), 400);
        }
    }
}
