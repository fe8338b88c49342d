//! The task with a real store.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type};
use bytes::Bytes;
use volley_api::{Column, ErrorKind, Offsets, RejectedRow, SinkBatch, SinkContext, SinkTask, TopicPartition};

use super::KeyedSinkTask;
use super::keyed_text::keyed_text;
use crate::config::SinkConfig;
use crate::test_records::{batch, read_rows, store_config};

fn partition() -> TopicPartition {
    TopicPartition::new("orders", 2)
}

fn config(root: &Path, entries: &[(&str, &str)]) -> SinkConfig {
    let template = [("file.name.template", "state/{{topic}}/{{key}}"), ("rotate.idle.ms", "-1")];
    let mut config = store_config(&[&template[..], entries].concat());
    config.insert("store.url".into(), format!("file://{}", root.display()));
    SinkConfig::parse(&config).unwrap()
}

fn started(root: &Path, entries: &[(&str, &str)]) -> KeyedSinkTask {
    let config = config(root, entries);
    let template = config.keyed.clone().unwrap();
    let mut task = KeyedSinkTask::start(SinkContext::new("orders-sink", 0), config, template).unwrap();
    task.open(&Offsets::from([(partition(), 0)])).unwrap();
    task
}

/// Records with these keys, whose values are the offsets as numbers.
fn keyed(first: i64, keys: &[Option<&str>]) -> SinkBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(first..first + keys.len() as i64));
    let mut batch = batch(&partition(), first, numbers);
    let keys: ArrayRef = Arc::new(StringArray::from(keys.to_vec()));
    batch.records[0].key = Column::new(Arc::new(Field::new("key", DataType::Utf8, true)), keys);
    batch
}

/// Asks for the committable offset until it is `end`.
fn until_committable(task: &mut KeyedSinkTask, end: i64) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while task.pre_commit(&Offsets::from([(partition(), end)])).unwrap()[&partition()] < end {
        assert!(Instant::now() < deadline, "not all was written");
        std::thread::yield_now();
    }
}

fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(root.join("state/orders")).map(|entries| entries.map(|entry| entry.unwrap().path()));
    let contents =
        |path: std::path::PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap());
    entries.map(|entries| entries.map(contents).collect()).unwrap_or_default()
}

fn texts(root: &Path) -> Vec<(String, String)> {
    files(root).into_iter().map(|(name, contents)| (name, String::from_utf8(contents).unwrap())).collect()
}

fn text(name: &str, contents: &str) -> (String, String) {
    (name.to_owned(), contents.to_owned())
}

#[test]
fn the_file_of_each_key_has_its_newest_record_and_is_written_over() {
    let root = tempfile::tempdir().unwrap();
    let mut task =
        started(root.path(), &[("format.class", "RecordJsonLines"), ("format.output.fields", "offset,value")]);
    assert_eq!(task.put(&keyed(0, &[Some("a"), Some("b"), Some("a"), None])).unwrap().len(), 0);
    assert_eq!(task.pre_commit(&Offsets::from([(partition(), 4)])).unwrap()[&partition()], 0);
    assert!(files(root.path()).is_empty());
    task.flush(&[partition()]).unwrap();
    until_committable(&mut task, 4);
    let line = |offset: i64| format!(r#"{{"offset":{offset},"value":{offset}}}"#);
    assert_eq!(texts(root.path()), [text("a", &line(2)), text("b", &line(1)), text("null", &line(3))]);
    assert_eq!(task.put(&keyed(4, &[Some("b")])).unwrap().len(), 0);
    task.flush(&[partition()]).unwrap();
    until_committable(&mut task, 5);
    assert_eq!(texts(root.path())[1], text("b", &line(4)));
    assert_eq!(task.buffered_bytes(), 0);
}

#[test]
fn a_file_of_a_key_may_be_of_columns() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(root.path(), &[("format.output.fields", "key,value")]);
    assert_eq!(task.put(&keyed(0, &[Some("a"), Some("a")])).unwrap().len(), 0);
    task.flush(&[partition()]).unwrap();
    until_committable(&mut task, 2);
    let rows = read_rows(Bytes::from(files(root.path())["a"].clone()));
    assert_eq!(rows.column_by_name("value").unwrap().as_primitive::<Int64Type>().values(), &[1]);
}

#[test]
fn a_bad_record_does_not_take_the_place_of_a_good_one_before_it() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(root.path(), &[("format.class", "ByteArray"), ("format.bytearray.separator", ";")]);
    let keys: ArrayRef = Arc::new(StringArray::from(vec!["a", "../b", "a", "a"]));
    let key = Column::new(Arc::new(Field::new("key", DataType::Utf8, true)), keys);
    let mut good = batch(&partition(), 0, Arc::new(StringArray::from(vec![Some("0"), Some("1"), Some("2"), None])));
    good.records[0].key = key;
    let rows = |rejected: Vec<RejectedRow>| {
        let mut rows: Vec<_> = rejected.into_iter().map(|row| (row.row, row.error.to_string())).collect();
        rows.sort();
        rows
    };
    let rejected = rows(task.put(&good).unwrap());
    assert_eq!(rejected.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 3]);
    assert!(rejected[0].1.contains("the key at offset 1 names no file"), "{rejected:?}");
    assert!(rejected[1].1.contains("the value at offset 3 is null"), "{rejected:?}");
    // numbers are no bytes
    assert_eq!(rows(task.put(&keyed(4, &[Some("a")])).unwrap()).len(), 1);
    task.flush(&[partition()]).unwrap();
    until_committable(&mut task, 5);
    assert_eq!(texts(root.path()), [text("a", "2;")]);
}

#[test]
fn memory_is_freed_by_writing_what_waits() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(root.path(), &[("format.class", "RecordCsv"), ("format.output.fields", "offset")]);
    task.put(&keyed(0, &[Some("a"), Some("b")])).unwrap();
    assert!(task.buffered_bytes() > 0);
    task.tick().unwrap();
    assert!(files(root.path()).is_empty());
    task.relieve().unwrap();
    until_committable(&mut task, 2);
    assert_eq!((task.buffered_bytes(), files(root.path()).len()), (0, 2));
    // so it is when they reach `rotate.bytes` together, or when their time has come
    for entry in [("rotate.bytes", "1"), ("rotate.schedule.interval.ms", "1"), ("rotate.idle.ms", "1")] {
        let root = tempfile::tempdir().unwrap();
        let mut task =
            started(root.path(), &[("format.class", "RecordCsv"), ("format.output.fields", "offset"), entry]);
        task.put(&keyed(0, &[Some("a"), Some("b")])).unwrap();
        let deadline = Instant::now() + Duration::from_secs(90);
        while files(root.path()).len() < 2 {
            task.tick().unwrap();
            assert!(Instant::now() < deadline, "{entry:?}");
        }
    }
}

#[test]
fn a_write_that_never_succeeds_fails_the_task_and_nothing_behind_it_is_committed() {
    let root = tempfile::tempdir().unwrap();
    let entries = [("format.class", "RecordCsv"), ("format.output.fields", "offset"), ("retry.timeout.ms", "50")];
    let mut task = started(root.path(), &entries);
    // a file where a directory has to be stands for a disk that cannot be written
    fs::write(root.path().join("state"), "").unwrap();
    task.put(&keyed(0, &[Some("a")])).unwrap();
    task.flush(&[partition()]).unwrap();
    let deadline = Instant::now() + Duration::from_secs(90);
    let error = loop {
        match task.tick() {
            Ok(()) => assert!(Instant::now() < deadline),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Fatal);
    assert!(error.to_string().contains("could not write state/orders/a"), "{error}");
    assert_eq!(task.pre_commit(&Offsets::from([(partition(), 1)])).unwrap()[&partition()], 0);
}

#[test]
fn a_user_sees_the_files_of_keys_and_the_records_that_have_none() {
    let root = tempfile::tempdir().unwrap();
    let config = config(root.path(), &[]);
    let lines =
        keyed_text(&config, config.keyed.as_ref().unwrap(), &keyed(7, &[Some("a"), Some(""), Some("a")]).records);
    let lines = lines.unwrap();
    assert!(lines[0].starts_with("the record at offset 9 of orders-2 would be in file:///"), "{lines:?}");
    assert!(lines[0].ends_with("/state/orders/a"), "{lines:?}");
    assert!(lines.len() == 2 && lines[1].contains("the key at offset 8 names no file"), "{lines:?}");
}

#[test]
fn what_does_not_go_with_files_of_keys_is_refused() {
    for (key, value) in [
        ("partitioner.class", "DailyPartitioner"),
        ("store.kafka.keys", "true"),
        ("file.offset.tags", "true"),
        ("schema.compatibility", "BACKWARD"),
    ] {
        let entries = [("file.name.template", "{{key}}"), (key, value)];
        let message = SinkConfig::parse(&store_config(&entries)).unwrap_err().to_string();
        assert!(message.contains(key), "{key}: {message}");
    }
    let keep = [("behavior.on.null.values", "keep"), ("format.class", "JsonLines")];
    let message = SinkConfig::parse(&store_config(&keep)).unwrap_err().to_string();
    assert!(message.contains("keep needs a format of records"), "{message}");
}
