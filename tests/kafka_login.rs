//! Every client of the worker logs in by every mechanism.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;
use tempfile::TempDir;
use volley_api::{ConfigMap, Error, ErrorKind, Offsets, TopicPartition};
use volley_kafka::{
    Admin, FetchSettings, Fetcher, GroupError, GroupMember, GroupSettings, NewTopic, Outgoing, Producer, TopicSelection,
};

use crate::testbed::{
    ConnectWorker, IdentityProvider, Kafka, Mode, Rebalances, SESSION, TokenKey, Vendor, distributed_properties,
    free_port, properties, wait_until,
};

const SOON: Duration = Duration::from_secs(30);

/// The keys of each mechanism's login, over plain text.
fn logins(kafka: &Kafka) -> Vec<(&'static str, ConfigMap)> {
    let servers = kafka.sasl_bootstrap_servers();
    let password = "required username=\"alice\" password=\"alice-secret\";";
    let token = "required unsecuredLoginStringClaim_sub=\"alice\";";
    [
        ("PLAIN", "plain.PlainLoginModule", password),
        ("SCRAM-SHA-256", "scram.ScramLoginModule", password),
        ("SCRAM-SHA-512", "scram.ScramLoginModule", password),
        ("OAUTHBEARER", "oauthbearer.OAuthBearerLoginModule", token),
    ]
    .map(|(mechanism, class, options)| {
        let given = properties(&[
            ("bootstrap.servers", &servers),
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", mechanism),
            ("sasl.jaas.config", &format!("org.apache.kafka.common.security.{class} {options}")),
            ("default.api.timeout.ms", "10000"),
        ]);
        (mechanism, given)
    })
    .into()
}

/// A consumer of a topic from its beginning, in a group of the same name.
fn fetcher(given: &ConfigMap, topic: &str) -> Fetcher {
    let mut given = given.clone();
    given.extend(properties(&[("group.id", topic), ("auto.offset.reset", "earliest")]));
    let settings = FetchSettings {
        topics: TopicSelection::Topics(vec![topic.to_owned()]),
        max_rows: 1,
        max_bytes: 1 << 20,
        linger: Duration::from_millis(5),
    };
    Fetcher::connect(&given, settings, Rebalances::new() as Arc<_>).unwrap()
}

#[test]
fn admin_clients_log_in() {
    let kafka = Kafka::shared();
    for (mechanism, given) in logins(kafka) {
        let topics = Admin::connect(&given).unwrap().topics();
        assert!(topics.is_ok(), "{mechanism}: {topics:?}");
    }
}

#[test]
fn producers_and_consumers_log_in() {
    let kafka = Kafka::shared();
    for (mechanism, given) in logins(kafka) {
        let topic = kafka.topic("login", 1);
        let mut producer = Producer::connect(&given).unwrap();
        let message =
            Outgoing { topic: &topic, partition: Some(0), timestamp: None, key: None, value: Some(b"x"), headers: &[] };
        producer.send(&message, 7).unwrap();
        let flushed = producer.flush(SOON);
        assert!(flushed.is_ok(), "{mechanism}: {flushed:?}");

        let mut fetcher = fetcher(&given, &topic);
        wait_until(SOON, mechanism, || fetcher.poll(Duration::from_millis(50)).unwrap().pop());
    }
}

/// KIP-368: the broker ends connections whose client does not say again who it is.
#[test]
fn a_consumer_that_logs_in_again_and_again_reads_everything_once() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("sessions", 1);
    let (_, given) = logins(kafka).into_iter().find(|(mechanism, _)| *mechanism == "SCRAM-SHA-512").unwrap();
    let mut producer = Producer::connect(&given).unwrap();
    let mut fetcher = fetcher(&given, &topic);
    let (mut written, mut read) = (0, Vec::new());
    let until = Instant::now() + SESSION * 3;
    while Instant::now() < until {
        produce(&mut producer, &topic).unwrap();
        written += 1;
        let batches = wait_until(SOON, "the message is read", || {
            let batches = fetcher.poll(Duration::from_millis(50)).unwrap();
            (!batches.is_empty()).then_some(batches)
        });
        read.extend(batches.iter().flat_map(|batch| batch.origin.offsets.iter().copied()));
    }
    assert_eq!(read, (0..written).collect::<Vec<i64>>());
}

/// A broker that believes tokens of one issuer, and takes them again before they expire.
struct TokenCluster {
    kafka: Kafka,
    key: TokenKey,
    _keys: TempDir,
}

fn token_cluster() -> &'static TokenCluster {
    static CLUSTER: OnceLock<TokenCluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let key = TokenKey::generate();
        let keys = tempfile::tempdir().unwrap();
        let path = keys.path().join("jwks.json");
        fs::write(&path, key.jwks()).unwrap();
        let listener = "listener.name.sasl_plaintext.oauthbearer.";
        let handler = "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler";
        let kafka = Kafka::start_with(&[
            (&format!("{listener}sasl.server.callback.handler.class"), handler),
            (&format!("{listener}sasl.oauthbearer.jwks.endpoint.url"), &format!("file:{}", path.display())),
            (&format!("{listener}connections.max.reauth.ms"), "3600000"),
        ]);
        TokenCluster { kafka, key, _keys: keys }
    })
}

impl TokenCluster {
    /// A client whose tokens come from `url`.
    fn client(&self, url: &str) -> ConfigMap {
        properties(&[
            ("bootstrap.servers", &self.kafka.sasl_bootstrap_servers()),
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "OAUTHBEARER"),
            (
                "sasl.login.callback.handler.class",
                "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
            ),
            ("sasl.oauthbearer.token.endpoint.url", url),
            ("sasl.jaas.config", "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;"),
            ("default.api.timeout.ms", "20000"),
        ])
    }

    /// One that logs in at the provider with the right secret, given as Kafka 4.1 and later have it.
    fn member_of(&self, provider: &IdentityProvider) -> ConfigMap {
        let (id, secret) = IdentityProvider::client();
        let mut given = self.client(&provider.url());
        given.extend(properties(&[
            ("sasl.oauthbearer.client.credentials.client.id", id),
            ("sasl.oauthbearer.client.credentials.client.secret", secret),
            ("sasl.oauthbearer.scope", "kafka write"),
        ]));
        given
    }
}

fn produce(producer: &mut Producer, topic: &str) -> Result<(), Error> {
    let message = Outgoing { topic, partition: Some(0), timestamp: None, key: None, value: Some(b"x"), headers: &[] };
    producer.send(&message, 7)?;
    producer.flush(SOON)?;
    producer.deliveries(Duration::ZERO).into_iter().try_for_each(|delivery| delivery.result.map(drop))
}

async fn joined(given: &ConfigMap, group: &str) -> Result<GroupMember, GroupError> {
    let member = GroupMember::start(given, GroupSettings::new(group, "connect")).unwrap();
    let joined = member.join(vec![("default".to_owned(), Bytes::new())]).await?;
    member.sync(joined.members.iter().map(|(id, _)| (id.clone(), Bytes::from_static(b"all"))).collect()).await?;
    Ok(member)
}

fn fatal(error: GroupError) -> Error {
    match error {
        GroupError::Fatal(error) => error,
        other => panic!("not fatal: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_logs_in_with_a_token_of_an_identity_provider() {
    let cluster = token_cluster();
    let provider = IdentityProvider::start(&cluster.key, Duration::from_secs(600));
    let given = cluster.member_of(&provider);
    let member = joined(&given, &cluster.kafka.unique("token")).await.unwrap();
    tokio::task::block_in_place(|| {
        let admin = Admin::connect(&given).unwrap();
        let name = cluster.kafka.unique("token");
        let configs = BTreeMap::from([("retention.ms".to_owned(), "7654321".to_owned())]);
        let topic = NewTopic { name: name.clone(), partitions: 1, replication_factor: 1, configs };
        assert_eq!((admin.create_topic(&topic).unwrap(), admin.create_topic(&topic).unwrap()), (true, false));
        wait_until(SOON, "a new topic", || admin.topic(&name).unwrap());
        assert_eq!(admin.topic_config(&name).unwrap()["retention.ms"], "7654321");
        assert_eq!(admin.cluster_id().unwrap(), cluster.kafka.admin().cluster_id().unwrap());
        produce(&mut Producer::connect(&given).unwrap(), &name).unwrap();
        let mut fetcher = fetcher(&given, &name);
        wait_until(SOON, "a message", || fetcher.poll(Duration::from_millis(50)).unwrap().pop());
        drop(fetcher);
        let offsets = Offsets::from([(TopicPartition::new(name.as_str(), 0), 1)]);
        wait_until(SOON, "the group is empty", || admin.alter_group_offsets(&name, &offsets).ok());
        assert_eq!(admin.group_offsets(&name).unwrap(), offsets);
        assert_eq!((admin.delete_group(&name).unwrap(), admin.delete_group(&name).unwrap()), (true, false));
        let refused = NewTopic { configs: BTreeMap::from([("no.such".to_owned(), "1".to_owned())]), ..topic };
        let error = admin.create_topic(&NewTopic { name: format!("{name}-x"), ..refused }).unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.trace().contains("no.such"), "{}", error.trace());
        assert_eq!((admin.delete_topic(&name).unwrap(), admin.topics().unwrap().contains_key(&name)), (true, false));
        assert!(!admin.delete_topic(&name).unwrap());
    });
    member.leave("done").await;
    // All of them, and the admin client's many connections, share one token.
    assert_eq!(provider.issued(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_outlive_the_tokens_that_they_began_with() {
    let cluster = token_cluster();
    let provider = IdentityProvider::start(&cluster.key, Duration::from_secs(10));
    let given = cluster.member_of(&provider);
    let topic = cluster.kafka.topic("token", 1);
    let member = joined(&given, &cluster.kafka.unique("token")).await.unwrap();
    let outlives = tokio::task::spawn_blocking(move || {
        let mut producer = Producer::connect(&given).unwrap();
        // One that is not used until the first tokens are long forgotten.
        let mut idle = Producer::connect(&given).unwrap();
        let mut fetcher = fetcher(&given, &topic);
        let mut fetched = 0;
        wait_until(SOON, "three tokens were used up", || {
            produce(&mut producer, &topic).unwrap();
            fetched += fetcher.poll(Duration::from_millis(500)).unwrap().len();
            (provider.issued() > 3).then_some(())
        });
        assert!(fetched > 10, "{fetched}");
        produce(&mut idle, &topic).unwrap();
        let last = fetched;
        wait_until(SOON, "a message with the last token", || {
            fetched += fetcher.poll(Duration::from_millis(50)).unwrap().len();
            (fetched > last).then_some(())
        });
        assert_eq!(provider.refused(), 0);
    });
    tokio::select! {
        event = member.next_event() => panic!("{event:?}"),
        outlived = outlives => outlived.unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_refused_with_the_endpoint_s_name_and_what_to_do() {
    let cluster = token_cluster();
    let provider = IdentityProvider::start(&cluster.key, Duration::from_secs(600));
    let mut given = cluster.member_of(&provider);
    given.insert("sasl.oauthbearer.client.credentials.client.secret".to_owned(), "gu3ssed".to_owned());
    let told = |error: &Error| {
        let trace = error.trace();
        assert_eq!(error.kind(), ErrorKind::Config, "{trace}");
        for part in [provider.url().as_str(), "401", "not this secret", "client.credentials.client.id"] {
            assert!(trace.contains(part), "{part}: {trace}");
        }
        assert!(!trace.contains("gu3ssed"), "{trace}");
        assert!(error.exception().ends_with("SaslAuthenticationException"), "{trace}");
    };
    told(&fatal(joined(&given, &cluster.kafka.unique("token")).await.unwrap_err()));
    tokio::task::block_in_place(|| {
        let started = Instant::now();
        told(&Admin::connect(&given).unwrap().topics().unwrap_err());
        assert!(started.elapsed() < Duration::from_secs(5));
        let topic = cluster.kafka.topic("token", 1);
        let mut producer = Producer::connect(&given).unwrap();
        told(&wait_until(SOON, "a refusal", || produce(&mut producer, &topic).err()));
        let mut fetcher = fetcher(&given, &topic);
        told(&wait_until(SOON, "a refusal", || fetcher.poll(Duration::from_millis(50)).err()));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_is_away_is_told_and_waited_for() {
    let cluster = token_cluster();
    let port = free_port();
    let provider = || IdentityProvider::start_at(port, &cluster.key, Duration::from_secs(600), None);
    let mut given = cluster.member_of(&provider());
    let url = given["sasl.oauthbearer.token.endpoint.url"].clone();
    given.insert("default.api.timeout.ms".to_owned(), "1500".to_owned());
    let topic = cluster.kafka.topic("token", 1);
    let group = cluster.kafka.unique("token");
    let member = GroupMember::start(&given, GroupSettings::new(&group, "connect")).unwrap();
    let mut producer = Producer::connect(&given).unwrap();
    let message =
        Outgoing { topic: &topic, partition: Some(0), timestamp: None, key: None, value: Some(b"x"), headers: &[] };
    producer.send(&message, 7).unwrap();
    let joining = member.join(vec![("default".to_owned(), Bytes::new())]);
    match tokio::time::timeout(SOON, joining).await.expect("an answer") {
        Err(GroupError::Coordinator(error)) => {
            assert!(error.is_retriable() && error.trace().contains(&url), "{}", error.trace());
        }
        other => panic!("{other:?}"),
    }
    let (admin, error) = tokio::task::block_in_place(|| {
        let admin = Admin::connect(&given).unwrap();
        let error = admin.topics().unwrap_err();
        (admin, error)
    });
    assert!(error.is_retriable() && error.trace().contains(&url), "{}", error.trace());

    let _provider = provider();
    tokio::task::block_in_place(|| {
        wait_until(SOON, "an answer", || admin.topics().ok());
        producer.flush(SOON).unwrap();
        assert!(producer.deliveries(Duration::ZERO).pop().unwrap().result.is_ok());
    });
    joined(&given, &group).await.unwrap().leave("done").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_in_a_file_is_shown_as_long_as_somebody_renews_it() {
    let cluster = token_cluster();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    let life = Duration::from_secs(10);
    let renew = |path: &Path| {
        fs::write(path.with_extension("new"), cluster.key.token("alice", life)).unwrap();
        fs::rename(path.with_extension("new"), path).unwrap();
    };
    let given = cluster.client(&format!("file://{}", path.display()));
    let error = fatal(joined(&given, &cluster.kafka.unique("token")).await.unwrap_err());
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    renew(&path);
    let member = joined(&given, &cluster.kafka.unique("token")).await.unwrap();
    let topic = cluster.kafka.topic("token", 1);
    let (started, mut renewed) = (Instant::now(), Instant::now());
    let mut producer = Producer::connect(&given).unwrap();
    tokio::task::block_in_place(|| {
        wait_until(SOON, "two tokens were used up", || {
            if renewed.elapsed() > life / 2 {
                renew(&path);
                renewed = Instant::now();
            }
            produce(&mut producer, &topic).unwrap();
            assert!(Admin::connect(&given).unwrap().topics().is_ok());
            (started.elapsed() > life * 2).then_some(())
        });
    });
    member.leave("done").await;
}

#[test]
fn an_endpoint_with_tls_is_trusted_by_the_login_module_s_options() {
    let cluster = token_cluster();
    let (kafka, life) = (&cluster.kafka, Duration::from_secs(600));
    let provider = IdentityProvider::start_tls(&cluster.key, life, &kafka.private_key(), &kafka.certificate());
    let (id, secret) = IdentityProvider::client();
    let login = |tls: &str| {
        let mut given = cluster.client(&provider.url());
        let module = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule";
        let jaas =
            format!("{module} required clientId=\"{id}\" clientSecret=\"{secret}\" scope=\"kafka write\" {tls};");
        given.insert("sasl.jaas.config".to_owned(), jaas);
        Admin::connect(&given).unwrap().topics()
    };
    login(&format!("ssl.truststore.type=PEM ssl.truststore.location=\"{}\"", kafka.trust_store())).unwrap();
    let error = login("").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    for part in [provider.url().as_str(), "not trusted", "sasl.jaas.config"] {
        assert!(error.trace().contains(part), "{part}: {}", error.trace());
    }
}

/// Everything that a worker does over its many clients goes on while one token follows the other.
#[test]
fn a_distributed_worker_outlives_its_tokens_and_logs_none() {
    let cluster = token_cluster();
    let provider = IdentityProvider::start(&cluster.key, Duration::from_secs(20));
    let group = cluster.kafka.unique("token-workers");
    let topic = cluster.kafka.topic("token", 1);
    let mut worker_properties = distributed_properties(&cluster.kafka, &group);
    worker_properties.retain(|(key, _)| *key != "bootstrap.servers");
    for (key, value) in cluster.member_of(&provider) {
        let value = value.replace('ü', "\\u00fc");
        for prefix in ["", "producer.", "consumer.", "admin."] {
            if !(prefix.is_empty() || key == "bootstrap.servers" || key.starts_with("default.")) {
                worker_properties.push((Box::leak(format!("{prefix}{key}").into_boxed_str()), value.clone()));
            }
        }
        worker_properties.push((Box::leak(key.into_boxed_str()), value));
    }
    let worker = ConnectWorker::start(Vendor::Volley, Mode::Distributed, &worker_properties);
    let create = |name: &str, config: serde_json::Value| {
        let (status, answer) = worker.ask("POST", "/connectors", Some(&json!({"name": name, "config": config})));
        assert_eq!(status, 201, "{answer}");
    };
    let tools = "org.apache.kafka.connect.tools.Verifiable";
    create("in", json!({"connector.class": format!("{tools}SourceConnector"), "topic": topic, "throughput": "20"}));
    create("out", json!({"connector.class": format!("{tools}SinkConnector"), "topics": topic}));
    let delivered = || worker.stdout_lines().iter().filter(|line| line.contains("\"sinkTask\"")).count();
    let is_running = |name: &str| {
        let (_, status) = worker.ask("GET", &format!("/connectors/{name}/status"), None);
        assert_ne!(status["tasks"][0]["state"], "FAILED", "{status}");
        status["tasks"][0]["state"] == "RUNNING"
    };
    wait_until(SOON, "both run", || (is_running("in") && is_running("out")).then_some(()));
    wait_until(SOON * 2, "two tokens were used up", || {
        (is_running("in") && is_running("out") && provider.issued() > 2).then_some(())
    });
    let before = delivered();
    wait_until(SOON, "records go on", || (delivered() > before).then_some(()));
    // Written and read back by the clients of the internal topics.
    create("late", json!({"connector.class": format!("{tools}SinkConnector"), "topics": topic}));
    wait_until(SOON, "a late connector runs", || is_running("late").then_some(()));
    assert_eq!(worker.ask("DELETE", "/connectors/late", None).0, 204);
    let log = worker.log();
    assert!(!log.contains(IdentityProvider::client().1) && !log.contains("eyJ"), "{log}");
    assert!(!log.contains("refuses the client") && !log.contains("group coordinator lost"), "{log}");
}
