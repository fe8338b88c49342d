//! The `Blackhole` connector and its tasks.

use std::thread;

use arrow::array::Array;
use tracing::info;
use volley_api::metrics::{Counter, WRITTEN_BYTES};
use volley_api::{
    ConfigDef, ConfigMap, Connector, ConnectorContext, Error, Offsets, Plugin, PluginFactory, Records, RejectedRow,
    Result, RunningConnector, SinkBatch, SinkContext, SinkTask, SourceOffset, SourcePartition, Stage, identical_tasks,
};

use super::config::{BlackholeConfig, Failure, config_def};

const CLASS: &str = "Blackhole";

/// `Blackhole`.
pub(crate) fn sink_plugin() -> Plugin {
    Plugin::new(
        CLASS,
        env!("CARGO_PKG_VERSION"),
        "Counts its records and drops them; can be told to be slow or to fail.",
        config_def(),
        PluginFactory::sink(BlackholeConnector, BlackholeTask::start),
    )
}

#[derive(Debug)]
struct BlackholeConnector;

impl Connector for BlackholeConnector {
    fn config_def(&self) -> ConfigDef {
        config_def()
    }

    fn start(&self, _context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        identical_tasks(config)
    }

    /// Offsets are Kafka's alone; nothing outside depends on them.
    fn alter_offsets(&self, _: &ConfigMap, _: &[(SourcePartition, Option<SourceOffset>)]) -> Result<bool> {
        Ok(true)
    }
}

#[derive(Debug)]
struct BlackholeTask {
    config: BlackholeConfig,
    context: SinkContext,
    rows: u64,
    bytes: Counter,
    /// The number of the row at which the next failure is planned.
    next_failure: Option<u64>,
}

impl SinkTask for BlackholeTask {
    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        thread::sleep(self.config.delay);
        self.take(batch)
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        Ok(current.clone())
    }

    fn stop(&mut self) {
        let SinkContext { connector, task, .. } = &self.context;
        info!(connector, task, rows = self.rows, bytes = self.bytes.value(), "blackhole closed");
    }
}

impl BlackholeTask {
    /// Starts the task.
    fn start(context: SinkContext, config: &ConfigMap) -> Result<Self> {
        let config = BlackholeConfig::parse(config)?;
        let bytes = context.metrics().counter(WRITTEN_BYTES);
        Ok(Self { config, context, rows: 0, bytes, next_failure: config.fail_every })
    }

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
        self.bytes.add(batch.records.iter().map(bytes).sum());
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
    use volley_api::ErrorKind;
    use volley_api::testing::{SinkUnderTest, column, commits_only_what_is_durable, config_map, consumed, sink_batch};

    use super::*;

    fn batch(len: usize) -> SinkBatch {
        sink_batch(vec![consumed("t", 0, 0, column(Int64Array::from_iter_values(0..len as i64)))])
    }

    fn started(entries: &[(&str, &str)]) -> BlackholeTask {
        BlackholeTask::start(SinkContext::new("c", 0), &config_map(entries)).unwrap()
    }

    #[test]
    fn to_drop_a_record_is_to_deliver_it() {
        struct Dropped;

        impl SinkUnderTest for Dropped {
            fn start(&mut self, context: SinkContext) -> Result<Box<dyn SinkTask>> {
                Ok(Box::new(BlackholeTask::start(context, &config_map(&[("fail.every", "7")]))?))
            }

            fn delivered(&mut self) -> Vec<String> {
                (0..2).flat_map(|partition| (0..40).map(move |offset| format!("{partition}-{offset}"))).collect()
            }
        }

        commits_only_what_is_durable(|| Dropped);
    }

    #[test]
    fn counts_the_bytes_of_what_it_drops() {
        let mut task = started(&[]);
        task.put(&batch(100)).unwrap();
        task.put(&batch(10)).unwrap();
        assert_eq!(task.bytes.value(), 880);
    }

    #[test]
    fn a_retriable_failure_comes_once_and_the_batch_is_taken_when_it_comes_again() {
        let mut task = started(&[("fail.every", "15")]);
        task.put(&batch(10)).unwrap();
        assert!(task.put(&batch(10)).unwrap_err().is_retriable());
        task.put(&batch(10)).unwrap();
        assert!(task.put(&batch(10)).unwrap_err().is_retriable());
        assert_eq!(task.bytes.value(), 160);
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
