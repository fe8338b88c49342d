//! `TestableSourceConnector` and `MonitorableSourceConnector`: number their messages, and fail at the start or stop if told
//! to.
//!
//! | key | default | meaning |
//! |---|---|---|
//! | `topic` | `sequential-topic` | where to send |
//! | `num.tasks` | `tasks.max` | number of tasks |
//! | `messages.per.poll` | 1 | messages of a batch |
//! | `throughput` | -1 | messages a second of each task, -1: no limit |
//! | `max.messages` | no limit | last number |
//! | `connector.start.inject.error`, `connector.stop.inject.error`, `task-<name>-<i>.start.inject.error` | false | fail there |
//! | `custom.exactly.once.support` | `null` | `supported`, `unsupported`, `null` (does not say) or `fail` |
//! | `custom.transaction.boundaries` | `unsupported` | the same |
//! | `alter.offsets.result` | false | whether it vouches for altered offsets |
//!
//! Task `i` counts from 1, or goes on behind its stored number `N`: key `key-<name>-<i>-N`, value `value-<name>-<i>-N`, a
//! header `header-N` with the number; source partition `{"task.id":"<name>-<i>"}`, offset `{"saved":N}`. Where it says itself
//! where transactions end, they end behind the Fibonacci numbers: the even ones are aborted.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field};
use serde_json::Value as Json;
use volley_api::{
    Column, ConfigDef, ConfigMap, Connector, ConnectorContext, Error, Header, Plugin, PluginFactory, Polled, Records,
    Result, RowIndex, RunningConnector, SourceBatch, SourceContext, SourceOffset, SourcePartition, SourceTask, Support,
    TransactionContext, Value,
};

use super::dropping_sink::alter_offsets_result;
use crate::pace::Pace;

const TASK_ID: &str = "task.id";
const SAVED: &str = "saved";

/// Both.
pub(super) fn plugins() -> Vec<Plugin> {
    [
        "org.apache.kafka.connect.integration.TestableSourceConnector",
        "org.apache.kafka.connect.integration.MonitorableSourceConnector",
    ]
    .into_iter()
    .map(plugin)
    .collect()
}

fn plugin(class: &'static str) -> Plugin {
    Plugin::new(
        class,
        "some great version",
        "A probe that numbers its messages, and fails at the start or stop if told to.",
        ConfigDef::new(),
        PluginFactory::source(TestableSourceConnector, TestableSourceTask::start),
    )
}

fn is_true(config: &ConfigMap, key: &str) -> bool {
    config.get(key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn injected(what: &str) -> Error {
    Error::fatal(format!("Injecting errors during {what}")).with_exception("java.lang.RuntimeException")
}

fn number<T: std::str::FromStr>(config: &ConfigMap, key: &str, default: T) -> Result<T> {
    match config.get(key) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| Error::config(format!("`{key}` must be a number, not `{text}`"))),
    }
}

/// What a key of these values says of an ability.
fn support(config: &ConfigMap, key: &str, default: Option<Support>, failure: &str) -> Result<Option<Support>> {
    match config.get(key).map(|text| text.to_lowercase()).as_deref() {
        None => Ok(default),
        Some("supported") => Ok(Some(Support::Supported)),
        Some("unsupported") => Ok(Some(Support::Unsupported)),
        Some("fail") => Err(Error::fatal(failure)),
        Some(_) => Ok(None),
    }
}

#[derive(Debug)]
struct TestableSourceConnector;

impl Connector for TestableSourceConnector {
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn start(&self, _context: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        match is_true(config, "connector.start.inject.error") {
            true => Err(injected("connector start")),
            false => Ok(Box::new(RunningTestable { config: config.clone() })),
        }
    }

    fn alter_offsets(&self, config: &ConfigMap, _: &[(SourcePartition, Option<SourceOffset>)]) -> Result<bool> {
        Ok(alter_offsets_result(config))
    }

    fn exactly_once_support(&self, config: &ConfigMap) -> Result<Option<Support>> {
        support(config, "custom.exactly.once.support", None, "oops")
    }

    fn can_define_transaction_boundaries(&self, config: &ConfigMap) -> Result<Option<Support>> {
        support(config, "custom.transaction.boundaries", Some(Support::Unsupported), "oh no :(")
    }
}

#[derive(Debug)]
struct RunningTestable {
    config: ConfigMap,
}

impl RunningConnector for RunningTestable {
    fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        let name = self.config.get("name").cloned().unwrap_or_default();
        let task = |task: usize| {
            let mut config = self.config.clone();
            config.insert("connector.name".to_owned(), name.clone());
            config.insert(TASK_ID.to_owned(), format!("{name}-{task}"));
            config
        };
        Ok((0..number(&self.config, "num.tasks", max_tasks)?).map(task).collect())
    }

    /// There is no other way for a stop to fail.
    fn stop(&mut self) {
        assert!(!is_true(&self.config, "connector.stop.inject.error"), "Injecting errors during connector stop");
    }
}

#[derive(Debug)]
struct TestableSourceTask {
    task_id: String,
    topic: Arc<str>,
    partition: SourcePartition,
    /// The last number that was sent.
    saved: i64,
    last: i64,
    per_poll: usize,
    pace: Option<Pace>,
    transactions: Option<TransactionContext>,
    /// The end of the transaction under way, and that of the one before.
    boundaries: (i64, i64),
}

impl SourceTask for TestableSourceTask {
    fn poll(&mut self, max_wait: Duration) -> Result<Polled> {
        let left = usize::try_from(self.last.saturating_sub(self.saved)).unwrap_or(0);
        let len = self.per_poll.min(left);
        if len == 0 {
            thread::sleep(max_wait);
            return Ok(Polled::Idle);
        }
        match self.pace.as_mut().map_or(len, |pace| pace.wait_for(len, max_wait)) {
            0 => Ok(Polled::Idle),
            len => Ok(Polled::Batches(self.batches(len))),
        }
    }
}

impl TestableSourceTask {
    /// Starts the task.
    fn start(context: SourceContext, config: &ConfigMap) -> Result<Self> {
        let task_id = config.get(TASK_ID).cloned().unwrap_or_else(|| format!("{}-{}", context.connector, context.task));
        if is_true(config, &format!("task-{task_id}.start.inject.error")) {
            return Err(injected("task start"));
        }
        let partition = SourcePartition::from_iter([(TASK_ID.to_owned(), Json::from(task_id.as_str()))]);
        let stored = context.offset(&partition)?;
        Ok(Self {
            topic: config.get("topic").map_or("sequential-topic", String::as_str).into(),
            saved: stored.as_ref().and_then(|offset| offset.get(SAVED)).and_then(Json::as_i64).unwrap_or(0),
            last: number(config, "max.messages", i64::MAX)?,
            per_poll: number(config, "messages.per.poll", 1usize)?.max(1),
            pace: Pace::of_throughput(number(config, "throughput", -1)?),
            transactions: context.transactions().cloned(),
            boundaries: (2, 1),
            task_id,
            partition,
        })
    }

    /// A batch for each transaction that the messages are in.
    fn batches(&mut self, len: usize) -> Vec<SourceBatch> {
        let Some(transactions) = self.transactions.clone() else { return vec![self.batch(len)] };
        let last = self.saved + len as i64;
        let mut batches = Vec::new();
        while self.saved < last {
            let (boundary, before) = self.boundaries;
            if boundary <= self.saved {
                self.boundaries = (boundary + before, boundary);
                continue;
            }
            // at most `len`
            let batch = self.batch((boundary.min(last) - self.saved) as usize);
            if self.saved == boundary {
                match boundary % 2 {
                    0 => transactions.abort_behind(batches.len()),
                    _ => transactions.commit_behind(batches.len()),
                }
            }
            batches.push(batch);
        }
        batches
    }

    fn batch(&mut self, len: usize) -> SourceBatch {
        let first = self.saved + 1;
        self.saved += len as i64;
        let texts = |what: &str| -> ArrayRef {
            let text = |number| format!("{what}-{}-{number}", self.task_id);
            Arc::new(StringArray::from_iter_values((first..=self.saved).map(text)))
        };
        let column = |name: &str, texts| Column::new(Arc::new(Field::new(name, DataType::Utf8, false)), texts);
        let header = |number| vec![Header::new(format!("header-{number}"), Value::Int64(number))];
        let records = Records {
            topic: Arc::clone(&self.topic),
            kafka_partition: None,
            key: column("key", texts("key")),
            value: column("value", texts("value")),
            timestamps: vec![-1; len].into(),
            headers: Some(Arc::new((first..=self.saved).map(header).collect())),
            rows: RowIndex::all(len),
            origin: None,
        };
        let offset = SourceOffset::from_iter([(SAVED.to_owned(), Json::from(self.saved))]);
        SourceBatch { records, partition: self.partition.clone(), offset }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use volley_api::testing::{config_map, resumes_from_every_offset, source_context};

    use super::*;

    fn task(entries: &[(&str, &str)], stored: Option<i64>) -> Result<TestableSourceTask> {
        let config = config_map(&[&[("name", "n")], entries].concat());
        let mut running = TestableSourceConnector.start(ConnectorContext::new("n"), &config)?;
        let offset = stored.map(|number| SourceOffset::from_iter([(SAVED.to_owned(), Json::from(number))]));
        TestableSourceTask::start(source_context(1, offset), &running.task_configs(2)?[1])
    }

    #[test]
    fn the_numbers_are_resumed_from_every_offset() {
        let config = config_map(&[("task.id", "n-0"), ("max.messages", "20"), ("messages.per.poll", "3")]);
        resumes_from_every_offset(20, |context| TestableSourceTask::start(context, &config));
    }

    #[test]
    fn numbers_go_on_behind_the_stored_one_up_to_the_last() {
        let mut task = task(&[("messages.per.poll", "10"), ("max.messages", "8")], Some(5)).unwrap();
        let Polled::Batches(batches) = task.poll(Duration::ZERO).unwrap() else { panic!("nothing came") };
        let records = &batches[0].records;
        let keys: Vec<_> = records.key.array.as_string::<i32>().iter().flatten().collect();
        assert_eq!(keys, ["key-n-1-6", "key-n-1-7", "key-n-1-8"]);
        assert_eq!(records.headers.as_ref().unwrap()[0][0].value, Value::Int64(6));
        assert_eq!(serde_json::to_string(&batches[0].partition).unwrap(), r#"{"task.id":"n-1"}"#);
        assert_eq!(serde_json::to_string(&batches[0].offset).unwrap(), r#"{"saved":8}"#);
        assert!(matches!(task.poll(Duration::ZERO).unwrap(), Polled::Idle));
    }

    #[test]
    fn transactions_end_behind_fibonacci_numbers_and_the_even_ones_are_aborted() {
        let transactions = TransactionContext::default();
        let context = source_context(0, None).with_transactions(transactions.clone());
        let mut task = TestableSourceTask::start(context, &config_map(&[("messages.per.poll", "10")])).unwrap();
        let Polled::Batches(batches) = task.poll(Duration::ZERO).unwrap() else { panic!("nothing came") };
        let ends: Vec<i64> = batches.iter().map(|batch| batch.offset[SAVED].as_i64().unwrap()).collect();
        assert_eq!(ends, [2, 3, 5, 8, 10]);
        use volley_api::TransactionEnd::{Abort, Commit};
        let told = transactions.take_ends().behind_batches;
        assert_eq!(told.into_iter().collect::<Vec<_>>(), [(0, Abort), (1, Commit), (2, Commit), (3, Abort)]);
    }

    #[test]
    fn errors_are_injected_where_they_are_asked_for() {
        assert!(task(&[("task-n-1.start.inject.error", "true")], None).is_err());
        assert!(task(&[("task-n-0.start.inject.error", "true")], None).is_ok());
        let connector = TestableSourceConnector;
        let said = |value: &str| connector.exactly_once_support(&config_map(&[("custom.exactly.once.support", value)]));
        assert_eq!(said("supported").unwrap(), Some(Support::Supported));
        assert_eq!((said("null").unwrap(), said("fail").unwrap_err().to_string().as_str()), (None, "oops"));
    }
}
