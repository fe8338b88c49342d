//! `SchemaSource`: numbered structs of the primitive types, and if asked to of two schema versions in turn.
//!
//! Keys: `topic`, `num.messages` (of each task since its start), `throughput` (messages a second of each task, -1: no
//! limit), `multiple.schema` (false), `partition.count` (1). Task `i` sends to partition `i` of the topic; the field
//! `partitioning` counts from 0 to `partition.count` - 1 and over again.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, StringArray, StructArray,
};
use arrow::datatypes::{DataType, Field, Fields};
use volley_api::{
    Column, ConfigDef, ConfigMap, Connector, ConnectorContext, Error, KAFKA_VERSION, Plugin, PluginFactory, Polled,
    Records, Result, RowIndex, RunningConnector, SourceBatch, SourceContext, SourceTask, schema,
};

use super::message_lines::MessageLines;
use super::sequence::{self, Sequence, number};
use super::verifiable_source::numbered_tasks;

const TASK: &str = "SchemaSourceTask";

/// `SchemaSource`.
pub(crate) fn source_plugin() -> Plugin {
    Plugin::new(
        "org.apache.kafka.connect.tools.SchemaSourceConnector",
        KAFKA_VERSION,
        "Sends `num.messages` structs of the primitive types to `topic`, `throughput` a second from each \
                        task (-1: no limit). With `multiple.schema=true` two versions of the schema take turns.",
        ConfigDef::new(),
        PluginFactory::source(SchemaSourceConnector, SchemaSourceTask::start),
    )
    .alias("SchemaSource")
}

#[derive(Debug)]
struct SchemaSourceConnector;

impl Connector for SchemaSourceConnector {
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn start(&self, _context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        numbered_tasks(config)
    }
}

#[derive(Debug)]
struct SchemaSourceTask {
    sequence: Sequence,
    topic: Arc<str>,
    /// Messages made since the start, and how many there are to be.
    count: u64,
    most: u64,
    is_multiple: bool,
    partition_count: i64,
}

impl SourceTask for SchemaSourceTask {
    fn poll(&mut self, max_wait: Duration) -> Result<Polled> {
        let most = usize::try_from(self.most - self.count).unwrap_or(usize::MAX);
        let numbers = self.sequence.take(most, max_wait);
        if numbers.is_empty() {
            return Ok(Polled::Idle);
        }
        self.lines(numbers.clone()).print();
        self.batches(numbers).map(Polled::Batches)
    }
}

impl SchemaSourceTask {
    /// Starts the task.
    fn start(context: SourceContext, config: &ConfigMap) -> Result<Self> {
        let sequence = Sequence::resume(&context, config, TASK)?;
        let most: i64 = number(config, "num.messages", TASK)?;
        let partition_count: i32 = match config.get("partition.count") {
            Some(_) => number(config, "partition.count", TASK)?,
            None => 1,
        };
        let topic = config.get("topic").filter(|topic| !topic.is_empty());
        let topic = topic.ok_or_else(|| Error::fatal(format!("Invalid {TASK} configuration: `topic` is missing")))?;
        if partition_count == 0 {
            return Err(Error::fatal(format!("Invalid {TASK} configuration: `partition.count` must not be 0")));
        }
        Ok(Self {
            sequence,
            topic: topic.as_str().into(),
            count: 0,
            most: u64::try_from(most).unwrap_or_default(),
            is_multiple: config.get("multiple.schema").is_some_and(|value| value.eq_ignore_ascii_case("true")),
            partition_count: i64::from(partition_count),
        })
    }

    fn lines(&self, numbers: Range<i64>) -> MessageLines {
        let mut lines = MessageLines::default();
        for number in numbers {
            let line = format!("{{\"task\": {}, \"seqno\": {number}}}", self.sequence.id);
            lines.line(|out| out.extend_from_slice(line.as_bytes()));
        }
        lines
    }

    /// One batch, or one for each message where two schemas take turns.
    fn batches(&mut self, numbers: Range<i64>) -> Result<Vec<SourceBatch>> {
        if !self.is_multiple {
            self.count += (numbers.end - numbers.start) as u64;
            return Ok(vec![self.batch(numbers, Version::One)?]);
        }
        let mut batches = Vec::new();
        for number in numbers {
            let version = if self.count.is_multiple_of(2) { Version::One } else { Version::Two };
            self.count += 1;
            batches.push(self.batch(number..number + 1, version)?);
        }
        Ok(batches)
    }

    fn batch(&self, numbers: Range<i64>, version: Version) -> Result<SourceBatch> {
        let len = (numbers.end - numbers.start) as usize;
        let fields = version.fields();
        let field = Field::new("value", DataType::Struct(fields.clone()), false).with_metadata(version.metadata());
        let values = StructArray::try_new(fields, self.columns(&numbers, version), None)?;
        let keys: ArrayRef = Arc::new(StringArray::from_iter_values(std::iter::repeat_n("key", len)));
        let records = Records {
            topic: Arc::clone(&self.topic),
            kafka_partition: Some(self.sequence.id),
            key: Column::new(Arc::new(Field::new("key", DataType::Utf8, false)), keys),
            value: Column::new(Arc::new(field), Arc::new(values)),
            timestamps: vec![-1; len].into(),
            headers: None,
            rows: RowIndex::all(len),
            origin: None,
        };
        let offset = sequence::offset(numbers.end - 1);
        Ok(SourceBatch { records, partition: self.sequence.partition.clone(), offset })
    }

    fn columns(&self, numbers: &Range<i64>, version: Version) -> Vec<ArrayRef> {
        let len = (numbers.end - numbers.start) as usize;
        let partitioning = numbers.clone().map(|number| (number % self.partition_count) as i32);
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(BooleanArray::from(vec![true; len])),
            Arc::new(Int32Array::from_value(12, len)),
            Arc::new(Int64Array::from_value(12, len)),
            Arc::new(Float32Array::from_value(12.2, len)),
            Arc::new(Float64Array::from_value(12.2, len)),
            Arc::new(Int32Array::from_iter_values(partitioning)),
        ];
        if version == Version::Two {
            columns.push(Arc::new(StringArray::from_iter_values(std::iter::repeat_n("def", len))));
        }
        columns.push(Arc::new(Int32Array::from_value(self.sequence.id, len)));
        columns.push(Arc::new(Int64Array::from_iter_values(numbers.clone())));
        columns
    }
}

/// Versions of the schema `record`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    /// With a text field.
    Two,
}

impl Version {
    fn fields(self) -> Fields {
        let field = |name: &str, data_type: DataType| Field::new(name, data_type, false);
        let mut fields = vec![
            field("boolean", DataType::Boolean),
            field("int", DataType::Int32),
            field("long", DataType::Int64),
            field("float", DataType::Float32),
            field("double", DataType::Float64),
            field("partitioning", DataType::Int32),
        ];
        if self == Self::Two {
            let default = HashMap::from([(schema::DEFAULT.to_owned(), "\"abc\"".to_owned())]);
            fields.push(field("string", DataType::Utf8).with_metadata(default));
        }
        fields.push(field("id", DataType::Int32));
        fields.push(field("seqno", DataType::Int64));
        Fields::from(fields)
    }

    fn metadata(self) -> HashMap<String, String> {
        let version = match self {
            Self::One => "1",
            Self::Two => "2",
        };
        let entries = [(schema::NAME, "record"), (schema::VERSION, version)];
        entries.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    use volley_api::testing::{config_map, resumes_from_every_offset, source_context};

    use super::*;

    fn task(entries: &[(&str, &str)], stored: Option<i64>) -> Result<SchemaSourceTask> {
        let base = [("topic", "t"), ("id", "0"), ("throughput", "-1"), ("num.messages", "4")];
        let config = config_map(&[&base, entries].concat());
        SchemaSourceTask::start(source_context(0, stored.map(sequence::offset)), &config)
    }

    #[test]
    fn the_numbers_are_resumed_from_every_offset() {
        let keys =
            [("topic", "t"), ("id", "0"), ("throughput", "-1"), ("num.messages", "9"), ("multiple.schema", "false")];
        resumes_from_every_offset(9, |context| SchemaSourceTask::start(context, &config_map(&keys)));
    }

    fn batches(task: &mut SchemaSourceTask) -> Vec<SourceBatch> {
        match task.poll(Duration::ZERO).unwrap() {
            Polled::Batches(batches) => batches,
            _ => Vec::new(),
        }
    }

    fn numbers(batch: &SourceBatch, field: &str) -> Vec<i64> {
        let values = batch.records.value.array.as_struct();
        let column = arrow::compute::cast(values.column_by_name(field).unwrap(), &DataType::Int64).unwrap();
        column.as_primitive::<Int64Type>().values().to_vec()
    }

    #[test]
    fn so_many_messages_come_after_each_start_and_no_more() {
        let mut task = task(&[("partition.count", "3")], Some(9)).unwrap();
        let all = batches(&mut task);
        assert_eq!(numbers(&all[0], "seqno"), [10, 11, 12, 13]);
        assert_eq!(numbers(&all[0], "partitioning"), [1, 2, 0, 1]);
        assert_eq!(all[0].offset, sequence::offset(13));
        assert!(batches(&mut task).is_empty());
    }

    #[test]
    fn two_schema_versions_take_turns() {
        let mut task = task(&[("multiple.schema", "true")], None).unwrap();
        let versions = |batch: &SourceBatch| batch.records.value.field.metadata()[schema::VERSION].clone();
        let all = batches(&mut task);
        assert_eq!(all.iter().map(versions).collect::<Vec<_>>(), ["1", "2", "1", "2"]);
        assert_eq!(all.iter().map(|batch| batch.records.len()).sum::<usize>(), 4);
        assert!(all[1].records.value.array.as_struct().column_by_name("string").is_some());
    }

    #[test]
    fn a_configuration_without_numbers_fails_the_start() {
        for entries in [&[("num.messages", "many")][..], &[("partition.count", "0")], &[("throughput", "")]] {
            let error = task(entries, None).unwrap_err().to_string();
            assert!(error.starts_with("Invalid SchemaSourceTask configuration"), "{error}");
        }
    }
}
