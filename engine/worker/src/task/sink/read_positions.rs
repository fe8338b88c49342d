//! The read position of each partition of a sink task. Pure: no I/O.

use std::collections::HashMap;
use std::sync::Arc;

use volley_api::{OffsetRange, Offsets, Origin, RawBatch, TopicPartition};

use crate::task::sink::pipeline::Rewind;
use crate::task::sink::put::put_positions::Reached;

/// Position and generation of each partition that was ever assigned; see [`crate::task::sink::pipeline::Generations`].
#[derive(Debug, Default)]
pub(crate) struct ReadPositions {
    positions: Offsets,
    generations: HashMap<TopicPartition, u64>,
}

/// The unread part of a bounded input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Everything has been read.
    Nothing,
    /// Not known yet.
    Unknown,
    /// This partition, and maybe others, have unread records.
    Rest { partition: TopicPartition, position: i64, end: i64 },
}

impl ReadPositions {
    /// Notes that the partition was assigned, and is read from `position`.
    pub(crate) fn start(&mut self, partition: TopicPartition, position: i64, generation: u64) {
        self.positions.insert(partition.clone(), position);
        self.generations.insert(partition, generation);
    }

    /// Whether `rewind` is based on the current generation.
    pub(crate) fn awaits(&self, rewind: &Rewind) -> bool {
        self.generations.get(&rewind.partition) == Some(&rewind.replaces)
    }

    /// Notes that the partition is read again from an earlier offset.
    pub(crate) fn rewind(&mut self, rewind: Rewind) {
        self.start(rewind.partition, rewind.offset, rewind.generation);
    }

    /// Notes that no record comes before `end` any more.
    pub(crate) fn skip_to(&mut self, partition: &TopicPartition, end: i64) {
        self.positions.insert(partition.clone(), end);
    }

    /// Takes the consumer's positions, after all records that it returned were passed on. A position past the last
    /// record means that there is no record in between. For a bounded input, offsets behind the end do not count.
    /// Returns the positions that advanced.
    pub(crate) fn reach(&mut self, consumed: Offsets, ends: Option<&Offsets>) -> Reached {
        let mut reached = Reached::new();
        for (partition, offset) in consumed {
            let end = ends.map_or(Some(i64::MAX), |ends| ends.get(&partition).copied());
            let (Some(end), Some(position)) = (end, self.positions.get_mut(&partition)) else { continue };
            let offset = offset.min(end);
            if offset > *position {
                *position = offset;
                let generation = self.generation(&partition);
                reached.insert(partition, (offset, generation));
            }
        }
        reached
    }

    /// The next offset to read; `None` for a partition that was never assigned.
    pub(crate) fn position(&self, partition: &TopicPartition) -> Option<i64> {
        self.positions.get(partition).copied()
    }

    /// 0 for a partition that was never assigned.
    pub(crate) fn generation(&self, partition: &TopicPartition) -> u64 {
        self.generations.get(partition).copied().unwrap_or_default()
    }

    /// The unread part of a bounded input. A partition with an unknown position or end is reported only if there is no
    /// other, since the others can be read meanwhile.
    pub(crate) fn unread(&self, assigned: &[TopicPartition], ends: &Offsets) -> Unread {
        let mut unread = Unread::Nothing;
        for partition in assigned {
            match (self.position(partition), ends.get(partition)) {
                (Some(position), Some(&end)) if position < end => {
                    return Unread::Rest { partition: partition.clone(), position, end };
                }
                (Some(_), Some(_)) => {}
                _ => unread = Unread::Unknown,
            }
        }
        unread
    }

    /// All generations.
    pub(crate) fn generations(&self) -> &HashMap<TopicPartition, u64> {
        &self.generations
    }

    /// The part to deliver of a batch that was fetched in `generation`. For a bounded input it is the part before the
    /// end. The position moves behind it.
    pub(crate) fn accept(&mut self, raw: RawBatch, generation: u64, ends: Option<&Offsets>) -> Option<RawBatch> {
        let partition = &raw.origin.partition;
        // Fetched before the partition was assigned again: it is fetched again, and does not change the new position.
        if self.generation(partition) > generation {
            return None;
        }
        let range = raw.origin.range;
        let end = ends.and_then(|ends| ends.get(partition)).copied().unwrap_or(range.end);
        self.positions.insert(partition.clone(), range.end.min(end));
        if range.end <= end {
            return Some(raw);
        }
        let len = raw.origin.offsets.iter().take_while(|offset| **offset < end).count();
        (len > 0).then(|| head(&raw, len, end))
    }
}

/// The first `len` messages of a batch, which then covers everything up to `end`.
pub(crate) fn head(raw: &RawBatch, len: usize, end: i64) -> RawBatch {
    let origin = Origin {
        partition: raw.origin.partition.clone(),
        range: OffsetRange { first: raw.origin.range.first, end },
        timestamp_type: raw.origin.timestamp_type,
        offsets: raw.origin.offsets.slice(0, len),
        timestamps: raw.origin.timestamps.slice(0, len),
    };
    RawBatch {
        origin: Arc::new(origin),
        keys: raw.keys.slice(0, len),
        values: raw.values.slice(0, len),
        headers: raw.headers.as_ref().map(|headers| Arc::new(headers[..len].to_vec())),
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::raw_batch;

    use super::*;

    fn partition() -> TopicPartition {
        TopicPartition::new("t", 0)
    }

    fn batch(first: i64, end: i64) -> RawBatch {
        raw_batch("t", 0, first, vec![None; (end - first) as usize])
    }

    #[test]
    fn a_batch_fetched_before_a_new_assignment_is_dropped_and_moves_no_position() {
        let mut read = ReadPositions::default();
        read.start(partition(), 0, 1);
        assert_eq!(read.accept(batch(0, 10), 1, None).unwrap().len(), 10);
        // revoked with offset 4 committed, then assigned again
        read.start(partition(), 4, 2);
        assert!(read.accept(batch(10, 20), 1, None).is_none());
        assert_eq!(read.position(&partition()), Some(4));
        assert_eq!(read.accept(batch(4, 8), 2, None).unwrap().len(), 4);
        assert_eq!(read.position(&partition()), Some(8));
    }

    #[test]
    fn nothing_behind_the_end_of_a_bounded_input_is_delivered() {
        let mut read = ReadPositions::default();
        read.start(partition(), 0, 1);
        let ends = Offsets::from([(partition(), 15)]);
        assert_eq!(read.accept(batch(0, 10), 1, Some(&ends)).unwrap().origin.range.end, 10);
        let last = read.accept(batch(10, 20), 1, Some(&ends)).unwrap();
        assert_eq!((last.len(), last.origin.range.end, last.origin.offsets.len()), (5, 15, 5));
        assert!(read.accept(batch(20, 30), 1, Some(&ends)).is_none());
        assert_eq!(read.position(&partition()), Some(15));
    }

    #[test]
    fn what_is_read_behind_the_last_record_is_told_once_and_never_behind_the_end() {
        let consumed = |offset| Offsets::from([(partition(), offset), (TopicPartition::new("t", 9), 5)]);
        let mut read = ReadPositions::default();
        read.start(partition(), 0, 3);
        read.accept(batch(0, 10), 3, None).unwrap();
        assert!(read.reach(consumed(10), None).is_empty(), "nothing is between");
        assert_eq!(read.reach(consumed(12), None), Reached::from([(partition(), (12, 3))]));
        assert!(read.reach(consumed(12), None).is_empty());
        let ends = Offsets::from([(partition(), 13)]);
        assert_eq!(read.reach(consumed(20), Some(&ends)), Reached::from([(partition(), (13, 3))]));
        assert!(read.reach(consumed(20), Some(&Offsets::new())).is_empty(), "its end is not known yet");
        assert_eq!(read.position(&partition()), Some(13));
    }

    #[test]
    fn after_a_rewind_what_was_fetched_before_counts_for_nothing() {
        let mut read = ReadPositions::default();
        read.start(partition(), 0, 1);
        read.accept(batch(0, 20), 1, None).unwrap();
        let rewind = Rewind { partition: partition(), offset: 5, replaces: 1, generation: 2 };
        assert!(read.awaits(&rewind));
        read.rewind(rewind);
        assert!(read.accept(batch(20, 30), 1, None).is_none());
        assert_eq!((read.position(&partition()), read.generation(&partition())), (Some(5), 2));
    }

    #[test]
    fn what_is_unread_of_a_bounded_input_is_told_one_partition_at_a_time() {
        let [first, second] = [0, 1].map(|number| TopicPartition::new("t", number));
        let assigned = [first.clone(), second.clone()];
        let ends = Offsets::from([(first.clone(), 10), (second.clone(), 10)]);
        let mut read = ReadPositions::default();
        assert_eq!(read.unread(&[], &ends), Unread::Nothing);
        assert_eq!(read.unread(&assigned, &ends), Unread::Unknown);
        read.start(second.clone(), 9, 1);
        let rest =
            |partition: &TopicPartition, position| Unread::Rest { partition: partition.clone(), position, end: 10 };
        assert_eq!(read.unread(&assigned, &ends), rest(&second, 9));
        read.start(first.clone(), 4, 1);
        assert_eq!(read.unread(&assigned, &ends), rest(&first, 4));
        read.skip_to(&first, 10);
        assert_eq!(read.unread(&assigned, &ends), rest(&second, 9));
        read.skip_to(&second, 10);
        assert_eq!(read.unread(&assigned, &ends), Unread::Nothing);
        assert_eq!(read.unread(&assigned, &Offsets::new()), Unread::Unknown);
    }

    #[test]
    fn a_rewind_of_an_earlier_assignment_does_not_touch_the_new_one() {
        let rewind = |replaces, generation| Rewind { partition: partition(), offset: 5, replaces, generation };
        let mut read = ReadPositions::default();
        assert!(!read.awaits(&rewind(0, 1)), "never assigned");
        read.start(partition(), 0, 1);
        // lost and assigned again before the put stage, which still works on the first assignment, hears of it
        read.start(partition(), 0, 5);
        assert!(!read.awaits(&rewind(1, 6)) && !read.awaits(&rewind(6, 7)));
        assert!(read.awaits(&rewind(5, 8)));
    }
}
