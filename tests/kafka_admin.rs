//! The admin client against a real broker.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use volley_api::{ErrorKind, Offsets, TopicPartition};
use volley_kafka::{Admin, FetchSettings, Fetcher, NewTopic, TopicDescription, TopicSelection};

use crate::testbed::{Kafka, Rebalances, properties, wait_until};

const SOON: Duration = Duration::from_secs(30);

fn new_topic(name: &str, partitions: i32) -> NewTopic {
    NewTopic { name: name.to_owned(), partitions, replication_factor: 1, configs: BTreeMap::new() }
}

#[test]
fn a_topic_is_created_once_described_and_deleted() {
    let kafka = Kafka::shared();
    let admin = kafka.admin();
    let name = kafka.unique("created");
    assert_eq!(admin.topic(&name).unwrap(), None);
    let mut topic = new_topic(&name, 3);
    topic.configs.insert("cleanup.policy".to_owned(), "compact".to_owned());
    assert!(admin.create_topic(&topic).unwrap());
    assert!(!admin.create_topic(&topic).unwrap());
    let description = wait_until(SOON, "the topic is visible", || admin.topic(&name).unwrap());
    let id = description.id.clone();
    assert!(!id.is_empty());
    assert_eq!(description, TopicDescription { id: id.clone(), partitions: 3, internal: false });
    assert_eq!(admin.topics().unwrap()[&name], description);
    assert_eq!(admin.topic_config(&name).unwrap()["cleanup.policy"], "compact");
    assert!(admin.delete_topic(&name).unwrap());
    wait_until(SOON, "the topic is gone", || admin.topic(&name).unwrap().is_none().then_some(()));
    assert!(!admin.delete_topic(&name).unwrap());
    assert!(admin.create_topic(&topic).unwrap());
    let again = wait_until(SOON, "the topic is there again", || admin.topic(&name).unwrap());
    assert_ne!(again.id, id, "a topic that is made again is another one");
}

#[test]
fn defaults_of_the_broker_apply_where_asked_for() {
    let kafka = Kafka::shared();
    let admin = kafka.admin();
    let name = kafka.unique("defaults");
    let topic = NewTopic { name: name.clone(), partitions: -1, replication_factor: -1, configs: BTreeMap::new() };
    assert!(admin.create_topic(&topic).unwrap());
    wait_until(SOON, "the topic is visible", || admin.topic(&name).unwrap().filter(|found| found.partitions == 1));
}

#[test]
fn what_the_cluster_refuses_is_a_config_error() {
    let kafka = Kafka::shared();
    let admin = kafka.admin();
    let mut topic = new_topic(&kafka.unique("refused"), 1);
    topic.replication_factor = 3;
    assert_eq!(admin.create_topic(&topic).unwrap_err().kind(), ErrorKind::Config);
    let error = admin.create_topic(&new_topic("no/such name", 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("no/such name"), "{error}");
    assert_eq!(admin.create_topic(&new_topic("nul\0name", 1)).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn the_cluster_has_an_id() {
    assert_eq!(Kafka::shared().admin().cluster_id().unwrap(), "4L6g3nShT-eMCtK--X86sw");
}

#[test]
fn an_unreachable_cluster_is_retriable_and_named() {
    let given = properties(&[("bootstrap.servers", "127.0.0.1:1"), ("default.api.timeout.ms", "500")]);
    let admin = Admin::connect(&given).unwrap();
    for error in [admin.cluster_id().unwrap_err(), admin.create_topic(&new_topic("t", 1)).unwrap_err()] {
        assert!(error.is_retriable(), "{error:?}");
    }
    let trace = wait_until(SOON, "the outage is known", || {
        let trace = admin.topics().unwrap_err().trace();
        trace.contains("127.0.0.1:1").then_some(trace)
    });
    assert!(trace.contains("list topics"), "{trace}");
}

#[test]
fn offsets_of_an_idle_group_can_be_read_set_removed_and_deleted() {
    let kafka = Kafka::shared();
    let admin = kafka.admin();
    let topic = kafka.topic("offsets", 3);
    let group = kafka.unique("group");
    let partition = |n| TopicPartition::new(topic.as_str(), n);
    assert_eq!(admin.group_offsets(&group).unwrap(), Offsets::new());
    let offsets = Offsets::from([(partition(0), 5), (partition(2), 7)]);
    admin.alter_group_offsets(&group, &offsets).unwrap();
    assert_eq!(admin.group_offsets(&group).unwrap(), offsets);
    admin.alter_group_offsets(&group, &Offsets::from([(partition(0), 1)])).unwrap();
    admin.remove_group_offsets(&group, &[partition(2), partition(1)]).unwrap();
    assert_eq!(admin.group_offsets(&group).unwrap(), Offsets::from([(partition(0), 1)]));
    let error = admin.remove_group_offsets(&group, &[partition(9)]).unwrap_err();
    assert!(!error.is_retriable() && error.to_string().contains(&group), "{error:?}");
    admin.remove_group_offsets(&kafka.unique("group"), &[partition(0)]).unwrap();
    assert!(admin.delete_group(&group).unwrap());
    assert!(!admin.delete_group(&group).unwrap());
    assert_eq!(admin.group_offsets(&group).unwrap(), Offsets::new());
}

#[test]
fn offsets_of_a_group_with_members_are_not_to_be_touched() {
    let kafka = Kafka::shared();
    let admin = kafka.admin();
    let topic = kafka.topic("busy", 1);
    let group = kafka.unique("group");
    let listener = Rebalances::new();
    let settings = FetchSettings {
        topics: TopicSelection::Topics(vec![topic.clone()]),
        max_rows: 1,
        max_bytes: 1,
        linger: Duration::ZERO,
    };
    let given = kafka.properties(&[("group.id", &group)]);
    let mut fetcher = Fetcher::connect(&given, settings, Arc::clone(&listener) as _).unwrap();
    wait_until(SOON, "the group has a member", || {
        fetcher.poll(Duration::from_millis(50)).unwrap();
        (!listener.owned().is_empty()).then_some(())
    });
    let offsets = Offsets::from([(TopicPartition::new(topic.as_str(), 0), 5)]);
    assert!(admin.alter_group_offsets(&group, &offsets).unwrap_err().is_retriable());
    let removed = admin.remove_group_offsets(&group, &[TopicPartition::new(topic.as_str(), 0)]).unwrap_err();
    assert!(removed.is_retriable() && removed.to_string().contains("members"), "{removed:?}");
    assert!(admin.delete_group(&group).unwrap_err().is_retriable());
    fetcher.close();
    wait_until(SOON, "the group is free again", || admin.alter_group_offsets(&group, &offsets).ok());
    assert_eq!(admin.group_offsets(&group).unwrap(), offsets);
}
