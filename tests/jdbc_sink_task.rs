//! A task of `JdbcSinkConnector` without a worker: what it is given, what it refuses, and what its database has then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Field};
use volley_api::testing::{column, config_map, consumed, sink_batch};
use volley_api::{Error, ErrorKind, Offsets, PluginFactory, Result, SinkContext, SinkTask, TopicPartition};
use volley_jdbc::Driver;

use crate::jdbc_sink_worker::CLASS;

const SOON: Duration = Duration::from_secs(90);
/// Also the name of the table.
pub(crate) const TOPIC: &str = "orders";
pub(crate) const EXACTLY_ONCE: (&str, &str) = ("volley.exactly.once", "true");
pub(crate) const TOLERANT: (&str, &str) = ("errors.tolerance", "all");
pub(crate) const UPSERT: [(&str, &str); 3] =
    [("insert.mode", "upsert"), ("pk.mode", "record_value"), ("pk.fields", "id")];

/// A task that has partition 0 of [`TOPIC`].
pub(crate) struct Task {
    task: Box<dyn SinkTask>,
    context: SinkContext,
    /// Why records of the last batch were rejected.
    pub(crate) rejections: Vec<String>,
}

/// Orders with these numbers and names.
pub(crate) fn orders<'a>(rows: impl IntoIterator<Item = (i64, &'a str)>) -> ArrayRef {
    let (ids, names): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let fields = [("id", DataType::Int64, false), ("name", DataType::Utf8, true)];
    let fields = fields.map(|(name, data_type, is_nullable)| Arc::new(Field::new(name, data_type, is_nullable)));
    let arrays: [ArrayRef; 2] = [Arc::new(Int64Array::from(ids)), Arc::new(StringArray::from(names))];
    Arc::new(StructArray::new(fields.to_vec().into(), arrays.to_vec(), None))
}

impl Task {
    /// Started, as a worker would, with a database that may be anything.
    pub(crate) fn start(url: &str, keys: &[(&str, &str)]) -> Self {
        let drivers: [Arc<dyn Driver>; 3] =
            [Arc::new(volley_postgres::Postgres), Arc::new(volley_mysql::MySql), Arc::new(volley_sqlite::Sqlite)];
        let plugin = volley_jdbc::plugins(&drivers).into_iter().find(|plugin| plugin.class == CLASS).unwrap();
        let PluginFactory::Sink { task, .. } = plugin.factory else { panic!("a sink") };
        let base = [
            ("connection.url", url),
            ("connection.user", "volley"),
            ("connection.backoff.ms", "10"),
            ("retry.backoff.ms", "10"),
            ("max.retries", "600"),
        ];
        let context = SinkContext::new("shop", 0);
        let mut task = task(context.clone(), &config_map(&[&base, keys].concat())).unwrap();
        let partition = TopicPartition::new(TOPIC, 0);
        context.requests().set_assignment(vec![partition.clone()]);
        task.open(&Offsets::from([(partition, 0)])).unwrap();
        Self { task, context, rejections: Vec::new() }
    }

    /// Puts orders that stand from offset `first` on; those that are rejected.
    pub(crate) fn put(&mut self, first: i64, orders: &ArrayRef) -> Result<Vec<usize>> {
        let batch = sink_batch(vec![consumed(TOPIC, 0, first, column(Arc::clone(orders)))]);
        let rejected = self.task.put(&batch)?;
        self.rejections = rejected.iter().map(|row| row.error.to_string()).collect();
        Ok(rejected.into_iter().map(|row| row.row).collect())
    }

    /// Puts them, again after what may be tried again, as a worker does; those that are rejected.
    pub(crate) fn put_in_the_end(&mut self, first: i64, orders: &ArrayRef) -> Vec<usize> {
        let deadline = Instant::now() + SOON;
        loop {
            match self.put(first, orders) {
                Ok(rejected) => return rejected,
                Err(error) => assert!(error.is_retriable() && Instant::now() < deadline, "{error}"),
            }
            self.rest();
        }
    }

    /// Puts them, which must fail; nothing that it says may be about another cause.
    pub(crate) fn fail(&mut self, first: i64, orders: &ArrayRef, kind: ErrorKind, says: &[&str]) -> Error {
        let error = self.put(first, orders).expect_err("it should have failed");
        let text = error.to_string();
        assert_eq!(error.kind(), kind, "{text}");
        says.iter().for_each(|part| assert!(text.contains(part), "`{part}` is missing: {text}"));
        error
    }

    /// Waits as long as the task has asked for.
    fn rest(&self) {
        let until = Instant::now() + self.context.requests().take_timeout().unwrap_or_default();
        while Instant::now() < until {
            std::thread::yield_now();
        }
    }

    /// Kafka has everything before this offset.
    pub(crate) fn committed(&mut self, end: i64) {
        self.task.pre_commit(&Offsets::from([(TopicPartition::new(TOPIC, 0), end)])).unwrap();
    }
}
