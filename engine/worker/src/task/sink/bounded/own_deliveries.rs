//! The deliveries of a bounded sink task itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use volley_api::TopicPartition;

/// The partitions that the put stage of a bounded task has delivered up to their ends, each with its generation at that
/// time.
///
/// A delivery in [`BoundedRun`](crate::task::BoundedRun) does not count for a partition that this task owns. Other
/// tasks judge by the committed offset, or by the offsets that the log still has, and this task may hold more records.
#[derive(Debug, Default)]
pub(crate) struct OwnDeliveries(Mutex<HashMap<TopicPartition, u64>>);

impl OwnDeliveries {
    /// Notes that these partitions are delivered.
    pub(crate) fn note(&self, partitions: impl IntoIterator<Item = (TopicPartition, u64)>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(partitions);
    }

    /// Whether all of `partitions` are delivered in their current generation.
    pub(crate) fn include(&self, partitions: &[TopicPartition], generations: &HashMap<TopicPartition, u64>) -> bool {
        let delivered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        partitions.iter().all(|partition| {
            delivered.get(partition).is_some_and(|generation| generations.get(partition) == Some(generation))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_that_came_anew_or_is_read_again_has_to_be_delivered_again() {
        let partition = TopicPartition::new("t", 0);
        let generation = |number| HashMap::from([(partition.clone(), number)]);
        let deliveries = OwnDeliveries::default();
        let assigned = [partition.clone()];
        assert!(!deliveries.include(&assigned, &generation(1)));
        deliveries.note([(partition.clone(), 1)]);
        assert!(deliveries.include(&assigned, &generation(1)));
        assert!(!deliveries.include(&assigned, &generation(2)));
        assert!(deliveries.include(&[], &generation(2)), "nothing assigned, nothing to deliver");
    }
}
