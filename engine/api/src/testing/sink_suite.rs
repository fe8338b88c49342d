//! What the worker relies on in a sink: it vouches only for what is durable, and a crash loses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::{consumed, sink_batch, texts};
use crate::{Column, Offsets, Result, SinkContext, SinkTask, TopicPartition};

const TOPIC: &str = "conformance";
const PARTITIONS: i32 = 2;
/// Records of each partition, and of a batch.
const RECORDS: i64 = 40;
const BATCH: i64 = 10;
/// How long a sink may be unable to go on.
const LATE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(2);

/// A sink and the system that it writes to, from the outside.
pub trait SinkUnderTest {
    /// Starts a task. Tasks before it have ended, some of them without a `stop`, as by a crash.
    fn start(&mut self, context: SinkContext) -> Result<Box<dyn SinkTask>>;

    /// The names of all records that are durably delivered, as another program finds them: one that is there twice, twice.
    fn delivered(&mut self) -> Vec<String>;

    /// The values of records with these names; a sink that does not take texts makes others of them.
    fn values(&self, names: &[String]) -> Column {
        texts(names.iter().map(String::as_str))
    }

    /// Whether no record may ever be there twice.
    fn is_exactly_once(&self) -> bool {
        false
    }
}

/// A sink vouches in `pre_commit` only for records that are durably delivered; after a flush it vouches for all of them; and
/// whenever it crashes, a task that goes on from what was committed completes what is missing.
///
/// `new` makes a sink with an empty system. Two partitions are written through once for each moment of a crash, with and
/// without a flush before each commit.
///
/// # Panics
/// If the law is broken.
pub fn commits_only_what_is_durable<S: SinkUnderTest>(new: impl Fn() -> S) {
    deliver_with(new, LATE);
}

fn deliver_with<S: SinkUnderTest>(new: impl Fn() -> S, patience: Duration) {
    let steps = RECORDS / BATCH * i64::from(PARTITIONS);
    for flushes in [false, true] {
        for crash in 0..=steps {
            Delivery::begin(new(), flushes, patience).run(crash);
        }
    }
}

/// The worker's part.
struct Delivery<S> {
    sink: S,
    task: Box<dyn SinkTask>,
    context: SinkContext,
    /// Everything before these is put.
    put: Offsets,
    committed: Offsets,
    flushes: bool,
    patience: Duration,
}

fn partition(number: i32) -> TopicPartition {
    TopicPartition::new(TOPIC, number)
}

fn name(partition: &TopicPartition, offset: i64) -> String {
    format!("{}-{offset}", partition.partition)
}

impl<S: SinkUnderTest> Delivery<S> {
    fn begin(mut sink: S, flushes: bool, patience: Duration) -> Self {
        let committed: Offsets = (0..PARTITIONS).map(|number| (partition(number), 0)).collect();
        let (task, context) = opened(&mut sink, &committed);
        Self { sink, task, context, put: committed.clone(), committed, flushes, patience }
    }

    /// Delivers everything; before step `crash` the task is dropped without a word.
    fn run(mut self, crash: i64) {
        let mut step = 0;
        while let Some(next) = self.next() {
            if step == crash {
                self.crash();
            }
            step += 1;
            self.put(&next);
            self.commit();
            assert!(step < 1000, "the sink asks for the same records again and again");
        }
        if step <= crash {
            self.crash();
        }
        self.finish();
    }

    /// The partition that is the farthest behind.
    fn next(&self) -> Option<TopicPartition> {
        let behind = self.put.iter().filter(|(_, offset)| **offset < RECORDS);
        behind.min_by_key(|(_, offset)| **offset).map(|(partition, _)| partition.clone())
    }

    fn put(&mut self, partition: &TopicPartition) {
        let deadline = Instant::now() + self.patience;
        loop {
            let first = self.put[partition];
            let end = RECORDS.min(first + BATCH);
            let names: Vec<String> = (first..end).map(|offset| name(partition, offset)).collect();
            let records = consumed(TOPIC, partition.partition, first, self.sink.values(&names));
            match self.task.put(&sink_batch(vec![records])) {
                Ok(rejected) => {
                    assert!(rejected.is_empty(), "good records are rejected: {rejected:?}");
                    self.put.insert(partition.clone(), end);
                    self.go_back();
                    return;
                }
                Err(error) => assert!(error.is_retriable() && Instant::now() < deadline, "put failed: {error:?}"),
            }
            self.tick();
            std::thread::sleep(PAUSE);
        }
    }

    fn tick(&mut self) {
        if let Err(error) = self.task.tick() {
            assert!(error.is_retriable(), "tick failed: {error:?}");
        }
        self.go_back();
    }

    fn go_back(&mut self) {
        for (partition, offset) in self.context.requests().take_rewinds() {
            if let Some(put) = self.put.get_mut(&partition) {
                *put = offset.min(*put);
            }
        }
    }

    fn commit(&mut self) {
        if self.flushes {
            self.flush();
        }
        self.tick();
        let vouched = match self.task.pre_commit(&self.put) {
            Ok(vouched) => vouched,
            Err(error) => return assert!(error.is_retriable(), "pre_commit failed: {error:?}"),
        };
        for (partition, &offset) in &vouched {
            let put = self.put.get(partition);
            assert!(
                put.is_some_and(|put| offset <= *put),
                "the sink vouches for {partition} up to {offset}, put is {put:?}"
            );
        }
        self.go_back();
        self.check_durable(&vouched);
        self.committed.extend(vouched);
    }

    fn check_durable(&mut self, vouched: &Offsets) {
        let delivered: BTreeSet<String> = self.sink.delivered().into_iter().collect();
        for (partition, &offset) in vouched {
            let missing: Vec<_> = (0..offset).filter(|offset| !delivered.contains(&name(partition, *offset))).collect();
            assert!(missing.is_empty(), "{partition} may be committed up to {offset}, but {missing:?} are not durable");
        }
    }

    fn flush(&mut self) {
        let partitions: Vec<_> = self.put.keys().cloned().collect();
        if let Err(error) = self.task.flush(&partitions) {
            assert!(error.is_retriable(), "flush failed: {error:?}");
        }
        self.go_back();
    }

    /// Another task goes on from what is committed; nothing is said to this one.
    fn crash(&mut self) {
        let (task, context) = opened(&mut self.sink, &self.committed);
        self.task = task;
        self.context = context;
        self.put.clone_from(&self.committed);
    }

    fn finish(mut self) {
        let deadline = Instant::now() + self.patience;
        while self.committed.values().any(|offset| *offset < RECORDS) {
            assert!(Instant::now() < deadline, "after a flush only {:?} is vouched for", self.committed);
            while let Some(next) = self.next() {
                self.put(&next);
            }
            self.flush();
            self.commit();
            std::thread::sleep(PAUSE);
        }
        let partitions: Vec<_> = self.put.keys().cloned().collect();
        self.task.close(&partitions).expect("partitions that can be closed");
        self.task.stop();
        drop(self.task);
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        self.sink.delivered().into_iter().for_each(|name| *counts.entry(name).or_default() += 1);
        for partition in &partitions {
            for offset in 0..RECORDS {
                let count = counts.get(&name(partition, offset)).copied().unwrap_or_default();
                assert!(count > 0, "record {offset} of {partition} is lost");
                assert!(
                    count == 1 || !self.sink.is_exactly_once(),
                    "record {offset} of {partition} is there {count} times"
                );
            }
        }
    }
}

/// A task with its partitions.
fn opened(sink: &mut impl SinkUnderTest, offsets: &Offsets) -> (Box<dyn SinkTask>, SinkContext) {
    let context = SinkContext::new("conformance", 0);
    let mut task = sink.start(context.clone()).expect("a sink that starts");
    context.requests().set_assignment(offsets.keys().cloned().collect());
    task.open(offsets).expect("partitions that can be opened");
    (task, context)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use arrow::array::AsArray;

    use super::*;
    use crate::{RejectedRow, SinkBatch};

    #[derive(Clone, Copy, PartialEq)]
    enum Defect {
        None,
        /// Vouches for what it still holds.
        Hasty,
        /// Forgets every record with a 7.
        Loses,
        /// Never vouches for anything.
        Silent,
        /// Claims that nothing comes twice.
        Boasts,
    }

    /// A list that is written to at a flush, and at every third commit.
    struct List {
        defect: Defect,
        durable: Arc<Mutex<Vec<String>>>,
    }

    struct ListTask {
        defect: Defect,
        durable: Arc<Mutex<Vec<String>>>,
        held: Vec<String>,
        ends: Offsets,
        commits: usize,
    }

    impl SinkUnderTest for List {
        fn start(&mut self, _: SinkContext) -> Result<Box<dyn SinkTask>> {
            let durable = Arc::clone(&self.durable);
            let task = ListTask { defect: self.defect, durable, held: Vec::new(), ends: Offsets::new(), commits: 0 };
            Ok(Box::new(task))
        }

        fn delivered(&mut self) -> Vec<String> {
            self.durable.lock().unwrap().clone()
        }

        fn is_exactly_once(&self) -> bool {
            self.defect == Defect::Boasts
        }
    }

    impl ListTask {
        fn write(&mut self) {
            self.durable.lock().unwrap().append(&mut self.held);
        }
    }

    impl SinkTask for ListTask {
        fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
            let names = batch.records[0].value.array.as_string::<i32>().iter().flatten();
            let loses = self.defect == Defect::Loses;
            self.held.extend(names.filter(|name| !(loses && name.contains('7'))).map(str::to_owned));
            self.ends.insert(batch.partition().clone(), batch.origin().range.end);
            Ok(Vec::new())
        }

        fn flush(&mut self, _: &[TopicPartition]) -> Result<()> {
            self.write();
            Ok(())
        }

        fn pre_commit(&mut self, _: &Offsets) -> Result<Offsets> {
            self.commits += 1;
            if self.commits.is_multiple_of(3) {
                self.write();
            }
            match self.defect {
                Defect::Silent => Ok(Offsets::new()),
                Defect::Hasty => Ok(self.ends.clone()),
                // what was written before a commit that never came
                _ if self.held.is_empty() && !(self.defect == Defect::Boasts && self.commits.is_multiple_of(2)) => {
                    Ok(self.ends.clone())
                }
                _ => Ok(Offsets::new()),
            }
        }
    }

    fn check(defect: Defect) {
        let patience = if defect == Defect::Silent { PAUSE } else { LATE };
        deliver_with(|| List { defect, durable: Arc::default() }, patience);
    }

    #[test]
    fn a_sink_that_vouches_for_what_it_has_written_conforms() {
        check(Defect::None);
    }

    #[test]
    #[should_panic(expected = "are not durable")]
    fn a_sink_that_vouches_too_early_is_found_out() {
        check(Defect::Hasty);
    }

    #[test]
    #[should_panic(expected = "are not durable")]
    fn a_sink_that_loses_a_record_is_found_out() {
        check(Defect::Loses);
    }

    #[test]
    #[should_panic(expected = "times")]
    fn a_sink_that_repeats_records_after_a_crash_is_found_out() {
        check(Defect::Boasts);
    }

    #[test]
    #[should_panic(expected = "is vouched for")]
    fn a_sink_that_never_vouches_is_found_out() {
        check(Defect::Silent);
    }
}
