//! The stores of a distributed worker on a real broker.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use volley::worker::storage::{
    ConfigBackingStore, ConfigRecord, ConfigUpdate, KafkaConfigBackingStore, KafkaOffsetBackingStore,
    KafkaStatusBackingStore, OffsetBackingStore, RestartRequest, SessionKey, State, Status, StatusBackingStore,
    StatusKey, TargetState, TopicStatus,
};
use volley::worker::task::ConnectorTaskId;
use volley::worker::worker_config::WorkerConfig;

use crate::testbed::Kafka;

#[path = "../engine/worker/src/storage/config_conformance.rs"]
mod config_conformance;
#[path = "../engine/worker/src/storage/offset_conformance.rs"]
mod offset_conformance;
#[path = "../engine/worker/src/storage/status_conformance.rs"]
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
    let store =
        KafkaConfigBackingStore::start(config, Arc::new(move |update| heard.lock().unwrap().push(update))).unwrap();
    (store, updates)
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
fn the_status_store_conforms() {
    let store = KafkaStatusBackingStore::start(&group(Kafka::shared(), &[])).unwrap();
    let settle = || {
        store.flush(SOON);
        store.refresh(SOON).unwrap();
    };
    assert_status_store_conforms(&store, &settle);
}
