//! Law 7: secrets are never logged, put in a trace or shown by a validation, and REST shows them only where it may.

use serde_json::{Value, json};

use crate::testbed::{Kafka, Vendor, distributed_properties, standalone_properties, wait_until};
use crate::worker_group::{SOON, WorkerGroup};
use crate::worker_process::{Volley, request};

const SECRET: &str = "tr0ub4dor-and-3";

#[test]
fn a_secret_is_in_no_log_no_trace_and_no_validation() {
    for mode in ["standalone", "distributed"] {
        only_configurations_show_secrets(mode);
    }
}

fn only_configurations_show_secrets(mode: &str) {
    let (answers, log) = life_of_a_connector_with_secrets(mode, &[]);
    for (asked, answer) in &answers {
        let has_config =
            ["POST /connectors", "GET /connectors/s", "GET /connectors/s/config", "GET /connectors/s/tasks"];
        let has_config = has_config.contains(&asked.as_str()) || asked.contains("expand");
        let has_config = has_config && !answer.contains("error_code");
        assert_eq!(answer.contains(SECRET), has_config, "{asked}: {answer}");
    }
    assert!(!log.contains(SECRET), "it is in the log");
}

#[test]
fn a_worker_that_hides_secrets_shows_none() {
    let (answers, log) = life_of_a_connector_with_secrets("distributed", &[("volley.rest.secrets", "hidden")]);
    for (asked, answer) in &answers {
        assert!(!answer.contains(SECRET), "{asked}: {answer}");
    }
    assert!(!log.contains(SECRET), "it is in the log");
}

/// What a worker answers about a connector with secrets that fails, by what it was asked, and all that it logs.
fn life_of_a_connector_with_secrets(mode: &str, worker: &[(&str, &str)]) -> (Vec<(String, String)>, String) {
    let kafka = Kafka::shared();
    let topic = kafka.topic("secrets", 1);
    let volley = Volley::new();
    let jaas = format!(
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\"{SECRET}\";"
    );
    let mut properties = match mode {
        "standalone" => standalone_properties(&kafka.bootstrap_servers()),
        _ => distributed_properties(kafka, &topic),
    };
    properties.push(("listeners", "http://127.0.0.1:0".to_owned()));
    let properties = properties.iter().map(|(key, value)| (*key, value.as_str())).chain(worker.iter().copied());
    volley.file("worker.properties", &properties.collect::<Vec<_>>());
    let mut worker = volley.start_with(&[mode, "worker.properties"], &[("RUST_LOG", "trace")]);
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
    let mut ask = |method: &str, path: &str, body: Option<&Value>| {
        let (status, answer) = request(&rest, method, path, body);
        answers.push((format!("{method} {path}"), answer.to_string()));
        (status, answer)
    };
    let validated = {
        let mut named = config.clone();
        named["name"] = json!("s");
        ask("PUT", "/connector-plugins/ObjectStoreSink/config/validate", Some(&named))
    };
    assert_eq!(validated.0, 200, "{}", validated.1);
    let named = json!({"name": "s", "config": config});
    wait_until(SOON, "the worker has joined its group and created it", || {
        match ask("POST", "/connectors", Some(&named)) {
            (201, _) => Some(()),
            (status, answer) => {
                assert_eq!(status, 409, "{answer}");
                None
            }
        }
    });
    wait_until(SOON, "the task has failed", || {
        let (_, status) = ask("GET", "/connectors/s/status", None);
        (status["tasks"][0]["state"] == "FAILED").then_some(())
    });
    for path in
        ["/connectors/s", "/connectors/s/config", "/connectors/s/tasks", "/connectors?expand=info&expand=status"]
    {
        assert_eq!(ask("GET", path, None).0, 200, "{path}");
    }
    let log = worker.log();
    (answers, log)
}

/// A connector with secrets of its own, of a client and of a converter that is not here.
fn config_with_secrets() -> Value {
    json!({
        "name": "x", "connector.class": "FileStreamSource", "topic": "t", "file": "absent.txt", "database.password": SECRET,
        "producer.override.ssl.key.password": SECRET,
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter.basic.auth.user.info": SECRET,
        "value.converter.basic.auth.credentials.source": "USER_INFO",
    })
}

#[test]
fn what_volley_shows_a_java_worker_of_its_group_takes_as_it_is() {
    let kafka = Kafka::shared();
    let mut group = WorkerGroup::new(kafka, "shown");
    let [volley, java] = [Vendor::Volley, Vendor::Java].map(|vendor| group.add(&[vendor])[0]);
    let config = config_with_secrets();
    group.put(volley, "x", &config);
    for (from, to) in [(volley, java), (java, volley), (volley, volley)] {
        let shown = group.ask(from, "GET", "/connectors/x/config", None);
        assert_eq!(shown, config);
        group.put(to, "x", &shown);
    }
    assert_eq!(stored_configs(kafka, &group, "x"), vec![config; 4]);
}

#[test]
fn what_volley_hides_a_java_leader_is_given_as_it_is_stored() {
    let kafka = Kafka::shared();
    let mut group = WorkerGroup::with(kafka, "hidden-from", &[("volley.rest.secrets", "hidden")]);
    let [java, volley] = [Vendor::Java, Vendor::Volley].map(|vendor| group.add(&[vendor])[0]);
    group.await_leader(&[java]);
    let config = config_with_secrets();
    group.put(java, "x", &config);
    wait_until(SOON, "Volley has read it", || {
        (group.worker(volley).ask("GET", "/connectors/x", None).0 == 200).then_some(())
    });
    let shown = group.ask(volley, "GET", "/connectors/x/config", None);
    for (key, value) in config.as_object().unwrap() {
        let expected = if value == SECRET { &json!("[hidden]") } else { value };
        assert_eq!(&shown[key], expected, "{key}");
    }
    group.put(volley, "x", &shown);
    group.ask(volley, "PATCH", "/connectors/x/config", Some(&shown));
    assert_eq!(stored_configs(kafka, &group, "x"), vec![config; 3]);
}

/// The configurations of a connector in the group's topic, in order.
fn stored_configs(kafka: &Kafka, group: &WorkerGroup, connector: &str) -> Vec<Value> {
    let records = kafka.read_topic(&format!("{}-configs", group.id()));
    let key = format!("connector-{connector}");
    let records = records.into_iter().filter(|record| record.key.as_deref() == Some(key.as_bytes()));
    let value = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
    records.map(|record| value(record.value.unwrap())["properties"].take()).collect()
}

/// Worker after worker is told a new secret, and the next one at once to keep it, which may not have read it yet.
#[test]
fn a_secret_that_is_sent_back_hidden_is_the_latest_whichever_worker_is_asked() {
    const KEY: &str = "producer.override.ssl.key.password";
    let kafka = Kafka::shared();
    let mut group = WorkerGroup::with(kafka, "hidden", &[("volley.rest.secrets", "hidden")]);
    group.add(&[Vendor::Volley; 3]);
    let config = |secret: &str| json!({ "connector.class": "FileStreamSource", "topic": "t", "file": "absent.txt", KEY: secret });
    let stopped = json!({ "name": "x", "config": config("0"), "initial_state": "STOPPED" });
    group.ask(0, "POST", "/connectors", Some(&stopped));
    for turn in 1..=12 {
        group.put(turn % 3, "x", &config(&turn.to_string()));
        group.put((turn + 1) % 3, "x", &config("[hidden]"));
    }
    let stored = stored_configs(kafka, &group, "x");
    let secret = |properties: &Value| properties[KEY].as_str().unwrap().parse::<u32>();
    let secrets: Vec<u32> =
        stored.iter().map(|properties| secret(properties).expect("a secret, not what is shown for it")).collect();
    assert!(secrets.is_sorted() && secrets.last() == Some(&12) && secrets.len() >= 25, "{secrets:?}");
}
