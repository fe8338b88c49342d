//! Tasks that have been started, what is put into them, and the files that they have written.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StructArray};
use arrow::datatypes::{Field, Int64Type};
use bytes::Bytes;
use volley_api::{ConfigMap, Offsets, SinkBatch, SinkContext, SinkTask, TopicPartition};

use crate::config::SinkConfig;
use crate::sink::ObjectStoreSinkTask;
use crate::test_records::{read_rows, store_config};

pub(super) fn partition() -> TopicPartition {
    TopicPartition::new("orders", 2)
}

pub(super) fn struct_of(columns: Vec<(&str, ArrayRef)>) -> ArrayRef {
    let columns: Vec<_> = columns
        .into_iter()
        .map(|(name, array)| (Arc::new(Field::new(name, array.data_type().clone(), true)), array))
        .collect();
    Arc::new(StructArray::from(columns))
}

pub(super) fn ids(range: std::ops::Range<i64>) -> ArrayRef {
    struct_of(vec![("id", Arc::new(Int64Array::from_iter_values(range)))])
}

pub(super) fn local_config(root: &Path, entries: &[(&str, &str)]) -> ConfigMap {
    let mut config = store_config(entries);
    config.insert("store.url".into(), format!("file://{}", root.display()));
    config
}

pub(super) fn started(config: &ConfigMap, committed: i64) -> ObjectStoreSinkTask {
    started_with(SinkContext::new("orders-sink", 0), config, committed)
}

pub(super) fn started_with(context: SinkContext, config: &ConfigMap, committed: i64) -> ObjectStoreSinkTask {
    let mut task = ObjectStoreSinkTask::start(context, SinkConfig::parse(config).unwrap()).unwrap();
    task.open(&Offsets::from([(partition(), committed)])).unwrap();
    task
}

/// Puts, and puts again while the task has no room.
pub(super) fn put(task: &mut ObjectStoreSinkTask, batch: &SinkBatch) {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        match task.put(batch) {
            Ok(rejected) => return assert!(rejected.is_empty(), "{rejected:?}"),
            Err(error) => assert!(error.is_retriable() && Instant::now() < deadline, "{error:?}"),
        }
    }
}

/// Flushes and asks for the committable offset until it is `end`.
pub(super) fn deliver(task: &mut ObjectStoreSinkTask, end: i64) {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        task.flush(&[partition()]).unwrap();
        let vouched = task.pre_commit(&Offsets::from([(partition(), end)])).unwrap();
        if vouched[&partition()] == end {
            return;
        }
        assert!(Instant::now() < deadline, "only {vouched:?} was delivered");
        std::thread::yield_now();
    }
}

pub(super) fn files(root: &Path) -> Vec<PathBuf> {
    let directory = root.join("topics/orders/partition=2");
    let mut files: Vec<_> =
        fs::read_dir(directory).map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default();
    files.sort();
    files
}

pub(super) fn names(root: &Path) -> Vec<String> {
    files(root).iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

pub(super) fn read(path: &Path) -> RecordBatch {
    read_rows(Bytes::from(fs::read(path).unwrap()))
}

pub(super) fn read_ids(root: &Path) -> Vec<i64> {
    let column =
        |path: &PathBuf| read(path).column_by_name("id").unwrap().as_primitive::<Int64Type>().values().to_vec();
    files(root).iter().flat_map(column).collect()
}

pub(super) fn failure(task: &mut ObjectStoreSinkTask) -> volley_api::Error {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        match task.flush(&[partition()]) {
            Err(error) if !error.is_retriable() => return error,
            _ => assert!(Instant::now() < deadline, "never failed"),
        }
        std::thread::yield_now();
    }
}
