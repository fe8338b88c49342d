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
    Column, ConfigDef, ConfigMap, Connector, Error, KAFKA_VERSION, Plugin, PluginFactory, Polled, Records, Result,
    RowIndex, SourceBatch, SourceContext, SourceOffset, SourcePartition, SourceTask,
};

use super::message_lines::{MessageLines, json_string};
use super::sequence::{self, Sequence};
use crate::clock::now_ms;

const TASK: &str = "VerifiableSourceTask";

/// `VerifiableSource`.
pub(crate) fn source_plugin() -> Plugin {
    Plugin {
        class: "org.apache.kafka.connect.tools.VerifiableSourceConnector",
        aliases: &["VerifiableSource"],
        version: KAFKA_VERSION,
        documentation: "Sends numbered messages to `topic`, `throughput` a second from each task (-1: no limit), and \
                        prints each as a JSON line when it is made and when it is delivered. With \
                        `complete.record.data=true` the message holds what is printed.",
        config_def: ConfigDef::new(),
        factory: PluginFactory::Source {
            connector: Arc::new(|| Box::new(VerifiableSourceConnector)),
            task: Arc::new(|| Box::new(VerifiableSourceTask::default())),
        },
    }
}

/// The configurations of tasks that know their number.
pub(super) fn numbered_task_configs(config: &ConfigMap, max_tasks: usize) -> Vec<ConfigMap> {
    let numbered = |task: usize| {
        let mut config = config.clone();
        config.insert("id".to_owned(), task.to_string());
        config
    };
    (0..max_tasks).map(numbered).collect()
}

#[derive(Debug)]
struct VerifiableSourceConnector;

impl Connector for VerifiableSourceConnector {
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn task_configs(&mut self, config: &ConfigMap, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(numbered_task_configs(config, max_tasks))
    }
}

/// `None` until started.
#[derive(Debug, Default)]
struct VerifiableSourceTask(Option<Running>);

#[derive(Debug)]
struct Running {
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
    fn start(&mut self, context: SourceContext, config: &ConfigMap) -> Result<()> {
        let sequence = Sequence::resume(&context, config, TASK)?;
        let topic = config.get("topic").filter(|topic| !topic.is_empty());
        let topic = topic.ok_or_else(|| Error::fatal(format!("Invalid {TASK} configuration: `topic` is missing")))?;
        let is_complete_data =
            config.get("complete.record.data").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let value_type = if is_complete_data { DataType::Struct(complete_fields()) } else { DataType::Int64 };
        tracing::info!(connector = context.connector, topic, "resuming from seqno {}", sequence.next());
        self.0 = Some(Running {
            uncommitted: sequence.next(),
            sequence,
            name: context.connector,
            topic: topic.as_str().into(),
            is_complete_data,
            key_field: Arc::new(Field::new("key", DataType::Int32, false)),
            value_field: Arc::new(Field::new("value", value_type, false)),
        });
        Ok(())
    }

    fn poll(&mut self, max_wait: Duration) -> Result<Polled> {
        let Some(running) = &mut self.0 else { return Err(Error::fatal("the task is polled before its start")) };
        let numbers = running.sequence.take(usize::MAX, max_wait);
        if numbers.is_empty() {
            return Ok(Polled::Idle);
        }
        let time = now_ms();
        running.lines(numbers.start..=numbers.end - 1, time, false).print();
        Ok(Polled::Batches(vec![running.batch(&numbers, time)?]))
    }

    fn stop(&mut self) {
        self.0 = None;
    }

    fn commit(&mut self, delivered: &[(SourcePartition, SourceOffset)]) -> Result<()> {
        let Some(running) = &mut self.0 else { return Ok(()) };
        for (partition, offset) in delivered {
            let last = sequence::stored_seqno(offset)?;
            if *partition == running.sequence.partition && last >= running.uncommitted {
                running.lines(running.uncommitted..=last, now_ms(), true).print();
                running.uncommitted = last.saturating_add(1);
            }
        }
        Ok(())
    }
}

impl Running {
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

    use super::*;

    fn map(entries: &[(&str, &str)]) -> ConfigMap {
        entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn task(entries: &[(&str, &str)], stored: Option<i64>) -> Result<VerifiableSourceTask> {
        let context = SourceContext {
            connector: "a \"b\"".into(),
            task: 1,
            offset: Arc::new(move |partition| {
                assert_eq!(serde_json::to_string(partition).unwrap(), r#"{"id":1}"#);
                Ok(stored.map(sequence::offset))
            }),
        };
        let mut task = VerifiableSourceTask::default();
        let config = map(&[&[("topic", "t"), ("id", "1")], entries].concat());
        task.start(context, &config).map(|()| task)
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
        let running = task.0.unwrap();
        assert_eq!(
            running.lines(0..=1, 7, false).text(),
            "{\"task\":1,\"seqno\":0,\"time_ms\":7,\"name\":\"a \\\"b\\\"\",\"topic\":\"t\"}\n\
             {\"task\":1,\"seqno\":1,\"time_ms\":7,\"name\":\"a \\\"b\\\"\",\"topic\":\"t\"}\n"
        );
        assert_eq!(
            running.lines(3..=3, 8, true).text(),
            "{\"committed\":true,\"task\":1,\"seqno\":3,\"time_ms\":8,\"name\":\"a \\\"b\\\"\",\"topic\":\"t\"}\n"
        );
    }

    #[test]
    fn each_delivery_is_told_once() {
        let mut task = task(&[("throughput", "-1")], Some(9)).unwrap();
        let delivered = |seqno| vec![(task_partition(), sequence::offset(seqno))];
        task.commit(&delivered(12)).unwrap();
        assert_eq!(task.0.as_ref().unwrap().uncommitted, 13);
        task.commit(&delivered(12)).unwrap();
        task.commit(&delivered(10)).unwrap();
        assert_eq!(task.0.as_ref().unwrap().uncommitted, 13);
    }

    fn task_partition() -> SourcePartition {
        serde_json::from_str(r#"{"id":1}"#).unwrap()
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
        let configs = VerifiableSourceConnector.task_configs(&map(&[("topic", "t")]), 2).unwrap();
        assert_eq!(configs.iter().map(|config| config["id"].as_str()).collect::<Vec<_>>(), ["0", "1"]);
    }
}
