//! The internal topics of a group are the same to Kafka's own workers and to Volley, both ways.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use volley::api::ConfigMap;
use volley::worker::connector_task_id::ConnectorTaskId;
use volley::worker::storage::TaskProgressSnapshot;
use volley::worker::storage::{
    Completion, ConfigBackingStore, ConfigRecord, KafkaStores, OffsetBackingStore, State, Status, StatusBackingStore,
    StatusKey, StatusRecord, TargetState, TaskRun, TopicStatus,
};
use volley::worker::worker_config::WorkerConfig;
use volley_api::testing::config_map;

use crate::testbed::{ConnectWorker, Kafka, Mode, Vendor, WorkerProperties, distributed_properties, wait_until};

const SOON: Duration = Duration::from_secs(60);

fn stores_of(properties: &WorkerProperties) -> KafkaStores {
    let properties = properties.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    KafkaStores::start(&WorkerConfig::distributed(properties).unwrap(), Arc::new(|_| {})).unwrap()
}

fn object(config: &ConfigMap) -> Value {
    config
        .iter()
        .map(|(key, value)| (key.clone(), Value::from(value.as_str())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn create(worker: &ConnectWorker, name: &str, initial_state: &str, config: Value) {
    let body = json!({"name": name, "initial_state": initial_state, "config": config});
    let (status, answer) = worker.ask("POST", "/connectors", Some(&body));
    assert_eq!(status, 201, "{answer}");
}

/// A request that is refused while the group rebalances.
fn change(worker: &ConnectWorker, method: &str, target: &str, body: Option<&Value>) {
    wait_until(SOON, "a request is accepted", || {
        let (status, answer) = worker.ask(method, target, body);
        assert!(matches!(status, 202 | 204 | 409), "{method} {target}: {status} {answer}");
        (status != 409).then_some(())
    });
}

fn await_state(worker: &ConnectWorker, name: &str, state: &str, tasks: usize) {
    wait_until(SOON, "a connector and its tasks are in a state", || {
        let (_, status) = worker.ask("GET", &format!("/connectors/{name}/status"), None);
        let running = status["tasks"].as_array()?.iter().filter(|task| task["state"] == state).count();
        (status["connector"]["state"] == state && running == tasks).then_some(())
    });
}

/// Makes a Java worker write a record of every kind that it writes without exactly-once sources.
fn exercise(kafka: &Kafka, worker: &ConnectWorker) {
    let source = |topic: &str| {
        json!({"connector.class": "VerifiableSource", "tasks.max": "2", "topic": topic, "throughput": "20",
               "text": "ä\u{1}\n\"\\ ${x:y}"})
    };
    create(worker, "runs-0", "RUNNING", source(&kafka.topic("java-written", 1)));
    create(worker, "pauses", "PAUSED", source("unused"));
    create(worker, "stops", "STOPPED", source("unused"));
    let file = worker.directory().join("lines.txt");
    std::fs::write(&file, "one\ntwo\nthree\n").unwrap();
    let file = file.display().to_string();
    let topic = kafka.topic("java-lines", 1);
    create(worker, "lines", "RUNNING", json!({"connector.class": "FileStreamSource", "file": file, "topic": topic}));
    create(worker, "fails", "RUNNING", json!({"connector.class": "MockSource", "mock_mode": "task-failure"}));
    create(worker, "goes", "RUNNING", json!({"connector.class": "MockSink", "topics": "unused"}));
    await_state(worker, "runs-0", "RUNNING", 2);
    await_state(worker, "pauses", "PAUSED", 0);
    await_state(worker, "goes", "RUNNING", 1);
    wait_until(SOON, "a task has failed", || {
        let (_, status) = worker.ask("GET", "/connectors/fails/status", None);
        (status["tasks"][0]["state"] == "FAILED").then_some(())
    });
    wait_until(SOON, "offsets are committed", || {
        ["runs-0", "lines"]
            .iter()
            .all(|name| {
                let (_, offsets) = worker.ask("GET", &format!("/connectors/{name}/offsets"), None);
                offsets["offsets"].as_array().is_some_and(|offsets| !offsets.is_empty())
            })
            .then_some(())
    });
    change(worker, "PUT", "/connectors/pauses/resume", None);
    await_state(worker, "pauses", "RUNNING", 2);
    change(worker, "POST", "/connectors/runs-0/restart?includeTasks=true&onlyFailed=false", None);
    change(worker, "PUT", "/admin/loggers/org.example?scope=cluster", Some(&json!({"level": "DEBUG"})));
    change(worker, "DELETE", "/connectors/goes", None);
    await_state(worker, "runs-0", "RUNNING", 2);
    change(worker, "PUT", "/connectors/lines/stop", None);
    await_state(worker, "lines", "STOPPED", 0);
}

/// Every record, as it was written, is what we would write.
fn assert_same_bytes(
    kafka: &Kafka,
    topic: &str,
    ours: impl Fn(&str, Option<&Value>) -> Option<(String, Option<Value>)>,
) {
    let mut kinds = std::collections::BTreeSet::new();
    for message in kafka.read_topic(topic) {
        let key = String::from_utf8(message.key.unwrap()).unwrap();
        let value: Option<Value> = message.value.as_deref().map(|value| serde_json::from_slice(value).unwrap());
        let (our_key, our_value) =
            ours(&key, value.as_ref()).unwrap_or_else(|| panic!("{topic}: {key} is not understood: {value:?}"));
        assert_eq!(our_key, key);
        assert_eq!(our_value, value, "{key}");
        let member_order = |value: &Value| serde_json::to_string(value).unwrap();
        assert_eq!(our_value.as_ref().map(member_order), value.as_ref().map(member_order), "order of members: {key}");
        kinds.insert((key.split('-').take(2).collect::<Vec<_>>().join("-"), value.is_some()));
    }
    assert!(kinds.len() > 4, "{topic} holds too little to be a proof: {kinds:?}");
}

#[test]
fn what_a_java_worker_has_written_is_read_and_would_be_written_alike() {
    let kafka = Kafka::shared();
    let properties = distributed_properties(kafka, &kafka.unique("java-group"));
    let mut worker = ConnectWorker::start(Vendor::Java, Mode::Distributed, &properties);
    exercise(kafka, &worker);
    let ask = |target: &str| worker.ask("GET", target, None).1;
    let names = ["fails", "lines", "pauses", "runs-0", "stops"];
    let infos = names.map(|name| ask(&format!("/connectors/{name}")));
    let tasks = names.map(|name| ask(&format!("/connectors/{name}/tasks")));
    let lines = ask("/connectors/lines/offsets");
    let topics = ask("/connectors/runs-0/topics");
    let statuses = names.map(|name| ask(&format!("/connectors/{name}/status")));
    let address = worker.address();

    let stores = stores_of(&properties);
    let state = stores.configs.snapshot();
    assert_eq!(state.connectors().collect::<Vec<_>>(), names);
    for (place, name) in names.into_iter().enumerate() {
        assert_eq!(object(state.connector_config(name).unwrap()), infos[place]["config"], "{name}");
        let configs: Vec<_> = tasks[place].as_array().unwrap().iter().map(|task| task["config"].clone()).collect();
        let ours: Vec<_> = state.task_configs(name).into_iter().map(object).collect();
        assert_eq!(ours, configs, "{name}");
        let ours = stores.statuses.get(&StatusKey::Connector(name.to_owned())).unwrap();
        assert_eq!(ours.state.to_string(), statuses[place]["connector"]["state"], "{name}");
        assert_eq!(ours.worker_id, address);
    }
    assert_eq!(state.target_state("lines"), Some(TargetState::Stopped));
    assert_eq!(state.target_state("pauses"), Some(TargetState::Started));
    assert!(state.session_key().is_some());
    let failed = stores.statuses.tasks("fails").remove(0).1;
    assert_eq!(Some(failed.trace.as_deref().unwrap()), statuses[0]["tasks"][0]["trace"].as_str());
    let known: Vec<_> = stores.statuses.topics("runs-0").into_iter().map(|topic| topic.topic).collect();
    assert_eq!(json!(known), topics["runs-0"]["topics"]);
    let offsets: Vec<_> = stores.offsets.list("lines").unwrap().into_iter().collect();
    let offsets: Vec<_> =
        offsets.into_iter().map(|(partition, offset)| json!({"partition": partition, "offset": offset})).collect();
    assert_eq!(json!(offsets), lines["offsets"]);
    worker.stop();

    let topic = |name: &str| properties.iter().find(|(key, _)| *key == name).unwrap().1.clone();
    let ours = |key: &str, value: Option<&Value>| {
        let record = ConfigRecord::parse(key, value)?;
        Some((record.key(), record.value()))
    };
    assert_same_bytes(kafka, &topic("config.storage.topic"), ours);
    let ours = |key: &str, value: Option<&Value>| {
        let record = StatusRecord::parse(key, value)?;
        Some((record.key(), record.value()))
    };
    assert_same_bytes(kafka, &topic("status.storage.topic"), ours);
    // offsets stored again under what was listed make the same keys
    let before = kafka.read_topic(&topic("offset.storage.topic"));
    for name in ["runs-0", "lines"] {
        let entries: Vec<_> = stores.offsets.list(name).unwrap().into_iter().map(|(p, o)| (p, Some(o))).collect();
        stores.offsets.set(name, &entries).unwrap();
    }
    let after = kafka.read_topic(&topic("offset.storage.topic"));
    let latest = |messages: &[crate::testbed::Message]| {
        let pairs = messages.iter().map(|message| ((message.partition, message.key.clone()), message.value.clone()));
        pairs.collect::<std::collections::BTreeMap<_, _>>()
    };
    assert!(after.len() > before.len());
    assert_eq!(latest(&after), latest(&before), "same keys in the same partitions, same values");
}

/// What our stores write, as a worker of a group would.
fn write_everything(stores: &KafkaStores, topic: &str, file: &str) {
    let lines = config_map(&[
        ("connector.class", "FileStreamSource"),
        ("file", file),
        ("topic", topic),
        ("text", "ä\u{1}\n\"\\"),
        ("name", "lines-1"),
    ]);
    let source =
        config_map(&[("connector.class", "VerifiableSource"), ("topic", topic), ("name", "stops"), ("tasks.max", "2")]);
    let deleted = config_map(&[("connector.class", "MockSink"), ("topics", topic), ("name", "gone")]);
    let configs = &stores.configs;
    configs
        .write(&[
            ConfigRecord::TargetState("lines-1".into(), Some(TargetState::Paused)),
            ConfigRecord::Connector("lines-1".into(), Some(lines.clone().into())),
        ])
        .unwrap();
    let mut task = lines;
    task.insert("task.class".into(), "org.apache.kafka.connect.file.FileStreamSourceTask".into());
    configs.write(&ConfigRecord::tasks("lines-1", &[task])).unwrap();
    configs
        .write(&[
            ConfigRecord::TargetState("stops".into(), Some(TargetState::Stopped)),
            ConfigRecord::Connector("stops".into(), Some(source.into())),
        ])
        .unwrap();
    configs.write(&ConfigRecord::tasks("stops", &[])).unwrap();
    configs.write(&[ConfigRecord::Completed("stops".into(), Completion { rows: 5, ..Completion::default() })]).unwrap();
    configs.write(&[ConfigRecord::Connector("gone".into(), Some(deleted.into()))]).unwrap();
    configs.write(&[ConfigRecord::TaskCount("stops".into(), 2)]).unwrap();
    configs
        .write(&[ConfigRecord::Connector("gone".into(), None), ConfigRecord::TargetState("gone".into(), None)])
        .unwrap();

    let partition = json!({ "filename": file }).as_object().unwrap().clone();
    stores.offsets.set("lines-1", &[(partition, json!({"position": 4}).as_object().cloned())]).unwrap();
    let task = ConnectorTaskId { connector: "stops".into(), task: 0 };
    let progress = TaskProgressSnapshot { rows_in: 5, ..TaskProgressSnapshot::default() };
    stores.statuses.put_task_run(task.clone(), Some(TaskRun { run: 7, is_done: true, started_at: 1, progress }));
    stores.statuses.put_topic(TopicStatus { topic: "seen".into(), task, discover_timestamp: 1_700_000_000_000 });
    let status =
        Status { state: State::Stopped, trace: None, worker_id: "volley:8083".into(), generation: 1, version: None };
    stores.statuses.put(StatusKey::Connector("stops".into()), Some(status));
    stores.statuses.flush(SOON);
}

#[test]
fn what_we_have_written_a_java_worker_reads_and_goes_on_from() {
    let kafka = Kafka::shared();
    let properties = distributed_properties(kafka, &kafka.unique("java-heir"));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("lines.txt");
    std::fs::write(&file, "one\ntwo\nthree\n").unwrap();
    let file = file.display().to_string();
    let topic = kafka.topic("heir-lines", 1);
    let stores = stores_of(&properties);
    write_everything(&stores, &topic, &file);

    let worker = ConnectWorker::start(Vendor::Java, Mode::Distributed, &properties);
    let ask = |target: &str| worker.ask("GET", target, None).1;
    assert_eq!(ask("/connectors").as_array().unwrap().len(), 2);
    let config = ask("/connectors/lines-1/config");
    assert_eq!(config["text"], "ä\u{1}\n\"\\");
    assert_eq!(config, object(stores.configs.snapshot().connector_config("lines-1").unwrap()));
    await_state(&worker, "lines-1", "PAUSED", 1);
    await_state(&worker, "stops", "STOPPED", 0);
    assert_eq!(ask("/connectors/stops/topics")["stops"]["topics"], json!(["seen"]));
    let offsets = json!([{"partition": {"filename": file}, "offset": {"position": 4}}]);
    assert_eq!(ask("/connectors/lines-1/offsets")["offsets"], offsets);
    change(&worker, "PUT", "/connectors/lines-1/resume", None);
    wait_until(SOON, "the lines after the offset are there", || {
        let values: Vec<_> = kafka.read_topic(&topic).into_iter().filter_map(|message| message.value).collect();
        let text = |value: &Vec<u8>| serde_json::from_slice::<Value>(value).unwrap()["payload"].clone();
        (values.len() == 2).then(|| assert_eq!(values.iter().map(text).collect::<Vec<_>>(), ["two", "three"]))
    });
    // and our stores, still open, have followed
    wait_until(SOON, "the state that the Java worker wrote shows", || {
        let status = stores.statuses.get(&StatusKey::Connector("lines-1".into()))?;
        (status.state == State::Running && status.worker_id == worker.address()).then_some(())
    });
    let state = stores.configs.snapshot();
    assert_eq!(state.target_state("lines-1"), Some(TargetState::Started));
    // what is Volley's own it has passed over, and left alone
    assert_eq!(state.completion("stops").unwrap().rows, 5);
    assert_eq!(stores.statuses.task_runs("stops").len(), 1);
    change(&worker, "PUT", "/connectors/stops/resume", None);
    wait_until(SOON, "nothing is complete of a connector that was resumed", || {
        stores.configs.snapshot().completion("stops").is_none().then_some(())
    });
}

/// A file source with an offset topic of its own, handed over from Java to Volley and back.
#[test]
fn a_connector_s_own_offset_topic_is_taken_over_both_ways() {
    let kafka = Kafka::shared();
    let properties = distributed_properties(kafka, &kafka.unique("own-offsets-group"));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lines.txt");
    let file = path.display().to_string();
    let (topic, own) = (kafka.topic("own-lines", 1), kafka.unique("own-offsets-of-lines"));
    std::fs::write(&path, "").unwrap();
    let mut text = String::new();
    for (life, vendor) in [Vendor::Java, Vendor::Volley, Vendor::Java].into_iter().enumerate() {
        let mut worker = ConnectWorker::start(vendor, Mode::Distributed, &properties);
        if life == 0 {
            let config = json!({"connector.class": "FileStreamSource", "file": file, "topic": topic,
                                "offsets.storage.topic": own});
            create(&worker, "lines", "RUNNING", config);
        }
        let added = format!("of life {life}\nand more\n");
        text.push_str(&added);
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(added.as_bytes()).unwrap();
        wait_until(SOON, "the offsets are committed", || {
            let (_, offsets) = worker.ask("GET", "/connectors/lines/offsets", None);
            let committed = offsets["offsets"].get(0)?;
            let is_there = committed["partition"]["filename"] == file && committed["offset"]["position"] == text.len();
            is_there.then_some(())
        });
        let values: Vec<_> = kafka.read_topic(&topic).into_iter().map(|message| message.value).collect();
        assert_eq!(values.len(), 2 * (life + 1), "no line is missing or comes twice");
        let mut keys: Vec<_> = kafka.read_topic(&own).into_iter().map(|message| message.key.unwrap()).collect();
        keys.dedup();
        assert_eq!(keys, [format!(r#"["lines",{{"filename":"{file}"}}]"#).into_bytes()]);
        if life == 2 {
            change(&worker, "PUT", "/connectors/lines/stop", None);
            await_state(&worker, "lines", "STOPPED", 0);
        }
        worker.stop();
    }
    let mut worker = ConnectWorker::start(Vendor::Volley, Mode::Distributed, &properties);
    wait_until(SOON, "the offsets are reset", || {
        (worker.ask("DELETE", "/connectors/lines/offsets", None).0 == 200).then_some(())
    });
    worker.stop();
    let worker = ConnectWorker::start(Vendor::Java, Mode::Distributed, &properties);
    assert_eq!(
        worker.ask("GET", "/connectors/lines/offsets", None).1["offsets"],
        json!([]),
        "forgotten in both topics"
    );
}

#[test]
fn a_java_leader_that_writes_in_transactions_is_read_and_can_be_fenced() {
    let kafka = Kafka::shared();
    let mut properties = distributed_properties(kafka, &kafka.unique("exactly-once-group"));
    properties.push(("exactly.once.source.support", "enabled".to_owned()));
    let worker = ConnectWorker::start(Vendor::Java, Mode::Distributed, &properties);
    let topic = kafka.topic("exactly-once", 1);
    let config = json!({"connector.class": "VerifiableSource", "tasks.max": "2", "topic": topic, "throughput": "20"});
    create(&worker, "source", "RUNNING", config);
    await_state(&worker, "source", "RUNNING", 2);
    wait_until(SOON, "offsets are committed", || {
        let (_, offsets) = worker.ask("GET", "/connectors/source/offsets", None);
        (offsets["offsets"].as_array()?.len() == 2).then_some(())
    });
    change(&worker, "PUT", "/connectors/source/stop", None);
    await_state(&worker, "source", "STOPPED", 0);

    let stores = stores_of(&properties);
    let state = stores.configs.snapshot();
    assert_eq!(state.target_state("source"), Some(TargetState::Stopped));
    assert_eq!(state.fenced_task_count("source"), Some(2));
    let mut listed: Vec<_> = stores.offsets.list("source").unwrap();
    listed.sort_by_key(|(partition, _)| partition["id"].as_i64());
    let offsets = worker.ask("GET", "/connectors/source/offsets", None).1["offsets"].clone();
    let ours: Vec<_> =
        listed.into_iter().map(|(partition, offset)| json!({"partition": partition, "offset": offset})).collect();
    let mut theirs = offsets.as_array().unwrap().clone();
    theirs.sort_by_key(|entry| entry["partition"]["id"].as_i64());
    assert_eq!(ours, theirs);

    stores.configs.set_leader(true).unwrap();
    let made = config_map(&[("connector.class", "MockSink"), ("topics", "unused"), ("name", "ours")]);
    stores
        .configs
        .write(&[
            ConfigRecord::TargetState("ours".into(), Some(TargetState::Stopped)),
            ConfigRecord::Connector("ours".into(), Some(made.into())),
        ])
        .unwrap();
    wait_until(SOON, "the Java worker reads it", || {
        (worker.ask("GET", "/connectors", None).1 == json!(["ours", "source"])
            || worker.ask("GET", "/connectors", None).1 == json!(["source", "ours"]))
        .then_some(())
    });
    let body = json!({"connector.class": "MockSink", "topics": "unused", "name": "theirs"});
    let (status, answer) = worker.ask("PUT", "/connectors/theirs/config", Some(&body));
    assert_eq!(status, 500, "the Java leader is fenced: {answer}");
    assert!(answer["message"].as_str().unwrap().contains("can be safely retried"), "{answer}");
    wait_until(SOON, "the Java leader has taken the right back", || {
        (worker.ask("PUT", "/connectors/theirs/config", Some(&body)).0 == 201).then_some(())
    });
    let refused = stores.configs.write(&[ConfigRecord::TaskCount("ours".into(), 1)]).unwrap_err();
    assert!(refused.to_string().contains("can be safely retried"), "{refused}");
    stores.configs.refresh(SOON).unwrap();
    assert!(stores.configs.snapshot().contains("theirs"));
}
