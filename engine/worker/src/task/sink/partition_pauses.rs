//! The partitions that a sink task has paused.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use volley_api::TopicPartition;

/// Set by the put stage, carried out by the fetch stage. Holds assigned partitions only: what is revoked or lost is forgotten,
/// so that a partition which is assigned anew is not paused.
#[derive(Debug, Default)]
pub(crate) struct PartitionPauses(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    paused: BTreeSet<TopicPartition>,
    has_changed: bool,
}

impl PartitionPauses {
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Pauses or resumes a partition; whether that is a change.
    pub(crate) fn set(&self, partition: &TopicPartition, paused: bool) -> bool {
        self.change(|state| {
            let is_change = match paused {
                true => state.paused.insert(partition.clone()),
                false => state.paused.remove(partition),
            };
            state.has_changed |= is_change;
            is_change
        })
    }

    /// These partitions are not assigned any more.
    pub(crate) fn forget(&self, partitions: &[TopicPartition]) {
        self.change(|state| {
            let before = state.paused.len();
            state.paused.retain(|partition| !partitions.contains(partition));
            state.has_changed |= state.paused.len() != before;
        });
    }

    /// Whether the partition is paused.
    pub(crate) fn contains(&self, partition: &TopicPartition) -> bool {
        self.change(|state| state.paused.contains(partition))
    }

    /// All paused partitions, if they are others than at the last call.
    pub(crate) fn take_changed(&self) -> Option<BTreeSet<TopicPartition>> {
        self.change(|state| std::mem::take(&mut state.has_changed).then(|| state.paused.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_that_goes_away_is_not_paused_when_it_comes_back() {
        let [first, second] = [0, 1].map(|number| TopicPartition::new("t", number));
        let pauses = PartitionPauses::default();
        assert_eq!(pauses.take_changed(), None);
        assert!(pauses.set(&first, true) && pauses.set(&second, true) && !pauses.set(&second, true));
        assert_eq!(pauses.take_changed(), Some(BTreeSet::from([first.clone(), second.clone()])));
        assert_eq!(pauses.take_changed(), None);
        pauses.forget(std::slice::from_ref(&first));
        assert!(!pauses.contains(&first) && pauses.contains(&second));
        assert_eq!(pauses.take_changed(), Some(BTreeSet::from([second.clone()])));
        assert!(pauses.set(&second, false) && !pauses.set(&first, false));
        assert_eq!(pauses.take_changed(), Some(BTreeSet::new()));
    }
}
