//! A Kafka broker: KRaft, one node, with a plain listener, one that wants a password or a token, one with TLS that wants a
//! certificate, and one with TLS that wants a password.

mod cluster;
mod cluster_requests;
mod group_offsets;
mod records;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use volley_api::ConfigMap;
use volley_kafka::{Admin, NewTopic, Outgoing, Producer};

use super::server_process::{ServerProcess, data_directory, free_port, installed};
use super::wait_until;
pub(crate) use cluster::{BROKERS, HIDDEN, KafkaCluster};
pub(crate) use records::Message;
use records::{count_delivered, produce, read_topic};

const READY: Duration = Duration::from_secs(90);
/// How long a client that said who it is by SCRAM-SHA-512 is believed.
pub(crate) const SESSION: Duration = Duration::from_secs(3);
const CLUSTER_ID: &str = "4L6g3nShT-eMCtK--X86sw";

pub(crate) struct Kafka {
    process: Option<ServerProcess>,
    /// Lines of the broker's properties beside those that all have.
    more: String,
    directory: PathBuf,
    port: u16,
    sasl_port: u16,
    tls_port: u16,
    sasl_tls_port: u16,
    topics: AtomicU32,
}

/// The client that fetches in this run of the tests, where one is chosen: `VOLLEY_FETCH_CLIENT`.
pub(crate) fn fetch_client() -> Option<String> {
    std::env::var("VOLLEY_FETCH_CLIENT").ok().filter(|client| !client.is_empty())
}

/// Properties of a client. A consumer, known by its group or its `auto.offset.reset`, fetches as this run of the tests does.
pub(crate) fn properties(pairs: &[(&str, &str)]) -> ConfigMap {
    let mut properties: ConfigMap = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let is_consumer = ["group.id", "auto.offset.reset"].iter().any(|key| properties.contains_key(*key));
    if let Some(client) = fetch_client().filter(|_| is_consumer) {
        properties.entry("volley.fetch.client".to_owned()).or_insert(client);
    }
    properties
}

impl Kafka {
    /// The broker that all tests share; each test makes topics of its own.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Kafka> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A broker of one's own, for tests that stop it.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// A broker of one's own with more properties.
    pub(crate) fn start_with(properties: &[(&str, &str)]) -> Self {
        super::log_as_asked();
        let mut kafka = Self {
            process: None,
            more: properties.iter().map(|(key, value)| format!("{key}={value}\n")).collect(),
            directory: data_directory("kafka"),
            port: free_port(),
            sasl_port: free_port(),
            tls_port: free_port(),
            sasl_tls_port: free_port(),
            topics: AtomicU32::new(0),
        };
        kafka.make_certificate();
        kafka.format();
        kafka.launch();
        kafka.await_ready();
        kafka
    }

    /// One certificate for both sides: it signs itself.
    fn make_certificate(&self) {
        let path = |name: &str| self.directory.join(name);
        let output = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=volley"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout"])
            .arg(path("key.pem"))
            .arg("-out")
            .arg(path("certificate.pem"))
            .output()
            .unwrap();
        assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
        let both = format!("{}{}", self.private_key(), self.certificate());
        fs::write(path("key-and-certificate.pem"), both).unwrap();
    }

    /// The certificate that the TLS listener shows and wants to see, as PEM.
    pub(crate) fn certificate(&self) -> String {
        fs::read_to_string(self.directory.join("certificate.pem")).unwrap()
    }

    /// Its private key, as PEM.
    pub(crate) fn private_key(&self) -> String {
        fs::read_to_string(self.directory.join("key.pem")).unwrap()
    }

    /// A PEM file with the certificate.
    pub(crate) fn trust_store(&self) -> String {
        self.directory.join("certificate.pem").display().to_string()
    }

    /// A PEM file with key and certificate.
    pub(crate) fn key_store(&self) -> String {
        self.directory.join("key-and-certificate.pem").display().to_string()
    }

    fn format(&self) {
        fs::write(self.directory.join("server.properties"), self.server_properties()).unwrap();
        let output = Command::new("java")
            .args(self.java_options("128m"))
            .args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"])
            .arg(self.directory.join("server.properties"))
            .args(["--add-scram", "SCRAM-SHA-256=[name=alice,password=alice-secret]"])
            .args(["--add-scram", "SCRAM-SHA-512=[name=alice,password=alice-secret]"])
            .output()
            .unwrap();
        assert!(output.status.success(), "format: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn launch(&mut self) {
        let mut command = vec!["java".to_owned()];
        command.extend(self.java_options("512m"));
        command.push("kafka.Kafka".to_owned());
        command.push(self.directory.join("server.properties").display().to_string());
        self.process = Some(ServerProcess::start(&self.directory, &command));
    }

    fn java_options(&self, heap: &str) -> Vec<String> {
        let classes = installed("kafka").join("*").display().to_string();
        let options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"];
        let mut options: Vec<String> = options.map(str::to_owned).to_vec();
        options.extend([format!("-Xmx{heap}"), "-cp".to_owned(), classes]);
        // Java asks for leave to read keys from a URL.
        let keys = self.more.lines().filter_map(|line| line.split_once("sasl.oauthbearer.jwks.endpoint.url="));
        options.extend(keys.map(|(_, url)| format!("-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={url}")));
        options
    }

    fn server_properties(&self) -> String {
        let (port, sasl_port, tls_port, controller) = (self.port, self.sasl_port, self.tls_port, free_port());
        let sasl_tls_port = self.sasl_tls_port;
        let logins = ["sasl_plaintext", "sasl_ssl"].map(server_logins).concat();
        let data = self.directory.join("data");
        format!(
            "process.roles=broker,controller\n\
             node.id=1\n\
             controller.quorum.voters=1@127.0.0.1:{controller}\n\
             controller.listener.names=CONTROLLER\n\
             listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{sasl_port},\
             SSL://127.0.0.1:{tls_port},SASL_SSL://127.0.0.1:{sasl_tls_port},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{sasl_port},\
             SSL://127.0.0.1:{tls_port},SASL_SSL://127.0.0.1:{sasl_tls_port}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,\
             SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT\n\
             inter.broker.listener.name=PLAINTEXT\n\
             sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER\n\
             {logins}\
             ssl.keystore.type=PEM\n\
             ssl.keystore.location={key_store}\n\
             ssl.truststore.type=PEM\n\
             ssl.truststore.location={trust_store}\n\
             listener.name.ssl.ssl.client.auth=required\n\
             log.dirs={data}\n\
             log.retention.ms=-1\n\
             num.network.threads=2\n\
             num.io.threads=4\n\
             offsets.topic.num.partitions=5\n\
             offsets.topic.replication.factor=1\n\
             transaction.state.log.num.partitions=5\n\
             transaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\n\
             share.coordinator.state.topic.replication.factor=1\n\
             share.coordinator.state.topic.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\n\
             group.min.session.timeout.ms=1000\n\
             {more}",
            more = self.more,
            key_store = self.key_store(),
            trust_store = self.trust_store(),
            data = data.display()
        )
    }

    fn await_ready(&self) {
        let admin = Admin::connect(&properties(&[
            ("bootstrap.servers", &self.bootstrap_servers()),
            ("default.api.timeout.ms", "1000"),
        ]))
        .unwrap();
        let deadline = Instant::now() + READY;
        while admin.topics().is_err() {
            let log = self.process.as_ref().map(ServerProcess::log_tail).unwrap_or_default();
            assert!(Instant::now() < deadline, "kafka is not ready after {READY:?}:\n{log}");
        }
    }

    /// Kills the broker; its data stay.
    pub(crate) fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill_and_keep_data();
        }
    }

    /// Starts it again after [`Kafka::stop`], on the same ports and data.
    pub(crate) fn restart(&mut self) {
        self.launch();
        self.await_ready();
    }

    pub(crate) fn bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The listener where `alice` must say `alice-secret` (PLAIN, SCRAM), or anybody show an unsigned token. Sessions by
    /// SCRAM-SHA-512 last [`SESSION`].
    pub(crate) fn sasl_bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.sasl_port)
    }

    /// The listener that speaks TLS.
    pub(crate) fn tls_bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.tls_port)
    }

    /// The listener where `alice` must say `alice-secret` over TLS.
    pub(crate) fn sasl_tls_bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.sasl_tls_port)
    }

    /// Gives somebody rights, where the broker has an authorizer; `what` are options of Kafka's own tool.
    pub(crate) fn allow(&self, principal: &str, what: &[&str]) {
        let output = Command::new("java")
            .args(self.java_options("64m"))
            .args(["org.apache.kafka.tools.AclCommand", "--bootstrap-server", &self.bootstrap_servers(), "--add"])
            .args(["--allow-principal", principal])
            .args(what)
            .output()
            .unwrap();
        assert!(output.status.success(), "acl: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Properties of a client of this broker.
    pub(crate) fn properties(&self, pairs: &[(&str, &str)]) -> ConfigMap {
        let mut all = properties(&[("bootstrap.servers", &self.bootstrap_servers())]);
        all.extend(properties(pairs));
        all
    }

    pub(crate) fn admin(&self) -> Admin {
        Admin::connect(&self.properties(&[])).unwrap()
    }

    /// A name that no other topic or group of this broker has.
    pub(crate) fn unique(&self, stem: &str) -> String {
        format!("{stem}-{}", self.topics.fetch_add(1, Ordering::Relaxed))
    }

    /// Creates a topic with a name of its own.
    pub(crate) fn topic(&self, stem: &str, partitions: i32) -> String {
        self.topic_with(stem, partitions, &[])
    }

    /// Creates a topic with a name of its own and some configuration.
    pub(crate) fn topic_with(&self, stem: &str, partitions: i32, configs: &[(&str, &str)]) -> String {
        let name = self.unique(stem);
        self.create_topic(&name, partitions, configs);
        name
    }

    /// Creates a topic and waits until every broker request sees it.
    pub(crate) fn create_topic(&self, name: &str, partitions: i32, configs: &[(&str, &str)]) {
        let configs: BTreeMap<_, _> = configs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let topic = NewTopic { name: name.to_owned(), partitions, replication_factor: 1, configs };
        let admin = self.admin();
        assert!(admin.create_topic(&topic).unwrap(), "topic {name} exists already");
        wait_until(Duration::from_secs(90), "a new topic is visible", || {
            admin.topic(name).unwrap().filter(|topic| topic.partitions == partitions)
        });
    }

    /// Produces many small messages fast; waits until all are acknowledged. `make` gives partition, key and value of each.
    pub(crate) fn produce<M>(&self, topic: &str, count: usize, make: M)
    where
        M: FnMut(usize, &mut Vec<u8>, &mut Vec<u8>) -> i32,
    {
        produce(&self.properties(&[]), topic, count, make);
    }

    /// Writes keys and values, of which some are null, to partition 0.
    pub(crate) fn produce_pairs(&self, topic: &str, pairs: &[(&str, Option<&str>)]) {
        let mut producer = Producer::connect(&self.properties(&[("acks", "all")])).unwrap();
        for (number, (key, value)) in pairs.iter().enumerate() {
            let (key, value) = (Some(key.as_bytes()), value.map(str::as_bytes));
            let outgoing = Outgoing { topic, partition: Some(0), timestamp: None, key, value, headers: &[] };
            producer.send(&outgoing, number as u64).unwrap();
        }
        producer.flush(Duration::from_secs(60)).unwrap();
        assert_eq!(count_delivered(&mut producer, Duration::ZERO), pairs.len());
    }

    /// What the broker says of a group: its state, and how many members it has.
    pub(crate) fn group(&self, group: &str) -> Option<(String, usize)> {
        let client: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", self.bootstrap_servers()).create().unwrap();
        let groups = client.fetch_group_list(Some(group), Duration::from_secs(10)).ok()?;
        groups.groups().first().map(|group| (group.state().to_owned(), group.members().len()))
    }

    /// Waits until so many more messages of a topic are committed, while others may be written all the time.
    pub(crate) fn await_committed(&self, topic: &str, more: usize, within: Duration) {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.bootstrap_servers())
            .set("group.id", "testbed-never-joined")
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed")
            .create()
            .unwrap();
        let partitions = self.admin().topic(topic).unwrap().expect("the topic exists").partitions;
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(topic, partition, Offset::End).unwrap();
        }
        consumer.assign(&list).unwrap();
        let deadline = Instant::now() + within;
        let mut seen = 0;
        while seen < more {
            assert!(Instant::now() < deadline, "only {seen} messages of {topic} were committed, not {more}");
            // an error is one of the connection, which comes back by itself
            seen += usize::from(matches!(consumer.poll(Duration::from_millis(100)), Some(Ok(_))));
        }
    }

    /// All messages of a topic up to its present end, by partition and offset. Read by the client library itself.
    pub(crate) fn read_topic(&self, topic: &str) -> Vec<Message> {
        read_topic(&self.bootstrap_servers(), topic)
    }
}

/// What a listener accepts from clients that say who they are.
fn server_logins(listener: &str) -> String {
    let login = |mechanism: &str, module: &str| {
        format!("listener.name.{listener}.{mechanism}.sasl.jaas.config=org.apache.kafka.common.security.{module};\n")
    };
    [
        login("plain", "plain.PlainLoginModule required user_alice=\"alice-secret\""),
        login("scram-sha-256", "scram.ScramLoginModule required"),
        login("scram-sha-512", "scram.ScramLoginModule required"),
        login("oauthbearer", "oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"broker\""),
        format!("listener.name.{listener}.scram-sha-512.connections.max.reauth.ms={}\n", SESSION.as_millis()),
    ]
    .concat()
}

impl Drop for Kafka {
    fn drop(&mut self) {
        if self.process.is_none() {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}
