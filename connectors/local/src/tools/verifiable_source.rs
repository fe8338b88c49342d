//! `VerifiableSource`: numbers its messages, and prints each when it is made and again when its delivery is certain.
//!
//! Keys: `topic`, `throughput` (messages a second of each task, -1: no limit), `complete.record.data`. Task `i` sends key `i`
//! (INT32) and the number (INT64), or with `complete.record.data` a struct with all that is printed.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int32Array, Int64Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use volley_api::{
    Column, ConfigDef, ConfigMap, Connector, ConnectorContext, Error, KAFKA_VERSION, Plugin, PluginFactory, Polled,
    Records, Result, RowIndex, RunningConnector, SourceBatch, SourceContext, SourceOffset, SourcePartition, SourceTask,
};

use super::message_lines::{MessageLines, json_string};
use super::sequence::{self, Sequence};
use crate::clock::now_ms;

const TASK: &str = "VerifiableSourceTask";

/// `VerifiableSource`.
pub(crate) fn source_plugin() -> Plugin {
    Plugin::new(
        "org.apache.kafka.connect.tools.VerifiableSourceConnector",
        KAFKA_VERSION,
        "Sends numbered messages to `topic`, `throughput` a second from each task (-1: no limit), and \
                        prints each as a JSON line when it is made and when it is delivered. With \
                        `complete.record.data=true` the message holds what is printed.",
        ConfigDef::new(),
        PluginFactory::source(VerifiableSourceConnector, VerifiableSourceTask::start),
    )
    .alias("VerifiableSource")
}

/// A connector of tasks that know their number.
pub(super) fn numbered_tasks(config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
    let config = config.clone();
    Ok(Box::new(move |max_tasks: usize| {
        let numbered = |task: usize| {
            let mut config = config.clone();
            config.insert("id".to_owned(), task.to_string());
            config
        };
        Ok((0..max_tasks).map(numbered).collect())
    }))
}

#[derive(Debug)]
struct VerifiableSourceConnector;

impl Connector for VerifiableSourceConnector {
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn start(&self, _context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        numbered_tasks(config)
    }
}

#[derive(Debug)]
struct VerifiableSourceTask {
    sequence: Sequence,
    /// The first number whose delivery is not printed yet.
    uncommitted: i64,
    name: String,
    topic: Arc<str>,
    is_complete_data: bool,
    key_field: FieldRef,
    value_field: FieldRef,
}

impl SourceTask for VerifiableSourceTask {
    fn poll(&mut self, max_wait: Duration) -> Result<Polled> {
        let numbers = self.sequence.take(usize::MAX, max_wait);
        if numbers.is_empty() {
            return Ok(Polled::Idle);
        }
        let time = now_ms();
        self.lines(numbers.start..=numbers.end - 1, time, false).print();
        Ok(Polled::Batches(vec![self.batch(&numbers, time)?]))
    }

    fn commit(&mut self, delivered: &[(SourcePartition, SourceOffset)]) -> Result<()> {
        for (partition, offset) in delivered {
            let last = sequence::stored_seqno(offset)?;
            if *partition == self.sequence.partition && last >= self.uncommitted {
                self.lines(self.uncommitted..=last, now_ms(), true).print();
                self.uncommitted = last.saturating_add(1);
            }
        }
        Ok(())
    }
}

impl VerifiableSourceTask {
    /// Starts the task.
    fn start(context: SourceContext, config: &ConfigMap) -> Result<Self> {
        let sequence = Sequence::resume(&context, config, TASK)?;
        let topic = config.get("topic").filter(|topic| !topic.is_empty());
        let topic = topic.ok_or_else(|| Error::fatal(format!("Invalid {TASK} configuration: `topic` is missing")))?;
        let is_complete_data =
            config.get("complete.record.data").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let value_type = if is_complete_data { DataType::Struct(complete_fields()) } else { DataType::Int64 };
        tracing::info!(connector = context.connector, topic, "resuming from seqno {}", sequence.next());
        Ok(Self {
            uncommitted: sequence.next(),
            sequence,
            name: context.connector,
            topic: topic.as_str().into(),
            is_complete_data,
            key_field: Arc::new(Field::new("key", DataType::Int32, false)),
            value_field: Arc::new(Field::new("value", value_type, false)),
        })
    }

    fn lines(&self, numbers: RangeInclusive<i64>, time: i64, is_committed: bool) -> MessageLines {
        let mut lines = MessageLines::default();
        let committed = if is_committed { "\"committed\":true," } else { "" };
        let (name, topic, id) = (json_string(&self.name), json_string(&self.topic), self.sequence.id);
        for number in numbers {
            let line = format!(
                "{{{committed}\"task\":{id},\"seqno\":{number},\"time_ms\":{time},\"name\":{name},\"topic\":{topic}}}"
            );
            lines.line(|out| out.extend_from_slice(line.as_bytes()));
        }
        lines
    }

    fn batch(&self, numbers: &Range<i64>, time: i64) -> Result<SourceBatch> {
        let len = (numbers.end - numbers.start) as usize;
        let seqno: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers.clone()));
        let keys = Arc::new(Int32Array::from_value(self.sequence.id, len));
        let values = if self.is_complete_data { self.complete_data(seqno, len, time)? } else { seqno };
        let records = Records {
            topic: Arc::clone(&self.topic),
            kafka_partition: None,
            key: Column::new(Arc::clone(&self.key_field), keys),
            value: Column::new(Arc::clone(&self.value_field), values),
            timestamps: vec![-1; len].into(),
            headers: None,
            rows: RowIndex::all(len),
            origin: None,
        };
        let offset = sequence::offset(numbers.end - 1);
        Ok(SourceBatch { records, partition: self.sequence.partition.clone(), offset })
    }

    fn complete_data(&self, seqno: ArrayRef, len: usize, time: i64) -> Result<ArrayRef> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(&self.name, len))),
            Arc::new(Int32Array::from_value(self.sequence.id, len)),
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(&*self.topic, len))),
            Arc::new(Int64Array::from_value(time, len)),
            seqno,
        ];
        Ok(Arc::new(StructArray::try_new(complete_fields(), columns, None)?))
    }
}

fn complete_fields() -> Fields {
    let field = |name: &str, data_type: DataType| Field::new(name, data_type, false);
    Fields::from(vec![
        field("name", DataType::Utf8),
        field("task", DataType::Int32),
        field("topic", DataType::Utf8),
        field("time_ms", DataType::Int64),
        field("seqno", DataType::Int64),
    ])
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{Int32Type, Int64Type};
    use volley_api::testing::{config_map, json_object, resumes_from_every_offset};

    use super::*;

    fn task(entries: &[(&str, &str)], stored: Option<i64>) -> Result<VerifiableSourceTask> {
        let reader = move |partition: &SourcePartition| {
            assert_eq!(serde_json::to_string(partition).unwrap(), r#"{"id":1}"#);
            Ok(stored.map(sequence::offset))
        };
        let context = SourceContext::new("a \"b\"", 1).with_offsets(Arc::new(reader));
        let config = config_map(&[&[("topic", "t"), ("id", "1")], entries].concat());
        VerifiableSourceTask::start(context, &config)
    }

    #[test]
    fn the_numbers_are_resumed_from_every_offset() {
        let config = config_map(&[("topic", "t"), ("id", "1"), ("throughput", "-1")]);
        resumes_from_every_offset(3000, |context| VerifiableSourceTask::start(context, &config));
    }

    fn batch(task: &mut VerifiableSourceTask) -> SourceBatch {
        match task.poll(Duration::ZERO).unwrap() {
            Polled::Batches(mut batches) => batches.remove(0),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn numbers_go_on_behind_the_stored_one_without_gap_or_repeat() {
        let mut task = task(&[("throughput", "-1")], Some(41)).unwrap();
        let (first, second) = (batch(&mut task), batch(&mut task));
        let numbers = |batch: &SourceBatch| batch.records.value.array.as_primitive::<Int64Type>().values().to_vec();
        assert_eq!(numbers(&first)[0], 42);
        assert_eq!(first.offset, sequence::offset(*numbers(&first).last().unwrap()));
        assert_eq!(numbers(&second)[0], numbers(&first).last().unwrap() + 1);
        assert!(first.records.key.array.as_primitive::<Int32Type>().values().iter().all(|key| *key == 1));
    }

    #[test]
    fn lines_have_the_members_in_the_order_of_kafka_s_tool() {
        let task = task(&[("throughput", "1")], None).unwrap();
        assert_eq!(
            task.lines(0..=1, 7, false).text(),
            "{\"task\":1,\"seqno\":0,\"time_ms\":7,\"name\":\"a \\\"b\\\"\",\"topic\":\"t\"}\n\
             {\"task\":1,\"seqno\":1,\"time_ms\":7,\"name\":\"a \\\"b\\\"\",\"topic\":\"t\"}\n"
        );
        assert_eq!(
            task.lines(3..=3, 8, true).text(),
            "{\"committed\":true,\"task\":1,\"seqno\":3,\"time_ms\":8,\"name\":\"a \\\"b\\\"\",\"topic\":\"t\"}\n"
        );
    }

    #[test]
    fn each_delivery_is_told_once() {
        let mut task = task(&[("throughput", "-1")], Some(9)).unwrap();
        let delivered = |seqno| vec![(task_partition(), sequence::offset(seqno))];
        task.commit(&delivered(12)).unwrap();
        assert_eq!(task.uncommitted, 13);
        task.commit(&delivered(12)).unwrap();
        task.commit(&delivered(10)).unwrap();
        assert_eq!(task.uncommitted, 13);
    }

    fn task_partition() -> SourcePartition {
        json_object(r#"{"id":1}"#)
    }

    #[test]
    fn complete_data_is_a_struct_of_what_is_printed() {
        let mut task = task(&[("throughput", "-1"), ("complete.record.data", "TRUE")], None).unwrap();
        let batch = batch(&mut task);
        let value = batch.records.value.array.as_struct();
        assert_eq!(value.column_names(), ["name", "task", "topic", "time_ms", "seqno"]);
        assert_eq!(value.column_by_name("name").unwrap().as_string::<i32>().value(0), "a \"b\"");
        assert_eq!(value.column_by_name("seqno").unwrap().as_primitive::<Int64Type>().value(1), 1);
        assert_eq!(value.null_count(), 0);
    }

    #[test]
    fn a_configuration_without_numbers_fails_the_start() {
        for entries in [&[][..], &[("throughput", "fast")], &[("throughput", "1"), ("id", "")]] {
            let error = task(entries, None).unwrap_err().to_string();
            assert!(error.starts_with("Invalid VerifiableSourceTask configuration"), "{error}");
        }
    }

    #[test]
    fn without_throughput_only_one_message_comes() {
        let mut task = task(&[("throughput", "0")], None).unwrap();
        assert_eq!(batch(&mut task).records.len(), 1);
        assert!(matches!(task.poll(Duration::from_millis(5)).unwrap(), Polled::Idle));
    }

    #[test]
    fn tasks_know_their_number() {
        let configs = numbered_tasks(&config_map(&[("topic", "t")])).unwrap().task_configs(2).unwrap();
        assert_eq!(configs.iter().map(|config| config["id"].as_str()).collect::<Vec<_>>(), ["0", "1"]);
    }
}
