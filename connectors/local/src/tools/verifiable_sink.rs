//! `VerifiableSink`: prints each record when it is put, and again when its partition is flushed.
//!
//! `task` is the key of the record and `seqno` its value, as a VerifiableSource sends them; other keys and values are
//! printed as JSON, too.

use std::collections::BTreeMap;

use arrow::array::Array;
use arrow::json::EncoderOptions;
use arrow::json::writer::{NullableEncoder, make_encoder};
use volley_api::{
    Column, ConfigDef, ConfigMap, Connector, ConnectorContext, KAFKA_VERSION, Offsets, Plugin, PluginFactory, Records,
    RejectedRow, Result, RunningConnector, SinkBatch, SinkContext, SinkTask, TopicPartition, in_row_order,
};

use super::message_lines::{MessageLines, json_string};
use super::sequence::number;
use super::verifiable_source::numbered_tasks;
use crate::clock::now_ms;

/// `VerifiableSink`.
pub(crate) fn sink_plugin() -> Plugin {
    Plugin::new(
        "org.apache.kafka.connect.tools.VerifiableSinkConnector",
        KAFKA_VERSION,
        "Prints each record as a JSON line when it comes and when it is flushed. For the messages of a \
                        VerifiableSource.",
        ConfigDef::new(),
        PluginFactory::sink(VerifiableSinkConnector, VerifiableSinkTask::start),
    )
    .alias("VerifiableSink")
}

#[derive(Debug)]
struct VerifiableSinkConnector;

impl Connector for VerifiableSinkConnector {
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn start(&self, _context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        numbered_tasks(config)
    }
}

#[derive(Debug)]
struct VerifiableSinkTask {
    context: SinkContext,
    id: i32,
    /// What was put since the last flush.
    unflushed: BTreeMap<TopicPartition, Vec<Records>>,
}

impl SinkTask for VerifiableSinkTask {
    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        let mut lines = MessageLines::default();
        let time = now_ms();
        // line by line, in the order of the records
        let in_order = in_row_order(&batch.records).into_iter();
        let pieces: Vec<Records> =
            in_order.map(|(index, rows)| batch.records[index].slice(rows.start, rows.len())).collect();
        for records in &pieces {
            self.write(records, time, false, &mut lines)?;
        }
        lines.print();
        if !pieces.is_empty() {
            self.unflushed.entry(batch.partition().clone()).or_default().extend(pieces);
        }
        Ok(Vec::new())
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        self.flush_lines(current.keys())?;
        Ok(current.clone())
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.unflushed.retain(|partition, _| !partitions.contains(partition));
        Ok(())
    }

    fn buffered_bytes(&self) -> usize {
        let unflushed = self.unflushed.values().flatten();
        unflushed
            .map(|records| records.key.array.get_array_memory_size() + records.value.array.get_array_memory_size())
            .sum()
    }

    fn relieve(&mut self) -> Result<()> {
        self.context.request_commit();
        Ok(())
    }
}

impl VerifiableSinkTask {
    /// Starts the task.
    fn start(context: SinkContext, config: &ConfigMap) -> Result<Self> {
        let id = number(config, "id", "VerifiableSinkTask")?;
        Ok(Self { context, id, unflushed: BTreeMap::new() })
    }

    fn flush_lines<'a>(&mut self, partitions: impl Iterator<Item = &'a TopicPartition>) -> Result<()> {
        let mut lines = MessageLines::default();
        let time = now_ms();
        for partition in partitions {
            for records in self.unflushed.remove(partition).unwrap_or_default() {
                self.write(&records, time, true, &mut lines)?;
            }
        }
        lines.print();
        Ok(())
    }

    /// Adds the line of each record. Rows, since each is a line.
    fn write(&self, records: &Records, time: i64, is_flushed: bool, lines: &mut MessageLines) -> Result<()> {
        let options = EncoderOptions::default();
        let (mut keys, mut values) = (encoder(&records.key, &options)?, encoder(&records.value, &options)?);
        let flushed = if is_flushed { ",\"flushed\":true" } else { "" };
        let (name, topic, id) = (json_string(&self.context.connector), json_string(&records.topic), self.id);
        for row in 0..records.len() {
            let offset = records.offset(row).unwrap_or(-1);
            let rest = format!(
                ",\"offset\":{offset},\"time_ms\":{time},\"name\":{name},\"topic\":{topic},\"sinkTask\":{id}{flushed}}}"
            );
            lines.line(|out| {
                out.extend_from_slice(b"{\"task\":");
                encode(&mut keys, row, out);
                out.extend_from_slice(b",\"seqno\":");
                encode(&mut values, row, out);
                out.extend_from_slice(rest.as_bytes());
            });
        }
        Ok(())
    }
}

fn encoder<'a>(column: &'a Column, options: &'a EncoderOptions) -> Result<NullableEncoder<'a>> {
    Ok(make_encoder(&column.field, &*column.array, options)?)
}

fn encode(encoder: &mut NullableEncoder<'_>, row: usize, out: &mut Vec<u8>) {
    if encoder.is_null(row) {
        out.extend_from_slice(b"null");
    } else {
        encoder.encode(row, out);
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, Int64Array, NullArray, StringArray};
    use volley_api::testing::{column, config_map, consumed, sink_batch};

    use super::*;

    fn batch(key: impl Array + 'static, value: impl Array + 'static, first: i64) -> SinkBatch {
        sink_batch(vec![Records { key: column(key), ..consumed("t", 0, first, column(value)) }])
    }

    fn started() -> VerifiableSinkTask {
        VerifiableSinkTask::start(SinkContext::new("c", 0), &config_map(&[("id", "3")])).unwrap()
    }

    fn numbers(first: i64) -> SinkBatch {
        batch(Int32Array::from(vec![0, 0]), Int64Array::from(vec![first, first + 1]), first)
    }

    #[test]
    fn lines_have_the_members_in_the_order_of_kafka_s_tool() {
        let task = started();
        let mut lines = MessageLines::default();
        let batch = batch(Int32Array::from(vec![1]), Int64Array::from(vec![5]), 9);
        task.write(&batch.records[0], 7, false, &mut lines).unwrap();
        task.write(&batch.records[0], 8, true, &mut lines).unwrap();
        assert_eq!(
            lines.text(),
            "{\"task\":1,\"seqno\":5,\"offset\":9,\"time_ms\":7,\"name\":\"c\",\"topic\":\"t\",\"sinkTask\":3}\n\
             {\"task\":1,\"seqno\":5,\"offset\":9,\"time_ms\":8,\"name\":\"c\",\"topic\":\"t\",\"sinkTask\":3,\"flushed\":true}\n"
        );
    }

    #[test]
    fn other_keys_and_values_are_printed_as_json() {
        let task = started();
        let mut lines = MessageLines::default();
        let batch = batch(StringArray::from(vec![Some("a\n"), None]), NullArray::new(2), 0);
        task.write(&batch.records[0], 7, false, &mut lines).unwrap();
        assert!(lines.text().starts_with("{\"task\":\"a\\n\",\"seqno\":null,\"offset\":0"), "{}", lines.text());
        assert!(lines.text().contains("\n{\"task\":null,\"seqno\":null,\"offset\":1"), "{}", lines.text());
    }

    #[test]
    fn what_is_flushed_is_flushed_once_and_closed_partitions_are_forgotten() {
        let mut task = started();
        let offsets = |end| Offsets::from([(TopicPartition::new("t", 0), end)]);
        task.put(&numbers(0)).unwrap();
        assert!(task.buffered_bytes() > 0);
        assert_eq!(task.pre_commit(&offsets(2)).unwrap(), offsets(2));
        assert_eq!(task.buffered_bytes(), 0);
        task.put(&numbers(2)).unwrap();
        task.close(&[TopicPartition::new("t", 0)]).unwrap();
        assert_eq!(task.buffered_bytes(), 0);
    }
}
