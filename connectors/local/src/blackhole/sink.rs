//! The `Blackhole` connector and its tasks.

use std::sync::Arc;
use std::thread;

use arrow::array::Array;
use tracing::info;
use volley_api::{
    ConfigDef, ConfigMap, Connector, Error, Offsets, Plugin, PluginFactory, Records, RejectedRow, Result, SinkBatch,
    SinkContext, SinkProgress, SinkTask, SourceOffset, SourcePartition, Stage, task_configs_for_all,
};

use super::config::{BlackholeConfig, Failure, config_def};

const CLASS: &str = "Blackhole";

/// `Blackhole`.
pub(crate) fn sink_plugin() -> Plugin {
    Plugin {
        class: CLASS,
        aliases: &[],
        version: env!("CARGO_PKG_VERSION"),
        documentation: "Counts its records and drops them; can be told to be slow or to fail.",
        config_def: config_def(),
        factory: PluginFactory::Sink {
            connector: Arc::new(|| Box::new(BlackholeConnector)),
            task: Arc::new(|| Box::new(BlackholeTask::default())),
        },
    }
}

#[derive(Debug)]
struct BlackholeConnector;

impl Connector for BlackholeConnector {
    fn config_def(&self) -> ConfigDef {
        config_def()
    }

    fn task_configs(&mut self, config: &ConfigMap, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(task_configs_for_all(config, max_tasks))
    }

    /// Offsets are Kafka's alone; nothing outside depends on them.
    fn alter_offsets(&mut self, _: &ConfigMap, _: &[(SourcePartition, Option<SourceOffset>)]) -> Result<bool> {
        Ok(true)
    }
}

/// `None` until started.
#[derive(Debug, Default)]
struct BlackholeTask(Option<Running>);

#[derive(Debug)]
struct Running {
    config: BlackholeConfig,
    context: SinkContext,
    rows: u64,
    bytes: u64,
    /// The number of the row at which the next failure is planned.
    next_failure: Option<u64>,
}

impl SinkTask for BlackholeTask {
    fn start(&mut self, context: SinkContext, config: &ConfigMap) -> Result<()> {
        let config = BlackholeConfig::parse(config)?;
        self.0 = Some(Running { config, context, rows: 0, bytes: 0, next_failure: config.fail_every });
        Ok(())
    }

    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        let Some(running) = &mut self.0 else { return Err(Error::fatal("the task is used before its start")) };
        thread::sleep(running.config.delay);
        running.take(batch)
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        Ok(current.clone())
    }

    fn stop(&mut self) {
        if let Some(running) = self.0.take() {
            let SinkContext { connector, task, .. } = &running.context;
            info!(connector, task, rows = running.rows, bytes = running.bytes, "blackhole closed");
        }
    }

    fn progress(&self) -> SinkProgress {
        SinkProgress { written_bytes: self.0.as_ref().map_or(0, |running| running.bytes), ..SinkProgress::default() }
    }
}

impl Running {
    fn take(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        let rows: usize = batch.records.iter().map(Records::len).sum();
        let end = self.rows + rows as u64;
        let mut rejected = Vec::new();
        while let Some(number) = self.next_failure.filter(|number| *number <= end) {
            // Past it before failing, so that the same batch is taken when it comes again.
            self.next_failure = self.config.fail_every.and_then(|every| number.checked_add(every));
            let message = format!("planned failure at row {number} (`fail.every`)");
            match self.config.fail_with {
                Failure::Retriable => return Err(Error::retriable(message)),
                Failure::Fatal => return Err(Error::fatal(message)),
                Failure::Rejected => {
                    let row = input_row(batch, (number - self.rows - 1) as usize);
                    let error = Error::data(message);
                    rejected.push(RejectedRow { row, stage: Stage::TaskPut, class: CLASS.to_owned(), error });
                }
            }
        }
        self.rows = end;
        self.bytes += batch.records.iter().map(bytes).sum::<u64>();
        Ok(rejected)
    }
}

/// The input row of the `place`-th row of a batch.
fn input_row(batch: &SinkBatch, mut place: usize) -> usize {
    for records in &batch.records {
        if place < records.len() {
            return records.rows.input_row(place);
        }
        place -= records.len();
    }
    0
}

/// Bytes that keys and values take in memory.
fn bytes(records: &Records) -> u64 {
    let sizes =
        [&records.key, &records.value].map(|column| column.array.to_data().get_slice_memory_size().unwrap_or(0));
    sizes.into_iter().sum::<usize>() as u64
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;
    use arrow::datatypes::{DataType, Field};
    use volley_api::{Column, ErrorKind, OffsetRange, Origin, RowIndex, TimestampType, TopicPartition};

    use super::*;

    fn batch(len: usize) -> SinkBatch {
        let origin = Arc::new(Origin {
            partition: TopicPartition::new("t", 0),
            range: OffsetRange { first: 0, end: len as i64 },
            offsets: (0..len as i64).collect(),
            timestamp_type: TimestampType::CreateTime,
            timestamps: vec![-1; len].into(),
        });
        let field = Arc::new(Field::new("value", DataType::Int64, false));
        let records = Records {
            topic: "t".into(),
            kafka_partition: Some(0),
            key: Column::nulls(len),
            value: Column::new(field, Arc::new(Int64Array::from_iter_values(0..len as i64))),
            timestamps: vec![-1; len].into(),
            headers: None,
            rows: RowIndex::all(len),
            origin: Some(Arc::clone(&origin)),
        };
        SinkBatch { origin, records: vec![records] }
    }

    fn started(config: &[(&str, &str)]) -> BlackholeTask {
        let mut task = BlackholeTask::default();
        let config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        task.start(SinkContext::new("c", 0), &config).unwrap();
        task
    }

    #[test]
    fn counts_the_bytes_of_what_it_drops() {
        let mut task = started(&[]);
        task.put(&batch(100)).unwrap();
        task.put(&batch(10)).unwrap();
        assert_eq!(task.progress().written_bytes, 880);
    }

    #[test]
    fn a_retriable_failure_comes_once_and_the_batch_is_taken_when_it_comes_again() {
        let mut task = started(&[("fail.every", "15")]);
        task.put(&batch(10)).unwrap();
        assert!(task.put(&batch(10)).unwrap_err().is_retriable());
        task.put(&batch(10)).unwrap();
        assert!(task.put(&batch(10)).unwrap_err().is_retriable());
        assert_eq!(task.progress().written_bytes, 160);
    }

    #[test]
    fn exactly_the_planned_rows_are_rejected() {
        let mut task = started(&[("fail.every", "4"), ("fail.with", "rejected")]);
        let mut rows = |len| task.put(&batch(len)).unwrap().iter().map(|rejected| rejected.row).collect::<Vec<_>>();
        assert_eq!((rows(10), rows(2), rows(5)), (vec![3, 7], vec![1], vec![3]));
    }

    #[test]
    fn a_fatal_failure_is_fatal() {
        let mut task = started(&[("fail.every", "1"), ("fail.with", "fatal")]);
        assert_eq!(task.put(&batch(1)).unwrap_err().kind(), ErrorKind::Fatal);
    }
}
