//! The stores of a distributed worker on a real broker.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use volley::api::ErrorKind;
use volley::worker::connector_task_id::ConnectorTaskId;
use volley::worker::storage::TaskProgressSnapshot;
use volley::worker::storage::{
    ConfigBackingStore, ConfigRecord, ConfigUpdate, ConnectorOffsetStores, KafkaConfigBackingStore,
    KafkaOffsetBackingStore, KafkaStatusBackingStore, KafkaStores, OffsetBackingStore, RestartRequest, SessionKey,
    State, Status, StatusBackingStore, StatusKey, TargetState, TaskRun, TopicStatus,
};
use volley::worker::worker_config::WorkerConfig;
use volley_api::testing::config_map;

use crate::testbed::{Kafka, wait_until};

#[path = "../engine/worker/src/storage/config/config_conformance.rs"]
mod config_conformance;
#[path = "../engine/worker/src/storage/offset/offset_conformance.rs"]
mod offset_conformance;
#[path = "../engine/worker/src/storage/status/status_conformance.rs"]
mod status_conformance;

use config_conformance::assert_config_store_conforms;
use offset_conformance::assert_offset_store_conforms;
use status_conformance::assert_status_store_conforms;

const SOON: Duration = Duration::from_secs(60);

/// A group of workers of its own.
fn group(kafka: &Kafka, more: &[(&str, &str)]) -> WorkerConfig {
    let group = kafka.unique("group");
    let [configs, offsets, statuses] = ["configs", "offsets", "statuses"].map(|topic| format!("{group}-{topic}"));
    let mut properties = kafka.properties(&[
        ("group.id", &group),
        ("key.converter", "JsonConverter"),
        ("value.converter", "JsonConverter"),
        ("config.storage.topic", &configs),
        ("offset.storage.topic", &offsets),
        ("status.storage.topic", &statuses),
        ("config.storage.replication.factor", "1"),
        ("offset.storage.replication.factor", "1"),
        ("status.storage.replication.factor", "1"),
    ]);
    properties.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    WorkerConfig::distributed(properties).unwrap()
}

type Updates = Arc<Mutex<Vec<ConfigUpdate>>>;

fn open_configs(config: &WorkerConfig) -> (KafkaConfigBackingStore, Updates) {
    let updates = Updates::default();
    let heard = Arc::clone(&updates);
    let listener = Arc::new(move |update| heard.lock().unwrap().push(update));
    (KafkaConfigBackingStore::start(config, listener).unwrap(), updates)
}

fn connector(name: &str) -> ConfigRecord {
    ConfigRecord::Connector(name.to_owned(), Some(config_map(&[("name", name)]).into()))
}

/// Writes raw records to the only partition of a topic.
fn produce(kafka: &Kafka, topic: &str, records: &[(&str, Option<&str>)]) {
    let mut producer = volley_kafka::Producer::connect(&kafka.properties(&[("acks", "all")])).unwrap();
    for (number, (key, value)) in records.iter().enumerate() {
        let outgoing = volley_kafka::Outgoing {
            topic,
            partition: Some(0),
            timestamp: None,
            key: Some(key.as_bytes()),
            value: value.map(str::as_bytes),
            headers: &[],
        };
        producer.send(&outgoing, number as u64).unwrap();
    }
    producer.flush(SOON).unwrap();
    assert!(producer.deliveries(Duration::ZERO).iter().all(|delivery| delivery.result.is_ok()));
}

fn texts(kafka: &Kafka, topic: &str) -> Vec<(String, Option<String>)> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    kafka.read_topic(topic).into_iter().map(|message| (text(message.key.unwrap()), message.value.map(text))).collect()
}

#[test]
fn the_config_store_conforms() {
    assert_config_store_conforms(&open_configs(&group(Kafka::shared(), &[])).0);
}

#[test]
fn the_config_store_of_a_transactional_leader_conforms() {
    for support in ["preparing", "enabled"] {
        let config = group(Kafka::shared(), &[("exactly.once.source.support", support)]);
        assert_config_store_conforms(&open_configs(&config).0);
    }
}

#[test]
fn the_offset_store_conforms() {
    assert_offset_store_conforms(&KafkaOffsetBackingStore::start(&group(Kafka::shared(), &[])).unwrap());
}

#[test]
fn the_offset_store_of_a_connector_with_a_topic_of_its_own_conforms() {
    let kafka = Kafka::shared();
    let config = Arc::new(group(kafka, &[("offset.storage.partitions", "3")]));
    let worker = Arc::new(KafkaOffsetBackingStore::start(&config).unwrap());
    let stores = ConnectorOffsetStores::new(Arc::clone(&config), worker);
    let topic = kafka.unique("own-offsets");
    assert_offset_store_conforms(&*stores.of("c", &config_map(&[("offsets.storage.topic", &topic)])).unwrap());
    assert_eq!(kafka.admin().topic(&topic).unwrap().unwrap().partitions, 3, "made as the worker's is");
}

#[test]
fn the_status_store_conforms() {
    let store = KafkaStatusBackingStore::start(&group(Kafka::shared(), &[])).unwrap();
    let settle = || {
        store.flush(SOON);
        store.refresh(SOON).unwrap();
    };
    assert_status_store_conforms(&store, &settle);
}

/// What each worker writes the others are told of, once and in order; what was there before is not news.
#[test]
fn stores_on_one_topic_see_each_other_s_writes_and_are_told_only_what_is_new() {
    let config = group(Kafka::shared(), &[]);
    let (first, heard_by_first) = open_configs(&config);
    first.write(&[connector("a")]).unwrap();
    let restart = RestartRequest { connector: "a".into(), only_failed: false, include_tasks: true };
    first.write(&[ConfigRecord::Restart(restart.clone())]).unwrap();

    let (second, heard_by_second) = open_configs(&config);
    assert_eq!(second.snapshot(), first.snapshot());
    assert_eq!(*heard_by_second.lock().unwrap(), [], "a restart that was asked for before is not carried out again");
    second.write(&ConfigRecord::tasks("a", &[config_map(&[("t", "0")])])).unwrap();
    second
        .write(&[ConfigRecord::LoggerLevel("x".into(), "DEBUG".into()), ConfigRecord::Restart(restart.clone())])
        .unwrap();
    second.write(&[ConfigRecord::Connector("a".into(), None), ConfigRecord::TargetState("a".into(), None)]).unwrap();
    first.refresh(SOON).unwrap();
    assert_eq!(first.snapshot(), second.snapshot());
    let news = [
        ConfigUpdate::TasksUpdated("a".into()),
        ConfigUpdate::LoggerLevel("x".into(), "DEBUG".into()),
        ConfigUpdate::RestartRequested(restart.clone()),
        ConfigUpdate::ConnectorRemoved("a".into()),
    ];
    assert_eq!(*heard_by_second.lock().unwrap(), news);
    let before = [ConfigUpdate::ConnectorUpdated("a".into()), ConfigUpdate::RestartRequested(restart)];
    assert_eq!(*heard_by_first.lock().unwrap(), before.into_iter().chain(news).collect::<Vec<_>>());
}

#[test]
fn a_commit_is_written_after_what_it_commits() {
    let kafka = Kafka::shared();
    let config = group(kafka, &[]);
    let (store, _) = open_configs(&config);
    store.write(&[connector("a")]).unwrap();
    store.write(&ConfigRecord::tasks("a", &[config_map(&[("t", "0")]), config_map(&[("t", "1")])])).unwrap();
    let keys: Vec<_> = texts(kafka, &config.config_topic().name).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["connector-a", "task-a-0", "task-a-1", "commit-a"]);
}

/// Compaction may take task records and leave their commit; other versions write what this one does not know.
#[test]
fn what_cannot_be_understood_moves_the_position_and_nothing_else() {
    let kafka = Kafka::shared();
    let config = group(kafka, &[]);
    let topic = config.config_topic().name;
    kafka.create_topic(&topic, 1, &[("cleanup.policy", "compact")]);
    produce(
        kafka,
        &topic,
        &[
            ("connector-whole", Some(r#"{"properties":{"name":"whole","null":null}}"#)),
            ("connector-torn", Some(r#"{"properties":{"name":"torn"}}"#)),
            ("task-whole-0", Some(r#"{"properties":{"t":"0"}}"#)),
            ("commit-whole", Some(r#"{"tasks":1}"#)),
            ("task-torn-1", Some(r#"{"properties":{"t":"1"}}"#)),
            ("commit-torn", Some(r#"{"tasks":2}"#)),
            ("commit-deleted", Some(r#"{"tasks":2}"#)),
            ("target-state-torn", Some(r#"{"state":"PAUSED"}"#)),
            ("target-state-whole", Some(r#"{"state":"DANCING","state.v2":"DANCING"}"#)),
            ("from-the-future", Some(r#"{"a":[1,2]}"#)),
            ("connector-whole", Some(r#"["no","object"]"#)),
            ("tasks-fencing-whole", Some(r#"{"task-count":1}"#)),
        ],
    );
    let (store, _) = open_configs(&config);
    let state = store.snapshot();
    assert_eq!(state.offset(), 12);
    assert_eq!(state.connectors().collect::<Vec<_>>(), ["torn", "whole"]);
    assert_eq!(state.inconsistent_connectors().collect::<Vec<_>>(), ["torn"]);
    assert_eq!((state.task_configs("torn").len(), state.task_count("torn")), (0, 2));
    assert_eq!((state.task_configs("whole").len(), state.task_config_generation("whole")), (1, Some(0)));
    assert_eq!(state.connector_config("whole"), Some(&config_map(&[("name", "whole")])));
    assert_eq!(state.target_state("torn"), Some(TargetState::Paused), "as old versions write it");
    assert_eq!(state.target_state("whole"), Some(TargetState::Started));
    assert_eq!(state.fenced_task_count("whole"), Some(1));
    // bytes that are no JSON are skipped, as in Kafka Connect without moving the position
    produce(kafka, &topic, &[("connector-whole", Some("{"))]);
    store.refresh(SOON).unwrap();
    assert_eq!(store.snapshot().offset(), 12);
    store.write(&ConfigRecord::tasks("torn", &[config_map(&[])])).unwrap();
    assert_eq!(store.snapshot().inconsistent_connectors().count(), 0, "a good commit mends it");
}

#[test]
fn topics_are_made_compacted_and_as_configured() {
    let kafka = Kafka::shared();
    let config = group(
        kafka,
        &[
            ("offset.storage.partitions", "7"),
            ("status.storage.partitions", "-1"),
            ("status.storage.replication.factor", "-1"),
            ("status.storage.segment.bytes", "1048576"),
            ("config.storage.partitions", "9"),
            ("config.storage.cleanup.policy", "delete"),
        ],
    );
    let started = Instant::now();
    let stores = KafkaStores::start(&config, Arc::new(|_| {})).unwrap();
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let admin = kafka.admin();
    for (topic, partitions) in [(config.config_topic(), 1), (config.offset_topic(), 7), (config.status_topic(), 1)] {
        assert_eq!(admin.topic(&topic.name).unwrap().unwrap().partitions, partitions, "{}", topic.name);
        assert_eq!(admin.topic_config(&topic.name).unwrap()["cleanup.policy"], "compact");
    }
    assert_eq!(admin.topic_config(&config.status_topic().name).unwrap()["segment.bytes"], "1048576");
    drop(stores);
}

/// Kafka Connect says the same, a minute later.
#[test]
fn topics_that_are_not_fit_fail_the_start_at_once_and_say_why() {
    let kafka = Kafka::shared();
    let refusal = |config: &WorkerConfig| {
        let started = Instant::now();
        let error = KafkaStores::start(config, Arc::new(|_| {})).unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string()
    };
    let config = group(kafka, &[]);
    let topic = config.config_topic().name;
    kafka.create_topic(&topic, 2, &[("cleanup.policy", "compact")]);
    assert_eq!(
        refusal(&config),
        format!(
            "Topic '{topic}' supplied via the 'config.storage.topic' property is required to have a single partition in \
             order to guarantee consistency of connector configurations, but found 2 partitions."
        )
    );
    for (policy, purpose, key) in [
        ("delete", "connector and task statuses", "status.storage.topic"),
        ("compact,delete", "source connector offsets", "offset.storage.topic"),
        ("delete", "connector configurations", "config.storage.topic"),
    ] {
        let config = group(kafka, &[]);
        let topic = config.parsed().string(key).unwrap();
        kafka.create_topic(topic, 1, &[("cleanup.policy", policy)]);
        assert_eq!(
            refusal(&config),
            format!(
                "Topic '{topic}' supplied via the '{key}' property is required to have 'cleanup.policy=compact' to \
                 guarantee consistency and durability of {purpose}, but found the topic currently has \
                 'cleanup.policy={policy}'. Continuing would likely result in eventually losing {purpose} and problems \
                 restarting this Connect cluster in the future. Change the '{key}' property in the Connect worker \
                 configurations to use a topic with 'cleanup.policy=compact'."
            )
        );
    }
    let too_many = group(kafka, &[("status.storage.replication.factor", "3"), ("default.api.timeout.ms", "1500")]);
    let refusal = refusal(&too_many);
    assert!(refusal.contains("status.storage.replication.factor"), "{refusal}");
}

#[test]
fn a_worker_that_may_not_create_or_describe_topics_uses_those_that_are_there() {
    let kafka = Kafka::start_with(&[
        ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
        ("super.users", "User:ANONYMOUS"),
    ]);
    let login = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" \
                 password=\"alice-secret\";";
    let config = group(
        &kafka,
        &[
            ("bootstrap.servers", &kafka.sasl_bootstrap_servers()),
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.jaas.config", login),
        ],
    );
    for topic in [config.config_topic(), config.offset_topic(), config.status_topic()] {
        kafka.create_topic(&topic.name, 1, &[("cleanup.policy", "compact")]);
    }
    let records = ["--operation", "Read", "--operation", "Write", "--operation", "Describe"];
    let group = config.group_id();
    kafka.allow("User:alice", &[&records[..], &["--topic", group, "--resource-pattern-type", "prefixed"]].concat());
    kafka.allow("User:alice", &["--operation", "Read", "--group", group]);

    let stores = KafkaStores::start(&config, Arc::new(|_| {})).unwrap();
    stores.configs.write(&[connector("a")]).unwrap();
    assert!(stores.configs.snapshot().contains("a"));
    let entry = (json!({"p": 1}).as_object().unwrap().clone(), json!({"o": 1}).as_object().cloned());
    stores.offsets.set("a", std::slice::from_ref(&entry)).unwrap();
    assert_eq!(stores.offsets.get("a", &entry.0).unwrap(), entry.1);
    let key = StatusKey::Connector("a".into());
    stores.statuses.put(key.clone(), Some(status(State::Running, 1)));
    stores.statuses.flush(SOON);
    stores.statuses.refresh(SOON).unwrap();
    assert!(stores.statuses.get(&key).is_some());
}

#[test]
fn the_new_leader_fences_the_old_one_until_that_leads_again() {
    let config = group(Kafka::shared(), &[("exactly.once.source.support", "enabled")]);
    let (old, _) = open_configs(&config);
    let (new, _) = open_configs(&config);
    let refused = old.write(&[connector("a")]).unwrap_err();
    assert!(refused.trace().contains("without claiming write privileges"), "{}", refused.trace());
    old.set_leader(true).unwrap();
    old.write(&[connector("a")]).unwrap();
    new.set_leader(true).unwrap();
    let fenced = old.write(&[connector("b")]).unwrap_err();
    assert_eq!(
        fenced.to_string(),
        "Failed to write to config topic; this may be due to a transient error and the request can be safely retried"
    );
    new.write(&[connector("c")]).unwrap();
    old.refresh(SOON).unwrap();
    assert_eq!(old.snapshot().connectors().collect::<Vec<_>>(), ["a", "c"], "nothing of the zombie is seen");
    old.write(&[ConfigRecord::TargetState("a".into(), Some(TargetState::Paused))]).unwrap();
    old.set_leader(true).unwrap();
    old.write(&[connector("d")]).unwrap();
    assert!(new.write(&[connector("e")]).is_err(), "the right has gone back");
    old.set_leader(false).unwrap();
    new.write(&[connector("e")]).unwrap();
    old.refresh(SOON).unwrap();
    assert_eq!(old.snapshot().connectors().collect::<Vec<_>>(), ["a", "c", "d", "e"]);
}

fn status(state: State, generation: i32) -> Status {
    Status { state, trace: None, worker_id: "w:1".into(), generation, version: Some("1".into()) }
}

#[test]
fn the_topics_of_a_connector_are_written_once_however_many_records_say_so() {
    let kafka = Kafka::shared();
    let config = group(kafka, &[]);
    let store = KafkaStatusBackingStore::start(&config).unwrap();
    std::thread::scope(|scope| {
        for task in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for timestamp in 0..500 {
                    let task = ConnectorTaskId { connector: "c".into(), task };
                    store.put_topic(TopicStatus { topic: "t".into(), task, discover_timestamp: timestamp });
                }
            });
        }
    });
    store.flush(SOON);
    let records = texts(kafka, &config.status_topic().name);
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].0, "status-topic-t:connector-c");
}

#[test]
fn statuses_are_written_in_order_and_each_of_them() {
    let kafka = Kafka::shared();
    let config = group(kafka, &[("status.storage.partitions", "1")]);
    let store = KafkaStatusBackingStore::start(&config).unwrap();
    let changes = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&changes);
    store.on_change(Arc::new(move || *counted.lock().unwrap() += 1));
    let key = StatusKey::Connector("c".into());
    for (generation, state) in [State::Restarting, State::Unassigned, State::Running].into_iter().enumerate() {
        store.put(key.clone(), Some(status(state, generation as i32)));
    }
    wait_until(SOON, "the last status shows", || {
        store.get(&key).is_some_and(|status| status.state == State::Running).then_some(())
    });
    let values: Vec<_> =
        texts(kafka, &config.status_topic().name).into_iter().map(|(_, value)| value.unwrap()).collect();
    let expected = |state: &str, generation| {
        format!(r#"{{"state":"{state}","trace":null,"worker_id":"w:1","generation":{generation},"version":"1"}}"#)
    };
    assert_eq!(values, [expected("RESTARTING", 0), expected("UNASSIGNED", 1), expected("RUNNING", 2)]);
    assert_eq!(*changes.lock().unwrap(), 3);
}

#[test]
fn all_stores_sit_out_an_outage_and_lose_nothing() {
    let mut kafka = Kafka::start();
    let config = group(&kafka, &[("default.api.timeout.ms", "60000")]);
    let KafkaStores { offsets, statuses, configs } = KafkaStores::start(&config, Arc::new(|_| {})).unwrap();
    configs.write(&[connector("before")]).unwrap();
    let key = StatusKey::Connector("before".into());
    let entry = (json!({"p": 1}).as_object().unwrap().clone(), json!({"o": 1}).as_object().cloned());
    kafka.stop();
    statuses.put(key.clone(), Some(status(State::Failed, 1)));
    statuses.put(key.clone(), Some(status(State::Running, 2)));
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| configs.write(&[connector("during")]));
        let storing = scope.spawn(|| offsets.set("c", std::slice::from_ref(&entry)));
        let reading = scope.spawn(|| offsets.get("c", &entry.0));
        kafka.restart();
        writing.join().unwrap().unwrap();
        storing.join().unwrap().unwrap();
        reading.join().unwrap().unwrap();
    });
    assert_eq!(configs.snapshot().connectors().collect::<Vec<_>>(), ["before", "during"]);
    assert_eq!(offsets.get("c", &entry.0).unwrap(), entry.1);
    wait_until(SOON, "the last status shows", || {
        statuses.get(&key).is_some_and(|status| status.state == State::Running).then_some(())
    });
    statuses.stop();
}

/// Java compares keys byte by byte: a key that is there already is used again, whatever the order of its members.
#[test]
fn keys_of_partitions_with_several_members_are_kept_as_they_were_first_written() {
    let kafka = Kafka::shared();
    let config = group(kafka, &[("offset.storage.partitions", "1")]);
    let topic = config.offset_topic().name;
    kafka.create_topic(&topic, 1, &[("cleanup.policy", "compact")]);
    let java_key = r#"["jdbc",{"table":"käse","database":"x","shard":1.0E10,"none":null}]"#;
    produce(kafka, &topic, &[(java_key, Some(r#"{"id":7}"#)), (r#"["jdbc",null]"#, Some(r#"{"id":1}"#))]);
    let store = KafkaOffsetBackingStore::start(&config).unwrap();
    let partition = json!({"database": "x", "none": null, "shard": 1e10, "table": "käse"}).as_object().unwrap().clone();
    assert_eq!(store.get("jdbc", &partition).unwrap(), json!({"id": 7}).as_object().cloned());
    assert_eq!(store.list("jdbc").unwrap().len(), 1, "a partition that is null is not listed");
    store.set("jdbc", &[(partition, json!({"id": 8, "at": 1.5}).as_object().cloned())]).unwrap();
    let last = texts(kafka, &topic).pop().unwrap();
    assert_eq!(last, (java_key.to_owned(), Some(r#"{"id":8,"at":1.5}"#.to_owned())));
}

#[test]
fn a_connector_s_own_offsets_come_first_and_forgotten_ones_stay_forgotten() {
    let kafka = Kafka::shared();
    let config = Arc::new(group(kafka, &[("offset.storage.partitions", "1")]));
    let worker = Arc::new(KafkaOffsetBackingStore::start(&config).unwrap());
    let entry = |partition: u8, offset: Option<u8>| {
        let offset = offset.map(|offset| json!({ "o": offset }).as_object().unwrap().clone());
        (json!({ "p": partition }).as_object().unwrap().clone(), offset)
    };
    worker.set("c", &[entry(1, Some(1)), entry(2, Some(1))]).unwrap();
    let stores = ConnectorOffsetStores::new(Arc::clone(&config), Arc::clone(&worker) as _);
    let topic = kafka.unique("own-offsets");
    let connector = config_map(&[("offsets.storage.topic", &topic)]);
    let own = stores.of("c", &connector).unwrap();
    assert!(Arc::ptr_eq(&own, &stores.of("c", &connector).unwrap()), "tasks share one");
    own.set("c", &[entry(1, Some(2))]).unwrap();
    assert_eq!(own.get("c", &entry(1, None).0).unwrap(), entry(1, Some(2)).1);
    assert_eq!(own.get("c", &entry(2, None).0).unwrap(), entry(2, Some(1)).1, "where the connector was before");
    wait_until(SOON, "the worker has a copy", || {
        (worker.get("c", &entry(1, None).0).unwrap() == entry(1, Some(2)).1).then_some(())
    });
    own.set("c", &[entry(1, None), entry(2, None)]).unwrap();
    assert_eq!((own.list("c").unwrap(), worker.list("c").unwrap()), (vec![], vec![]));
    let written: Vec<_> = texts(kafka, &topic).into_iter().map(|(_, value)| value).collect();
    assert_eq!(written.iter().filter(|value| value.is_none()).count(), 2, "{written:?}");

    // closed when nobody uses it any more, opened again for the next
    own.set("c", &[entry(3, Some(3))]).unwrap();
    drop(own);
    let again = stores.of("c", &connector).unwrap();
    assert_eq!(again.get("c", &entry(3, None).0).unwrap(), entry(3, Some(3)).1);
}
