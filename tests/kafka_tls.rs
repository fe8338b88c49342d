//! TLS to a real broker that wants a certificate, from the keys of Java's clients.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use volley_api::{ConfigMap, ErrorKind, Offsets, TopicPartition};
use volley_kafka::{Admin, Fetcher, Outgoing, Producer};

use crate::kafka_fetch::{collect, settings};
use crate::testbed::{Kafka, Rebalances, properties, wait_until};

const SOON: Duration = Duration::from_secs(90);
const CLUSTER_ID: &str = "4L6g3nShT-eMCtK--X86sw";

fn with_tls(kafka: &Kafka, pairs: &[(&str, &str)]) -> ConfigMap {
    let servers = kafka.tls_bootstrap_servers();
    let mut all = properties(&[
        ("bootstrap.servers", &servers),
        ("security.protocol", "SSL"),
        ("default.api.timeout.ms", "20000"),
    ]);
    all.extend(properties(pairs));
    all
}

#[test]
fn pem_files_make_a_connection() {
    let kafka = Kafka::shared();
    let given = with_tls(
        kafka,
        &[
            ("ssl.truststore.type", "PEM"),
            ("ssl.truststore.location", &kafka.trust_store()),
            ("ssl.keystore.type", "PEM"),
            ("ssl.keystore.location", &kafka.key_store()),
        ],
    );
    assert_eq!(Admin::connect(&given).unwrap().cluster_id().unwrap(), CLUSTER_ID);
}

#[test]
fn pem_texts_on_one_line_make_a_connection() {
    let kafka = Kafka::shared();
    let on_one_line = |text: String| text.replace('\n', " ");
    let (certificate, key) = (on_one_line(kafka.certificate()), on_one_line(kafka.private_key()));
    let given = with_tls(
        kafka,
        &[
            ("ssl.truststore.type", "PEM"),
            ("ssl.truststore.certificates", &certificate),
            ("ssl.keystore.type", "PEM"),
            ("ssl.keystore.certificate.chain", &certificate),
            ("ssl.keystore.key", &key),
        ],
    );
    assert_eq!(Admin::connect(&given).unwrap().cluster_id().unwrap(), CLUSTER_ID);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused_with_the_reason() {
    let kafka = Kafka::shared();
    let mut given = with_tls(kafka, &[]);
    given.insert("default.api.timeout.ms".to_owned(), "3000".to_owned());
    let started = std::time::Instant::now();
    let error = Admin::connect(&given).unwrap().topics().unwrap_err();
    assert!(error.trace().contains(&kafka.tls_bootstrap_servers()), "{error:?}");
    assert!(error.trace().to_lowercase().contains("certificate"), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(15));
}

/// The keys of a client that trusts the broker, and shows the certificate that the broker wants.
fn mutual(kafka: &Kafka) -> ConfigMap {
    with_tls(
        kafka,
        &[
            ("ssl.truststore.type", "PEM"),
            ("ssl.truststore.location", &kafka.trust_store()),
            ("ssl.keystore.type", "PEM"),
            ("ssl.keystore.location", &kafka.key_store()),
        ],
    )
}

fn consumer(given: &ConfigMap, topic: &str) -> Fetcher {
    // a member that cannot say farewell is forgotten soon
    let mut all = properties(&[
        ("group.id", topic),
        ("auto.offset.reset", "earliest"),
        ("session.timeout.ms", "3000"),
        ("heartbeat.interval.ms", "500"),
    ]);
    all.extend(given.clone());
    Fetcher::connect(&all, settings(topic), Rebalances::new() as Arc<_>).unwrap()
}

#[test]
fn what_is_written_over_tls_is_read_over_tls() {
    const MESSAGES: usize = 2_000;
    let kafka = Kafka::shared();
    let given = mutual(kafka);
    let topic = kafka.topic("tls", 3);
    let mut producer = Producer::connect(&given).unwrap();
    let value = vec![b'v'; 3_000];
    for number in 0..MESSAGES {
        let partition = i32::try_from(number % 3).ok();
        let (timestamp, key, value) = (None, None, Some(value.as_slice()));
        let message = Outgoing { topic: &topic, partition, timestamp, key, value, headers: &[] };
        producer.send(&message, number as u64).unwrap();
    }
    producer.flush(Duration::from_secs(60)).unwrap();
    let read = collect(&mut consumer(&given, &topic), MESSAGES).all();
    assert_eq!(read, kafka.read_topic(&topic));
}

/// Two certificates of one key for 127.0.0.1, of which one expired yesterday.
struct Certificates {
    directory: TempDir,
}

impl Certificates {
    fn make() -> Self {
        let made = Self { directory: tempfile::tempdir().unwrap() };
        let (key, request) = (made.path("key.pem"), made.path("request.pem"));
        let name = ["-subj", "/CN=volley", "-addext", "subjectAltName=IP:127.0.0.1"];
        let ask = ["req", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-out", &request];
        openssl(&[ask.as_slice(), name.as_slice()].concat());
        for (file, days) in [("valid.pem", "2"), ("expired.pem", "-1")] {
            let sign = ["x509", "-req", "-in", &request, "-signkey", &key, "-days", days];
            openssl(&[sign.as_slice(), &["-copy_extensions", "copy", "-out", &made.path(file)]].concat());
        }
        let both = [made.read("valid.pem"), made.read("expired.pem")].concat();
        fs::write(made.path("trusted.pem"), both).unwrap();
        made.show("valid.pem");
        made
    }

    fn path(&self, file: &str) -> String {
        self.directory.path().join(file).display().to_string()
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    /// Puts a certificate with its key where the broker reads it when it starts.
    fn show(&self, certificate: &str) {
        fs::write(self.path("shown.pem"), [self.read("key.pem"), self.read(certificate)].concat()).unwrap();
    }
}

fn openssl(arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_expired_certificate_ends_reading_with_the_reason_and_nothing_is_lost() {
    let certificates = Certificates::make();
    let shown = certificates.path("shown.pem");
    let mut kafka = Kafka::start_with(&[("listener.name.ssl.ssl.keystore.location", &shown)]);
    let mut given = mutual(&kafka);
    given.insert("ssl.truststore.location".to_owned(), certificates.path("trusted.pem"));
    let topic = kafka.topic("expired", 1);
    let write = |kafka: &Kafka| {
        kafka.produce(&topic, 100, |number, _, value| {
            value.extend_from_slice(number.to_string().as_bytes());
            0
        });
    };
    write(&kafka);
    let mut first = consumer(&given, &topic);
    assert_eq!(collect(&mut first, 100).count(), 100);
    let partition = TopicPartition::new(topic.as_str(), 0);
    first.committer().commit(&Offsets::from([(partition, 100)])).unwrap();

    kafka.stop();
    certificates.show("expired.pem");
    kafka.restart();
    write(&kafka);
    let refused = wait_until(SOON, "the certificate is refused", || first.poll(Duration::from_millis(50)).err());
    assert_eq!(refused.kind(), ErrorKind::Config, "{refused:?}");
    let trace = refused.trace();
    assert!(
        trace.contains(&kafka.tls_bootstrap_servers())
            && (trace.contains("expired") || trace.contains("certificate verify failed")),
        "{trace}"
    );
    drop(first);

    kafka.stop();
    certificates.show("valid.pem");
    kafka.restart();
    let read = collect(&mut consumer(&given, &topic), 100).all();
    assert_eq!(read, kafka.read_topic(&topic)[100..]);
}
