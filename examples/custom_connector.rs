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
use volley::api::{
    Column, ConfigDef, ConfigKey, ConfigMap, ConfigType, Connector, Error, Importance, Offsets, Plugin, PluginFactory,
    Polled, Records, RejectedRow, Result, RowIndex, SinkBatch, SinkContext, SinkTask, SourceBatch, SourceContext,
    SourceTask, Stage, TopicPartition, Validator, task_configs_for_all,
};

fn main() -> ExitCode {
    volley::run(plugins())
}

/// What this crate adds to Volley.
pub(crate) fn plugins() -> Vec<Plugin> {
    vec![
        Plugin {
            class: "CounterSource",
            aliases: &[],
            version: env!("CARGO_PKG_VERSION"),
            documentation: "Counts: one record for each number.",
            config_def: CounterSource.config_def(),
            factory: PluginFactory::Source {
                connector: Arc::new(|| Box::new(CounterSource)),
                task: Arc::new(|| Box::new(CounterTask::default())),
            },
        },
        Plugin {
            class: "TotalSink",
            aliases: &[],
            version: env!("CARGO_PKG_VERSION"),
            documentation: "Keeps the sum of a number field of all records in a file.",
            config_def: TotalSink.config_def(),
            factory: PluginFactory::Sink {
                connector: Arc::new(|| Box::new(TotalSink)),
                task: Arc::new(|| Box::new(TotalTask::default())),
            },
        },
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

    fn task_configs(&mut self, config: &ConfigMap, _max_tasks: usize) -> Result<Vec<ConfigMap>> {
        // counting cannot be shared
        Ok(task_configs_for_all(config, 1))
    }

    fn is_bounded(&self, _config: &ConfigMap) -> bool {
        // `volley standalone --until-done` waits for it
        true
    }
}

#[derive(Default)]
struct CounterTask {
    topic: Arc<str>,
    next: i64,
    upto: i64,
}

impl SourceTask for CounterTask {
    fn start(&mut self, context: SourceContext, config: &ConfigMap) -> Result<()> {
        let config = CounterSource.config_def().parse(config)?;
        self.topic = config.string("topic").unwrap_or_default().into();
        self.upto = config.long("upto").unwrap_or_default();
        // goes on behind the last number whose record is known to be in Kafka
        let stored = (context.offset)(&partition())?;
        self.next = stored.and_then(|offset| offset.get("number")?.as_i64()).unwrap_or(0) + 1;
        Ok(())
    }

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

    fn stop(&mut self) {}
}

impl CounterTask {
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

    fn task_configs(&mut self, config: &ConfigMap, _max_tasks: usize) -> Result<Vec<ConfigMap>> {
        // one file, one writer
        Ok(task_configs_for_all(config, 1))
    }
}

#[derive(Default)]
struct TotalTask {
    field: String,
    file: String,
    total: i64,
    ends: BTreeMap<TopicPartition, i64>,
}

impl SinkTask for TotalTask {
    fn start(&mut self, _context: SinkContext, config: &ConfigMap) -> Result<()> {
        let config = TotalSink.config_def().parse(config)?;
        self.field = config.string("field").unwrap_or_default().to_owned();
        self.file = config.string("file").unwrap_or_default().to_owned();
        if let Ok(text) = std::fs::read_to_string(&self.file) {
            let damaged = |_| Error::config(format!("`{}` does not hold a number; remove it to start anew", self.file));
            self.total = text.trim().parse().map_err(damaged)?;
        }
        Ok(())
    }

    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        let mut rejected = Vec::new();
        for records in &batch.records {
            let column = records.value.array.as_struct_opt().and_then(|values| values.column_by_name(&self.field));
            match column.and_then(|column| column.as_primitive_opt::<Int64Type>()) {
                Some(numbers) => self.total += arrow::compute::sum(numbers).unwrap_or_default(),
                // the worker decides by errors.tolerance what becomes of them
                None => rejected.extend(records.rows.iter().map(|row| RejectedRow {
                    row,
                    stage: Stage::TaskPut,
                    class: "TotalSink".to_owned(),
                    error: Error::data(format!("the record has no whole number `{}`", self.field)),
                })),
            }
        }
        self.ends.insert(batch.origin.partition.clone(), batch.origin.range.end);
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

    fn stop(&mut self) {}
}
