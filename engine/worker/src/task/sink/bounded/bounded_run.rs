//! The start and end offsets of one run of a bounded sink connector, how far it has come, and the partitions that are
//! delivered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use volley_api::{Offsets, Result, TopicPartition};
use volley_kafka::{LogPlace, StartPlaces};

use crate::connector_config::BoundedRange;

/// The offsets at which a run starts and ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOffsets {
    /// The start of each partition; `None`: they start where `auto.offset.reset` says.
    pub starts: Option<Offsets>,
    /// The end of each partition.
    pub ends: Offsets,
}

/// How much of a run has been read, in offsets of the partitions that this worker has had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunShare {
    /// Offsets between start and end.
    pub offsets: u64,
    /// Those of them that have been read.
    pub read: u64,
}

/// The end offset of each partition, and the partitions that are delivered up to there.
///
/// Shared by all tasks of one start of a connector. A partition that moves between tasks keeps its end. No task ends
/// before all partitions are delivered, including those that no task owns during a rebalance.
#[derive(Debug, Default)]
pub struct BoundedRun {
    range: BoundedRange,
    starts: Option<Offsets>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    ends: Option<Arc<Offsets>>,
    delivered: BTreeSet<TopicPartition>,
    /// Of each partition that was assigned here: where it began, and the next offset to read.
    read: BTreeMap<TopicPartition, (i64, i64)>,
}

impl BoundedRun {
    /// A run of `range`, with the offsets that were found when it began.
    pub(crate) fn new(range: BoundedRange, offsets: Option<RunOffsets>) -> Self {
        let (starts, ends) = offsets.map_or((None, None), |offsets| (offsets.starts, Some(Arc::new(offsets.ends))));
        Self { range, starts, state: Mutex::new(State { ends, ..State::default() }) }
    }

    /// Where partitions start of which nothing is committed; `None`: where `auto.offset.reset` says.
    pub(crate) fn start_places(&self) -> Option<StartPlaces> {
        let others = self.range.start?;
        Some(StartPlaces { known: self.starts.clone().unwrap_or_default(), others })
    }

    /// Where partitions end whose end is not known yet.
    pub(crate) fn end_place(&self) -> LogPlace {
        self.range.end
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
        let mut state = self.state();
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
        self.state().delivered.extend(partitions);
    }

    /// Notes the next offsets to read of partitions. The first one of each is where it began.
    pub(crate) fn reached(&self, positions: impl IntoIterator<Item = (TopicPartition, i64)>) {
        let mut state = self.state();
        for (partition, position) in positions {
            let (_, read) = state.read.entry(partition).or_insert((position, position));
            *read = position.max(*read);
        }
    }

    /// How much of the partitions that were assigned here has been read.
    pub(crate) fn share(&self) -> RunShare {
        let state = self.state();
        let (Some(ends), mut share) = (&state.ends, RunShare::default()) else { return RunShare::default() };
        let between = |from: i64, to: i64| u64::try_from(to.saturating_sub(from)).unwrap_or(0);
        for (partition, (start, read)) in &state.read {
            let Some(end) = ends.get(partition) else { continue };
            share.offsets += between(*start, *end);
            share.read += between(*start, *read.min(end));
        }
        share
    }

    /// The partitions that no task has reported as delivered, with their ends.
    pub(crate) fn undelivered(&self) -> Offsets {
        let state = self.state();
        let ends = state.ends.iter().flat_map(|ends| ends.iter());
        ends.filter(|(partition, _)| !state.delivered.contains(*partition))
            .map(|(partition, end)| (partition.clone(), *end))
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn run(start: Option<LogPlace>, ends: Offsets) -> BoundedRun {
        let starts = start.map(|_| self::ends(&[0], 4));
        BoundedRun::new(BoundedRange { start, end: LogPlace::Time(7) }, Some(RunOffsets { starts, ends }))
    }

    #[test]
    fn partitions_start_where_the_run_found_their_start_and_new_ones_by_its_rule() {
        let bounded = run(Some(LogPlace::Time(3)), ends(&[0], 10));
        let starts = StartPlaces { known: ends(&[0], 4), others: LogPlace::Time(3) };
        assert_eq!((bounded.start_places(), bounded.end_place()), (Some(starts), LogPlace::Time(7)));
        assert_eq!(run(None, Offsets::new()).start_places(), None, "`auto.offset.reset` decides");
    }

    #[test]
    fn the_share_is_of_what_lies_between_start_and_end_wherever_a_partition_is_read() {
        let bounded = run(None, ends(&[0, 1, 2], 10));
        assert_eq!(bounded.share(), RunShare::default());
        bounded.reached(ends(&[0, 1], 4));
        assert_eq!(bounded.share(), RunShare { offsets: 12, read: 0 });
        bounded.reached(ends(&[0], 8));
        // assigned anew where it was committed, and read behind its end
        bounded.reached(ends(&[0], 6));
        bounded.reached(ends(&[1], 15));
        assert_eq!(bounded.share(), RunShare { offsets: 12, read: 10 });
        // begins behind its end: nothing is to be read
        bounded.reached(ends(&[2], 12));
        assert_eq!(bounded.share(), RunShare { offsets: 12, read: 10 });
    }

    #[test]
    fn a_partition_keeps_the_end_that_was_found_first() {
        let bounded = BoundedRun::default();
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
        let bounded = run(None, ends(&[0], 10));
        assert_eq!(*bounded.including(&[], || panic!("known"), |_| panic!("known")).unwrap(), ends(&[0], 10));
        bounded.including(&partitions(&[0, 1]), || panic!("known"), |_| Ok(ends(&[1], 20))).unwrap();
        assert_eq!(bounded.undelivered().len(), 2);
    }

    #[test]
    fn a_broker_that_cannot_be_asked_is_asked_again() {
        let bounded = BoundedRun::default();
        let away = || Error::retriable("away");
        assert!(bounded.including(&[], || Err(away()), |_| Ok(Offsets::new())).is_err());
        assert!(bounded.including(&[], || Ok(partitions(&[0])), |_| Err(away())).is_err());
        bounded.including(&[], || Ok(partitions(&[0])), |_| Ok(ends(&[0], 5))).unwrap();
        assert_eq!(bounded.undelivered(), ends(&[0], 5));
    }

    #[test]
    fn what_one_task_has_delivered_is_not_waited_for_by_another() {
        let bounded = BoundedRun::default();
        bounded.including(&[], || Ok(partitions(&[0, 1])), |_| Ok(ends(&[0, 1], 10))).unwrap();
        bounded.deliver(partitions(&[1]));
        assert_eq!(bounded.undelivered(), ends(&[0], 10));
        bounded.deliver(partitions(&[0]));
        assert!(bounded.undelivered().is_empty());
    }
}
