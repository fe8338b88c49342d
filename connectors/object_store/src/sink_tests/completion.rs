//! When files are completed, and what they say of themselves.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use arrow::array::Int64Array;
use volley_api::metrics::{COMPLETE_FILES, Metrics, OPEN_FILES};
use volley_api::testing::sink_batch_of;
use volley_api::{Offsets, SinkContext, SinkTask, TopicPartition};

use super::started_task::{deliver, files, ids, local_config, names, partition, put, read_ids, started, struct_of};
use crate::chain::{BackgroundUploads, Delivery};
use crate::format::FileIdentity;
use crate::store::{LocalStorage, runtime};
use crate::test_records::{batch, origin, sink_config};

#[test]
fn nothing_is_visible_or_committable_before_a_file_is_complete() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(&local_config(root.path(), &[]), 10);
    put(&mut task, &batch(&partition(), 10, ids(10..20)));
    let vouched = task.pre_commit(&Offsets::from([(partition(), 20)])).unwrap();
    assert_eq!(vouched[&partition()], 10);
    assert!(files(root.path()).is_empty());
    assert!(task.buffered_bytes() > 0);
    deliver(&mut task, 20);
    assert_eq!(read_ids(root.path()), (10..20).collect::<Vec<_>>());
}

fn clocked(root: &Path, entries: &[(&str, &str)]) -> (Delivery, Arc<AtomicI64>, Metrics) {
    let config = sink_config(entries);
    let storage = Arc::new(LocalStorage::new("file:///root", root.to_owned(), "orders-sink-0"));
    let uploads = Box::new(BackgroundUploads::new(Arc::clone(&storage) as _, config.retry));
    let now = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&now);
    let context = SinkContext::new("orders-sink", 0);
    let clock: crate::chain::Clock = Arc::new(move || clock.load(Ordering::Relaxed));
    let metrics = context.metrics().clone();
    let mut delivery = Delivery::new(context, config, storage, uploads, clock).unwrap();
    delivery.open(&Offsets::from([(partition(), 0)]));
    (delivery, now, metrics)
}

#[test]
fn idle_and_scheduled_files_are_completed_without_further_records() {
    let daily = ("partitioner.class", "DailyPartitioner");
    let cases = [("rotate.idle.ms", 5_000), ("rotate.schedule.interval.ms", 4_000), ("rotate.interval.ms", 5_000)];
    for (key, due) in cases {
        let root = tempfile::tempdir().unwrap();
        let mut entries = vec![("rotate.idle.ms", "-1"), (key, "4000")];
        // the time of records is that of the clock, so that the interval is over without a further one
        entries.extend((key == "rotate.interval.ms").then_some(daily));
        let (mut delivery, now, metrics) = clocked(root.path(), &entries);
        now.store(1_000, Ordering::Relaxed);
        delivery.put(&batch(&partition(), 0, ids(0..5))).unwrap();
        now.store(due - 1, Ordering::Relaxed);
        delivery.tick().unwrap();
        assert_eq!(metrics.value(OPEN_FILES), Some(1));
        now.store(due, Ordering::Relaxed);
        let deadline = Instant::now() + Duration::from_secs(90);
        while metrics.value(COMPLETE_FILES) == Some(0) {
            delivery.tick().unwrap();
            assert!(Instant::now() < deadline, "{key}");
        }
        if key != "rotate.interval.ms" {
            assert_eq!(read_ids(root.path()), (0..5).collect::<Vec<_>>());
        }
    }
}

#[test]
fn record_time_and_bytes_rotate_too() {
    let root = tempfile::tempdir().unwrap();
    // timestamps are the offsets times ten
    let (mut delivery, _, metrics) = clocked(root.path(), &[("rotate.interval.ms", "100")]);
    delivery.put(&batch(&partition(), 0, ids(0..25))).unwrap();
    delivery.flush(&[partition()]).unwrap();
    wait_for_files(&mut delivery, &metrics, 3);
    assert_eq!(
        names(root.path()),
        ["orders+2+0000000000.parquet", "orders+2+0000000010.parquet", "orders+2+0000000020.parquet"]
    );

    let root = tempfile::tempdir().unwrap();
    let (mut delivery, _, metrics) = clocked(root.path(), &[("rotate.bytes", "50000")]);
    let noise = |row: i64| row.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64).rotate_left(23).wrapping_mul(31);
    let values = struct_of(vec![("id", Arc::new(Int64Array::from_iter_values((0..60_000).map(noise))))]);
    delivery.put(&batch(&partition(), 0, values)).unwrap();
    delivery.flush(&[partition()]).unwrap();
    wait_for_files(&mut delivery, &metrics, 5);
    let sizes: Vec<_> = files(root.path()).iter().map(|path| fs::metadata(path).unwrap().len()).collect();
    assert!(sizes.iter().all(|size| *size < 100_000), "{sizes:?}");
}

fn wait_for_files(delivery: &mut Delivery, metrics: &Metrics, at_least: i64) {
    let deadline = Instant::now() + Duration::from_secs(90);
    delivery.tick().unwrap();
    while metrics.value(OPEN_FILES) > Some(0) {
        delivery.tick().unwrap();
        assert!(Instant::now() < deadline);
    }
    assert!(metrics.value(COMPLETE_FILES) >= Some(at_least), "{:?}", metrics.read());
}

#[test]
fn memory_is_freed_by_completing_the_largest_file() {
    let root = tempfile::tempdir().unwrap();
    let (mut delivery, _, metrics) = clocked(root.path(), &[]);
    let small = TopicPartition::new("small", 0);
    delivery.open(&Offsets::from([(small.clone(), 0)]));
    delivery.put(&batch(&small, 0, ids(0..10))).unwrap();
    delivery.put(&batch(&partition(), 0, ids(0..50_000))).unwrap();
    let before = delivery.buffered_bytes();
    delivery.relieve().unwrap();
    let deadline = Instant::now() + Duration::from_secs(90);
    while metrics.value(COMPLETE_FILES) == Some(0) {
        delivery.tick().unwrap();
        assert!(Instant::now() < deadline);
    }
    assert!(delivery.buffered_bytes() < before / 2, "{} of {before}", delivery.buffered_bytes());
    assert_eq!(read_ids(root.path()).len(), 50_000);
}

#[test]
fn the_footer_says_what_the_file_covers() {
    let root = tempfile::tempdir().unwrap();
    let (mut delivery, _, metrics) = clocked(root.path(), &[]);
    let mut filtered = batch(&partition(), 0, ids(0..5));
    let origin = origin(&partition(), 0, (0..5).collect(), 9);
    filtered.records[0].origin = Some(Arc::clone(&origin));
    delivery.put(&sink_batch_of(origin, filtered.records)).unwrap();
    delivery.flush(&[partition()]).unwrap();
    wait_for_files(&mut delivery, &metrics, 1);
    let storage = LocalStorage::new("file:///root", root.path().to_owned(), "t-0");
    let path = "topics/orders/partition=2/orders+2+0000000000.parquet";
    let identity = runtime::wait(async move { FileIdentity::read(&storage, path).await }, Duration::from_secs(90));
    let identity = identity.unwrap().unwrap().unwrap().unwrap();
    assert_eq!((identity.start, identity.end, identity.rows, identity.start_timestamp), (0, 9, 5, 0));
    assert_eq!((identity.connector.as_str(), identity.origin), ("orders-sink", partition()));
}
