//! Laws of seeks: whatever a task asks for while batches are on their way, it is given every record from where it wants to go on,
//! and nothing is committed that it has not vouched for.

use std::collections::VecDeque;

use proptest::prelude::*;
use volley_api::testing::raw_batch;
use volley_api::{Offsets, RawBatch, TopicPartition};

use crate::task::sink::pipeline::Rewind;
use crate::task::sink::put::put_positions::PutPositions;
use crate::task::sink::put::put_stage::Outcome;
use crate::task::sink::put::put_stage_tests::world;
use crate::task::sink::read_positions::ReadPositions;

/// Number of records of the partition.
const END: i64 = 60;

#[derive(Clone, Debug)]
enum Event {
    /// The fetch stage reads so many records, after it has gone where the put stage wants.
    Fetch(i64),
    /// The put stage puts the next batch.
    Put,
    Seek(i64),
    SeekToCommitted,
    Rewind(i64),
    /// The task vouches for all but so many of the records since it last went elsewhere.
    Commit(i64),
    /// The put stage pauses or resumes the partition: what is on its way is read again.
    ReadAgain,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        5 => (1..9_i64).prop_map(Event::Fetch),
        6 => Just(Event::Put),
        1 => (0..END).prop_map(Event::Seek),
        1 => Just(Event::SeekToCommitted),
        1 => (0..END).prop_map(Event::Rewind),
        2 => (0..9_i64).prop_map(Event::Commit),
        1 => Just(Event::ReadAgain),
    ];
    prop::collection::vec(event, 0..150)
}

/// The positions of both stages, what is between them, and what the task must see.
struct World {
    read: ReadPositions,
    put: PutPositions,
    generation: u64,
    in_flight: VecDeque<(RawBatch, u64)>,
    rewinds: Vec<Rewind>,
    /// Where the next batch must begin.
    expected: i64,
    /// Where the task last went by itself; it can vouch for what is behind.
    base: i64,
    /// What was committed last.
    committed: Option<i64>,
    /// What was committed since the last seek.
    committed_since_seek: Option<i64>,
}

fn partition() -> TopicPartition {
    TopicPartition::new("t", 0)
}

impl World {
    fn new() -> Self {
        let (mut read, mut put) = (ReadPositions::default(), PutPositions::default());
        read.start(partition(), 0, 1);
        put.open(&Offsets::from([(partition(), 0)]), 1);
        Self {
            read,
            put,
            generation: 1,
            in_flight: VecDeque::new(),
            rewinds: Vec::new(),
            expected: 0,
            base: 0,
            committed: None,
            committed_since_seek: None,
        }
    }

    fn next_generation(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }

    fn read_from(&mut self, place: Option<(i64, u64)>, expected: i64) {
        let (offset, replaces) = place.unwrap();
        assert_eq!(offset, expected);
        self.expected = expected;
        self.rewinds.push(Rewind { partition: partition(), offset, replaces, generation: self.generation });
    }

    fn fetch(&mut self, rows: i64) {
        for rewind in std::mem::take(&mut self.rewinds) {
            assert!(self.read.awaits(&rewind), "{rewind:?}");
            self.read.rewind(rewind);
        }
        let first = self.read.position(&partition()).unwrap();
        let rows = rows.min(END - first);
        if rows > 0 {
            let generation = self.read.generation(&partition());
            let raw = self.read.accept(raw_batch("t", 0, first, vec![None; rows as usize]), generation, None);
            self.in_flight.push_back((raw.unwrap(), generation));
        }
    }

    fn put(&mut self) {
        let Some((raw, generation)) = self.in_flight.pop_front() else { return };
        if self.put.is_stale(&partition(), generation) {
            return;
        }
        assert_eq!(raw.origin.range.first, self.expected, "a gap, or a record twice");
        self.expected = raw.origin.range.end;
        self.put.put(&partition(), self.expected);
    }

    fn seek(&mut self, offset: i64) {
        let generation = self.next_generation();
        let place = self.put.seek(&partition(), offset, generation);
        self.read_from(place, offset);
        self.base = offset;
        self.committed_since_seek = None;
    }

    fn seek_to_committed(&mut self) {
        let generation = self.next_generation();
        let place = self.put.seek_to_committed(&partition(), generation);
        let expected = self.committed_since_seek.unwrap_or(self.base).min(self.expected);
        self.read_from(place, expected);
    }

    fn rewind(&mut self, offset: Option<i64>) {
        let generation = self.next_generation();
        let place = self.put.rewind(&partition(), offset, generation);
        self.read_from(place, offset.map_or(self.expected, |offset| offset.min(self.expected)));
    }

    fn commit(&mut self, behind: i64) {
        let lowest = self.committed_since_seek.unwrap_or(self.base).min(self.expected);
        let vouched = (self.expected - behind).max(lowest);
        let changed = self.put.uncommitted(&Offsets::from([(partition(), vouched)]));
        let Some(&offset) = changed.get(&partition()) else { return };
        assert!(offset <= vouched, "committed {offset}, vouched for {vouched}");
        let earlier = self.committed_since_seek;
        assert!(earlier.is_none_or(|earlier| offset > earlier), "committed {offset} after {earlier:?}");
        self.put.committed(&changed);
        (self.committed, self.committed_since_seek) = (Some(offset), Some(offset));
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Fetch(rows) => self.fetch(*rows),
            Event::Put => self.put(),
            Event::Seek(offset) => self.seek(*offset),
            Event::SeekToCommitted => self.seek_to_committed(),
            Event::Rewind(offset) => self.rewind(Some(*offset)),
            Event::Commit(behind) => self.commit(*behind),
            Event::ReadAgain => self.rewind(None),
        }
    }

    /// Everything that is left is fetched and put.
    fn drain(&mut self) {
        for _ in 0..2 * END {
            self.fetch(7);
            self.put();
        }
    }
}

proptest! {
    #[test]
    fn a_task_that_seeks_is_given_every_record_from_there_on_and_vouches_for_all_that_is_committed(events in events()) {
        let mut world = World::new();
        events.iter().for_each(|event| world.apply(event));
        world.drain();
        prop_assert_eq!(world.expected, END);
        world.commit(0);
        // a rewind may have gone back behind what was committed before, which stays
        prop_assert_eq!(world.committed, Some(END));
    }
}

#[test]
fn what_is_committed_falls_with_a_seek_that_goes_back_and_rises_with_one_that_skips() {
    let mut world = World::new();
    world.drain();
    world.commit(0);
    for offset in [20, 40] {
        world.seek(offset);
        let changed = world.put.uncommitted(&Offsets::from([(TopicPartition::new("t", 9), 0)]));
        assert_eq!(changed, Offsets::from([(partition(), offset)]), "also where the task is silent of the partition");
    }
    assert!(world.put.uncommitted(&Offsets::new()).is_empty(), "it keeps its offsets elsewhere");
}

#[test]
fn a_partition_that_is_not_assigned_goes_nowhere() {
    let mut positions = PutPositions::default();
    assert_eq!(positions.seek(&partition(), 5, 1), None);
    assert_eq!(positions.seek_to_committed(&partition(), 1), None);
}

#[test]
fn of_several_rewinds_the_lowest_is_read_from() {
    let mut world = world();
    let generation = world.assign(0);
    world.batch(0, 0..10, generation);
    world.script.lock().unwrap().rewinds = vec![5, 8, 20];
    assert_eq!(world.run().unwrap(), Outcome::Stopped);
    let offsets: Vec<i64> = world.rewinds.take().iter().map(|rewind| rewind.offset).collect();
    assert_eq!(offsets, [5, 5, 5]);
    assert_eq!(world.committed(0), Some(5));
}

#[test]
fn a_rewind_says_which_generation_it_ends() {
    let mut world = world();
    let generation = world.assign(0);
    world.batch(0, 0..10, generation);
    world.script.lock().unwrap().rewinds = vec![5, 3];
    world.run().unwrap();
    let rewinds = world.rewinds.take();
    assert_eq!((rewinds[0].replaces, rewinds[1].replaces), (generation, rewinds[0].generation));
}
