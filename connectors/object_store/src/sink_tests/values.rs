//! Which values become which columns and rows.

use std::fs;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array, Int64Array, ListArray, NullArray,
    StringArray, StructArray, TimestampMillisecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int64Type, TimestampMicrosecondType};
use parquet::basic::Compression;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use volley_api::metrics::{COMPLETE_FILES, OPEN_FILES, WRITTEN_BYTES};
use volley_api::testing::sink_batch_of;
use volley_api::{ErrorKind, SinkContext, SinkTask, Stage};

use super::started_task::{
    deliver, files, ids, local_config, names, partition, put, read, read_ids, started, started_with, struct_of,
};
use crate::test_records::{batch, origin, records};

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

#[test]
fn the_times_of_debezium_are_times_in_a_file() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(&local_config(root.path(), &[]), 0);
    let times = Int64Array::from(vec![Some(1_700_000_000_000_001), None]);
    let name = ("connect.name".to_owned(), "io.debezium.time.MicroTimestamp".to_owned());
    let field = Field::new("at", DataType::Int64, true).with_metadata([name].into());
    let value = StructArray::from(vec![(Arc::new(field), Arc::new(times) as ArrayRef)]);
    put(&mut task, &batch(&partition(), 0, Arc::new(value)));
    deliver(&mut task, 2);
    let rows = read(&files(root.path())[0]);
    let times = rows.column(0).as_primitive::<TimestampMicrosecondType>();
    assert_eq!(times.iter().collect::<Vec<_>>(), [Some(1_700_000_000_000_001), None]);
}

#[test]
fn row_groups_statistics_and_bloom_filters_are_as_configured() {
    let root = tempfile::tempdir().unwrap();
    let entries = [
        ("parquet.codec", "gzip"),
        ("parquet.row.group.rows", "4000"),
        ("parquet.statistics", "none"),
        ("parquet.bloom.filter.columns", "id,inner.x"),
    ];
    let mut task = started(&local_config(root.path(), &entries), 0);
    put(&mut task, &batch(&partition(), 0, many_types(0..10_000)));
    deliver(&mut task, 10_000);
    let file = fs::File::open(&files(root.path())[0]).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let groups: Vec<_> = reader.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
    assert_eq!(groups, [4000, 4000, 2000]);
    let columns = reader.metadata().row_group(0).columns();
    assert!(columns.iter().all(|column| column.statistics().is_none()));
    assert!(columns.iter().all(|column| matches!(column.compression(), Compression::GZIP(_))));
    let filtered = columns.iter().filter(|column| column.bloom_filter_offset().is_some());
    assert_eq!(filtered.map(|column| column.column_path().string()).collect::<Vec<_>>(), ["id", "inner.x"]);
}

#[test]
fn rows_of_a_row_group_are_sorted_and_none_is_lost_however_they_come() {
    let root = tempfile::tempdir().unwrap();
    let entries = [
        ("parquet.row.group.rows", "1000"),
        ("parquet.sorting.columns", "k DESC"),
        ("flush.size", "4100"),
        ("rotate.idle.ms", "-1"),
    ];
    let mut task = started(&local_config(root.path(), &entries), 0);
    let (mut first, mut put_rows) = (0, 0);
    for len in [10, 999, 1, 1700, 300, 1200, 690] {
        let ids = Int64Array::from_iter_values(first..first + len);
        let keys = Int64Array::from_iter_values((first..first + len).map(|id| id * 7919 % 1009));
        let value = struct_of(vec![("id", Arc::new(ids) as ArrayRef), ("k", Arc::new(keys))]);
        put(&mut task, &batch(&partition(), first, value));
        first += len;
        put_rows += len;
    }
    deliver(&mut task, first);
    let mut ids = Vec::new();
    let mut groups = Vec::new();
    for file in files(root.path()) {
        let reader = SerializedFileReader::new(fs::File::open(&file).unwrap()).unwrap();
        let rows = read(&file);
        let mut start = 0;
        for group in reader.metadata().row_groups() {
            let sorting = group.sorting_columns().unwrap();
            assert_eq!((sorting.len(), sorting[0].column_idx, sorting[0].descending), (1, 1, true));
            let len = usize::try_from(group.num_rows()).unwrap();
            let keys = rows.column(1).slice(start, len);
            assert!(keys.as_primitive::<Int64Type>().values().is_sorted_by(|one, other| one >= other));
            start += len;
            groups.push(len);
        }
        ids.extend(rows.column(0).as_primitive::<Int64Type>().values().iter().copied());
    }
    ids.sort_unstable();
    assert_eq!(ids, (0..put_rows).collect::<Vec<_>>());
    assert_eq!(groups, [1000, 1000, 1000, 1000, 100, 800]);
}
