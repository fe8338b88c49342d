//! The positions of each partition of a sink task: put, reached and committed. Pure.
//!
//! ```text
//!   start ──── committed ──── vouched for ──── put ──── reached
//!                                               └ only transaction markers and aborted records ┘
//! ```
//! The sink vouches for an offset in `pre_commit`. If it vouches for all that was put, `reached` may be committed.

use std::collections::{BTreeMap, HashMap};

use volley_api::{Offsets, TopicPartition};

/// How far a partition was read behind its last record, and the generation in which that holds.
pub(crate) type Reached = HashMap<TopicPartition, (i64, u64)>;

/// The assigned partitions.
#[derive(Debug, Default)]
pub(crate) struct PutPositions(BTreeMap<TopicPartition, Position>);

#[derive(Clone, Copy, Debug)]
struct Position {
    start: i64,
    /// The end of what was put.
    put: i64,
    /// At least `put`: no record stands between the two, only transaction markers, aborted records and the like.
    reached: i64,
    /// In this assignment.
    committed: Option<i64>,
    generation: u64,
}

impl Position {
    /// The offset that may be committed if the sink vouches for `vouched`. A sink that vouches for everything put has also
    /// delivered everything up to `reached`.
    fn committable(&self, vouched: Option<i64>) -> i64 {
        let kept = self.committed.unwrap_or(self.start);
        match vouched.filter(|vouched| *vouched <= self.reached).unwrap_or(kept) {
            offset if offset >= self.put => self.reached,
            offset => offset,
        }
    }
}

impl PutPositions {
    /// New partitions, and where they begin.
    pub(crate) fn open(&mut self, starts: &Offsets, generation: u64) {
        let opened = starts.iter().map(|(partition, &start)| {
            (partition.clone(), Position { start, put: start, reached: start, committed: None, generation })
        });
        self.0.extend(opened);
    }

    pub(crate) fn forget(&mut self, partitions: &[TopicPartition]) {
        self.0.retain(|partition, _| !partitions.contains(partition));
    }

    pub(crate) fn partitions(&self) -> Vec<TopicPartition> {
        self.0.keys().cloned().collect()
    }

    /// Number of partitions.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Offsets between what was put and what is committed, over all partitions.
    pub(crate) fn uncommitted_offsets(&self) -> u64 {
        let uncommitted = |position: &Position| position.put - position.committed.unwrap_or(position.start);
        self.0.values().map(|position| u64::try_from(uncommitted(position)).unwrap_or_default()).sum()
    }

    /// Whether the partition is assigned.
    pub(crate) fn contains(&self, partition: &TopicPartition) -> bool {
        self.0.contains_key(partition)
    }

    /// Everything before these is put, or is no record.
    pub(crate) fn reached(&self) -> Offsets {
        self.0.iter().map(|(partition, position)| (partition.clone(), position.reached)).collect()
    }

    /// Whether batches fetched in `generation` are out of date.
    pub(crate) fn is_stale(&self, partition: &TopicPartition, generation: u64) -> bool {
        self.0.get(partition).is_none_or(|position| position.generation > generation)
    }

    /// Whether all partitions are in the given generations.
    pub(crate) fn are_of(&self, generations: &HashMap<TopicPartition, u64>) -> bool {
        self.0.iter().all(|(partition, position)| generations.get(partition) == Some(&position.generation))
    }

    /// Everything of a partition up to `end` is put.
    pub(crate) fn put(&mut self, partition: &TopicPartition, end: i64) {
        if let Some(position) = self.0.get_mut(partition) {
            position.put = end;
            position.reached = end;
        }
    }

    /// There is no record between what was put and these offsets.
    pub(crate) fn reach(&mut self, reached: Reached) {
        for (partition, (offset, generation)) in reached {
            if let Some(position) = self.0.get_mut(&partition)
                && position.generation == generation
            {
                position.reached = position.reached.max(offset);
            }
        }
    }

    /// Goes back to an earlier offset, in a new generation: the offset, and the generation that this ends. Of several such
    /// wishes the lowest counts: what was lost before it stays lost otherwise.
    pub(crate) fn rewind(
        &mut self,
        partition: &TopicPartition,
        offset: Option<i64>,
        generation: u64,
    ) -> Option<(i64, u64)> {
        let position = self.0.get_mut(partition)?;
        let offset = offset.map_or(position.put, |offset| offset.min(position.put));
        (position.put, position.reached) = (offset, offset);
        Some((offset, std::mem::replace(&mut position.generation, generation)))
    }

    /// Goes on at any offset, in a new generation: the offset, and the generation that this ends. What the partition had before
    /// counts for nothing: the next commit that the task vouches for anything in is of this offset, or of a later one.
    pub(crate) fn seek(&mut self, partition: &TopicPartition, offset: i64, generation: u64) -> Option<(i64, u64)> {
        let position = self.0.get_mut(partition)?;
        let ended = position.generation;
        *position = Position { start: offset, put: offset, reached: offset, committed: None, generation };
        Some((offset, ended))
    }

    /// Goes back to what is committed, or to the start if nothing is, and never forward. What is committed stays.
    pub(crate) fn seek_to_committed(&mut self, partition: &TopicPartition, generation: u64) -> Option<(i64, u64)> {
        let position = self.0.get_mut(partition)?;
        let offset = position.committed.unwrap_or(position.start).min(position.put);
        (position.put, position.reached) = (offset, offset);
        Some((offset, std::mem::replace(&mut position.generation, generation)))
    }

    /// What is to be committed if the task vouches for this much, without what is committed already. Partitions that the
    /// task is silent of keep what they have, which at first is their start; a task that vouches for nothing at all keeps
    /// its offsets elsewhere.
    pub(crate) fn uncommitted(&self, vouched: &Offsets) -> Offsets {
        if vouched.is_empty() {
            return Offsets::new();
        }
        let committable = self.0.iter().map(|(partition, position)| {
            (partition, position.committed, position.committable(vouched.get(partition).copied()))
        });
        committable
            .filter(|(_, committed, offset)| committed.is_none_or(|committed| *offset > committed))
            .map(|(partition, _, offset)| (partition.clone(), offset))
            .collect()
    }

    /// Whether the task vouches for everything of `partitions`.
    pub(crate) fn is_everything(&self, vouched: &Offsets, partitions: &[TopicPartition]) -> bool {
        let mut positions = partitions.iter().filter_map(|partition| Some((partition, self.0.get(partition)?)));
        vouched.is_empty()
            || positions
                .all(|(partition, position)| position.committable(vouched.get(partition).copied()) >= position.reached)
    }

    pub(crate) fn committed(&mut self, offsets: &Offsets) {
        for (partition, &offset) in offsets {
            if let Some(position) = self.0.get_mut(partition) {
                position.committed = Some(offset);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn partition(number: i32) -> TopicPartition {
        TopicPartition::new("t", number)
    }

    fn at(offsets: &[(i32, i64)]) -> Offsets {
        offsets.iter().map(|(number, offset)| (partition(*number), *offset)).collect()
    }

    fn opened(offsets: &[(i32, i64)]) -> PutPositions {
        let mut positions = PutPositions::default();
        positions.open(&at(offsets), 1);
        positions
    }

    fn reached(number: i32, offset: i64, generation: u64) -> Reached {
        Reached::from([(partition(number), (offset, generation))])
    }

    #[test]
    fn a_partition_without_records_has_its_start_committed_once() {
        let mut positions = opened(&[(0, 0), (1, 7)]);
        positions.put(&partition(0), 5);
        let changed = positions.uncommitted(&at(&[(0, 5)]));
        assert_eq!(changed, at(&[(0, 5), (1, 7)]));
        positions.committed(&changed);
        assert!(positions.uncommitted(&at(&[(0, 5), (1, 7)])).is_empty());
    }

    #[test]
    fn a_task_that_vouches_for_nothing_at_all_has_nothing_committed() {
        let mut positions = opened(&[(0, 3)]);
        positions.put(&partition(0), 5);
        assert!(positions.uncommitted(&Offsets::new()).is_empty());
        assert!(positions.is_everything(&Offsets::new(), &[partition(0)]));
    }

    #[test]
    fn what_was_reached_counts_only_once_everything_put_is_vouched_for() {
        let mut positions = opened(&[(0, 0)]);
        positions.put(&partition(0), 5);
        positions.reach(reached(0, 6, 1));
        assert_eq!(positions.uncommitted(&at(&[(0, 4)])), at(&[(0, 4)]));
        assert!(!positions.is_everything(&at(&[(0, 4)]), &[partition(0)]));
        for vouched in [5, 6] {
            assert_eq!(positions.uncommitted(&at(&[(0, vouched)])), at(&[(0, 6)]));
            assert!(positions.is_everything(&at(&[(0, vouched)]), &[partition(0)]));
        }
        assert_eq!(positions.uncommitted(&at(&[(0, 7)])), at(&[(0, 0)]), "nobody can vouch for what was not read");
    }

    #[test]
    fn what_was_reached_before_a_rewind_counts_for_nothing() {
        let mut positions = opened(&[(0, 0)]);
        positions.put(&partition(0), 5);
        assert_eq!(positions.rewind(&partition(0), Some(9), 2), Some((5, 1)));
        assert_eq!(positions.rewind(&partition(0), Some(3), 3), Some((3, 2)));
        positions.reach(reached(0, 6, 1));
        assert_eq!(positions.reached(), at(&[(0, 3)]));
        assert!(positions.is_stale(&partition(0), 2) && !positions.is_stale(&partition(0), 3));
        assert_eq!(positions.rewind(&partition(1), None, 4), None);
    }

    proptest! {
        /// Law 1: whatever is put, reached, rewound and vouched for, nothing is committed behind a record that the task has
        /// not vouched for.
        #[test]
        fn nothing_is_committed_behind_a_record_that_is_not_vouched_for(
            // where there is a record, and how far the task is behind at each step
            records in prop::collection::vec(any::<bool>(), 1..40),
            lags in prop::collection::vec(0_usize..4, 40),
        ) {
            let mut positions = opened(&[(0, 0)]);
            let mut ends = vec![0];
            for (offset, (is_record, lag)) in records.iter().zip(lags).enumerate() {
                let next = offset as i64 + 1;
                if *is_record {
                    positions.put(&partition(0), next);
                    ends.push(next);
                } else {
                    positions.reach(reached(0, next, 1));
                }
                let vouched = ends[ends.len().saturating_sub(1 + lag)];
                let changed = positions.uncommitted(&at(&[(0, vouched)]));
                if let Some(&committed) = changed.get(&partition(0)) {
                    let unvouched = (vouched..committed).any(|offset| records[offset as usize]);
                    prop_assert!(!unvouched, "committed {committed}, vouched for {vouched}");
                }
                positions.committed(&changed);
            }
        }
    }
}
