//! Which dead letters were replayed. Pure: no I/O.

use std::collections::BTreeMap;

/// Offsets of replayed letters, as ranges, for each partition of a dead letter topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReplayedOffsets {
    /// For each partition the ranges: first offset, and the offset behind the last. They neither overlap nor touch.
    ranges: BTreeMap<i32, BTreeMap<i64, i64>>,
}

/// A range of offsets of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OffsetsOf {
    pub(crate) partition: i32,
    pub(crate) first: i64,
    /// The offset behind the last.
    pub(crate) end: i64,
}

impl ReplayedOffsets {
    /// Whether the letter at this offset was replayed.
    pub(crate) fn contains(&self, partition: i32, offset: i64) -> bool {
        let ranges = self.ranges.get(&partition);
        let before = ranges.and_then(|ranges| ranges.range(..=offset).next_back());
        before.is_some_and(|(_, end)| offset < *end)
    }

    /// Adds a range; the range that it is part of then. An empty range adds nothing.
    pub(crate) fn add(&mut self, more: OffsetsOf) -> OffsetsOf {
        let OffsetsOf { partition, mut first, mut end } = more;
        if first >= end {
            return more;
        }
        let ranges = self.ranges.entry(partition).or_default();
        // all ranges that overlap or touch the new one end at its first offset or later, and begin at its end or earlier
        while let Some((&known_first, &known_end)) = ranges.range(..=end).next_back()
            && known_end >= first
        {
            ranges.remove(&known_first);
            first = first.min(known_first);
            end = end.max(known_end);
        }
        ranges.insert(first, end);
        OffsetsOf { partition, first, end }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn range(first: i64, end: i64) -> OffsetsOf {
        OffsetsOf { partition: 0, first, end }
    }

    #[test]
    fn ranges_that_touch_are_one() {
        let mut replayed = ReplayedOffsets::default();
        assert_eq!(replayed.add(range(3, 5)), range(3, 5));
        assert_eq!(replayed.add(range(7, 9)), range(7, 9));
        assert_eq!(replayed.add(range(5, 6)), range(3, 6));
        assert_eq!(replayed.add(range(6, 7)), range(3, 9));
        assert_eq!(replayed.add(OffsetsOf { partition: 1, first: 0, end: 3 }).first, 0, "partitions are apart");
        assert!(!replayed.contains(0, 2) && replayed.contains(0, 3) && replayed.contains(0, 8));
        assert!(!replayed.contains(0, 9) && !replayed.contains(2, 3));
    }

    proptest! {
        /// What was added is there and nothing else, in any order, and in as few ranges as possible.
        #[test]
        fn what_was_added_is_there_and_nothing_else(added in prop::collection::vec((0..40_i64, 0..6_i64), 0..30)) {
            let mut replayed = ReplayedOffsets::default();
            let mut expected = BTreeSet::new();
            for (first, len) in added {
                let now = replayed.add(range(first, first + len));
                expected.extend(first..first + len);
                prop_assert!(now.first <= first && first + len <= now.end);
            }
            for offset in -1..50 {
                prop_assert_eq!(replayed.contains(0, offset), expected.contains(&offset));
            }
            let ranges: Vec<_> = replayed.ranges.into_values().flatten().collect();
            prop_assert!(ranges.iter().all(|(first, end)| first < end));
            prop_assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }
}
