//! Files, tasks that read them, and what comes of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use volley_api::testing::config_map;
use volley_api::{
    ConfigMap, Converter, Error, Polled, Result, Side, SourceBatch, SourceContext, SourceOffset, SourcePartition,
    SourceTask, Unserialized,
};
use volley_converters::JsonConverter;

use crate::source::task::ObjectStoreSourceTask;

/// Stored offsets, by the text of their partitions.
pub(super) type Stored = BTreeMap<String, SourceOffset>;

/// A configuration of a bounded source of everything below `root`.
pub(super) fn config(root: &Path, more: &[(&str, &str)]) -> ConfigMap {
    let url = format!("file://{}", root.display());
    let keys = [("store.url", url.as_str()), ("topic", "back"), ("volley.mode", "bounded")];
    config_map(&[&keys, more].concat())
}

/// Writes a file, and the directories above it.
pub(super) fn write(root: &Path, path: &str, contents: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

/// The context of a task that finds these offsets.
pub(super) fn context(task: usize, stored: &Stored) -> SourceContext {
    let stored = stored.clone();
    let reader = move |partition: &SourcePartition| Ok(stored.get(&key_of(partition)).cloned());
    SourceContext::new("files", task).with_offsets(Arc::new(reader))
}

fn key_of(partition: &SourcePartition) -> String {
    Value::from(partition.clone()).to_string()
}

/// A task with these offsets stored.
pub(super) fn started(config: &ConfigMap, stored: &Stored) -> ObjectStoreSourceTask {
    ObjectStoreSourceTask::start(context(0, stored), config).unwrap()
}

/// What a task has given.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// All batches.
    pub(super) batches: Vec<SourceBatch>,
    /// Why it has failed.
    pub(super) error: Option<Error>,
}

impl Seen {
    /// The values as JSON, in their order.
    pub(super) fn values(&self) -> Vec<Value> {
        self.batches.iter().flat_map(values_of).collect()
    }

    /// The newest offset of each file, added to what was stored.
    pub(super) fn offsets(&self, stored: &Stored) -> Stored {
        let newest = self.batches.iter().map(|batch| (key_of(&batch.partition), batch.offset.clone()));
        stored.clone().into_iter().chain(newest).collect()
    }

    /// The files in the order in which they were read.
    pub(super) fn files(&self) -> Vec<String> {
        let mut files: Vec<_> =
            self.batches.iter().map(|batch| batch.partition["file"].as_str().unwrap().to_owned()).collect();
        files.dedup();
        files
    }
}

/// The values of a batch as JSON.
pub(super) fn values_of(batch: &SourceBatch) -> Vec<Value> {
    let plain = config_map(&[("schemas.enable", "false"), ("decimal.format", "NUMERIC")]);
    let column = &batch.records.value;
    let texts = JsonConverter::new(&plain, Side::Value).unwrap().from_connect(&Unserialized::new("t", column)).unwrap();
    assert!(texts.rejected.is_empty(), "{:?}", texts.rejected);
    let value = |text: Option<&[u8]>| text.map_or(Value::Null, |text| serde_json::from_slice(text).unwrap());
    texts.bytes.iter().map(value).collect()
}

/// Polls until the task is done or has failed, at most `polls` times.
pub(super) fn read_for(task: &mut ObjectStoreSourceTask, polls: usize) -> Seen {
    let mut seen = Seen::default();
    for _ in 0..polls {
        match task.poll(Duration::ZERO) {
            Ok(Polled::Batches(batches)) => seen.batches.extend(batches),
            Ok(Polled::Idle | Polled::IdleFor(_)) => std::thread::yield_now(),
            Ok(Polled::Finished) => break,
            Err(error) => {
                seen.error = Some(error);
                break;
            }
        }
    }
    seen
}

/// Everything that a task gives.
pub(super) fn read_all(config: &ConfigMap, stored: &Stored) -> Seen {
    let mut task = started(config, stored);
    let seen = read_for(&mut task, 1_000_000);
    task.stop();
    seen
}

/// Everything of a source that has to succeed.
pub(super) fn values(config: &ConfigMap) -> Vec<Value> {
    let seen = read_all(config, &Stored::new());
    assert!(seen.error.is_none(), "{:?}", seen.error);
    seen.values()
}

/// Polls until something comes.
pub(super) fn next_batches(task: &mut ObjectStoreSourceTask) -> Result<Vec<SourceBatch>> {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        match task.poll(Duration::ZERO)? {
            Polled::Batches(batches) => return Ok(batches),
            Polled::Finished => panic!("the source is at its end"),
            Polled::Idle | Polled::IdleFor(_) => assert!(Instant::now() < deadline, "nothing came"),
        }
        std::thread::yield_now();
    }
}
