//! A task of `JdbcSourceConnector` without a worker: what it reads, and the offsets that it would go on from.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::util::display::array_value_to_string;
use serde_json::Value;
use volley_api::testing::config_map;
use volley_api::{
    Column, ConfigMap, ConnectorContext, Error, OffsetReader, PluginFactory, Polled, Records, Result, RunningConnector,
    SourceContext, SourceOffset, SourcePartition, SourceTask,
};
use volley_jdbc::Driver;

const SOON: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(50);

/// Offsets as a worker stores them; a clone is the same store.
#[derive(Clone, Default)]
pub(crate) struct Offsets(Arc<Mutex<BTreeMap<String, SourceOffset>>>);

impl Offsets {
    pub(crate) fn get(&self, partition: &str) -> Option<Value> {
        self.0.lock().unwrap().get(partition).cloned().map(Value::from)
    }

    /// Of how many ranges of tables there are some.
    pub(crate) fn ranges(&self) -> usize {
        self.0.lock().unwrap().keys().filter(|partition| partition.contains(r#""split":"#)).count()
    }

    pub(crate) fn put(&self, partition: &str, offset: &str) {
        self.0.lock().unwrap().insert(partition.to_owned(), volley_api::testing::json_object(offset));
    }
}

impl OffsetReader for Offsets {
    fn offsets(&self, partitions: &[SourcePartition]) -> Result<Vec<Option<SourceOffset>>> {
        let stored = self.0.lock().unwrap();
        Ok(partitions.iter().map(|partition| stored.get(&text(partition)).cloned()).collect())
    }
}

fn text(partition: &SourcePartition) -> String {
    Value::from(partition.clone()).to_string()
}

/// A record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) topic: String,
    pub(crate) key: Option<String>,
    /// The column `id`, if there is one.
    pub(crate) id: Option<i64>,
    /// All columns, as Arrow shows them; dates in days, times of day in milliseconds.
    pub(crate) values: Vec<String>,
}

/// A connector and its tasks.
pub(crate) struct Connector {
    driver: Arc<dyn Driver>,
    config: ConfigMap,
    pub(crate) offsets: Offsets,
    pub(crate) tasks: Vec<Box<dyn SourceTask>>,
    /// The configurations of the tasks.
    pub(crate) task_configs: Vec<ConfigMap>,
    running: Option<Box<dyn RunningConnector>>,
}

impl Connector {
    /// One that has not been started.
    pub(crate) fn new(driver: Arc<dyn Driver>, url: &str, keys: &[(&str, &str)]) -> Self {
        let base = [
            ("connection.url", url),
            ("connection.user", "volley"),
            ("poll.interval.ms", "1"),
            ("connection.backoff.ms", "10"),
            ("topic.prefix", ""),
        ];
        let config = config_map(&[&base, keys].concat());
        let (offsets, tasks) = (Offsets::default(), Vec::new());
        Self { driver, config, offsets, tasks, task_configs: Vec::new(), running: None }
    }

    /// Starts it with at most so many tasks; they go on from the stored offsets.
    pub(crate) fn start(&mut self, max_tasks: usize) {
        self.stop();
        let plugins = volley_jdbc::plugins(&[Arc::clone(&self.driver)]);
        let PluginFactory::Source { connector, task } = &plugins[0].factory else { panic!("a source") };
        let context = ConnectorContext::new("shop").with_offsets(Arc::new(self.offsets.clone()));
        let mut running = connector.start(context, &self.config).unwrap();
        self.task_configs = running.task_configs(max_tasks).unwrap();
        self.running = Some(running);
        let context = |place| SourceContext::new("shop", place).with_offsets(Arc::new(self.offsets.clone()));
        let tasks = self.task_configs.iter().enumerate().map(|(place, config)| task(context(place), config).unwrap());
        self.tasks = tasks.collect();
    }

    pub(crate) fn stop(&mut self) {
        self.tasks.drain(..).for_each(|mut task| task.stop());
        if let Some(mut running) = self.running.take() {
            running.stop();
        }
    }

    /// Polls a task once, and stores its offsets; `None` at the end. What may be tried again counts as nothing.
    pub(crate) fn poll(&mut self, task: usize) -> Result<Option<Vec<Row>>> {
        let polled = match self.tasks[task].poll(POLL) {
            Err(error) if error.is_retriable() => return Ok(Some(Vec::new())),
            polled => polled?,
        };
        match polled {
            Polled::Batches(batches) => {
                let mut rows = Vec::new();
                for batch in batches {
                    rows.extend(rows_of(&batch.records));
                    self.offsets.0.lock().unwrap().insert(text(&batch.partition), batch.offset);
                }
                Ok(Some(rows))
            }
            Polled::Finished => Ok(None),
            Polled::Idle => Ok(Some(Vec::new())),
            Polled::IdleFor(wait) => {
                // as the worker does
                std::thread::sleep(wait.min(POLL));
                Ok(Some(Vec::new()))
            }
        }
    }

    /// Polls a task until it has read to the end, where nothing is open in the database. There MUST be no more rows.
    pub(crate) fn await_end(&mut self, task: usize) {
        let deadline = Instant::now() + SOON;
        loop {
            match self.tasks[task].poll(POLL) {
                Ok(Polled::IdleFor(_)) => return,
                Ok(Polled::Idle) => assert!(Instant::now() < deadline, "no end within {SOON:?}"),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Polls all tasks in turn until there are so many rows.
    pub(crate) fn rows(&mut self, count: usize) -> Vec<Row> {
        let (mut rows, deadline) = (Vec::new(), Instant::now() + SOON);
        while rows.len() < count {
            assert!(Instant::now() < deadline, "{} of {count} rows: {rows:?}", rows.len());
            for task in 0..self.tasks.len() {
                rows.extend(self.poll(task).unwrap().unwrap_or_default());
            }
        }
        rows
    }

    /// The ids of all rows, in order: polls all tasks in turn until each is done. For many rows.
    pub(crate) fn ids_until_done(&mut self) -> Vec<i64> {
        let (mut ids, deadline) = (Vec::new(), Instant::now() + SOON);
        let mut open: Vec<_> = (0..self.tasks.len()).collect();
        while !open.is_empty() {
            assert!(Instant::now() < deadline, "not done with {} rows", ids.len());
            open.retain(|task| match self.tasks[*task].poll(POLL).unwrap() {
                Polled::Batches(batches) => {
                    for batch in batches {
                        let columns = batch.records.value.array.as_struct();
                        let found = cast(columns.column_by_name("id").unwrap(), &DataType::Int64).unwrap();
                        ids.extend_from_slice(found.as_primitive::<Int64Type>().values());
                        self.offsets.0.lock().unwrap().insert(text(&batch.partition), batch.offset);
                    }
                    true
                }
                Polled::Finished => false,
                _ => true,
            });
        }
        ids.sort_unstable();
        ids
    }

    /// Polls all tasks in turn until each is done.
    pub(crate) fn rows_until_done(&mut self) -> Vec<Row> {
        let (mut rows, deadline) = (Vec::new(), Instant::now() + SOON);
        let mut open: Vec<_> = (0..self.tasks.len()).collect();
        while !open.is_empty() {
            assert!(Instant::now() < deadline, "not done with {} rows", rows.len());
            open.retain(|task| match self.poll(*task).unwrap() {
                Some(found) => {
                    rows.extend(found);
                    true
                }
                None => false,
            });
        }
        rows
    }
}

impl Drop for Connector {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the task fails with, if anything may be tried again or not.
pub(crate) fn await_error(connector: &mut Connector) -> Error {
    let deadline = Instant::now() + SOON;
    loop {
        if let Err(error) = connector.tasks[0].poll(Duration::from_millis(50)) {
            return error;
        }
        assert!(Instant::now() < deadline, "no error within {SOON:?}");
    }
}

/// The records of a batch.
pub(crate) fn rows_of(records: &Records) -> Vec<Row> {
    (0..records.len()).map(|row| row_of(&records.topic, &records.key, &records.value, row)).collect()
}

fn row_of(topic: &str, key: &Column, value: &Column, row: usize) -> Row {
    let shown = |array: &ArrayRef| match array.data_type() {
        _ if array.is_null(row) => "NULL".to_owned(),
        // beyond what a calendar of Rust has
        DataType::Date32 | DataType::Time32(_) => {
            array_value_to_string(&cast(array, &DataType::Int32).unwrap(), row).unwrap()
        }
        _ => array_value_to_string(array, row).unwrap(),
    };
    let columns = value.array.as_struct();
    let id = columns.column_by_name("id").and_then(|ids| {
        let ids = cast(ids, &DataType::Int64).ok()?;
        Some(ids.as_primitive::<Int64Type>().value(row))
    });
    let key = (!key.is_null(row)).then(|| array_value_to_string(&key.array, row).unwrap());
    Row { topic: topic.to_owned(), key, id, values: columns.columns().iter().map(shown).collect() }
}

/// The ids of rows, in order.
pub(crate) fn sorted_ids(rows: &[Row]) -> Vec<i64> {
    let mut ids: Vec<_> = rows.iter().filter_map(|row| row.id).collect();
    ids.sort_unstable();
    ids
}
