//! The read position of each partition of a log. Pure: no I/O.
//!
//! The records alone do not show whether the end was reached: the last offsets of a partition may be transaction
//! markers and aborted or compacted records, which a consumer does not get. librdkafka reports that it met the end, but
//! not at which offset. So the report counts for an end offset only if that offset was known before the fetch began.
//! Otherwise the fetch is restarted.

/// The position of a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Position {
    /// One past the last taken record.
    next: i64,
    /// All records before this offset have been taken.
    reached: i64,
    /// An end offset that was known before the current fetch began.
    known_end: i64,
    /// The highest end offset that a caller waits for.
    wanted: i64,
    /// The end was met, and no record has come since.
    is_quiet: bool,
}

/// A partition whose fetch must be restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Restart {
    pub(crate) partition: i32,
    /// The offset to restart at.
    pub(crate) from: i64,
    /// The end offset that the restart is for.
    pub(crate) goal: i64,
}

/// The positions of all partitions, numbered from 0.
#[derive(Clone, Debug)]
pub(crate) struct Positions {
    partitions: Vec<Position>,
}

impl Positions {
    /// Fetches begin at the first offset of each partition, when its end offset (second) is already known.
    pub(crate) fn new(bounds: &[(i64, i64)]) -> Self {
        let position = |(first, end): &(i64, i64)| Position {
            next: *first,
            reached: *first,
            known_end: *end,
            wanted: *end,
            is_quiet: false,
        };
        Self { partitions: bounds.iter().map(position).collect() }
    }

    fn get(&mut self, partition: i32) -> Option<&mut Position> {
        self.partitions.get_mut(usize::try_from(partition).ok()?)
    }

    /// Whether a record comes before those taken: then the partition was truncated, or the topic was deleted and
    /// created again.
    pub(crate) fn is_behind(&mut self, partition: i32, offset: i64) -> bool {
        self.get(partition).is_some_and(|position| offset < position.next)
    }

    /// Notes that the record at `offset` was taken.
    pub(crate) fn taken(&mut self, partition: i32, offset: i64) {
        let Some(position) = self.get(partition) else { return };
        if offset < position.next {
            *position = Position::default();
        }
        position.next = offset + 1;
        position.reached = position.reached.max(position.next);
        position.is_quiet = false;
    }

    /// Notes that the end of a partition was met.
    pub(crate) fn end_met(&mut self, partition: i32) {
        if let Some(position) = self.get(partition) {
            position.is_quiet = true;
            position.reached = position.reached.max(position.known_end);
        }
    }

    /// Notes that a caller waits for these end offsets, one for each partition.
    pub(crate) fn want(&mut self, ends: &[i64]) {
        for (position, end) in self.partitions.iter_mut().zip(ends) {
            position.wanted = position.wanted.max(*end);
        }
    }

    /// Whether everything before these end offsets has been taken.
    pub(crate) fn have_reached(&self, ends: &[i64]) -> bool {
        self.partitions.iter().zip(ends).all(|(position, end)| position.reached >= *end)
    }

    /// The fetches to restart for waiting callers: those that met the end, but maybe too early.
    pub(crate) fn restarts(&self) -> Vec<Restart> {
        let partitions = self.partitions.iter().zip(0..);
        let stuck = partitions.filter(|(position, _)| position.is_quiet && position.reached < position.wanted);
        stuck.map(|(position, partition)| Restart { partition, from: position.next, goal: position.wanted }).collect()
    }

    /// Notes that a fetch was restarted.
    pub(crate) fn restarted(&mut self, restart: Restart) {
        if let Some(position) = self.get(restart.partition) {
            position.known_end = position.known_end.max(restart.goal);
            position.is_quiet = false;
        }
    }

    /// One past the last taken record, for each partition.
    pub(crate) fn next_offsets(&self) -> Vec<i64> {
        self.partitions.iter().map(|position| position.next).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_end_is_reached_when_the_record_before_it_was_taken() {
        let mut positions = Positions::new(&[(3, 5)]);
        positions.taken(0, 3);
        assert!(!positions.have_reached(&[5]));
        positions.taken(0, 4);
        assert!(positions.have_reached(&[5]) && !positions.have_reached(&[6]));
    }

    #[test]
    fn a_partition_that_begins_anew_is_read_anew() {
        let mut positions = Positions::new(&[(0, 9)]);
        positions.taken(0, 8);
        assert!(!positions.is_behind(0, 9) && positions.is_behind(0, 0));
        positions.taken(0, 0);
        assert!(positions.have_reached(&[1]) && !positions.have_reached(&[2]), "what was known of the old one is void");
    }

    #[test]
    fn an_end_counts_only_for_what_was_known_before() {
        let mut positions = Positions::new(&[(0, 2)]);
        positions.taken(0, 0);
        positions.end_met(0);
        assert!(positions.have_reached(&[2]), "offset 1 is a marker");
        positions.want(&[9]);
        positions.end_met(0);
        assert!(!positions.have_reached(&[9]), "it may have been the end at 2");
        let restarts = positions.restarts();
        assert_eq!(restarts, [Restart { partition: 0, from: 1, goal: 9 }]);
        positions.restarted(restarts[0]);
        assert_eq!(positions.restarts(), [], "its end is not met yet");
        positions.end_met(0);
        assert!(positions.have_reached(&[9]));
        assert_eq!(positions.restarts(), []);
    }

    /// A step of a log whose offsets hold records and markers, read by a client that reports the end late.
    #[derive(Debug, Clone)]
    enum Step {
        Append(bool),
        Fetch,
        Ask,
        Restart,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            any::<bool>().prop_map(Step::Append),
            Just(Step::Fetch),
            Just(Step::Fetch),
            Just(Step::Ask),
            Just(Step::Restart),
        ];
        prop::collection::vec(step, 0..60)
    }

    proptest! {
        /// An end counts as reached only after every record below it was taken, and every waiting caller is released in
        /// the end.
        #[test]
        fn reached_means_taken(steps in steps()) {
            let mut log: Vec<bool> = Vec::new();
            let mut positions = Positions::new(&[(0, 0)]);
            let (mut fetched, mut reported_end) = (0usize, None);
            let mut taken = Vec::new();
            let mut goal = 0;
            let fetch = |log: &[bool], positions: &mut Positions, fetched: &mut usize, reported: &mut Option<usize>, taken: &mut Vec<usize>| {
                // one answer of the broker: the next offset, or the end, reported once
                if *fetched < log.len() {
                    if log[*fetched] {
                        assert!(!positions.is_behind(0, *fetched as i64), "fetched again");
                        taken.push(*fetched);
                        positions.taken(0, *fetched as i64);
                    }
                    *fetched += 1;
                } else if *reported != Some(*fetched) {
                    *reported = Some(*fetched);
                    positions.end_met(0);
                }
            };
            let restart = |positions: &mut Positions, fetched: &mut usize, reported: &mut Option<usize>| {
                for restart in positions.restarts() {
                    *fetched = restart.from as usize;
                    *reported = None;
                    positions.restarted(restart);
                }
            };
            for step in steps {
                match step {
                    Step::Append(is_record) => log.push(is_record),
                    Step::Fetch => fetch(&log, &mut positions, &mut fetched, &mut reported_end, &mut taken),
                    Step::Ask => {
                        goal = log.len() as i64;
                        positions.want(&[goal]);
                    }
                    Step::Restart => restart(&mut positions, &mut fetched, &mut reported_end),
                }
                if positions.have_reached(&[goal]) {
                    let records: Vec<_> = (0..goal as usize).filter(|offset| log[*offset]).collect();
                    prop_assert!(records.iter().all(|offset| taken.contains(offset)));
                }
            }
            for _ in 0..2 * log.len() + 4 {
                fetch(&log, &mut positions, &mut fetched, &mut reported_end, &mut taken);
                restart(&mut positions, &mut fetched, &mut reported_end);
            }
            prop_assert!(positions.have_reached(&[goal]));
            prop_assert!(taken.is_sorted() && taken.windows(2).all(|pair| pair[0] != pair[1]));
        }
    }
}
