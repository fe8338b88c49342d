//! What MirrorMaker's connectors on one worker carry from one cluster to the other.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use volley_api::RawHeader;
use volley_kafka::{Outgoing, Producer};

use super::internal_records::{Checkpoint, Heartbeat, OffsetSync};
use crate::testbed::{Kafka, Message, Vendor, java_properties, wait_until};
use crate::worker_group::WorkerGroup;

pub(super) const SOON: Duration = Duration::from_secs(180);
pub(super) const PARTITIONS: i32 = 3;
/// Of a test, which writes some before and some after.
const RECORDS: usize = 300;

/// The cluster that is copied from. The workers are at the shared one.
pub(super) fn upstream() -> &'static Kafka {
    static UPSTREAM: OnceLock<Kafka> = OnceLock::new();
    UPSTREAM.get_or_init(Kafka::start)
}

/// Writes records with keys and headers, numbered on from those that are there.
pub(super) fn write(topic: &str) {
    let first = upstream().read_topic(topic).len();
    let mut producer = Producer::connect(&upstream().properties(&[("acks", "all")])).unwrap();
    for number in first..first + RECORDS {
        let (key, value) = ((number % 7).to_string(), number.to_string());
        let headers = [("number", Some(value.clone().into_bytes())), ("none", None)];
        let headers = headers.map(|(name, value)| RawHeader { name: name.into(), value });
        let outgoing = Outgoing {
            topic,
            partition: Some(number as i32 % PARTITIONS),
            timestamp: Some(1_700_000_000_000 + number as i64),
            key: Some(key.as_bytes()),
            value: Some(value.as_bytes()),
            headers: &headers,
        };
        producer.send(&outgoing, number as u64).unwrap();
    }
    producer.flush(SOON).unwrap();
    let delivered = producer.deliveries(Duration::ZERO);
    assert!(delivered.iter().all(|delivery| delivery.result.is_ok()));
    assert_eq!(upstream().read_topic(topic).len(), first + RECORDS);
}

/// The messages of a partition, in order.
pub(super) fn of_partition(messages: &[Message], partition: i32) -> Vec<&Message> {
    messages.iter().filter(|message| message.partition == partition).collect()
}

/// Whether these are the same record, wherever they are.
pub(super) fn is_copy(copy: &Message, original: &Message) -> bool {
    let place = |message: &Message| Message { offset: original.offset, ..message.clone() };
    place(copy) == *original
}

/// The end of each partition.
pub(super) fn ends(topic: &str) -> Vec<i64> {
    let messages = upstream().read_topic(topic);
    let end = |partition| of_partition(&messages, partition).last().map_or(0, |last| last.offset + 1);
    (0..PARTITIONS).map(end).collect()
}

/// A worker and its names for the clusters.
pub(super) struct Flow {
    pub(super) group: WorkerGroup,
    pub(super) from: String,
    to: String,
}

impl Flow {
    /// One without connectors yet.
    pub(super) fn new(vendor: Vendor) -> Self {
        let kafka = Kafka::shared();
        let properties = match vendor {
            Vendor::Volley => java_properties(&["connect-mirror"]),
            Vendor::Java => Vec::new(),
        };
        let given: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let mut group = WorkerGroup::with(kafka, "java-mirror", &given);
        group.add(&[vendor]);
        Self { group, from: kafka.unique("from"), to: kafka.unique("to") }
    }

    /// Puts one of MirrorMaker's connectors; what all of them have in common needs not be given.
    pub(super) fn put(&self, name: &str, class: &str, tasks: usize, more: Value) {
        let mut config = json!({
            "connector.class": format!("org.apache.kafka.connect.mirror.{class}"),
            "tasks.max": tasks.to_string(),
            "source.cluster.alias": self.from,
            "target.cluster.alias": self.to,
            "source.cluster.bootstrap.servers": upstream().bootstrap_servers(),
            "target.cluster.bootstrap.servers": Kafka::shared().bootstrap_servers(),
            "key.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
            "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
            "header.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
            "replication.factor": "1",
            "offset-syncs.topic.replication.factor": "1",
            "checkpoints.topic.replication.factor": "1",
            "heartbeats.topic.replication.factor": "1",
            "sync.topic.acls.enabled": "false",
        });
        let members = config.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        self.group.put(0, name, &config);
        self.group.await_state(name, "RUNNING", tasks);
    }

    /// That of topics; those need not be there yet.
    pub(super) fn put_source(&self, topics: &[&str]) {
        let more = json!({"topics": topics.join(","), "refresh.topics.interval.seconds": "1", "offset.lag.max": "0"});
        self.put("source", "MirrorSourceConnector", 2, more);
    }

    /// That of the places of groups in topics; none of them need be there yet.
    pub(super) fn put_checkpoints(&self, topics: &[&str], groups: &[&str]) {
        let more = json!({
            "topics": topics.join(","),
            "groups": groups.join(","),
            "emit.checkpoints.interval.seconds": "1",
            "refresh.groups.interval.seconds": "1",
            "sync.group.offsets.enabled": "true",
            "sync.group.offsets.interval.seconds": "1",
        });
        self.put("checkpoints", "MirrorCheckpointConnector", 1, more);
    }

    pub(super) fn put_heartbeats(&self) {
        self.put("heartbeats", "MirrorHeartbeatConnector", 1, json!({"emit.heartbeats.interval.seconds": "1"}));
    }

    pub(super) fn copy_of(&self, topic: &str) -> String {
        format!("{}.{topic}", self.from)
    }

    /// The topic of offset syncs, in the cluster that is copied from.
    pub(super) fn sync_messages(&self) -> Vec<Message> {
        messages(upstream(), &format!("mm2-offset-syncs.{}.internal", self.to))
    }

    pub(super) fn syncs(&self) -> Vec<OffsetSync> {
        self.sync_messages().iter().map(OffsetSync::of).collect()
    }

    pub(super) fn checkpoints_of(&self, group: &str, topic: &str) -> Vec<Checkpoint> {
        let (checkpoints, copy) = (format!("{}.checkpoints.internal", self.from), self.copy_of(topic));
        let all = messages(Kafka::shared(), &checkpoints);
        let all = all.iter().map(Checkpoint::of);
        all.filter(|checkpoint| checkpoint.group == group && checkpoint.partition.0 == copy).collect()
    }

    /// Those between its own clusters.
    pub(super) fn heartbeats(&self) -> Vec<Heartbeat> {
        let all = messages(Kafka::shared(), "heartbeats");
        let all = all.iter().map(Heartbeat::of);
        all.filter(|heartbeat| heartbeat.from == self.from && heartbeat.to == self.to).collect()
    }

    /// Waits until the copy has the records of the topic in order, where it has one again only after all before it.
    pub(super) fn await_copy(&self, topic: &str) {
        let wanted = upstream().read_topic(topic);
        wait_until(SOON, "all records are copied in order", || {
            let copied = messages(Kafka::shared(), &self.copy_of(topic));
            let is_copied = |partition: i32| {
                let originals = of_partition(&wanted, partition);
                let mut next = 0;
                for copy in of_partition(&copied, partition) {
                    match originals.iter().position(|original| is_copy(copy, original)) {
                        Some(place) if place <= next => next = next.max(place + 1),
                        place => panic!("{copy:?} is record {place:?}, not {next}"),
                    }
                }
                next == originals.len()
            };
            (0..PARTITIONS).all(is_copied).then_some(())
        });
    }

    /// Waits until the last checkpoints, partition by partition, are of these offsets, or of any where there is none, and the
    /// group's own offsets at the copy are those of the checkpoints; what they are.
    pub(super) fn await_group(&self, group: &str, topic: &str, upstream: &[Option<i64>]) -> Vec<Checkpoint> {
        let deadline = Instant::now() + SOON;
        loop {
            let (checkpoints, copy) = (self.checkpoints_of(group, topic), self.copy_of(topic));
            let last = |partition| checkpoints.iter().rfind(|checkpoint| checkpoint.partition.1 == partition);
            let last: Vec<Checkpoint> = (0..PARTITIONS).filter_map(last).cloned().collect();
            let is_there = |(checkpoint, wanted): (&Checkpoint, &Option<i64>)| {
                wanted.is_none_or(|wanted| checkpoint.upstream == wanted)
            };
            let are_there = last.len() == upstream.len() && last.iter().zip(upstream).all(is_there);
            let committed = Kafka::shared().committed(group, &copy, PARTITIONS);
            if are_there && last.iter().map(|checkpoint| Some(checkpoint.downstream)).eq(committed.iter().copied()) {
                return last;
            }
            assert!(
                Instant::now() < deadline,
                "the group is not at the copy where it is at the source, {upstream:?}: {last:?}, {committed:?}, {:?}",
                self.syncs()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Of a topic that need not be there yet.
pub(super) fn messages(kafka: &Kafka, topic: &str) -> Vec<Message> {
    let exists = kafka.admin().topic(topic).unwrap().is_some();
    if exists { kafka.read_topic(topic) } else { Vec::new() }
}
