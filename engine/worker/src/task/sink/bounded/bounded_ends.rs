//! The end offsets of a bounded sink connector, and the partitions that are delivered.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use volley_api::{Offsets, Result, TopicPartition};

/// The end offset of each partition when the connector started, and the partitions that are delivered up to there.
///
/// Shared by all tasks of one start of a connector. A partition that moves between tasks keeps its end. No task ends
/// before all partitions are delivered, including those that no task owns during a rebalance.
#[derive(Debug, Default)]
pub struct BoundedEnds(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    ends: Option<Arc<Offsets>>,
    delivered: BTreeSet<TopicPartition>,
}

impl BoundedEnds {
    /// With these ends, which were read before.
    pub(crate) fn with(ends: Offsets) -> Self {
        Self(Mutex::new(State { ends: Some(Arc::new(ends)), delivered: BTreeSet::new() }))
    }

    /// The ends of all partitions: those of `subscribed` at the first call, and any others of `assigned`. Unknown ends
    /// are read through `end_offsets` and kept.
    ///
    /// # Errors
    /// Those of `subscribed` and `end_offsets`; nothing is kept then.
    pub(crate) fn including(
        &self,
        assigned: &[TopicPartition],
        subscribed: impl FnOnce() -> Result<Vec<TopicPartition>>,
        end_offsets: impl FnOnce(&[TopicPartition]) -> Result<Offsets>,
    ) -> Result<Arc<Offsets>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, mut wanted) = match &state.ends {
            Some(ends) if assigned.iter().all(|partition| ends.contains_key(partition)) => return Ok(Arc::clone(ends)),
            Some(ends) => (Offsets::clone(ends), BTreeSet::new()),
            None => (Offsets::new(), subscribed()?.into_iter().collect()),
        };
        wanted.extend(assigned.iter().filter(|partition| !known.contains_key(*partition)).cloned());
        let mut ends = end_offsets(&Vec::from_iter(wanted))?;
        ends.extend(known);
        Ok(Arc::clone(state.ends.insert(Arc::new(ends))))
    }

    /// Notes that these partitions are delivered up to their ends, and committed.
    pub(crate) fn deliver(&self, partitions: impl IntoIterator<Item = TopicPartition>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).delivered.extend(partitions);
    }

    /// The partitions that no task has reported as delivered, with their ends.
    pub(crate) fn undelivered(&self) -> Offsets {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = state.ends.iter().flat_map(|ends| ends.iter());
        ends.filter(|(partition, _)| !state.delivered.contains(*partition))
            .map(|(partition, end)| (partition.clone(), *end))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use volley_api::Error;

    use super::*;

    fn partitions(numbers: &[i32]) -> Vec<TopicPartition> {
        numbers.iter().map(|number| TopicPartition::new("t", *number)).collect()
    }

    fn ends(numbers: &[i32], end: i64) -> Offsets {
        partitions(numbers).into_iter().map(|partition| (partition, end)).collect()
    }

    #[test]
    fn a_partition_keeps_the_end_that_was_found_first() {
        let bounded = BoundedEnds::default();
        let first = bounded.including(
            &[],
            || Ok(partitions(&[0, 1])),
            |asked| {
                assert_eq!(asked, partitions(&[0, 1]));
                Ok(ends(&[0, 1], 10))
            },
        );
        assert_eq!(*first.unwrap(), ends(&[0, 1], 10));
        let known = bounded.including(&partitions(&[1]), || panic!("known"), |_| panic!("known"));
        assert_eq!(*known.unwrap(), ends(&[0, 1], 10));
        let more = bounded.including(
            &partitions(&[1, 2]),
            || panic!("known"),
            |asked| {
                assert_eq!(asked, partitions(&[2]));
                Ok(ends(&[2], 20))
            },
        );
        assert_eq!(more.unwrap()[&TopicPartition::new("t", 1)], 10);
        assert_eq!(bounded.undelivered().len(), 3);
    }

    #[test]
    fn ends_taken_before_hold_and_others_are_found() {
        let bounded = BoundedEnds::with(ends(&[0], 10));
        assert_eq!(*bounded.including(&[], || panic!("known"), |_| panic!("known")).unwrap(), ends(&[0], 10));
        bounded.including(&partitions(&[0, 1]), || panic!("known"), |_| Ok(ends(&[1], 20))).unwrap();
        assert_eq!(bounded.undelivered().len(), 2);
    }

    #[test]
    fn a_broker_that_cannot_be_asked_is_asked_again() {
        let bounded = BoundedEnds::default();
        let away = || Error::retriable("away");
        assert!(bounded.including(&[], || Err(away()), |_| Ok(Offsets::new())).is_err());
        assert!(bounded.including(&[], || Ok(partitions(&[0])), |_| Err(away())).is_err());
        bounded.including(&[], || Ok(partitions(&[0])), |_| Ok(ends(&[0], 5))).unwrap();
        assert_eq!(bounded.undelivered(), ends(&[0], 5));
    }

    #[test]
    fn what_one_task_has_delivered_is_not_waited_for_by_another() {
        let bounded = BoundedEnds::default();
        bounded.including(&[], || Ok(partitions(&[0, 1])), |_| Ok(ends(&[0, 1], 10))).unwrap();
        bounded.deliver(partitions(&[1]));
        assert_eq!(bounded.undelivered(), ends(&[0], 10));
        bounded.deliver(partitions(&[0]));
        assert!(bounded.undelivered().is_empty());
    }
}
