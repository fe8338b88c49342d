//! Every client of the worker logs in by every mechanism.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use volley_api::ConfigMap;
use volley_kafka::{Admin, FetchSettings, Fetcher, Outgoing, Producer, TopicSelection};

use crate::testbed::{Kafka, Rebalances, properties, wait_until};

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

        let mut given = given;
        given.extend(properties(&[("group.id", &topic), ("auto.offset.reset", "earliest")]));
        let settings = FetchSettings {
            topics: TopicSelection::Topics(vec![topic]),
            max_rows: 1,
            max_bytes: 1 << 20,
            linger: Duration::from_millis(5),
        };
        let mut fetcher = Fetcher::connect(&given, settings, Rebalances::new() as Arc<_>).unwrap();
        wait_until(SOON, mechanism, || fetcher.poll(Duration::from_millis(50)).unwrap().pop());
    }
}
