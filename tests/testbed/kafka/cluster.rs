//! Three Kafka brokers and a controller of their own, for what happens between brokers: leaders that go, partitions that move.
//!
//! The tests share one cluster, one after the other: a broker that one of them has stopped is there again for the next.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use volley_api::ConfigMap;

use super::records::{produce, read_topic};
use super::{Message, properties};
use crate::testbed::server_process::{ServerProcess, data_directory, free_port, installed};
use crate::testbed::wait_until;

const CLUSTER_ID: &str = "4L6g3nShT-eMCtK--X86sw";
const CONTROLLER: i32 = 100;
/// The ids of the brokers.
pub(crate) const BROKERS: [i32; 3] = [1, 2, 3];
/// The one whose outer listener is announced where nobody listens.
pub(crate) const HIDDEN: i32 = 3;
const READY: Duration = Duration::from_secs(120);
const ANSWER: Duration = Duration::from_secs(5);

/// What brokers and controller have in common: little memory, few threads, and soon decided who is dead.
const COMMON: &str = "controller.listener.names=CONTROLLER\n\
    listener.security.protocol.map=PLAINTEXT:PLAINTEXT,OUTER:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
    broker.session.timeout.ms=3000\n\
    broker.heartbeat.interval.ms=500\n\
    auto.leader.rebalance.enable=false\n\
    auto.create.topics.enable=false\n\
    replica.lag.time.max.ms=3000\n\
    replica.fetch.wait.max.ms=200\n\
    replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector\n\
    log.retention.ms=-1\n\
    num.network.threads=1\n\
    num.io.threads=2\n\
    background.threads=2\n\
    log.cleaner.dedupe.buffer.size=4194304\n\
    offsets.topic.num.partitions=2\n\
    offsets.topic.replication.factor=3\n\
    transaction.state.log.num.partitions=2\n\
    transaction.state.log.replication.factor=3\n\
    transaction.state.log.min.isr=2\n\
    share.coordinator.state.topic.replication.factor=3\n\
    min.insync.replicas=2\n\
    group.initial.rebalance.delay.ms=0\n\
    group.min.session.timeout.ms=1000\n";

struct Node {
    id: i32,
    port: u16,
    outer_port: u16,
    directory: PathBuf,
    process: Option<ServerProcess>,
    is_frozen: bool,
}

/// A running cluster. Broker `n` is in rack `rack-n`.
pub(crate) struct KafkaCluster {
    controller: Node,
    brokers: Vec<Node>,
    topics: AtomicU32,
}

impl KafkaCluster {
    /// The cluster of all tests, with all its brokers running. One test has it at a time.
    pub(crate) fn shared() -> MutexGuard<'static, Self> {
        static SHARED: OnceLock<Mutex<KafkaCluster>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| Mutex::new(Self::start()));
        // a test that has failed leaves nothing that is not mended here
        let mut cluster = shared.lock().unwrap_or_else(PoisonError::into_inner);
        cluster.heal();
        cluster
    }

    fn start() -> Self {
        crate::testbed::log_as_asked();
        let node = |id| Node {
            id,
            port: free_port(),
            outer_port: free_port(),
            directory: data_directory("kafka-cluster"),
            process: None,
            is_frozen: false,
        };
        let mut cluster =
            Self { controller: node(CONTROLLER), brokers: BROKERS.map(node).into(), topics: AtomicU32::new(0) };
        let voters = format!("controller.quorum.voters={CONTROLLER}@127.0.0.1:{}\n", cluster.controller.port);
        cluster.controller.write_properties(&format!(
            "process.roles=controller\nlisteners=CONTROLLER://127.0.0.1:{}\n{voters}",
            cluster.controller.port
        ));
        cluster.controller.format();
        cluster.controller.launch();
        for broker in &mut cluster.brokers {
            let (id, port, outer) = (broker.id, broker.port, broker.outer_port);
            let announced = if id == HIDDEN { free_port() } else { outer };
            broker.write_properties(&format!(
                "process.roles=broker\n\
                 broker.rack=rack-{id}\n\
                 inter.broker.listener.name=PLAINTEXT\n\
                 listeners=PLAINTEXT://127.0.0.1:{port},OUTER://127.0.0.1:{outer}\n\
                 advertised.listeners=PLAINTEXT://127.0.0.1:{port},OUTER://127.0.0.1:{announced}\n{voters}"
            ));
            broker.mark_as_formatted();
            broker.launch();
        }
        cluster
    }

    /// Waits for all brokers, of which those that were stopped are started.
    pub(crate) fn heal(&mut self) {
        for id in BROKERS {
            self.start_broker(id);
        }
        self.await_brokers(&BROKERS);
    }

    fn broker(&mut self, id: i32) -> &mut Node {
        self.brokers.iter_mut().find(|broker| broker.id == id).expect("there is such a broker")
    }

    /// SIGKILL. Its data stay.
    pub(crate) fn kill(&mut self, id: i32) {
        let process = self.broker(id).process.take().expect("the broker runs");
        process.kill_and_keep_data();
    }

    /// Stops a broker in order: it gives its leaderships away before.
    pub(crate) fn stop(&mut self, id: i32) {
        let process = self.broker(id).process.take().expect("the broker runs");
        process.signal("TERM");
        wait_until(READY, "a broker has ended", || (!process.is_running()).then_some(()));
        process.kill_and_keep_data();
    }

    /// Lets a broker stand still: it accepts connections and answers nothing.
    pub(crate) fn freeze(&mut self, id: i32) {
        let broker = self.broker(id);
        broker.process.as_ref().expect("the broker runs").signal("STOP");
        broker.is_frozen = true;
    }

    /// Starts a broker that was killed or stopped, or lets it go on that stands still.
    pub(crate) fn start_broker(&mut self, id: i32) {
        let broker = self.broker(id);
        match &broker.process {
            Some(process) if std::mem::take(&mut broker.is_frozen) => process.signal("CONT"),
            Some(process) if process.is_running() => {}
            _ => broker.launch(),
        }
    }

    /// Waits until the cluster has these brokers and no other.
    pub(crate) fn await_brokers(&self, ids: &[i32]) {
        let client = self.client();
        let what = format!("the brokers {ids:?} are there");
        wait_until(READY, &what, || {
            let metadata = client.fetch_metadata(Some("none"), ANSWER).ok()?;
            let mut found: Vec<i32> = metadata.brokers().iter().map(|broker| broker.id()).collect();
            found.sort_unstable();
            (found == ids).then_some(())
        });
    }

    fn client(&self) -> BaseConsumer {
        ClientConfig::new().set("bootstrap.servers", self.bootstrap_servers()).create().unwrap()
    }

    /// Where brokers listen that answer, for requests that any of them takes.
    pub(super) fn answering(&self) -> impl Iterator<Item = String> {
        let answering = self.brokers.iter().filter(|broker| broker.process.is_some() && !broker.is_frozen);
        answering.map(|broker| format!("127.0.0.1:{}", broker.port))
    }

    pub(crate) fn bootstrap_servers(&self) -> String {
        self.brokers.iter().map(|broker| format!("127.0.0.1:{}", broker.port)).collect::<Vec<_>>().join(",")
    }

    /// A listener of the first broker, which says of the last one an address where nobody listens.
    pub(crate) fn outer_bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.brokers[0].outer_port)
    }

    /// Properties of a client of this cluster.
    pub(crate) fn properties(&self, pairs: &[(&str, &str)]) -> ConfigMap {
        let mut all = properties(&[("bootstrap.servers", &self.bootstrap_servers())]);
        all.extend(properties(pairs));
        all
    }

    /// A name that no other topic or group of this cluster has.
    pub(crate) fn unique(&self, stem: &str) -> String {
        format!("{stem}-{}", self.topics.fetch_add(1, Ordering::Relaxed))
    }

    /// A topic with a name of its own, and these brokers for each of its partitions, of which the first is to lead.
    pub(crate) fn topic(&self, stem: &str, replicas: &[&[i32]], configs: &[(&str, &str)]) -> String {
        let name = self.unique(stem);
        self.create_topic(&name, replicas, configs);
        name
    }

    /// The same by name. Waits until all its leaders are known.
    pub(crate) fn create_topic(&self, name: &str, replicas: &[&[i32]], configs: &[(&str, &str)]) {
        let topic = NewTopic::new(name, replicas.len() as i32, TopicReplication::Variable(replicas));
        let topic = configs.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
        // the controller may not have heard yet that a broker is back
        wait_until(READY, "a topic is made", || {
            let made = futures::executor::block_on(self.admin().create_topics([&topic], &AdminOptions::new())).ok()?;
            made[0].is_ok().then_some(())
        });
        for (partition, replicas) in (0..).zip(replicas) {
            self.await_leader(name, partition, |leader| leader == replicas[0]);
        }
    }

    pub(crate) fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", self.bootstrap_servers()).create().unwrap()
    }

    /// The broker that leads a partition, and those that have all its records; `None` while nobody leads it.
    pub(crate) fn leader(&self, topic: &str, partition: i32) -> Option<(i32, Vec<i32>)> {
        leader(&self.client(), topic, partition)
    }

    /// Waits for a leader as it is wanted.
    pub(crate) fn await_leader(&self, topic: &str, partition: i32, is_wanted: impl Fn(i32) -> bool) -> i32 {
        let client = self.client();
        let what = format!("{topic}-{partition} is led as it should be");
        wait_until(READY, &what, || {
            leader(&client, topic, partition).map(|(leader, _)| leader).filter(|leader| is_wanted(*leader))
        })
    }

    /// Waits until exactly these brokers have all records of a partition.
    pub(crate) fn await_in_sync(&self, topic: &str, partition: i32, ids: &[i32]) {
        let client = self.client();
        let what = format!("{topic}-{partition} is in sync on {ids:?}");
        wait_until(READY, &what, || {
            let (_, mut in_sync) = leader(&client, topic, partition)?;
            in_sync.sort_unstable();
            (in_sync == ids).then_some(())
        });
    }

    /// Writes messages, and waits until all are acknowledged; see [`super::Kafka::produce`].
    pub(crate) fn produce<M>(&self, topic: &str, count: usize, make: M)
    where
        M: FnMut(usize, &mut Vec<u8>, &mut Vec<u8>) -> i32,
    {
        produce(&self.properties(&[]), topic, count, make);
    }

    /// All messages of a topic up to its present end, by partition and offset.
    pub(crate) fn read_topic(&self, topic: &str) -> Vec<Message> {
        read_topic(&self.bootstrap_servers(), topic)
    }
}

fn leader(client: &BaseConsumer, topic: &str, partition: i32) -> Option<(i32, Vec<i32>)> {
    let metadata = client.fetch_metadata(Some(topic), ANSWER).ok()?;
    let topic = metadata.topics().iter().find(|found| found.name() == topic)?;
    let found = topic.partitions().iter().find(|found| found.id() == partition)?;
    (found.leader() >= 0).then(|| (found.leader(), found.isr().to_vec()))
}

impl Node {
    fn write_properties(&self, own: &str) {
        let (id, data) = (self.id, self.directory.join("data"));
        let text = format!("node.id={id}\nlog.dirs={}\n{COMMON}{own}", data.display());
        fs::write(self.directory.join("server.properties"), text).unwrap();
    }

    fn java(&self, heap: &str) -> Vec<String> {
        let classes = installed("kafka").join("*").display().to_string();
        let options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"];
        let mut options: Vec<String> = options.map(str::to_owned).to_vec();
        options.extend([format!("-Xmx{heap}"), "-cp".to_owned(), classes]);
        options
    }

    fn format(&self) {
        let output = Command::new("java")
            .args(self.java("64m"))
            .args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"])
            .arg(self.directory.join("server.properties"))
            .output()
            .unwrap();
        assert!(output.status.success(), "format: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// What the tool writes for a broker: it takes a second for each.
    fn mark_as_formatted(&self) {
        let (id, data) = (self.id, self.directory.join("data"));
        fs::create_dir_all(&data).unwrap();
        // 16 bytes in base 64
        let directory_id = format!("volleyBrokerNumber0{id}wA");
        let text = format!("version=1\ncluster.id={CLUSTER_ID}\nnode.id={id}\ndirectory.id={directory_id}\n");
        fs::write(data.join("meta.properties"), text).unwrap();
    }

    fn launch(&mut self) {
        let mut command = vec!["java".to_owned()];
        command.extend(self.java("256m"));
        command.push("kafka.Kafka".to_owned());
        command.push(self.directory.join("server.properties").display().to_string());
        self.is_frozen = false;
        // the end of one that has ended by itself would remove its directory
        if let Some(ended) = self.process.take() {
            ended.kill_and_keep_data();
        }
        self.process = Some(ServerProcess::start(&self.directory, &command));
    }
}
