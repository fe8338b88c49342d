//! The task against a local disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array, Int64Array, ListArray, NullArray,
    RecordBatch, StringArray, StructArray, TimestampMillisecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int64Type};
use bytes::Bytes;
use volley_api::metrics::{COMPLETE_FILES, Metrics, OPEN_FILES, WRITTEN_BYTES};
use volley_api::testing::sink_batch_of;
use volley_api::{ConfigMap, ErrorKind, Offsets, Origin, SinkBatch, SinkContext, SinkTask, Stage, TopicPartition};

use super::sink::ObjectStoreSinkTask;
use super::test_records::{batch, config_map, origin, read_rows, records, sink_config};
use crate::chain::{BackgroundUploads, Delivery};
use crate::format::FileIdentity;
use crate::store::{LocalStorage, runtime};

fn partition() -> TopicPartition {
    TopicPartition::new("orders", 2)
}

fn struct_of(columns: Vec<(&str, ArrayRef)>) -> ArrayRef {
    let columns: Vec<_> = columns
        .into_iter()
        .map(|(name, array)| (Arc::new(Field::new(name, array.data_type().clone(), true)), array))
        .collect();
    Arc::new(StructArray::from(columns))
}

fn ids(range: std::ops::Range<i64>) -> ArrayRef {
    struct_of(vec![("id", Arc::new(Int64Array::from_iter_values(range)))])
}

fn local_config(root: &Path, entries: &[(&str, &str)]) -> ConfigMap {
    let mut config = config_map(entries);
    config.insert("store.url".into(), format!("file://{}", root.display()));
    config
}

fn started(config: &ConfigMap, committed: i64) -> ObjectStoreSinkTask {
    started_with(SinkContext::new("orders-sink", 0), config, committed)
}

fn started_with(context: SinkContext, config: &ConfigMap, committed: i64) -> ObjectStoreSinkTask {
    let mut task = ObjectStoreSinkTask::start(context, config).unwrap();
    task.open(&Offsets::from([(partition(), committed)])).unwrap();
    task
}

/// Puts, and puts again while the task has no room.
fn put(task: &mut ObjectStoreSinkTask, batch: &SinkBatch) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match task.put(batch) {
            Ok(rejected) => return assert!(rejected.is_empty(), "{rejected:?}"),
            Err(error) => assert!(error.is_retriable() && Instant::now() < deadline, "{error:?}"),
        }
    }
}

/// Flushes and asks for the committable offset until it is `end`.
fn deliver(task: &mut ObjectStoreSinkTask, end: i64) {
    let deadline = Instant::now() + Duration::from_secs(20);
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

fn files(root: &Path) -> Vec<PathBuf> {
    let directory = root.join("topics/orders/partition=2");
    let mut files: Vec<_> =
        fs::read_dir(directory).map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default();
    files.sort();
    files
}

fn names(root: &Path) -> Vec<String> {
    files(root).iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

fn read(path: &Path) -> RecordBatch {
    read_rows(Bytes::from(fs::read(path).unwrap()))
}

fn read_ids(root: &Path) -> Vec<i64> {
    let column =
        |path: &PathBuf| read(path).column_by_name("id").unwrap().as_primitive::<Int64Type>().values().to_vec();
    files(root).iter().flat_map(column).collect()
}

fn many_types(range: std::ops::Range<i64>) -> ArrayRef {
    let rows = || range.clone();
    let price = rows().map(|row| (row % 7 != 0).then_some(row as f64 / 4.0)).collect::<Float64Array>();
    let tags = rows().map(|row| (row % 5 != 0).then(|| (0..row % 4).map(Some).collect::<Vec<_>>()));
    let amounts = Decimal128Array::from_iter_values(rows().map(i128::from)).with_precision_and_scale(38, 2).unwrap();
    struct_of(vec![
        ("id", Arc::new(Int64Array::from_iter_values(rows()))),
        ("country", Arc::new(StringArray::from_iter_values(rows().map(|row| format!("c{}", row % 9))))),
        ("name", Arc::new(StringArray::from_iter_values(rows().map(|row| format!("name {row}"))))),
        ("price", Arc::new(price)),
        ("ok", Arc::new(rows().map(|row| (row % 3 != 0).then_some(row % 2 == 0)).collect::<BooleanArray>())),
        ("tags", Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(tags))),
        (
            "at",
            Arc::new(TimestampMillisecondArray::from_iter_values(rows().map(|row| row * 1000)).with_timezone("UTC")),
        ),
        ("amount", Arc::new(amounts)),
        ("inner", struct_of(vec![("x", Arc::new(Int64Array::from_iter_values(rows())))])),
    ])
}

#[test]
fn every_row_and_type_is_read_back_from_files_of_the_asked_for_size() {
    let root = tempfile::tempdir().unwrap();
    let context = SinkContext::new("orders-sink", 0);
    let mut task = started_with(context.clone(), &local_config(root.path(), &[("flush.size", "7000")]), 0);
    for first in (0..20_000).step_by(2_500) {
        put(&mut task, &batch(&partition(), first, many_types(first..first + 2_500)));
    }
    deliver(&mut task, 20_000);
    assert_eq!(
        names(root.path()),
        ["orders+2+0000000000.parquet", "orders+2+0000007000.parquet", "orders+2+0000014000.parquet"]
    );
    let read: Vec<_> = files(root.path()).iter().map(|path| read(path)).collect();
    let read = concat_batches(&read[0].schema(), &read).unwrap();
    let expected = many_types(0..20_000);
    for (column, field) in expected.as_struct().columns().iter().zip(expected.as_struct().fields()) {
        assert_eq!(read.column_by_name(field.name()).unwrap(), column, "{}", field.name());
    }
    let bytes: u64 = files(root.path()).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    task.tick().unwrap();
    let count = |name| context.metrics().value(name).unwrap();
    assert_eq!((count(OPEN_FILES), count(COMPLETE_FILES), count(WRITTEN_BYTES)), (0, 3, bytes as i64));
    assert_eq!(task.buffered_bytes(), 0);
}

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
fn values_that_are_not_structs_have_one_column() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(&local_config(root.path(), &[]), 0);
    put(&mut task, &batch(&partition(), 0, Arc::new(StringArray::from(vec!["a", "b"]))));
    deliver(&mut task, 2);
    let rows = read(&files(root.path())[0]);
    assert_eq!(rows.column_by_name("value").unwrap().as_string::<i32>().value(1), "b");
}

#[test]
fn null_values_are_rejected_or_left_out_and_take_no_other_row_along() {
    let values: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("c"), None]));
    for (behavior, expected) in [("fail", vec![1, 3]), ("ignore", vec![])] {
        let root = tempfile::tempdir().unwrap();
        let mut task = started(&local_config(root.path(), &[("behavior.on.null.values", behavior)]), 0);
        let rejected = task.put(&batch(&partition(), 0, Arc::clone(&values))).unwrap();
        assert_eq!(rejected.iter().map(|row| row.row).collect::<Vec<_>>(), expected);
        assert!(rejected.iter().all(|row| row.stage == Stage::TaskPut && row.error.kind() == ErrorKind::Data));
        let rejected = task.put(&batch(&partition(), 4, Arc::new(NullArray::new(2)))).unwrap();
        assert_eq!(rejected.len(), expected.len());
        deliver(&mut task, 6);
        assert_eq!(read(&files(root.path())[0]).num_rows(), 2);
    }
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
fn rows_for_a_topic_that_leads_elsewhere_are_rejected() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(&local_config(root.path(), &[]), 0);
    let origin = origin(&partition(), 0, vec![0, 1], 2);
    let all = vec![records(&origin, "../up", vec![0], ids(0..1)), records(&origin, "orders", vec![1], ids(1..2))];
    let rejected = task.put(&sink_batch_of(origin, all)).unwrap();
    assert_eq!(rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [0]);
    deliver(&mut task, 2);
    assert_eq!(read_ids(root.path()), [1]);
}

#[test]
fn a_wider_schema_begins_a_file_and_narrower_rows_join_it() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(&local_config(root.path(), &[]), 0);
    let wide = |range: std::ops::Range<i64>| {
        let more = Int64Array::from_iter_values(range.clone());
        struct_of(vec![("more", Arc::new(more)), ("id", Arc::new(Int64Array::from_iter_values(range)))])
    };
    put(&mut task, &batch(&partition(), 0, ids(0..3)));
    for first in (3..23).step_by(4) {
        put(&mut task, &batch(&partition(), first, wide(first..first + 2)));
        put(&mut task, &batch(&partition(), first + 2, ids(first + 2..first + 4)));
    }
    deliver(&mut task, 23);
    assert_eq!(names(root.path()), ["orders+2+0000000000.parquet", "orders+2+0000000003.parquet"]);
    assert_eq!(read_ids(root.path()), (0..23).collect::<Vec<_>>());
    assert_eq!(read(&files(root.path())[1]).column_by_name("more").unwrap().null_count(), 10);
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

fn failure(task: &mut ObjectStoreSinkTask) -> volley_api::Error {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match task.flush(&[partition()]) {
            Err(error) if !error.is_retriable() => return error,
            _ => assert!(Instant::now() < deadline, "never failed"),
        }
        std::thread::yield_now();
    }
}

/// A file where a directory has to be stands for a full or read-only disk: tests run as root, who may write everywhere.
#[test]
fn a_disk_that_cannot_be_written_is_tried_again_until_the_timeout() {
    let root = tempfile::tempdir().unwrap();
    let config = local_config(root.path(), &[("retry.timeout.ms", "150"), ("retry.backoff.ms", "10")]);
    let mut task = started(&config, 0);
    fs::write(root.path().join("topics"), "").unwrap();
    task.put(&batch(&partition(), 0, ids(0..5))).unwrap_err();
    let deadline = Instant::now() + Duration::from_secs(20);
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

fn clocked(root: &Path, entries: &[(&str, &str)]) -> (Delivery, Arc<AtomicI64>, Metrics) {
    let config = sink_config(entries);
    let storage = Arc::new(LocalStorage::new("file:///root", root.to_owned(), "orders-sink-0"));
    let uploads = Box::new(BackgroundUploads::new(Arc::clone(&storage) as _, config.retry));
    let now = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&now);
    let context = SinkContext::new("orders-sink", 0);
    let clock: crate::chain::Clock = Arc::new(move || clock.load(Ordering::Relaxed));
    let metrics = context.metrics().clone();
    let mut delivery = Delivery::new(context, config, storage, uploads, clock);
    delivery.open(&Offsets::from([(partition(), 0)]));
    (delivery, now, metrics)
}

#[test]
fn idle_and_scheduled_files_are_completed_without_further_records() {
    for (key, due) in [("rotate.idle.ms", 5_000), ("rotate.schedule.interval.ms", 4_000)] {
        let root = tempfile::tempdir().unwrap();
        let off = if key == "rotate.idle.ms" { ("rotate.interval.ms", "-1") } else { ("rotate.idle.ms", "-1") };
        let (mut delivery, now, metrics) = clocked(root.path(), &[(key, "4000"), off]);
        now.store(1_000, Ordering::Relaxed);
        delivery.put(&batch(&partition(), 0, ids(0..5))).unwrap();
        now.store(due - 1, Ordering::Relaxed);
        delivery.tick().unwrap();
        assert_eq!(metrics.value(OPEN_FILES), Some(1));
        now.store(due, Ordering::Relaxed);
        let deadline = Instant::now() + Duration::from_secs(20);
        while metrics.value(COMPLETE_FILES) == Some(0) {
            delivery.tick().unwrap();
            assert!(Instant::now() < deadline, "{key}");
        }
        assert_eq!(read_ids(root.path()), (0..5).collect::<Vec<_>>());
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
    let deadline = Instant::now() + Duration::from_secs(20);
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
    let deadline = Instant::now() + Duration::from_secs(20);
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
    let identity = runtime::wait(async move { FileIdentity::read(&storage, path).await }, Duration::from_secs(20));
    let identity = identity.unwrap().unwrap().unwrap().unwrap();
    assert_eq!((identity.start, identity.end, identity.rows, identity.start_timestamp), (0, 9, 5, 0));
    assert_eq!((identity.connector.as_str(), identity.origin), ("orders-sink", partition()));
}

#[test]
fn a_value_type_that_is_null_everywhere_is_no_column() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(&local_config(root.path(), &[]), 0);
    let value = struct_of(vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2]))),
        ("nothing", Arc::new(NullArray::new(2))),
        ("empty", Arc::new(StructArray::new_empty_fields(2, None))),
    ]);
    put(&mut task, &batch(&partition(), 0, value));
    deliver(&mut task, 2);
    let rows = read(&files(root.path())[0]);
    assert_eq!(rows.schema().fields().len(), 1);
    assert_eq!(rows.schema().field(0).data_type(), &DataType::Int64);
}
