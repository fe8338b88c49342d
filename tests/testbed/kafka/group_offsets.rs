//! Offsets of a consumer group without members: as its consumers have left them, or as somebody else has set them.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::Kafka;

const ANSWER: Duration = Duration::from_secs(30);

impl Kafka {
    /// Commits an offset and a note for each partition of a topic, from the first on.
    pub(crate) fn commit(&self, group: &str, topic: &str, offsets: &[i64], note: &str) {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in offsets.iter().enumerate() {
            let mut committed = list.add_partition(topic, partition as i32);
            committed.set_offset(Offset::Offset(*offset)).unwrap();
            committed.set_metadata(note);
        }
        self.member_that_never_joins(group).commit(&list, CommitMode::Sync).unwrap();
    }

    /// What is committed for the partitions of a topic; none where nothing is.
    pub(crate) fn committed(&self, group: &str, topic: &str, partitions: i32) -> Vec<Option<i64>> {
        let mut list = TopicPartitionList::new();
        list.add_partition_range(topic, 0, partitions - 1);
        let committed = self.member_that_never_joins(group).committed_offsets(list, ANSWER).unwrap();
        let offset = |partition| match committed.find_partition(topic, partition)?.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        (0..partitions).map(offset).collect()
    }

    fn member_that_never_joins(&self, group: &str) -> BaseConsumer {
        ClientConfig::new()
            .set("bootstrap.servers", self.bootstrap_servers())
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .create()
            .unwrap()
    }
}
