//! A program of one's own: Volley with a source and a sink of this crate.
//!
//! ```text
//! cargo run --example custom_connector -- plugins CounterSource
//! cargo run --example custom_connector -- standalone worker.properties counter.properties totals.properties
//! ```
//!
//! with `counter.properties`
//!
//! ```text
//! name=counter
//! connector.class=CounterSource
//! topic=numbers
//! upto=1000
//! ```
//!
//! and `totals.properties`
//!
//! ```text
//! name=totals
//! connector.class=TotalSink
//! topics=numbers
//! field=number
//! file=total.txt
//! ```

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, AsArray, Int64Array, StructArray};
use arrow::datatypes::{DataType, Field, Int64Type};
use volley::api::metrics::Counter;
use volley::api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Connector, ConnectorContext, Error, Importance, Offsets,
    Plugin, PluginFactory, Polled, Records, RejectedRow, Result, RowIndex, RunningConnector, SinkBatch, SinkContext,
    SinkTask, SourceBatch, SourceContext, SourceTask, Stage, TopicPartition, Validator, single_task,
};

fn main() -> ExitCode {
    volley::run(plugins())
}

/// What this crate adds to Volley.
pub(crate) fn plugins() -> Vec<Plugin> {
    vec![
        Plugin::new(
            "CounterSource",
            env!("CARGO_PKG_VERSION"),
            "Counts: one record for each number.",
            CounterSource.config_def(),
            PluginFactory::source(CounterSource, CounterTask::start),
        ),
        Plugin::new(
            "TotalSink",
            env!("CARGO_PKG_VERSION"),
            "Keeps the sum of a number field of all records in a file.",
            TotalSink.config_def(),
            PluginFactory::sink(TotalSink, TotalTask::start),
        ),
    ]
}

// ---- a source -------------------------------------------------------------------------------------------------------

/// Rows of a batch.
const BATCH_ROWS: i64 = 1000;

struct CounterSource;

impl Connector for CounterSource {
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
            .key(ConfigKey::required("topic", ConfigType::String, Importance::High, "The topic to write to."))
            .key(
                ConfigKey::with_default("upto", ConfigType::Long, "1000", Importance::High, "The last number.")
                    .validated(Validator::AtLeast(0)),
            )
    }

    fn start(&self, _context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        // counting cannot be shared
        single_task(config)
    }

    fn is_bounded(&self, _config: &ConfigMap) -> bool {
        // `volley standalone --until-done` waits for it
        true
    }
}

struct CounterTask {
    topic: Arc<str>,
    next: i64,
    upto: i64,
}

impl SourceTask for CounterTask {
    fn poll(&mut self, _max_wait: Duration) -> Result<Polled> {
        if self.next > self.upto {
            return Ok(Polled::Finished);
        }
        let last = self.upto.min(self.next + BATCH_ROWS - 1);
        let numbers = Int64Array::from_iter_values(self.next..=last);
        self.next = last + 1;
        let offset = BTreeMap::from([("number".to_owned(), last.into())]);
        Ok(Polled::Batches(vec![SourceBatch {
            records: self.records(numbers),
            partition: partition(),
            offset: offset.into_iter().collect(),
        }]))
    }
}

impl CounterTask {
    /// A task that exists is ready to be polled.
    fn start(context: SourceContext, config: &ConfigMap) -> Result<Self> {
        let config = CounterSource.config_def().parse(config)?;
        // goes on behind the last number whose record is known to be in Kafka
        let stored = context.offset(&partition())?;
        Ok(Self {
            topic: config.string("topic").unwrap_or_default().into(),
            upto: config.long("upto").unwrap_or_default(),
            next: stored.and_then(|offset| offset.get("number")?.as_i64()).unwrap_or(0) + 1,
        })
    }

    fn records(&self, numbers: Int64Array) -> Records {
        let rows = numbers.len();
        let field = Arc::new(Field::new("number", DataType::Int64, false));
        let values = StructArray::from(vec![(field, Arc::new(numbers) as _)]);
        let value_field = Arc::new(Field::new("value", values.data_type().clone(), false));
        Records {
            topic: Arc::clone(&self.topic),
            kafka_partition: None,
            key: Column::nulls(rows),
            value: Column::new(value_field, Arc::new(values)),
            timestamps: vec![-1; rows].into(),
            headers: None,
            rows: RowIndex::all(rows),
            origin: None,
        }
    }
}

fn partition() -> volley::api::SourcePartition {
    [("counter".to_owned(), "main".into())].into_iter().collect()
}

// ---- a sink ---------------------------------------------------------------------------------------------------------

struct TotalSink;

impl Connector for TotalSink {
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
            .key(ConfigKey::required("field", ConfigType::String, Importance::High, "The field to add up."))
            .key(ConfigKey::required("file", ConfigType::String, Importance::High, "Where the sum is written."))
    }

    fn start(&self, _context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        // one file, one writer
        single_task(config)
    }
}

struct TotalTask {
    field: String,
    file: String,
    total: i64,
    ends: BTreeMap<TopicPartition, i64>,
    /// Shown by the worker beside its own numbers.
    added: Counter,
}

impl TotalTask {
    fn start(context: SinkContext, config: &ConfigMap) -> Result<Self> {
        let config = TotalSink.config_def().parse(config)?;
        let file = config.string("file").unwrap_or_default().to_owned();
        let total = match std::fs::read_to_string(&file) {
            Ok(text) => text
                .trim()
                .parse()
                .map_err(|_| Error::config(format!("`{file}` does not hold a number; remove it to start anew")))?,
            Err(_) => 0,
        };
        let field = config.string("field").unwrap_or_default().to_owned();
        Ok(Self { field, file, total, ends: BTreeMap::new(), added: context.metrics().counter("numbers_added") })
    }
}

impl SinkTask for TotalTask {
    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        let mut rejected = Vec::new();
        for records in &batch.records {
            let column = records.value.array.as_struct_opt().and_then(|values| values.column_by_name(&self.field));
            match column.and_then(|column| column.as_primitive_opt::<Int64Type>()) {
                Some(numbers) => {
                    self.total += arrow::compute::sum(numbers).unwrap_or_default();
                    self.added.add(numbers.len() as u64);
                }
                // the worker decides by errors.tolerance what becomes of them
                None => rejected.extend(records.rows.iter().map(|row| RejectedRow {
                    row,
                    stage: Stage::TaskPut,
                    class: "TotalSink".to_owned(),
                    error: Error::data(format!("the record has no whole number `{}`", self.field)),
                })),
            }
        }
        self.ends.insert(batch.partition().clone(), batch.origin().range.end);
        Ok(rejected)
    }

    fn pre_commit(&mut self, _current: &Offsets) -> Result<Offsets> {
        // what may be committed is what is durably written, and not a record more
        std::fs::write(&self.file, format!("{}\n", self.total))
            .map_err(|error| Error::retriable(format!("could not write `{}`", self.file)).with_source(error))?;
        Ok(self.ends.clone())
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.ends.retain(|partition, _| !partitions.contains(partition));
        Ok(())
    }
}

// ---- tests ----------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use volley::api::testing::{column, config_map, consumed, resumes_from_every_offset, sink_batch};

    use super::*;

    #[test]
    fn the_counter_goes_on_behind_any_of_its_offsets() {
        let config = config_map(&[("topic", "numbers"), ("upto", "2500")]);
        resumes_from_every_offset(3000, |context| CounterTask::start(context, &config));
    }

    #[test]
    fn the_total_is_kept_and_records_without_the_field_are_rejected() {
        let file = std::env::temp_dir().join(format!("volley-total-{}.txt", std::process::id()));
        let config = config_map(&[("field", "number"), ("file", &file.display().to_string())]);
        let mut task = TotalTask::start(SinkContext::new("totals", 0), &config).expect("a task");
        let field = Arc::new(Field::new("number", DataType::Int64, false));
        let numbers = StructArray::from(vec![(field, Arc::new(Int64Array::from(vec![1, 2])) as _)]);
        let good = consumed("numbers", 0, 0, column(numbers));
        assert!(task.put(&sink_batch(vec![good])).expect("a put").is_empty());
        let bad = consumed("numbers", 0, 2, column(Int64Array::from(vec![3])));
        assert_eq!(task.put(&sink_batch(vec![bad])).expect("a put").len(), 1);
        task.pre_commit(&Offsets::new()).expect("a commit");
        assert_eq!(std::fs::read_to_string(&file).expect("a file"), "3\n");
        std::fs::remove_file(file).expect("a file");
    }
}
