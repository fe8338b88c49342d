//! Files of Confluent's sink for HDFS that are there when a task starts, and ours that it could go on behind.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use volley_api::{ConfigMap, ErrorKind, Offsets, SinkContext, SinkTask};

use super::started_task::{deliver, failure, ids, local_config, partition, put, started, started_with, struct_of};
use crate::test_records::batch;

const JAVA_LOG: &str = "logs/orders/2/log";
const TEMPORARY: &str = "topics/+tmp/orders/partition=2/11111111-2222-3333-4444-555555555555_tmp.json";

fn config(root: &Path, entries: &[(&str, &str)]) -> ConfigMap {
    let named = [("file.name.last.offset", "true"), ("java.logs.dir", "logs")];
    let others = [("flush.size", "4"), ("format.class", "JsonLines")];
    local_config(root, &[&named[..], &others, entries].concat())
}

fn write(root: &Path, path: &str, contents: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

/// The files that can be seen below a directory of the topic, by name.
fn visible(root: &Path, directory: &str) -> BTreeMap<String, String> {
    let entries = fs::read_dir(root.join("topics/orders").join(directory)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let named = paths.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path));
    let seen = named.filter(|(name, _)| !name.starts_with('.'));
    seen.map(|(name, path)| (name, String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned())).collect()
}

fn names(root: &Path, directory: &str) -> Vec<String> {
    visible(root, directory).into_keys().collect()
}

/// Rows whose even ids go to the directory `half=0`, the others to `half=1`.
fn halves(range: std::ops::Range<i64>) -> ArrayRef {
    let halves = Int64Array::from_iter_values(range.clone().map(|id| id % 2));
    struct_of(vec![("id", Arc::new(Int64Array::from_iter_values(range)) as ArrayRef), ("half", Arc::new(halves))])
}

const BY_HALF: [(&str, &str); 2] = [("partitioner.class", "FieldPartitioner"), ("partition.field.name", "half")];

#[test]
fn names_end_with_the_offset_of_the_last_row_and_a_task_that_starts_again_goes_on_behind_them() {
    for format in ["JsonLines", "Parquet"] {
        let root = tempfile::tempdir().unwrap();
        let format = ("format.class", format);
        let mut task = started(&config(root.path(), &[format]), 0);
        put(&mut task, &batch(&partition(), 0, ids(0..10)));
        deliver(&mut task, 10);
        task.stop();
        // nothing was committed, and the batches fall differently
        let mut task = started(&config(root.path(), &[format, ("flush.size", "5")]), 0);
        put(&mut task, &batch(&partition(), 0, ids(0..17)));
        deliver(&mut task, 17);
        let names = names(root.path(), "partition=2");
        let spans: Vec<_> = names.iter().map(|name| name.split('.').next().unwrap()[9..].to_owned()).collect();
        let expected = [(0, 3), (4, 7), (8, 9), (10, 14), (15, 16)];
        assert_eq!(spans, expected.map(|(first, last)| format!("{first:010}+{last:010}")));
    }
}

#[test]
fn an_export_whose_names_had_no_last_offset_goes_on() {
    for format in ["JsonLines", "Parquet"] {
        let root = tempfile::tempdir().unwrap();
        let format = ("format.class", format);
        let mut task = started(&config(root.path(), &[format, ("file.name.last.offset", "false")]), 0);
        put(&mut task, &batch(&partition(), 0, ids(0..10)));
        deliver(&mut task, 10);
        task.stop();
        let mut task = started(&config(root.path(), &[format]), 0);
        put(&mut task, &batch(&partition(), 0, ids(0..14)));
        deliver(&mut task, 14);
        let names = names(root.path(), "partition=2");
        let starts: Vec<_> = names.iter().map(|name| name[9..19].parse::<i64>().unwrap()).collect();
        assert_eq!(starts, [0, 4, 8, 10]);
        assert!(names[3].starts_with("orders+2+0000000010+0000000013."), "{names:?}");
    }
}

#[test]
fn rows_up_to_the_largest_offset_in_java_s_names_are_there_already_in_every_directory() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "topics/orders/half=0/orders+2+0000000000+0000000004.json", "java\n");
    write(root.path(), "topics/orders/half=1/orders+2+0000000001+0000000005.json", "java\n");
    // of another partition
    write(root.path(), "topics/orders/half=1/orders+1+0000000000+0000000099.json", "java\n");
    let mut task = started(&config(root.path(), &BY_HALF), 0);
    put(&mut task, &batch(&partition(), 0, halves(0..10)));
    deliver(&mut task, 10);
    task.stop();
    let all = |directory| visible(root.path(), directory).into_values().collect::<String>();
    assert_eq!(all("half=0"), "java\n{\"id\":6,\"half\":0}\n{\"id\":8,\"half\":0}\n");
    assert_eq!(all("half=1"), "java\njava\n{\"id\":7,\"half\":1}\n{\"id\":9,\"half\":1}\n");
    // where Java would go on: behind the largest last offset
    assert_eq!(names(root.path(), "half=1").last().unwrap(), "orders+2+0000000007+0000000009.json");
}

#[test]
fn files_of_ours_in_one_directory_do_not_cover_rows_of_another() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "topics/orders/half=0/orders+2+0000000000+0000000001.json", "java\n");
    let mut task = started(&config(root.path(), &[&BY_HALF[..], &[("flush.size", "2")]].concat()), 0);
    // of the directory 0, a file is complete; the rows of the other are lost with the task
    put(&mut task, &batch(&partition(), 0, halves(0..5)));
    task.flush(&[]).unwrap();
    while names(root.path(), "half=0").len() < 2 {
        task.tick().unwrap();
    }
    drop(task);
    let mut task = started(&config(root.path(), &BY_HALF), 0);
    put(&mut task, &batch(&partition(), 0, halves(0..8)));
    deliver(&mut task, 8);
    let all = |directory| visible(root.path(), directory).into_values().collect::<String>();
    assert_eq!(all("half=0"), "java\n{\"id\":2,\"half\":0}\n{\"id\":4,\"half\":0}\n{\"id\":6,\"half\":0}\n");
    assert_eq!(all("half=1"), "{\"id\":3,\"half\":1}\n{\"id\":5,\"half\":1}\n{\"id\":7,\"half\":1}\n");
}

#[test]
fn an_export_goes_to_java_and_back_and_each_row_is_written_once() {
    let root = tempfile::tempdir().unwrap();
    let run = |from: i64, committed: i64, end: i64| {
        let mut task = started(&config(root.path(), &[]), committed);
        put(&mut task, &batch(&partition(), from, ids(from..end)));
        deliver(&mut task, end);
        task.stop();
    };
    run(0, 0, 6);
    // Java goes on behind it, and its commit is lost
    write(root.path(), "topics/orders/partition=2/orders+2+0000000006+0000000008.json", "java\n");
    run(6, 6, 12);
    let expected = ["0000000000+0000000003", "0000000004+0000000005", "0000000006+0000000008", "0000000009+0000000011"];
    assert_eq!(names(root.path(), "partition=2"), expected.map(|span| format!("orders+2+{span}.json")));
}

#[test]
fn where_java_has_committed_what_is_in_no_file_its_rows_are_asked_for_until_they_are_written() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "topics/orders/partition=2/orders+2+0000000000+0000000003.json", "java\n");
    let context = SinkContext::new("orders-sink", 0);
    let rewinds = || context.requests().take_rewinds();
    let opened = |committed: i64| {
        let mut task = started_with(context.clone(), &config(root.path(), &[]), committed);
        put(&mut task, &batch(&partition(), committed, ids(committed..committed + 1)));
        task
    };
    let mut task = opened(10);
    assert_eq!(rewinds(), [(partition(), 4)]);
    assert_eq!(task.pre_commit(&Offsets::from([(partition(), 11)])).unwrap()[&partition()], 4);
    // the task ends when a part of them is written; what was committed before still is
    put(&mut task, &batch(&partition(), 4, ids(4..8)));
    deliver(&mut task, 8);
    drop(task);
    let mut task = opened(10);
    assert_eq!(rewinds(), [(partition(), 4)]);
    put(&mut task, &batch(&partition(), 4, ids(4..12)));
    deliver(&mut task, 12);
    let expected = ["0000000000+0000000003", "0000000004+0000000007", "0000000008+0000000011"];
    assert_eq!(names(root.path(), "partition=2"), expected.map(|span| format!("orders+2+{span}.json")));
    drop(task);
    drop(opened(12));
    assert!(rewinds().is_empty());
}

#[test]
fn files_that_java_has_written_and_somebody_has_moved_away_are_not_asked_for() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "topics/orders/partition=2/orders+2+0000000000+0000000003.json", "java\n");
    write(root.path(), "logs/orders/2/log.1", "WAL/orders/partition=2/orders+2+0000000004+0000000007.json");
    let context = SinkContext::new("orders-sink", 0);
    let mut task = started_with(context.clone(), &config(root.path(), &[]), 8);
    put(&mut task, &batch(&partition(), 8, ids(8..9)));
    assert!(context.requests().take_rewinds().is_empty());
}

#[test]
fn what_java_has_not_ended_with_fails_the_task() {
    let root = tempfile::tempdir().unwrap();
    let unique = "11111111-2222-3333-4444-555555555555";
    write(root.path(), JAVA_LOG, &format!("WAL+tmp/orders/partition=2/{unique}_tmp.json"));
    write(root.path(), "topics/+tmp/orders/partition=2/99999999-2222-3333-4444-555555555555_tmp.json", "of long ago");
    let mut task = started(&config(root.path(), &[]), 0);
    put(&mut task, &batch(&partition(), 0, ids(0..1)));
    for log in [&format!("WAL+tmp/orders/partition=2/{unique}_tmp.json"), ""] {
        write(root.path(), JAVA_LOG, log);
        write(root.path(), TEMPORARY, "rows");
        let mut task = started(&config(root.path(), &[]), 0);
        let error = task.put(&batch(&partition(), 0, ids(0..1))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("start it again with Java and stop it in order"), "{error}");
        assert!(root.path().join(TEMPORARY).exists() && root.path().join(JAVA_LOG).exists());
    }
}

#[test]
fn a_file_that_java_writes_meanwhile_fails_the_task_and_stays() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(&config(root.path(), &[]), 0);
    put(&mut task, &batch(&partition(), 0, ids(0..3)));
    write(root.path(), "topics/orders/partition=2/orders+2+0000000000+0000000002.json", "java\n");
    let error = failure(&mut task);
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("was not written by this sink"), "{error}");
    assert_eq!(visible(root.path(), "partition=2").into_values().collect::<String>(), "java\n");
}

#[test]
fn a_parquet_file_without_contents_that_java_has_left_covers_nothing() {
    let root = tempfile::tempdir().unwrap();
    let parquet = [("format.class", "Parquet")];
    write(root.path(), "topics/orders/partition=2/orders+2+0000000000+0000000003.parquet", "PAR1 and rows PAR1");
    write(root.path(), "topics/orders/partition=2/orders+2+0000000004+0000000009.parquet", "PAR1");
    let mut task = started(&config(root.path(), &parquet), 0);
    put(&mut task, &batch(&partition(), 0, ids(0..7)));
    deliver(&mut task, 7);
    let names = names(root.path(), "partition=2");
    assert!(names.contains(&"orders+2+0000000004+0000000006.parquet".to_owned()), "{names:?}");
}
