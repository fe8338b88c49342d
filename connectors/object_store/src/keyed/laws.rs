//! Whatever happens, the file of each key comes to show its last record, and nothing is committed that no file shows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field};
use bytes::Bytes;
use object_store::memory::InMemory;
use object_store::path::Path;
use parking_lot::Mutex;
use proptest::prelude::*;
use volley_api::{Column, Offsets, Result, SinkBatch, SinkContext, SinkTask, TopicPartition};

use super::keyed_sink::KeyedSinkTask;
use super::writes::Writes;
use crate::store::{RemoteStorage, Storage};
use crate::test_records::{batch, sink_config};

/// Files and writes, which end when the test says so.
#[derive(Debug, Default)]
struct World {
    files: BTreeMap<String, Bytes>,
    /// Of the task and of those that have crashed.
    under_way: Vec<(String, Bytes)>,
    ended: Vec<String>,
}

#[derive(Clone, Debug, Default)]
struct SlowWrites(Arc<Mutex<World>>);

impl SlowWrites {
    /// Ends a write. Returns what was there before and what is there now.
    fn end(&self, number: usize) -> Option<(Option<Bytes>, Bytes)> {
        let mut world = self.0.lock();
        if world.under_way.is_empty() {
            return None;
        }
        let number = number % world.under_way.len();
        let (path, contents) = world.under_way.swap_remove(number);
        world.ended.push(path.clone());
        let before = world.files.insert(path, contents.clone());
        Some((before, contents))
    }

    fn end_all(&self) {
        while self.end(0).is_some() {}
    }
}

impl Writes for SlowWrites {
    fn begin(&mut self, path: String, contents: Bytes) -> Result<()> {
        let mut world = self.0.lock();
        assert!(world.under_way.iter().all(|(other, _)| *other != path), "two writes of {path} at a time");
        world.under_way.push((path, contents));
        Ok(())
    }

    fn ended(&mut self) -> Vec<(String, Result<()>)> {
        std::mem::take(&mut self.0.lock().ended).into_iter().map(|path| (path, Ok(()))).collect()
    }

    fn wait(&mut self, _limit: Duration) {
        self.end_all();
    }

    fn abandon(&mut self, _path: &str) {}
}

fn partition(number: usize) -> TopicPartition {
    TopicPartition::new("t", number as i32)
}

fn started(writes: &SlowWrites, template: &str, committed: &Offsets) -> KeyedSinkTask {
    let config = sink_config(&[
        ("file.name.template", template),
        ("format.class", "RecordCsv"),
        ("format.output.fields", "offset,key"),
        ("rotate.idle.ms", "-1"),
        ("behavior.on.null.values", "keep"),
    ]);
    let storage: Arc<dyn Storage> =
        Arc::new(RemoteStorage::new("memory:///", Arc::new(InMemory::new()), Path::default()));
    let template = config.keyed.clone().unwrap();
    let context = SinkContext::new("c", 0);
    let mut task = KeyedSinkTask::new(context, config, template, &storage, Box::new(writes.clone()), Arc::new(|| 0));
    task.open(committed).unwrap();
    task
}

/// Records with these keys.
fn keyed_batch(partition: &TopicPartition, first: i64, keys: &[u8]) -> SinkBatch {
    let values: ArrayRef = Arc::new(StringArray::from(vec!["v"; keys.len()]));
    let mut batch = batch(partition, first, values);
    let keys: ArrayRef = Arc::new(StringArray::from_iter_values(keys.iter().map(|key| format!("k{key}"))));
    batch.records[0].key = Column::new(Arc::new(Field::new("key", DataType::Utf8, true)), keys);
    batch
}

/// The offset that a file shows.
fn offset_in(contents: &[u8]) -> i64 {
    std::str::from_utf8(contents).unwrap().split(',').next().unwrap().parse().unwrap()
}

/// The last offset of each key's records before `end`.
fn last_offsets(records: &[u8], end: i64) -> BTreeMap<u8, i64> {
    (0..end).map(|offset| (records[offset as usize], offset)).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Put(usize, usize),
    Flush,
    End(usize),
    Commit,
    Crash,
    /// The partition goes away and comes back.
    Reopen(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0usize..2, 1usize..6).prop_map(|(partition, rows)| Step::Put(partition, rows)),
        2 => Just(Step::Flush),
        4 => any::<usize>().prop_map(Step::End),
        2 => Just(Step::Commit),
        1 => Just(Step::Crash),
        1 => (0usize..2).prop_map(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..60)
}

/// Commits, and checks that the files show all that is committed.
fn commit(
    task: &mut KeyedSinkTask,
    read: &Offsets,
    committed: &mut Offsets,
    records: &[Vec<u8>; 2],
    writes: &SlowWrites,
) {
    *committed = task.pre_commit(read).unwrap();
    for (partition, offset) in committed.iter() {
        for (key, last) in last_offsets(&records[partition.partition as usize], *offset) {
            let files = &writes.0.lock().files;
            let shown = files.get(&format!("{}/k{key}", partition.partition)).map(|contents| offset_in(contents));
            assert!(shown >= Some(last), "{partition} {offset}: k{key} shows {shown:?} and not {last}");
        }
    }
}

proptest! {
    #[test]
    fn the_last_record_of_each_key_is_in_its_file_whatever_happens(
        records in [proptest::collection::vec(0u8..5, 80), proptest::collection::vec(0u8..5, 80)],
        steps in steps(),
    ) {
        let writes = SlowWrites::default();
        let mut committed = Offsets::from([(partition(0), 0), (partition(1), 0)]);
        let mut read = committed.clone();
        let mut task = started(&writes, "{{partition}}/{{key}}", &committed);
        // what files may show that were written before a crash
        let mut is_first_life = true;
        for step in steps {
            match step {
                Step::Put(number, rows) => {
                    let next = read.get_mut(&partition(number)).unwrap();
                    let end = (*next + rows as i64).min(80);
                    if end > *next {
                        let keys = &records[number][*next as usize..end as usize];
                        task.put(&keyed_batch(&partition(number), *next, keys)).unwrap();
                        *next = end;
                    }
                }
                Step::Flush => task.flush(&[]).unwrap(),
                Step::End(number) => {
                    if let Some((Some(before), after)) = writes.end(number) {
                        prop_assert!(!is_first_life || offset_in(&before) < offset_in(&after));
                    }
                }
                Step::Commit => commit(&mut task, &read, &mut committed, &records, &writes),
                Step::Crash => {
                    // what was under way may be there or not
                    if read.values().sum::<i64>() % 2 == 0 {
                        writes.end_all();
                    }
                    writes.0.lock().under_way.clear();
                    writes.0.lock().ended.clear();
                    is_first_life = false;
                    read = committed.clone();
                    task = started(&writes, "{{partition}}/{{key}}", &committed);
                }
                Step::Reopen(number) => {
                    let name = partition(number);
                    task.flush(&[]).unwrap();
                    commit(&mut task, &read, &mut committed, &records, &writes);
                    task.close(std::slice::from_ref(&name)).unwrap();
                    let directory = format!("{number}/");
                    prop_assert!(writes.0.lock().under_way.iter().all(|(path, _)| !path.starts_with(&directory)));
                    is_first_life = false;
                    read.insert(name.clone(), committed[&name]);
                    task.open(&Offsets::from([(name.clone(), committed[&name])])).unwrap();
                }
            }
        }
        for number in 0..2 {
            let next = read[&partition(number)];
            if next < 80 {
                task.put(&keyed_batch(&partition(number), next, &records[number][next as usize..])).unwrap();
            }
            read.insert(partition(number), 80);
        }
        while committed != read {
            task.flush(&[]).unwrap();
            writes.end_all();
            commit(&mut task, &read, &mut committed, &records, &writes);
        }
        prop_assert_eq!(task.buffered_bytes(), 0);
        for (number, records) in records.iter().enumerate() {
            for (key, last) in last_offsets(records, 80) {
                prop_assert_eq!(offset_in(&writes.0.lock().files[&format!("{number}/k{key}")]), last);
            }
        }
    }

    /// Without `{{partition}}` a file shows a record of one of them; each holds its offsets back until then.
    #[test]
    fn a_key_of_several_partitions_has_one_file_and_holds_back_all_of_them(
        puts in proptest::collection::vec((0usize..3, 0u8..3), 1..30),
    ) {
        let writes = SlowWrites::default();
        let opened: Offsets = (0..3).map(|number| (partition(number), 0)).collect();
        let mut task = started(&writes, "{{key}}", &opened);
        let (mut read, mut first): (Offsets, Offsets) = (opened.clone(), Offsets::new());
        for (number, key) in puts {
            let next = read.get_mut(&partition(number)).unwrap();
            task.put(&keyed_batch(&partition(number), *next, &[key])).unwrap();
            first.entry(partition(number)).or_insert(*next);
            *next += 1;
        }
        for (partition, offset) in task.pre_commit(&read).unwrap() {
            prop_assert_eq!(offset, first.get(&partition).copied().unwrap_or(0));
        }
        task.flush(&[]).unwrap();
        writes.end_all();
        prop_assert_eq!(task.pre_commit(&read).unwrap(), read);
        prop_assert_eq!(task.buffered_bytes(), 0);
    }
}
