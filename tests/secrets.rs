//! Law 7: secrets are never logged, returned by REST, or put in a trace.

use std::time::Duration;

use serde_json::json;

use crate::testbed::{Kafka, Vendor, wait_until};
use crate::worker_group::WorkerGroup;
use crate::worker_process::{Volley, request};

const SECRET: &str = "tr0ub4dor-and-3";

#[test]
fn a_secret_is_in_no_answer_and_no_log() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("secrets", 1);
    let volley = Volley::new();
    let jaas = format!(
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\"{SECRET}\";"
    );
    volley.worker(&kafka.bootstrap_servers(), &[]);
    volley.file("secrets.properties", &[("key", SECRET)]);
    let mut worker = volley.start_with(&["standalone", "worker.properties"], &[("RUST_LOG", "debug")]);
    let rest = worker.rest();
    let config = json!({
        "connector.class": "ObjectStoreSink",
        "topics": topic,
        "store.url": "s3://no-such-bucket/lake",
        "store.s3.endpoint": "http://127.0.0.1:1",
        "store.s3.access.key.id": "id",
        "store.s3.secret.access.key": SECRET,
        "consumer.override.sasl.jaas.config": jaas,
        "retry.timeout.ms": "1000",
    });
    let mut answers = Vec::new();
    let mut ask = |method: &str, path: &str, body: Option<&serde_json::Value>| {
        let (status, answer) = request(&rest, method, path, body);
        answers.push(answer.to_string());
        (status, answer)
    };
    let validated = {
        let mut named = config.clone();
        named["name"] = json!("s");
        ask("PUT", "/connector-plugins/ObjectStoreSink/config/validate", Some(&named))
    };
    assert_eq!(validated.0, 200, "{}", validated.1);
    let created = ask("POST", "/connectors", Some(&json!({"name": "s", "config": config})));
    assert_eq!(created.0, 201, "{}", created.1);
    wait_until(Duration::from_secs(60), "the task has failed", || {
        let (_, status) = ask("GET", "/connectors/s/status", None);
        (status["tasks"][0]["state"] == "FAILED").then_some(())
    });
    for path in
        ["/connectors/s", "/connectors/s/config", "/connectors/s/tasks", "/connectors?expand=info&expand=status"]
    {
        assert_eq!(ask("GET", path, None).0, 200, "{path}");
    }
    for answer in answers {
        assert!(!answer.contains(SECRET), "{answer}");
    }
    assert!(!worker.log().contains(SECRET), "it is in the log");
}

/// Worker after worker is told a new secret, and the next one at once to keep it, which may not have read it yet.
#[test]
fn a_secret_that_is_sent_back_hidden_is_the_latest_whichever_worker_is_asked() {
    const KEY: &str = "producer.override.ssl.key.password";
    let kafka = Kafka::shared();
    let mut group = WorkerGroup::new(kafka, "hidden");
    group.add(&[Vendor::Volley; 3]);
    let config = |secret: &str| json!({ "connector.class": "FileStreamSource", "topic": "t", "file": "absent.txt", KEY: secret });
    let stopped = json!({ "name": "x", "config": config("0"), "initial_state": "STOPPED" });
    group.ask(0, "POST", "/connectors", Some(&stopped));
    for turn in 1..=12 {
        group.put(turn % 3, "x", &config(&turn.to_string()));
        group.put((turn + 1) % 3, "x", &config("[hidden]"));
    }
    let records = kafka.read_topic(&format!("{}-configs", group.id()));
    let records = records.into_iter().filter(|record| record.key.as_deref() == Some(b"connector-x"));
    let secrets: Vec<u32> = records
        .map(|record| {
            let value: serde_json::Value = serde_json::from_slice(&record.value.unwrap()).unwrap();
            value["properties"][KEY].as_str().unwrap().parse().expect("a secret, not what is shown for it")
        })
        .collect();
    assert!(secrets.is_sorted() && secrets.last() == Some(&12) && secrets.len() >= 25, "{secrets:?}");
}
