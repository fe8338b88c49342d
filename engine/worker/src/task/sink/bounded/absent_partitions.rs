//! Partitions of a bounded input that the cluster no longer has. Pure: no I/O.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use volley_api::TopicPartition;

/// A partition that was absent for this long does not return: its topic was deleted. Brokers that start or move
/// partitions may miss some for a moment.
const GONE_AFTER: Duration = Duration::from_secs(10);

/// The time since which each partition is absent.
#[derive(Debug, Default)]
pub(crate) struct AbsentPartitions(HashMap<TopicPartition, Instant>);

impl AbsentPartitions {
    /// Compares the `wanted` partitions with those of the cluster. Returns the ones that are gone for good. They count
    /// as absent until they are no longer wanted.
    pub(crate) fn observe(
        &mut self,
        wanted: &[TopicPartition],
        existing: &BTreeSet<TopicPartition>,
        now: Instant,
    ) -> Vec<TopicPartition> {
        self.0.retain(|partition, _| wanted.contains(partition) && !existing.contains(partition));
        let mut gone = Vec::new();
        for partition in wanted.iter().filter(|partition| !existing.contains(*partition)) {
            let since = *self.0.entry(partition.clone()).or_insert(now);
            if now.saturating_duration_since(since) >= GONE_AFTER {
                gone.push(partition.clone());
            }
        }
        gone
    }

    /// Whether the partition was absent when last observed. Its offsets cannot be read then.
    pub(crate) fn contains(&self, partition: &TopicPartition) -> bool {
        self.0.contains_key(partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_absent_without_a_break_is_gone() {
        let [first, second] = [0, 1].map(|number| TopicPartition::new("t", number));
        let wanted = [first.clone(), second.clone()];
        let (all, one) = (BTreeSet::from(wanted.clone()), BTreeSet::from([first.clone()]));
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut absent = AbsentPartitions::default();
        assert!(absent.observe(&wanted, &one, at(0)).is_empty() && absent.contains(&second));
        assert!(absent.observe(&wanted, &all, at(9)).is_empty() && !absent.contains(&second));
        assert!(absent.observe(&wanted, &one, at(11)).is_empty());
        assert!(absent.observe(&wanted, &one, at(20)).is_empty());
        assert_eq!(absent.observe(&wanted, &one, at(21)), std::slice::from_ref(&second));
        assert!(absent.observe(&[first], &one, at(22)).is_empty() && !absent.contains(&second));
    }
}
