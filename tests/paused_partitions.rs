//! A sink pauses and resumes partitions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use volley::api::{
    ConfigDef, ConfigMap, Connector, ConnectorContext, Offsets, Plugin, PluginFactory, RejectedRow, Result,
    RunningConnector, SinkBatch, SinkContext, SinkTask, TopicPartition, identical_tasks,
};
use volley::worker::connector_file::CreateConnector;
use volley::worker::worker::Worker;
use volley_kafka::{FetchSettings, Fetcher, TopicSelection};

use crate::testbed::{Kafka, Rebalances, properties, wait_until};

const SOON: Duration = Duration::from_secs(60);
const PER_PARTITION: i64 = 1_000;
const COOPERATIVE: &str = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";

/// What the task has seen, and what it gives to the test.
#[derive(Debug, Default)]
struct Seen {
    offsets: Mutex<BTreeMap<TopicPartition, Vec<i64>>>,
    context: Mutex<Option<SinkContext>>,
}

impl Seen {
    fn offsets(&self, partition: &TopicPartition) -> Vec<i64> {
        self.offsets.lock().unwrap().get(partition).cloned().unwrap_or_default()
    }

    fn await_all(&self, partition: &TopicPartition, end: i64) {
        wait_until(SOON, &format!("all of {partition}"), || {
            (self.offsets(partition).len() as i64 >= end).then_some(())
        });
        assert_eq!(self.offsets(partition), (0..end).collect::<Vec<_>>());
    }

    fn resume(&self, partition: &TopicPartition) {
        let context = self.context.lock().unwrap();
        context.as_ref().unwrap().resume(std::slice::from_ref(partition));
    }
}

struct PausingSink;

impl Connector for PausingSink {
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn start(&self, _: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        identical_tasks(config)
    }
}

/// Pauses a partition when it sees the first batch of it, unless the partition is to be left alone.
struct PausingTask {
    seen: Arc<Seen>,
    left_alone: Option<i32>,
    context: SinkContext,
}

impl SinkTask for PausingTask {
    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        let mut all = self.seen.offsets.lock().unwrap();
        let offsets = all.entry(batch.partition().clone()).or_default();
        if offsets.is_empty() && self.left_alone != Some(batch.partition().partition) {
            self.context.pause(std::slice::from_ref(batch.partition()));
        }
        offsets.extend(batch.origin().offsets.iter());
        Ok(Vec::new())
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        Ok(current.clone())
    }
}

fn plugin(seen: &Arc<Seen>, left_alone: Option<i32>) -> Plugin {
    let seen = Arc::clone(seen);
    let task = move |context: SinkContext, _: &ConfigMap| {
        *seen.context.lock().unwrap() = Some(context.clone());
        Ok(PausingTask { seen: Arc::clone(&seen), left_alone, context })
    };
    let factory = PluginFactory::sink(PausingSink, task);
    Plugin::new("PausingSink", "1", "A sink of a test.", ConfigDef::new(), factory)
}

/// A worker with such a sink, and the topic of two partitions that it reads.
struct Running {
    topic: String,
    worker: Worker,
    _dir: tempfile::TempDir,
}

impl Running {
    fn start(seen: &Arc<Seen>, left_alone: Option<i32>) -> Self {
        let kafka = Kafka::shared();
        let topic = kafka.topic("paused", 2);
        for partition in 0..2 {
            fill(&topic, partition);
        }
        let dir = tempfile::tempdir().unwrap();
        let worker_properties = kafka.properties(&[
            ("listeners", "http://127.0.0.1:0"),
            ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
            ("value.converter", "org.apache.kafka.connect.storage.StringConverter"),
            ("offset.storage.file.filename", &dir.path().join("offsets").display().to_string()),
        ]);
        let mut plugins = volley::builtin_plugins();
        plugins.push(plugin(seen, left_alone));
        let worker = Worker::start(worker_properties, plugins, None).unwrap();
        let config = properties(&[
            ("name", &topic),
            ("connector.class", "PausingSink"),
            ("topics", &topic),
            ("tasks.max", "1"),
            ("volley.batch.max.rows", "100"),
            ("consumer.override.heartbeat.interval.ms", "200"),
            ("consumer.override.partition.assignment.strategy", COOPERATIVE),
        ]);
        worker
            .create_connector(CreateConnector { name: topic.clone(), config: config.into(), initial_state: None })
            .unwrap();
        Self { topic, worker, _dir: dir }
    }

    fn partition(&self, number: i32) -> TopicPartition {
        TopicPartition::new(&*self.topic, number)
    }

    /// Another member of the consumer group takes a partition, which is returned, and leaves again.
    fn take_a_partition_and_give_it_back(&self) -> TopicPartition {
        let group = format!("connect-{}", self.topic);
        let properties = Kafka::shared().properties(&[
            ("group.id", &group),
            ("heartbeat.interval.ms", "200"),
            ("partition.assignment.strategy", COOPERATIVE),
        ]);
        let settings = FetchSettings {
            topics: TopicSelection::Topics(vec![self.topic.clone()]),
            max_rows: 100,
            max_bytes: 1 << 20,
            linger: Duration::from_millis(20),
        };
        let listener = Rebalances::new();
        let mut fetcher = Fetcher::connect(&properties, settings, Arc::clone(&listener) as _).unwrap();
        let taken = wait_until(SOON, "the other member has a partition", || {
            fetcher.poll(Duration::from_millis(50)).unwrap();
            listener.owned().into_iter().next()
        });
        fetcher.close();
        taken
    }
}

/// Writes to a partition.
fn fill(topic: &str, partition: i32) {
    Kafka::shared().produce(topic, PER_PARTITION as usize, |number, _, value| {
        value.extend_from_slice(number.to_string().as_bytes());
        partition
    });
}

#[test]
fn of_a_paused_partition_nothing_comes_until_it_is_resumed_and_then_all_of_it() {
    let seen = Arc::new(Seen::default());
    let running = Running::start(&seen, Some(1));
    let [paused, other] = [0, 1].map(|number| running.partition(number));
    seen.await_all(&other, PER_PARTITION);
    let first = wait_until(SOON, "the first batch", || Some(seen.offsets(&paused)).filter(|batch| !batch.is_empty()));
    fill(&running.topic, 1);
    seen.await_all(&other, 2 * PER_PARTITION);
    assert_eq!(seen.offsets(&paused), first);
    assert!(first.len() <= 100, "{}", first.len());
    seen.resume(&paused);
    seen.await_all(&paused, PER_PARTITION);
    running.worker.shut_down();
}

#[test]
fn a_partition_that_was_away_is_not_paused_when_it_comes_back_and_one_that_stayed_is() {
    let seen = Arc::new(Seen::default());
    let running = Running::start(&seen, None);
    let partitions = [0, 1].map(|number| running.partition(number));
    wait_until(SOON, "a batch of each partition", || {
        partitions.iter().all(|partition| !seen.offsets(partition).is_empty()).then_some(())
    });
    let taken = running.take_a_partition_and_give_it_back();
    let kept = running.partition(1 - taken.partition);
    seen.await_all(&taken, PER_PARTITION);
    assert!(seen.offsets(&kept).len() <= 100, "{}", seen.offsets(&kept).len());
    seen.resume(&kept);
    seen.await_all(&kept, PER_PARTITION);
    running.worker.shut_down();
}
