//! Simulated workers with crashes, lost partitions, lost answers and every rotation: each row is in one file, once, and
//! no commit passes a row that is in none.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field};
use parking_lot::Mutex;
use proptest::prelude::*;
use volley_api::schema::VERSION;
use volley_api::testing::sink_batch_of;
use volley_api::{Column, Offsets, Result, SinkBatch, SinkContext, TopicPartition};

use super::delivery::Delivery;
use super::simulation::{
    COMPATIBILITIES, LAYOUTS, NAMINGS, PATIENCE, ROTATIONS, RowId, SIBLINGS, TroubledStorage, key_of, row_ids, values,
    version_of,
};
use super::uploads::{Upload, UploadOutcome, Uploads, try_upload};
use crate::format::FileIdentity;
use crate::store::{Storage, StorageError, look, runtime};
use crate::test_records::{origin, records, sink_config};

const WORKERS: usize = 3;
/// Each partition has the offsets from 0 to here.
const END: i64 = 120;

#[derive(Default)]
struct Queue {
    pending: Vec<Upload>,
    ended: Vec<(u64, UploadOutcome)>,
}

/// Uploads that happen when the simulation says so.
struct SteppedUploads(Arc<Mutex<Queue>>);

impl Uploads for SteppedUploads {
    fn begin(&mut self, upload: Upload) -> Result<()> {
        self.0.lock().pending.push(upload);
        Ok(())
    }

    fn ended(&mut self) -> Vec<(u64, UploadOutcome)> {
        std::mem::take(&mut self.0.lock().ended)
    }

    fn wait(&mut self, _limit: Duration) {}

    fn abandon(&mut self, _ticket: u64) {
        // what was given up may happen nevertheless
    }
}

struct Worker {
    delivery: Delivery,
    context: SinkContext,
    queue: Arc<Mutex<Queue>>,
    /// Per partition that it believes to own: where its next batch begins.
    positions: Offsets,
}

#[derive(Clone, Debug)]
enum Step {
    Put {
        worker: usize,
        partition: usize,
        rows: i64,
    },
    Upload {
        worker: usize,
        which: usize,
        answer_is_lost: bool,
        /// What stands beside the file is not written.
        siblings_are_late: bool,
    },
    Commit {
        worker: usize,
    },
    Tick {
        worker: usize,
        ms: i64,
    },
    Relieve {
        worker: usize,
    },
    Flush {
        worker: usize,
    },
    /// The group gives the partition to this worker; the one that had it does not know yet.
    Assign {
        worker: usize,
        partition: usize,
    },
    /// The worker is told that it has lost what it has lost.
    Learn {
        worker: usize,
    },
    Crash {
        worker: usize,
        rotation: usize,
    },
    /// The next calls on the store fail.
    Trouble {
        calls: usize,
    },
    /// Whoever uploads next gets so far, where files claim names.
    Interrupt {
        calls: usize,
    },
    /// A request of a crashed worker arrives after all.
    LateUpload {
        which: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let worker = 0..WORKERS;
    prop_oneof![
        10 => (worker.clone(), 0..4usize, 1..25i64).prop_map(|(worker, partition, rows)| Step::Put { worker, partition, rows }),
        10 => (worker.clone(), 0..100usize, prop::bool::weighted(0.2), prop::bool::weighted(0.2)).prop_map(
            |(worker, which, answer_is_lost, siblings_are_late)| Step::Upload { worker, which, answer_is_lost, siblings_are_late }
        ),
        4 => worker.clone().prop_map(|worker| Step::Commit { worker }),
        3 => (worker.clone(), 0..60i64).prop_map(|(worker, ms)| Step::Tick { worker, ms }),
        // longer than between two checkpoints
        1 => worker.clone().prop_map(|worker| Step::Tick { worker, ms: 31_000 }),
        1 => worker.clone().prop_map(|worker| Step::Relieve { worker }),
        1 => worker.clone().prop_map(|worker| Step::Flush { worker }),
        3 => (worker.clone(), 0..4usize).prop_map(|(worker, partition)| Step::Assign { worker, partition }),
        1 => worker.clone().prop_map(|worker| Step::Learn { worker }),
        1 => (worker, 0..ROTATIONS.len()).prop_map(|(worker, rotation)| Step::Crash { worker, rotation }),
        1 => (0..100usize).prop_map(|which| Step::LateUpload { which }),
        1 => (1..4usize).prop_map(|calls| Step::Trouble { calls }),
        2 => (0..14usize).prop_map(|calls| Step::Interrupt { calls }),
    ]
}

struct Simulation {
    storage: Arc<dyn Storage>,
    /// The same store.
    trouble: Arc<TroubledStorage>,
    now: Arc<AtomicI64>,
    partitions: Vec<TopicPartition>,
    workers: Vec<Worker>,
    owners: BTreeMap<TopicPartition, usize>,
    committed: Offsets,
    delivered: BTreeSet<RowId>,
    /// Rows of each file.
    files: BTreeMap<String, Vec<RowId>>,
    /// What somebody has tried to create, by the id of the file: somebody else may end it.
    attempted: HashMap<String, Upload>,
    late: Vec<Upload>,
    /// After how many calls on files the next upload ends.
    interruption: Option<usize>,
    java: Option<Java>,
    salt: u64,
}

/// Java's sink, of which an export is taken over. Its rows go to the topics that they come from.
#[derive(Clone, Copy, Debug)]
struct Java {
    /// Rows before this offset are in its files.
    end: i64,
    /// What it has committed: less or more.
    committed: i64,
}

impl Simulation {
    fn new(salt: u64, java: Option<Java>) -> Self {
        let trouble = Arc::new(TroubledStorage::new());
        // two topics whose rows go to the same one, in the same partition number
        let partitions = [("a", 0), ("a", 1), ("b", 0), ("b", 1)].map(|(topic, n)| TopicPartition::new(topic, n));
        let committed = java.map_or(0, |java| java.committed);
        let committed = partitions.iter().map(|partition| (partition.clone(), committed)).collect();
        let mut simulation = Self {
            storage: Arc::clone(&trouble) as _,
            trouble,
            now: Arc::new(AtomicI64::new(1_000_000)),
            partitions: partitions.to_vec(),
            workers: Vec::new(),
            owners: BTreeMap::new(),
            committed,
            delivered: BTreeSet::new(),
            files: BTreeMap::new(),
            attempted: HashMap::new(),
            late: Vec::new(),
            interruption: None,
            java,
            salt,
        };
        if let Some(java) = java {
            simulation.write_as_java(java);
        }
        simulation.workers = (0..WORKERS).map(|index| simulation.worker(index)).collect();
        simulation
    }

    fn worker(&self, rotation: usize) -> Worker {
        let context = SinkContext::new("connector", 0);
        let queue = Arc::<Mutex<Queue>>::default();
        let now = Arc::clone(&self.now);
        let delivery = Delivery::new(
            context.clone(),
            sink_config(
                &[
                    PATIENCE,
                    ROTATIONS[rotation],
                    self.one_of(&LAYOUTS, 0),
                    self.one_of(&COMPATIBILITIES, 1),
                    self.one_of(&SIBLINGS, 2),
                    if self.java.is_some() { NAMINGS[1] } else { self.one_of(&NAMINGS, 3) },
                ]
                .concat(),
            ),
            Arc::clone(&self.storage),
            Box::new(SteppedUploads(Arc::clone(&queue))),
            Arc::new(move || now.load(Ordering::Relaxed)),
        )
        .unwrap();
        Worker { delivery, context, queue, positions: Offsets::new() }
    }

    /// One of these settings, always the same.
    fn one_of<T: Copy>(&self, settings: &[T], which: u32) -> T {
        settings[(self.salt as usize >> (8 * which)) % settings.len()]
    }

    /// What becomes of a record, always the same: the topic it goes to and the rows made of it; none: filtered.
    fn fate(&self, partition: &TopicPartition, offset: i64) -> (&'static str, i64) {
        let mut hash = self.salt ^ (offset as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= (partition.partition as u64 + partition.topic.as_bytes()[0] as u64) << 7;
        hash = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let rows = [0, 1, 1, 1, 1, 1, 2, 3][(hash >> 33) as usize % 8];
        match (self.java, &*partition.topic) {
            (None, _) => (["x", "y"][(hash >> 40) as usize % 2], rows),
            (Some(_), "a") => ("a", rows),
            (Some(_), _) => ("b", rows),
        }
    }

    /// Java's last files of each partition, in two directories.
    fn write_as_java(&mut self, java: Java) {
        for partition in self.partitions.clone() {
            let TopicPartition { topic, partition: number } = &partition;
            for (place, last) in [(0, java.end - 1), (1, java.end / 2)] {
                let path = format!("topics/{topic}/place={place}/{topic}+{number}+0000000000+{last:010}.parquet");
                let written = look("", Arc::clone(&self.storage), move |storage| {
                    Box::pin(async move { storage.write_over(&path, "rows of Java's".into()).await })
                });
                written.unwrap();
            }
            for offset in self.offsets(0, java.end) {
                let copies = 0..self.fate(&partition, offset).1;
                self.delivered.extend(copies.map(|copy| (partition.to_string(), offset, copy)));
            }
        }
    }

    /// Offsets of a partition: with gaps, as compaction leaves them.
    fn offsets(&self, first: i64, end: i64) -> Vec<i64> {
        (first..end).filter(|offset| (offset + self.salt as i64 % 3) % 7 != 3).collect()
    }

    fn batch(&self, partition: &TopicPartition, first: i64, end: i64) -> SinkBatch {
        let offsets = self.offsets(first, end);
        let origin = origin(partition, first, offsets.clone(), end);
        let mut all = Vec::new();
        // some records are of a later version, so that the records of a topic interleave
        for (topic, version) in
            ["x", "y", "a", "b"].into_iter().flat_map(|topic| (1..=3).map(move |version| (topic, version)))
        {
            let mut rows = Vec::new();
            let mut copies = Vec::new();
            for (row, offset) in offsets.iter().enumerate() {
                let (goes_to, count) = self.fate(partition, *offset);
                if goes_to == topic && version_of(*offset) == version {
                    rows.extend((0..count).map(|_| row as u32));
                    copies.extend(0..count);
                }
            }
            if !rows.is_empty() {
                let ids = rows.iter().map(|row| offsets[*row as usize]);
                let value = values(partition, ids, &copies, version, self.has_keys());
                let ids = rows.iter().zip(&copies).map(|(row, copy)| (offsets[*row as usize], *copy));
                let keys = ids.map(|(offset, copy)| key_of(&partition.to_string(), offset, copy));
                let keys: ArrayRef = Arc::new(StringArray::from_iter_values(keys));
                let mut records = records(&origin, topic, rows, value);
                records.key = Column::new(Arc::new(Field::new("key", DataType::Utf8, true)), keys);
                let metadata = HashMap::from([(VERSION.to_owned(), version.to_string())]);
                records.value.field = Arc::new(records.value.field.as_ref().clone().with_metadata(metadata));
                all.push(records);
            }
        }
        sink_batch_of(origin, all)
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Put { worker, partition, rows } => self.put(worker, &self.partitions[partition].clone(), rows),
            Step::Upload { worker, which, answer_is_lost, siblings_are_late } => {
                self.upload(worker, which, answer_is_lost, siblings_are_late);
            }
            Step::Commit { worker } => self.commit(worker),
            Step::Tick { worker, ms } => {
                self.now.fetch_add(ms, Ordering::Relaxed);
                if let Err(error) = self.workers[worker].delivery.tick() {
                    assert!(error.is_retriable(), "{error:?}");
                }
            }
            Step::Relieve { worker } => self.workers[worker].delivery.relieve().unwrap(),
            Step::Flush { worker } => self.flush(worker),
            Step::Assign { worker, partition } => self.assign(worker, &self.partitions[partition].clone()),
            Step::Learn { worker } => self.learn(worker),
            Step::Crash { worker, rotation } => self.crash(worker, rotation),
            Step::Trouble { calls } => self.trouble.failures.store(calls, Ordering::Relaxed),
            Step::Interrupt { calls } => self.interruption = Some(calls),
            Step::LateUpload { which } => {
                if !self.late.is_empty() {
                    let upload = self.late.swap_remove(which % self.late.len());
                    self.try_upload(&upload);
                }
            }
        }
        self.workers.iter_mut().for_each(carry_out_rewinds);
    }

    fn put(&mut self, worker: usize, partition: &TopicPartition, rows: i64) {
        let Some(first) = self.workers[worker].positions.get(partition).copied() else { return };
        let end = (first + rows).min(END);
        if first >= end {
            return;
        }
        let batch = self.batch(partition, first, end);
        let worker = &mut self.workers[worker];
        match worker.delivery.put(&batch) {
            Ok(rejected) => {
                assert!(rejected.is_empty());
                worker.positions.insert(partition.clone(), end);
            }
            Err(error) => assert!(error.is_retriable(), "{error:?}"),
        }
    }

    fn upload(&mut self, worker: usize, which: usize, answer_is_lost: bool, siblings_are_late: bool) {
        let mut upload = {
            let queue = self.workers[worker].queue.lock();
            if queue.pending.is_empty() {
                return;
            }
            queue.pending[which % queue.pending.len()].clone()
        };
        if siblings_are_late {
            upload.siblings.clear();
        }
        let Some(outcome) = self.try_upload(&upload) else { return };
        if !answer_is_lost && !siblings_are_late {
            let mut queue = self.workers[worker].queue.lock();
            queue.pending.retain(|pending| pending.ticket != upload.ticket);
            queue.ended.push((upload.ticket, outcome));
        }
    }

    /// `None`: it was interrupted, and will be tried again.
    fn try_upload(&mut self, upload: &Upload) -> Option<UploadOutcome> {
        // a failed upload would be the same as one that has not come to its turn
        self.trouble.failures.store(0, Ordering::Relaxed);
        if upload.path.is_none() {
            self.attempted.insert(upload.identity.file_id.clone(), upload.clone());
        }
        let calls = self.interruption.take().unwrap_or(usize::MAX);
        self.trouble.files.calls_left.store(calls, Ordering::Relaxed);
        let shared = upload.clone();
        let outcome = look("", Arc::clone(&self.storage), move |storage| {
            Box::pin(async move { try_upload(storage, &shared).await })
        });
        self.trouble.files.calls_left.store(usize::MAX, Ordering::Relaxed);
        let rows = upload.rows();
        for path in [upload.files.path(rows), upload.files.path_beside_another_origin(rows)] {
            match upload.files.claim_of(&path) {
                Some(claim) => self.note_claimed(&claim),
                None if matches!(&outcome, Ok(UploadOutcome::Created { path: created }) if *created == path) => {
                    self.note_file(path, upload);
                }
                None => {}
            }
        }
        match outcome {
            Err(StorageError::Unavailable { .. } | StorageError::NotFound { .. }) => None,
            outcome => Some(outcome.unwrap()),
        }
    }

    /// A file may have been created by whoever came across its claim.
    fn note_claimed(&mut self, claim: &str) {
        let claim = claim.to_owned();
        let claimed = look("", Arc::clone(&self.storage), move |storage| {
            Box::pin(async move { storage.read_claim(&claim).await })
        });
        let Some(file) = claimed.unwrap() else { return };
        let identity = FileIdentity::from_label(&file.label).unwrap();
        let upload = self.attempted[&identity.file_id].clone();
        let name = file.path.rsplit_once('/').unwrap().1;
        let last = upload.files.last_offset(name);
        assert_eq!(last, row_ids(&upload).last().map(|row| row.1), "{}", file.path);
        self.note_file(file.path, &upload);
    }

    fn note_file(&mut self, path: String, upload: &Upload) {
        if self.files.contains_key(&path) {
            return;
        }
        let claim = upload.files.claim_of(&path);
        let is_alone = |other: &&String| claim.is_some() && upload.files.claim_of(other) == claim;
        assert_eq!(self.files.keys().find(is_alone), None, "beside {path}");
        let rows = row_ids(upload);
        for row in &rows {
            assert!(self.delivered.insert(row.clone()), "{row:?} is in two files, the second is {path}");
        }
        self.files.insert(path, rows);
    }

    fn commit(&mut self, worker: usize) {
        let positions = self.workers[worker].positions.clone();
        let vouched = self.workers[worker].delivery.pre_commit(&positions).unwrap();
        carry_out_rewinds(&mut self.workers[worker]);
        for (partition, offset) in vouched {
            if self.java.is_some_and(|java| offset <= java.committed) {
                // no commit goes back
                continue;
            }
            self.assert_delivered(&partition, offset);
            // the group refuses commits of those who no longer own the partition
            if self.owners.get(&partition) == Some(&worker) {
                self.committed.insert(partition, offset);
            }
        }
    }

    fn assert_delivered(&self, partition: &TopicPartition, before: i64) {
        for offset in self.offsets(0, before) {
            for copy in 0..self.fate(partition, offset).1 {
                let row = (partition.to_string(), offset, copy);
                assert!(self.delivered.contains(&row), "{row:?} is committed but in no file");
            }
        }
        if self.has_keys() {
            self.assert_keys(partition, before);
        }
    }

    fn has_keys(&self) -> bool {
        !self.one_of(&SIBLINGS, 2).is_empty()
    }

    /// Beside each file with rows before this offset are their keys, and no others.
    fn assert_keys(&self, partition: &TopicPartition, before: i64) {
        let of_partition = |rows: &[RowId]| rows[0].0 == partition.to_string() && rows[0].1 < before;
        let has_values = |path: &str| path.ends_with(".parquet");
        for (path, rows) in self.files.iter().filter(|(path, rows)| has_values(path) && of_partition(rows)) {
            let beside = path.replace(".parquet", ".keys.json");
            let shared = beside.clone();
            let found = look("", Arc::new(self.trouble.store.clone()), move |storage| {
                Box::pin(async move { storage.read_all(&shared).await })
            });
            let keys = rows.iter().map(|row| format!("\"{}\"\n", key_of(&row.0, row.1, row.2))).collect::<String>();
            assert_eq!(found.unwrap().as_deref(), Some(keys.as_bytes()), "{beside}");
        }
    }

    fn flush(&mut self, worker: usize) {
        let partitions: Vec<_> = self.workers[worker].positions.keys().cloned().collect();
        self.workers[worker].delivery.flush(&partitions).unwrap();
    }

    fn assign(&mut self, worker: usize, partition: &TopicPartition) {
        let offset = self.committed[partition];
        self.owners.insert(partition.clone(), worker);
        let worker = &mut self.workers[worker];
        worker.delivery.open(&Offsets::from([(partition.clone(), offset)]));
        worker.positions.insert(partition.clone(), offset);
    }

    fn learn(&mut self, worker: usize) {
        let owners = &self.owners;
        let lost: Vec<_> = self.workers[worker].positions.keys().cloned().collect();
        let lost: Vec<_> = lost.into_iter().filter(|name| owners.get(name) != Some(&worker)).collect();
        self.workers[worker].delivery.close(&lost);
        self.workers[worker].positions.retain(|name, _| !lost.contains(name));
    }

    fn crash(&mut self, worker: usize, rotation: usize) {
        // whoever starts removes what was left unfinished
        let files = self.trouble.files.clone();
        runtime::wait(async move { files.sweep().await }, Duration::from_secs(90)).unwrap().unwrap();
        let fresh = self.worker(rotation);
        let crashed = std::mem::replace(&mut self.workers[worker], fresh);
        self.late.append(&mut crashed.queue.lock().pending);
        self.owners.retain(|_, owner| *owner != worker);
    }

    /// One worker takes over everything and brings it to the end.
    fn finish(&mut self) {
        self.trouble.failures.store(0, Ordering::Relaxed);
        self.interruption = None;
        self.crash(0, 1);
        for partition in self.partitions.clone() {
            self.assign(0, &partition);
        }
        for _ in 0..2000 {
            for partition in self.partitions.clone() {
                self.put(0, &partition, 50);
                carry_out_rewinds(&mut self.workers[0]);
            }
            if self.workers[0].positions.values().all(|position| *position == END) {
                self.flush(0);
            }
            while !self.workers[0].queue.lock().pending.is_empty() {
                self.run(Step::Upload { worker: 0, which: 0, answer_is_lost: false, siblings_are_late: false });
                self.run(Step::Relieve { worker: 0 });
            }
            self.run(Step::Commit { worker: 0 });
            if self.committed.values().all(|offset| *offset == END) {
                return;
            }
        }
        panic!("never done: {:?}", self.committed);
    }
}

fn carry_out_rewinds(worker: &mut Worker) {
    for (partition, offset) in worker.context.requests().take_rewinds() {
        if let Some(position) = worker.positions.get_mut(&partition) {
            *position = offset.min(*position);
        }
    }
}

fn simulate(steps: Vec<Step>, salt: u64, java: Option<Java>) {
    let mut simulation = Simulation::new(salt, java);
    for (index, partition) in simulation.partitions.clone().iter().enumerate() {
        simulation.assign(index % WORKERS, partition);
    }
    for step in steps {
        simulation.run(step);
    }
    simulation.finish();
    for partition in simulation.partitions.clone() {
        simulation.assert_delivered(&partition, END);
    }
    let expected: i64 = simulation
        .partitions
        .iter()
        .flat_map(|partition| simulation.offsets(0, END).into_iter().map(move |offset| (partition, offset)))
        .map(|(partition, offset)| simulation.fate(partition, offset).1)
        .sum();
    assert_eq!(simulation.delivered.len() as i64, expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 144, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn every_row_is_in_one_file_whatever_happens(steps in prop::collection::vec(step(), 0..200), salt in any::<u64>()) {
        simulate(steps, salt, None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 72, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn every_row_that_is_in_no_file_of_java_s_is_in_one_whatever_happens(
        steps in prop::collection::vec(step(), 0..200),
        salt in any::<u64>(),
        end in 1..60i64,
        committed in 0..80i64,
    ) {
        simulate(steps, salt, Some(Java { end, committed }));
    }
}
