//! Files that are there when a task starts: adopted, or told apart.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use volley_api::testing::sink_batch_of;
use volley_api::{ErrorKind, Offsets, Origin, SinkBatch, SinkContext, SinkTask};

use super::started_task::{
    deliver, failure, files, ids, local_config, names, partition, put, read, read_ids, started, started_with,
};
use crate::test_records::batch;

#[test]
fn a_task_that_starts_again_adopts_what_its_predecessor_wrote() {
    let root = tempfile::tempdir().unwrap();
    let config = local_config(root.path(), &[("flush.size", "4")]);
    let mut task = started(&config, 0);
    put(&mut task, &batch(&partition(), 0, ids(0..10)));
    deliver(&mut task, 10);
    task.stop();
    // nothing was committed, and the batches fall differently
    let mut task = started(&local_config(root.path(), &[("flush.size", "5")]), 0);
    put(&mut task, &batch(&partition(), 0, ids(0..3)));
    put(&mut task, &batch(&partition(), 3, ids(3..17)));
    deliver(&mut task, 17);
    assert_eq!(read_ids(root.path()), (0..17).collect::<Vec<_>>());
    let starts: Vec<_> = names(root.path()).iter().map(|name| name[9..19].parse::<i64>().unwrap()).collect();
    assert_eq!(starts, [0, 4, 8, 10, 15]);
}

#[test]
fn a_null_value_within_an_adopted_file_is_rejected_again() {
    let values: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("c"), Some("d")]));
    let root = tempfile::tempdir().unwrap();
    let config = local_config(root.path(), &[("flush.size", "3")]);
    let all = batch(&partition(), 0, values);
    let mut task = started(&config, 0);
    assert_eq!(task.put(&all).unwrap().len(), 1);
    deliver(&mut task, 4);
    task.stop();
    // neither the offset nor a dead letter came through before the end
    let mut task = started(&config, 0);
    let rejected = task.put(&all).unwrap();
    assert_eq!(rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [1]);
    deliver(&mut task, 4);
    assert_eq!(files(root.path()).iter().map(|path| read(path).num_rows()).sum::<usize>(), 3);
}

#[test]
fn files_of_another_connector_or_topic_are_neither_adopted_nor_replaced() {
    let root = tempfile::tempdir().unwrap();
    let config = local_config(root.path(), &[]);
    let mut task = started(&config, 0);
    put(&mut task, &batch(&partition(), 0, ids(0..5)));
    deliver(&mut task, 5);

    let mut other = started_with(SinkContext::new("another", 0), &config, 0);
    let error = other.put(&batch(&partition(), 0, ids(0..5))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("written by connector `orders-sink`"), "{error}");

    put(&mut task, &batch(&partition(), 5, ids(5..8)));
    deliver(&mut task, 8);
    // the same offsets, but another time: the topic was made anew, and told by its very first row
    let mut again = started(&config, 0);
    let error = again.put(&recreated(0..5)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("the topic was deleted and created again"), "{error}");
    assert_eq!(read_ids(root.path()), (0..8).collect::<Vec<_>>());
}

#[test]
fn offsets_that_go_back_unasked_fail_the_task() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(&local_config(root.path(), &[]), 0);
    put(&mut task, &batch(&partition(), 0, ids(0..10)));
    deliver(&mut task, 10);
    let error = task.put(&recreated(0..5)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("orders-2 went back from 10 to 0"), "{error}");
    assert_eq!(read_ids(root.path()), (0..10).collect::<Vec<_>>());
}

#[test]
fn rows_before_the_files_left_are_committed_only_once_these_are_known_to_be_of_the_same_topic() {
    for is_same_topic in [true, false] {
        let root = tempfile::tempdir().unwrap();
        let config = local_config(root.path(), &[("flush.size", "4")]);
        let mut task = started(&config, 0);
        put(&mut task, &batch(&partition(), 0, ids(0..12)));
        deliver(&mut task, 12);
        task.stop();
        fs::remove_file(&files(root.path())[0]).unwrap();

        let again = |range: std::ops::Range<i64>| match is_same_topic {
            true => batch(&partition(), range.start, ids(range)),
            false => recreated(range),
        };
        let mut task = started(&config, 0);
        put(&mut task, &again(0..3));
        let vouched = task.pre_commit(&Offsets::from([(partition(), 3)])).unwrap();
        assert_eq!(vouched[&partition()], 0);
        if is_same_topic {
            put(&mut task, &again(3..12));
            deliver(&mut task, 12);
        } else {
            let error = task.put(&again(3..5)).unwrap_err();
            assert!(error.to_string().contains("the topic was deleted and created again"), "{error}");
        }
    }
}

/// Rows of a topic that was deleted and created again: the same offsets at another time.
fn recreated(range: std::ops::Range<i64>) -> SinkBatch {
    let mut batch = batch(&partition(), range.start, ids(range));
    let timestamps = vec![7; batch.origin().offsets.len()].into();
    let origin = Arc::new(Origin { timestamps, ..Origin::clone(batch.origin()) });
    batch.records[0].origin = Some(Arc::clone(&origin));
    sink_batch_of(origin, batch.records)
}

#[test]
fn a_foreign_file_under_our_name_fails_the_task_and_stays() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("topics/orders/partition=2");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("orders+2+0000000000.parquet"), "mine").unwrap();
    let mut task = started(&local_config(root.path(), &[]), 0);
    put(&mut task, &batch(&partition(), 0, ids(0..5)));
    let error = failure(&mut task);
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("was not written by this sink"), "{error}");
    assert_eq!(fs::read(&files(root.path())[0]).unwrap(), b"mine");
}
