//! Stores that fail: disks, credentials, a network that is away.

use std::fs;
use std::time::{Duration, Instant};

use volley_api::{ErrorKind, Offsets, SinkTask};

use super::started_task::{deliver, failure, ids, local_config, partition, put, read_ids, started};
use crate::test_records::batch;

/// A file where a directory has to be stands for a full or read-only disk: tests run as root, who may write everywhere.
#[test]
fn a_disk_that_cannot_be_written_is_tried_again_until_the_timeout() {
    let root = tempfile::tempdir().unwrap();
    let config = local_config(root.path(), &[("retry.timeout.ms", "150"), ("retry.backoff.ms", "10")]);
    let mut task = started(&config, 0);
    fs::write(root.path().join("topics"), "").unwrap();
    task.put(&batch(&partition(), 0, ids(0..5))).unwrap_err();
    let deadline = Instant::now() + Duration::from_secs(90);
    let error = loop {
        match task.put(&batch(&partition(), 0, ids(0..5))) {
            Err(error) if error.is_retriable() => assert!(Instant::now() < deadline),
            outcome => break outcome.unwrap_err(),
        }
    };
    assert_eq!(error.kind(), ErrorKind::Fatal);
    assert!(
        error.to_string().contains("topics/orders/partition=2") && error.to_string().contains("irectory"),
        "{error}"
    );
}

#[test]
fn trouble_with_a_partition_that_went_away_is_not_held_against_its_next_assignment() {
    let root = tempfile::tempdir().unwrap();
    let config = local_config(root.path(), &[("retry.timeout.ms", "7200000"), ("retry.backoff.ms", "3600000")]);
    let mut task = started(&config, 0);
    let blockade = root.path().join("topics");
    fs::write(&blockade, "").unwrap();
    assert!(task.put(&batch(&partition(), 0, ids(0..5))).unwrap_err().is_retriable());
    task.close(&[partition()]).unwrap();
    fs::remove_file(&blockade).unwrap();
    task.open(&Offsets::from([(partition(), 0)])).unwrap();
    // not only in an hour
    task.put(&batch(&partition(), 0, ids(0..5))).unwrap();
    deliver(&mut task, 5);
}

#[test]
fn an_upload_that_fails_for_a_while_succeeds_in_the_end_and_one_that_never_does_names_the_file() {
    let root = tempfile::tempdir().unwrap();
    let config = local_config(root.path(), &[("retry.timeout.ms", "20000"), ("retry.backoff.ms", "10")]);
    let mut task = started(&config, 0);
    put(&mut task, &batch(&partition(), 0, ids(0..5)));
    fs::write(root.path().join("topics"), "").unwrap();
    task.flush(&[partition()]).unwrap();
    let vouched = task.pre_commit(&Offsets::from([(partition(), 5)])).unwrap();
    assert_eq!(vouched[&partition()], 0);
    fs::remove_file(root.path().join("topics")).unwrap();
    deliver(&mut task, 5);
    assert_eq!(read_ids(root.path()), (0..5).collect::<Vec<_>>());

    let config = local_config(root.path(), &[("retry.timeout.ms", "100"), ("retry.backoff.ms", "10")]);
    let mut task = started(&config, 5);
    put(&mut task, &batch(&partition(), 5, ids(5..9)));
    fs::rename(root.path().join("topics"), root.path().join("kept")).unwrap();
    fs::write(root.path().join("topics"), "").unwrap();
    let error = failure(&mut task);
    assert_eq!(error.kind(), ErrorKind::Fatal);
    assert!(error.to_string().contains("orders+2+0000000005.parquet"), "{error}");
}
