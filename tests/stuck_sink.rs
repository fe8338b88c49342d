//! A sink whose plug-in hangs or is slow to end keeps nobody else from its partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use volley::api::{
    ConfigDef, ConfigMap, Connector, ConnectorContext, Offsets, Plugin, PluginFactory, RejectedRow, Result,
    RunningConnector, SinkBatch, SinkContext, SinkTask, TopicPartition, identical_tasks,
};
use volley::worker::connector_file::CreateConnector;
use volley::worker::worker::Worker;

use crate::testbed::{Kafka, properties, send, wait_until};

const PARTITIONS: usize = 4;
const PER_PARTITION: usize = 100;
/// Less than a revocation waits for a task, and than a group waits for a member.
const SOON: Duration = Duration::from_secs(30);

/// Where a task hangs, and what all tasks have seen.
#[derive(Debug, Default)]
struct Seen {
    rows: Mutex<BTreeSet<(i32, i64)>>,
    /// How many partitions each task has.
    held: Mutex<BTreeMap<usize, usize>>,
    /// Some task has come to where the first one hangs.
    is_stuck: AtomicBool,
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Seen {
    /// Hangs the first that calls, for ever if nobody opens.
    fn hang_once(&self, longest: Duration) {
        if !self.is_stuck.swap(true, Ordering::SeqCst) {
            let is_open = self.is_open.lock().unwrap();
            drop(self.opened.wait_timeout_while(is_open, longest, |is_open| !*is_open).unwrap());
        }
    }

    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// The first put never returns.
    HangsInPut,
    /// The first put takes long.
    PutsSlowly,
    /// The second of two tasks takes long to complete what it has.
    FlushesSlowly,
}

struct StuckSink;

impl Connector for StuckSink {
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn start(&self, _: ConnectorContext, config: &ConfigMap) -> Result<Box<dyn RunningConnector>> {
        identical_tasks(config)
    }
}

struct StuckTask {
    trouble: Trouble,
    seen: Arc<Seen>,
    number: usize,
}

impl SinkTask for StuckTask {
    fn open(&mut self, partitions: &Offsets) -> Result<()> {
        *self.seen.held.lock().unwrap().entry(self.number).or_default() += partitions.len();
        Ok(())
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        *self.seen.held.lock().unwrap().entry(self.number).or_default() -= partitions.len();
        Ok(())
    }

    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        match self.trouble {
            Trouble::HangsInPut => self.seen.hang_once(Duration::from_secs(600)),
            Trouble::PutsSlowly => self.seen.hang_once(Duration::from_secs(3)),
            Trouble::FlushesSlowly => {}
        }
        let partition = batch.origin().partition.partition;
        self.seen.rows.lock().unwrap().extend(batch.origin().offsets.iter().map(|offset| (partition, *offset)));
        Ok(Vec::new())
    }

    fn flush(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        // at the stop: while the group is formed, one task gives up all it has, or has nothing
        if self.trouble == Trouble::FlushesSlowly && self.number == 1 && partitions.len() == PARTITIONS / 2 {
            self.seen.hang_once(Duration::from_millis(3500));
        }
        Ok(())
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        Ok(current.clone())
    }
}

fn plugin(trouble: Trouble, seen: &Arc<Seen>) -> Plugin {
    let seen = Arc::clone(seen);
    let task = move |context: SinkContext, _: &ConfigMap| {
        Ok(StuckTask { trouble, seen: Arc::clone(&seen), number: context.task })
    };
    let factory = PluginFactory::sink(StuckSink, task);
    Plugin::new("StuckSink", "1", "A sink of a test.", ConfigDef::new(), factory)
}

struct Running {
    topic: String,
    seen: Arc<Seen>,
    worker: Worker,
    _dir: tempfile::TempDir,
}

impl Running {
    fn start(trouble: Trouble, tasks: &str, graceful_ms: &str) -> Self {
        let kafka = Kafka::shared();
        let topic = kafka.topic("stuck", PARTITIONS as i32);
        let seen = Arc::new(Seen::default());
        let dir = tempfile::tempdir().unwrap();
        let worker_properties = kafka.properties(&[
            ("listeners", "http://127.0.0.1:0"),
            ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
            ("value.converter", "org.apache.kafka.connect.storage.StringConverter"),
            ("offset.storage.file.filename", &dir.path().join("offsets").display().to_string()),
            ("task.shutdown.graceful.timeout.ms", graceful_ms),
        ]);
        let mut plugins = volley::builtin_plugins();
        plugins.push(plugin(trouble, &seen));
        let worker = Worker::start(worker_properties, plugins, None).unwrap();
        let config = properties(&[
            ("name", topic.as_str()),
            ("connector.class", "StuckSink"),
            ("tasks.max", tasks),
            ("topics", &topic),
            ("consumer.override.heartbeat.interval.ms", "200"),
            ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("value.converter.schemas.enable", "false"),
            ("volley.batch.max.rows", "10"),
        ]);
        let connector = CreateConnector { name: topic.clone(), config: config.into(), initial_state: None };
        worker.create_connector(connector).unwrap();
        Self { topic, seen, worker, _dir: dir }
    }

    fn produce(&self) {
        Kafka::shared().produce(&self.topic, PARTITIONS * PER_PARTITION, |number, _, value| {
            value.extend_from_slice(number.to_string().as_bytes());
            (number % PARTITIONS) as i32
        });
    }

    fn ask(&self, method: &str, target: &str) -> String {
        let url = self.worker.url();
        let address = url.trim_start_matches("http://").trim_end_matches('/');
        let target = format!("/connectors/{}/{target}", self.topic);
        let answer = send(address, method, &target, &[], Some(b"")).unwrap();
        assert!((200..300).contains(&answer.status), "{}", answer.text());
        answer.text()
    }

    fn restart(&self) {
        self.ask("POST", "restart?includeTasks=true");
    }

    fn until_all(&self, times: usize, what: &str) {
        wait_until(SOON, what, || {
            (self.seen.rows.lock().unwrap().len() == times * PARTITIONS * PER_PARTITION).then_some(())
        });
    }
}

#[test]
fn a_task_that_hangs_for_ever_gives_its_partitions_to_the_one_that_replaces_it() {
    let running = Running::start(Trouble::HangsInPut, "1", "1000");
    running.produce();
    wait_until(SOON, "the first task hangs", || running.seen.is_stuck.load(Ordering::SeqCst).then_some(()));
    running.restart();
    running.until_all(1, "the second task has everything");
    running.seen.open();
    running.worker.shut_down();
}

#[test]
fn tasks_that_stop_during_a_rebalance_keep_nothing_from_those_that_follow() {
    let running = Running::start(Trouble::FlushesSlowly, "2", "5000");
    let half = PARTITIONS / 2;
    wait_until(SOON, "the tasks share the partitions", || {
        (*running.seen.held.lock().unwrap() == BTreeMap::from([(0, half), (1, half)])).then_some(())
    });
    running.produce();
    running.until_all(1, "everything is put");
    running.restart();
    wait_until(SOON, "the second task stops", || running.seen.is_stuck.load(Ordering::SeqCst).then_some(()));
    running.produce();
    running.until_all(2, "the new tasks have everything");
    running.worker.shut_down();
}

#[test]
fn what_is_put_while_an_earlier_stage_has_failed_already_is_committed() {
    let running = Running::start(Trouble::PutsSlowly, "1", "5000");
    Kafka::shared().produce(&running.topic, 100, |number, _, value| {
        value.extend_from_slice(if number == 25 { b"{" } else { b"1" });
        0
    });
    wait_until(SOON, "the task has failed", || running.ask("GET", "status").contains("FAILED").then_some(()));
    let committed = Kafka::shared().admin().group_offsets(&format!("connect-{}", running.topic)).unwrap();
    let put = running.seen.rows.lock().unwrap().len() as i64;
    assert!(put > 0, "something was put before the bad record");
    assert_eq!(committed.get(&TopicPartition::new(running.topic.as_str(), 0)), Some(&put));
    running.worker.shut_down();
}
