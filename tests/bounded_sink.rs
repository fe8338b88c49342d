//! A bounded sink connector is done when everything is delivered, whatever happens to its tasks meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use volley::api::{
    ConfigDef, ConfigMap, Connector, ConnectorContext, Error, Offsets, Plugin, PluginFactory, RejectedRow, Result,
    RunningConnector, SinkBatch, SinkContext, SinkTask, TopicPartition, identical_tasks,
};
use volley::worker::connector_file::CreateConnector;
use volley::worker::worker::Worker;

use crate::testbed::{Kafka, properties, wait_until};

const PARTITIONS: i32 = 2;
const PER_PARTITION: i64 = 5_000;

/// What all tasks of a connector under test have seen.
#[derive(Debug, Default)]
struct Seen {
    offsets: Mutex<BTreeMap<TopicPartition, BTreeSet<i64>>>,
    /// Tasks that have put anything.
    writers: Mutex<BTreeSet<usize>>,
    is_open: AtomicBool,
    is_closed: AtomicBool,
    is_rewound: AtomicBool,
    is_refused: AtomicBool,
}

impl Seen {
    fn rows(&self) -> usize {
        self.offsets.lock().unwrap().values().map(BTreeSet::len).sum()
    }
}

/// How a task misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// When it is to complete what it has, it finds that the second half of what it took is gone, and asks for it again.
    LosesHalfAtTheEnd,
    /// As before, and then it asks for a little less.
    AsksTwiceAtTheEnd,
    /// The second task starts when the first has all partitions, and the first takes nothing before it has to give one up.
    SharesLate,
    /// It vouches for nothing of a partition of which it was given nothing.
    KeepsSilentOfTheRest,
    /// It never takes anything of topics that are named so.
    RefusesDoomedTopics,
}

struct TroubledSink;

impl Connector for TroubledSink {
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn start(&self, _: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        identical_tasks(config)
    }
}

struct TroubledTask {
    trouble: Trouble,
    seen: Arc<Seen>,
    context: SinkContext,
    ends: Offsets,
}

impl TroubledTask {
    fn start(trouble: Trouble, seen: Arc<Seen>, context: SinkContext) -> Self {
        if trouble == Trouble::SharesLate && context.task == 1 {
            wait_until(Duration::from_secs(60), "the first task has all partitions", || {
                seen.is_open.load(Ordering::SeqCst).then_some(())
            });
        }
        Self { trouble, seen, context, ends: Offsets::new() }
    }
}

impl SinkTask for TroubledTask {
    fn open(&mut self, partitions: &Offsets) -> Result<()> {
        if partitions.len() == PARTITIONS as usize {
            self.seen.is_open.store(true, Ordering::SeqCst);
        }
        Ok(())
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.ends.retain(|partition, _| !partitions.contains(partition));
        self.seen.is_closed.store(true, Ordering::SeqCst);
        Ok(())
    }

    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        if self.trouble == Trouble::SharesLate && !self.seen.is_closed.load(Ordering::SeqCst) {
            return Err(Error::retriable("not before the other task is there"));
        }
        let partition = batch.origin().partition.clone();
        if self.trouble == Trouble::RefusesDoomedTopics && partition.topic.starts_with("doomed") {
            self.seen.is_refused.store(true, Ordering::SeqCst);
            return Err(Error::retriable("not of this topic"));
        }
        self.seen.writers.lock().unwrap().insert(self.context.task);
        self.seen.offsets.lock().unwrap().entry(partition.clone()).or_default().extend(batch.origin().offsets.iter());
        self.ends.insert(partition, batch.origin().range.end);
        Ok(Vec::new())
    }

    fn flush(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        let loses_half = matches!(self.trouble, Trouble::LosesHalfAtTheEnd | Trouble::AsksTwiceAtTheEnd);
        if !loses_half || self.seen.is_rewound.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        for (partition, offsets) in &mut *self.seen.offsets.lock().unwrap() {
            let half = PER_PARTITION / 2;
            offsets.retain(|offset| *offset < half);
            self.ends.insert(partition.clone(), half);
            self.context.rewind(partition.clone(), half);
            if self.trouble == Trouble::AsksTwiceAtTheEnd {
                self.context.rewind(partition.clone(), half + 100);
            }
        }
        Ok(())
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        Ok(if self.trouble == Trouble::KeepsSilentOfTheRest { self.ends.clone() } else { current.clone() })
    }
}

fn plugin(trouble: Trouble, seen: &Arc<Seen>) -> Plugin {
    let seen = Arc::clone(seen);
    let task = move |context, _: &ConfigMap| Ok(TroubledTask::start(trouble, Arc::clone(&seen), context));
    let factory = PluginFactory::sink(TroubledSink, task);
    Plugin::new("TroubledSink", "1", "A sink of a test.", ConfigDef::new(), factory)
}

/// A worker that runs a bounded connector.
struct Running {
    worker: Worker,
    _dir: tempfile::TempDir,
}

impl Running {
    fn start(plugin: Plugin, name: &str, config: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let worker_properties = Kafka::shared().properties(&[
            ("listeners", "http://127.0.0.1:0"),
            ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
            ("value.converter", "org.apache.kafka.connect.storage.StringConverter"),
            ("offset.storage.file.filename", &dir.path().join("offsets").display().to_string()),
        ]);
        let mut plugins = volley::builtin_plugins();
        plugins.push(plugin);
        let worker = Worker::start(worker_properties, plugins, None).unwrap();
        let mut all = properties(&[
            ("name", name),
            ("connector.class", "TroubledSink"),
            ("volley.mode", "bounded"),
            ("consumer.override.heartbeat.interval.ms", "200"),
        ]);
        all.extend(properties(config));
        let connector = CreateConnector { name: name.to_owned(), config: all.into(), initial_state: None };
        worker.create_connector(connector).unwrap();
        Self { worker, _dir: dir }
    }

    fn await_end(self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let done = async { tokio::time::timeout(Duration::from_secs(90), self.worker.bounded_done()).await };
        runtime.block_on(done).expect("the connector is done").unwrap();
        self.worker.shut_down();
    }
}

/// Runs a bounded connector to its end.
fn run(trouble: Trouble, tasks: &str, fill: impl Fn(&Kafka, &str)) -> Arc<Seen> {
    let kafka = Kafka::shared();
    let topic = kafka.topic("bounded", PARTITIONS);
    fill(kafka, &topic);
    let seen = Arc::new(Seen::default());
    Running::start(plugin(trouble, &seen), &topic, &[("topics", &topic), ("tasks.max", tasks)]).await_end();
    seen
}

fn fill_both(kafka: &Kafka, topic: &str) {
    kafka.produce(topic, (i64::from(PARTITIONS) * PER_PARTITION) as usize, |number, _, value| {
        value.extend_from_slice(number.to_string().as_bytes());
        number as i32 % PARTITIONS
    });
}

#[test]
fn what_a_sink_asks_to_read_again_while_it_completes_its_end_is_delivered_before_it_is_done() {
    let seen = run(Trouble::LosesHalfAtTheEnd, "1", fill_both);
    assert!(seen.is_rewound.load(Ordering::SeqCst));
    assert_eq!(seen.rows() as i64, i64::from(PARTITIONS) * PER_PARTITION);
}

#[test]
fn of_two_requests_to_read_a_partition_again_the_lower_one_counts() {
    let seen = run(Trouble::AsksTwiceAtTheEnd, "1", fill_both);
    assert_eq!(seen.rows() as i64, i64::from(PARTITIONS) * PER_PARTITION);
}

#[test]
fn no_task_is_done_while_a_partition_is_on_its_way_from_one_to_the_other() {
    let seen = run(Trouble::SharesLate, "2", fill_both);
    assert_eq!(seen.rows() as i64, i64::from(PARTITIONS) * PER_PARTITION);
    assert_eq!(seen.writers.lock().unwrap().len(), 2, "the task that came late had a share");
}

#[test]
fn a_partition_without_records_does_not_hold_up_the_end() {
    let seen = run(Trouble::KeepsSilentOfTheRest, "1", |kafka, topic| {
        kafka.produce(topic, PER_PARTITION as usize, |number, _, value| {
            value.extend_from_slice(number.to_string().as_bytes());
            0
        });
    });
    assert_eq!(seen.rows() as i64, PER_PARTITION);
}

#[test]
fn a_topic_that_is_deleted_meanwhile_does_not_hold_up_the_end() {
    let kafka = Kafka::shared();
    let (topic, doomed) = (kafka.topic("bounded", PARTITIONS), kafka.topic("doomed", PARTITIONS));
    fill_both(kafka, &topic);
    fill_both(kafka, &doomed);
    let seen = Arc::new(Seen::default());
    let topics = format!("{topic},{doomed}");
    let running =
        Running::start(plugin(Trouble::RefusesDoomedTopics, &seen), &topic, &[("topics", &topics), ("tasks.max", "2")]);
    wait_until(Duration::from_secs(60), "a task is stuck with the topic", || {
        seen.is_refused.load(Ordering::SeqCst).then_some(())
    });
    assert!(kafka.admin().delete_topic(&doomed).unwrap());
    running.await_end();
    assert_eq!(seen.rows() as i64, i64::from(PARTITIONS) * PER_PARTITION);
}

#[test]
fn a_pattern_that_no_topic_matches_is_done_at_once() {
    let seen = Arc::new(Seen::default());
    let name = Kafka::shared().unique("unmatched");
    Running::start(
        plugin(Trouble::KeepsSilentOfTheRest, &seen),
        &name,
        &[("topics.regex", "no-topic-has-this-name-.*"), ("tasks.max", "2")],
    )
    .await_end();
    assert_eq!(seen.rows(), 0);
}

#[test]
fn a_topic_that_does_not_exist_is_nothing_to_wait_for() {
    let seen = Arc::new(Seen::default());
    let name = Kafka::shared().unique("absent");
    let config = [("topics", "no-topic-has-this-name"), ("tasks.max", "2")];
    Running::start(plugin(Trouble::KeepsSilentOfTheRest, &seen), &name, &config).await_end();
    assert_eq!(seen.rows(), 0);
}

#[test]
fn of_several_topics_those_that_exist_are_delivered() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("bounded", PARTITIONS);
    fill_both(kafka, &topic);
    let seen = Arc::new(Seen::default());
    let topics = format!("no-topic-has-this-name,{topic}");
    let config = [("topics", topics.as_str()), ("tasks.max", "2")];
    Running::start(plugin(Trouble::KeepsSilentOfTheRest, &seen), &topic, &config).await_end();
    assert_eq!(seen.rows() as i64, i64::from(PARTITIONS) * PER_PARTITION);
}
