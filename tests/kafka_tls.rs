//! TLS to a real broker that wants a certificate, from the keys of Java's clients.

use std::time::Duration;

use volley_api::ConfigMap;
use volley_kafka::Admin;

use crate::testbed::{Kafka, properties};

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
