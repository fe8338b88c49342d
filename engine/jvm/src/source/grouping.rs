//! Which rows of a poll may share a batch.
//!
//! Rows are grouped by topic, wanted Kafka partition and source partition. Batches are produced in the order of their first
//! rows, so a row may only join its group while no later batch holds rows that have to stay before it: those of its topic
//! whose Kafka partition is the same or not known yet.

use std::collections::HashMap;

/// No wanted partition: the producer chooses.
pub(crate) const ANY_PARTITION: i32 = -1;

/// What the rows of a group have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct GroupKey {
    /// Topic, by number.
    pub(crate) topic: usize,
    /// Wanted Kafka partition.
    pub(crate) wanted: i32,
    /// Source partition, by number.
    pub(crate) source: usize,
}

#[derive(Debug, Default)]
struct TopicOrder {
    latest: Option<usize>,
    latest_of_any: Option<usize>,
    latest_of: HashMap<i32, usize>,
}

/// Gives rows their groups, which are numbered in the order of their first rows.
#[derive(Debug, Default)]
pub(crate) struct Grouping {
    groups: HashMap<GroupKey, usize>,
    topics: HashMap<usize, TopicOrder>,
    count: usize,
}

impl Grouping {
    /// The group that the next row joins; that of [`Grouping::open`] if `None`.
    pub(crate) fn joined(&self, key: &GroupKey) -> Option<usize> {
        let group = *self.groups.get(key)?;
        let topic = self.topics.get(&key.topic)?;
        let may_join = match key.wanted {
            ANY_PARTITION => topic.latest == Some(group),
            wanted => topic.latest_of.get(&wanted) == Some(&group) && topic.latest_of_any.is_none_or(|any| any < group),
        };
        may_join.then_some(group)
    }

    /// Opens a new group for the next row.
    pub(crate) fn open(&mut self, key: GroupKey) -> usize {
        let group = self.count;
        self.count += 1;
        self.groups.insert(key, group);
        let topic = self.topics.entry(key.topic).or_default();
        topic.latest = Some(group);
        match key.wanted {
            ANY_PARTITION => topic.latest_of_any = Some(group),
            wanted => {
                topic.latest_of.insert(wanted, group);
            }
        }
        group
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grouped(keys: &[GroupKey]) -> Vec<usize> {
        let mut grouping = Grouping::default();
        keys.iter().map(|key| grouping.joined(key).unwrap_or_else(|| grouping.open(*key))).collect()
    }

    fn key(topic: usize, wanted: i32, source: usize) -> GroupKey {
        GroupKey { topic, wanted, source }
    }

    #[test]
    fn interleaved_topics_make_one_batch_each() {
        let rows: Vec<_> = (0..10).map(|row| key(row % 2, ANY_PARTITION, 0)).collect();
        assert_eq!(grouped(&rows), [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    }

    #[test]
    fn interleaved_sources_of_one_topic_are_split_but_where_kafka_partitions_differ() {
        let rows = [key(0, ANY_PARTITION, 0), key(0, ANY_PARTITION, 1), key(0, ANY_PARTITION, 0)];
        assert_eq!(grouped(&rows), [0, 1, 2]);
        let rows = [key(0, 0, 0), key(0, 1, 1), key(0, 0, 0), key(0, 1, 1)];
        assert_eq!(grouped(&rows), [0, 1, 0, 1]);
        let rows = [key(0, 0, 0), key(0, ANY_PARTITION, 1), key(0, 0, 0)];
        assert_eq!(grouped(&rows), [0, 1, 2]);
    }

    proptest! {
        /// Law: what may go to the same Kafka partition keeps its order.
        #[test]
        fn no_row_overtakes_another_of_its_kafka_partition(
            rows in prop::collection::vec((0usize..2, -1i32..3, 0usize..3), 0..40)
        ) {
            let rows: Vec<_> = rows.into_iter().map(|(topic, wanted, source)| key(topic, wanted, source)).collect();
            let groups = grouped(&rows);
            for later in 0..rows.len() {
                for earlier in 0..later {
                    let (a, b) = (rows[earlier], rows[later]);
                    let conflict = a.topic == b.topic
                        && (a.wanted == b.wanted || a.wanted == ANY_PARTITION || b.wanted == ANY_PARTITION);
                    prop_assert!(!conflict || groups[earlier] <= groups[later]);
                    prop_assert!(groups[earlier] != groups[later] || a == b);
                }
            }
        }
    }
}
