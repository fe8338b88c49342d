//! `VerifiableSink`: prints each record when it is put, and again when its partition is flushed.
//!
//! `task` is the key of the record and `seqno` its value, as a VerifiableSource sends them; other keys and values are
//! printed as JSON, too.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::Array;
use arrow::json::EncoderOptions;
use arrow::json::writer::{NullableEncoder, make_encoder};
use volley_api::{
    Column, ConfigDef, ConfigMap, Connector, Error, KAFKA_VERSION, Offsets, Plugin, PluginFactory, Records,
    RejectedRow, Result, SinkBatch, SinkContext, SinkTask, TopicPartition,
};

use super::message_lines::{MessageLines, json_string};
use super::sequence::number;
use super::verifiable_source::numbered_task_configs;
use crate::clock::now_ms;

/// `VerifiableSink`.
pub(crate) fn sink_plugin() -> Plugin {
    Plugin {
        class: "org.apache.kafka.connect.tools.VerifiableSinkConnector",
        aliases: &["VerifiableSink"],
        version: KAFKA_VERSION,
        documentation: "Prints each record as a JSON line when it comes and when it is flushed. For the messages of a \
                        VerifiableSource.",
        config_def: ConfigDef::new(),
        factory: PluginFactory::Sink {
            connector: Arc::new(|| Box::new(VerifiableSinkConnector)),
            task: Arc::new(|| Box::new(VerifiableSinkTask::default())),
        },
    }
}

#[derive(Debug)]
struct VerifiableSinkConnector;

impl Connector for VerifiableSinkConnector {
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn task_configs(&mut self, config: &ConfigMap, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(numbered_task_configs(config, max_tasks))
    }
}

/// `None` until started.
#[derive(Debug, Default)]
struct VerifiableSinkTask(Option<Running>);

#[derive(Debug)]
struct Running {
    context: SinkContext,
    id: i32,
    /// What was put since the last flush.
    unflushed: BTreeMap<TopicPartition, Vec<Records>>,
}

impl SinkTask for VerifiableSinkTask {
    fn start(&mut self, context: SinkContext, config: &ConfigMap) -> Result<()> {
        let id = number(config, "id", "VerifiableSinkTask")?;
        self.0 = Some(Running { context, id, unflushed: BTreeMap::new() });
        Ok(())
    }

    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        let Some(running) = &mut self.0 else { return Err(Error::fatal("the task is used before its start")) };
        let mut lines = MessageLines::default();
        let time = now_ms();
        for records in &batch.records {
            running.write(records, time, false, &mut lines)?;
        }
        lines.print();
        if !batch.records.is_empty() {
            let partition = batch.origin.partition.clone();
            running.unflushed.entry(partition).or_default().extend(batch.records.iter().cloned());
        }
        Ok(Vec::new())
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        if let Some(running) = &mut self.0 {
            running.flush(current.keys())?;
        }
        Ok(current.clone())
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        if let Some(running) = &mut self.0 {
            running.unflushed.retain(|partition, _| !partitions.contains(partition));
        }
        Ok(())
    }

    fn stop(&mut self) {
        self.0 = None;
    }

    fn buffered_bytes(&self) -> usize {
        let unflushed = self.0.iter().flat_map(|running| running.unflushed.values()).flatten();
        unflushed
            .map(|records| records.key.array.get_array_memory_size() + records.value.array.get_array_memory_size())
            .sum()
    }

    fn relieve(&mut self) -> Result<()> {
        if let Some(running) = &self.0 {
            running.context.request_commit();
        }
        Ok(())
    }
}

impl Running {
    fn flush<'a>(&mut self, partitions: impl Iterator<Item = &'a TopicPartition>) -> Result<()> {
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
    use arrow::array::{ArrayRef, Int32Array, Int64Array, StringArray};
    use arrow::datatypes::Field;
    use volley_api::{OffsetRange, Origin, RowIndex, TimestampType};

    use super::*;

    fn column(array: ArrayRef) -> Column {
        Column::new(Arc::new(Field::new("c", array.data_type().clone(), true)), array)
    }

    fn batch(key: ArrayRef, value: ArrayRef, first: i64) -> SinkBatch {
        let len = key.len();
        let origin = Arc::new(Origin {
            partition: TopicPartition::new("t", 0),
            range: OffsetRange { first, end: first + len as i64 },
            offsets: (first..first + len as i64).collect(),
            timestamp_type: TimestampType::CreateTime,
            timestamps: vec![-1; len].into(),
        });
        let records = Records {
            topic: "t".into(),
            kafka_partition: Some(0),
            key: column(key),
            value: column(value),
            timestamps: vec![-1; len].into(),
            headers: None,
            rows: RowIndex::all(len),
            origin: Some(Arc::clone(&origin)),
        };
        SinkBatch { origin, records: vec![records] }
    }

    fn started() -> VerifiableSinkTask {
        let mut task = VerifiableSinkTask::default();
        task.start(SinkContext::new("c", 0), &ConfigMap::from_iter([("id".to_owned(), "3".to_owned())])).unwrap();
        task
    }

    fn numbers(first: i64) -> SinkBatch {
        batch(Arc::new(Int32Array::from(vec![0, 0])), Arc::new(Int64Array::from(vec![first, first + 1])), first)
    }

    #[test]
    fn lines_have_the_members_in_the_order_of_kafka_s_tool() {
        let task = started();
        let mut lines = MessageLines::default();
        let batch = batch(Arc::new(Int32Array::from(vec![1])), Arc::new(Int64Array::from(vec![5])), 9);
        task.0.as_ref().unwrap().write(&batch.records[0], 7, false, &mut lines).unwrap();
        task.0.as_ref().unwrap().write(&batch.records[0], 8, true, &mut lines).unwrap();
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
        let keys: ArrayRef = Arc::new(StringArray::from(vec![Some("a\n"), None]));
        let batch = batch(keys, Column::nulls(2).array, 0);
        task.0.as_ref().unwrap().write(&batch.records[0], 7, false, &mut lines).unwrap();
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
