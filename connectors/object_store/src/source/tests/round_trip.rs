//! What `ObjectStoreSink` has written is read back.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray, StringArray, StructArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, Int64Type};
use proptest::prelude::*;
use serde_json::{Value, json};
use volley_api::testing::column;
use volley_api::{ConfigMap, Offsets, SinkContext, SinkTask, SourceBatch, SourceTask, TopicPartition};

use super::reading::{Stored, config, read_all, read_for, started, values, values_of};
use crate::config::SinkConfig;
use crate::sink::ObjectStoreSinkTask;
use crate::source::task::ObjectStoreSourceTask;
use crate::test_records::{batch, store_config};

/// Rows of many types, some of them null.
fn rows(range: std::ops::Range<i64>) -> ArrayRef {
    let of = |keep: i64| range.clone().map(move |id| (id % keep != 0).then_some(id));
    let tags = range.clone().map(|id| (id % 4 != 0).then(|| (0..id % 3).map(Some).collect::<Vec<_>>()));
    let inner = StructArray::from(vec![(
        Arc::new(Field::new("x", DataType::Int64, true)),
        Arc::new(of(2).collect::<Int64Array>()) as ArrayRef,
    )]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values(range.clone()))),
        ("name", Arc::new(of(3).map(|id| id.map(|id| format!("näme {id}\n"))).collect::<StringArray>())),
        ("ok", Arc::new(of(5).map(|id| id.map(|id| id % 2 == 0)).collect::<BooleanArray>())),
        ("price", Arc::new(of(7).map(|id| id.map(|id| id as f64 / 8.0)).collect::<Float64Array>())),
        ("tags", Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(tags))),
        ("inner", Arc::new(inner)),
        (
            "at",
            Arc::new(
                of(2)
                    .map(|id| id.map(|id| id * 1000 - 5000))
                    .collect::<TimestampMillisecondArray>()
                    .with_timezone("UTC"),
            ),
        ),
    ];
    let fields =
        columns.into_iter().map(|(name, array)| (Arc::new(Field::new(name, array.data_type().clone(), true)), array));
    Arc::new(StructArray::from(fields.collect::<Vec<_>>()))
}

/// The value without what schemaless JSON has no type for: nulls, and objects and lists that are empty without them.
fn bare(value: &Value) -> Value {
    let is_kept = |value: &Value| !matches!(value, Value::Null) && *value != json!({}) && *value != json!([]);
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), bare(value)));
            members.filter(|(_, value)| is_kept(value)).collect::<serde_json::Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// The values as they can be compared: all of each, or for JSON what is not bare of a type.
fn comparable(format: &[(&str, &str)], values: Vec<Value>) -> Vec<Value> {
    match format[0].1 {
        "JsonLines" => values.iter().map(bare).collect(),
        _ => values,
    }
}

/// The rows as JSON, as a source gives them.
fn expected(range: std::ops::Range<i64>) -> Vec<Value> {
    let records =
        volley_api::testing::records("t", column(rows(range).as_any().downcast_ref::<StructArray>().unwrap().clone()));
    values_of(&SourceBatch { records, partition: Default::default(), offset: Default::default() })
}

/// Exports so many rows of each of these partitions of topic `orders`.
fn export(root: &Path, ends: &[i64], more: &[(&str, &str)]) {
    let mut config: ConfigMap = store_config(more);
    config.insert("store.url".into(), format!("file://{}", root.display()));
    let mut task =
        ObjectStoreSinkTask::start(SinkContext::new("orders-sink", 0), SinkConfig::parse(&config).unwrap()).unwrap();
    let partition = |number: usize| TopicPartition::new("orders", number as i32);
    let offsets: Offsets = (0..ends.len()).map(|number| (partition(number), 0)).collect();
    task.open(&offsets).unwrap();
    for (number, end) in ends.iter().enumerate() {
        for first in (0..*end).step_by(9) {
            let batch = batch(&partition(number), first, rows(first..end.min(&(first + 9)).to_owned()));
            while let Err(error) = task.put(&batch) {
                assert!(error.is_retriable(), "{error}");
            }
        }
    }
    let wanted: Offsets = ends.iter().enumerate().map(|(number, end)| (partition(number), *end)).collect();
    let partitions: Vec<_> = wanted.keys().cloned().collect();
    loop {
        task.flush(&partitions).unwrap();
        if task.pre_commit(&wanted).unwrap() == wanted {
            break;
        }
        std::thread::yield_now();
    }
    task.stop();
}

const FORMATS: [&[(&str, &str)]; 10] = [
    &[("format.class", "Parquet")],
    &[("format.class", "JsonLines")],
    &[("format.class", "JsonLines"), ("file.compression.type", "gzip")],
    &[("format.class", "JsonLines"), ("file.compression.type", "zstd")],
    &[("format.class", "JsonLines"), ("file.compression.type", "snappy")],
    &[("format.class", "Avro"), ("avro.codec", "deflate")],
    &[("format.class", "Avro"), ("file.compression.type", "gzip")],
    &[("format.class", "Avro"), ("file.compression.type", "zstd")],
    &[("format.class", "Avro"), ("file.compression.type", "snappy")],
    &[("format.class", "Arrow"), ("file.compression.type", "lz4")],
];

#[test]
fn every_format_of_the_sink_is_read_back_equal_and_in_order() {
    for format in FORMATS {
        let root = tempfile::tempdir().unwrap();
        export(root.path(), &[100], &[format, &[("flush.size", "30")]].concat());
        let read = values(&config(root.path(), &[("batch.max.rows", "13")]));
        assert_eq!(comparable(format, read), comparable(format, expected(0..100)), "{format:?}");
    }
}

#[test]
fn texts_of_csv_are_read_back() {
    let root = tempfile::tempdir().unwrap();
    export(root.path(), &[20], &[("format.class", "Csv"), ("file.compression.type", "gzip")]);
    let read = values(&config(root.path(), &[]));
    assert_eq!(read.len(), 20);
    assert_eq!((&read[4]["id"], &read[4]["name"], &read[3]["name"]), (&json!("4"), &json!("näme 4\n"), &Value::Null));
}

#[test]
fn lines_of_json_are_replayed_byte_for_byte_as_bytes() {
    let root = tempfile::tempdir().unwrap();
    export(root.path(), &[20], &[("format.class", "JsonLines"), ("file.compression.type", "zstd")]);
    let seen = read_all(&config(root.path(), &[("format.class", "ByteArray")]), &Stored::new());
    let lines = seen.batches.iter().filter_map(|batch| batch.records.value.array.as_binary_opt::<i32>());
    let lines: Vec<Value> = lines.flatten().map(|line| serde_json::from_slice(line.unwrap()).unwrap()).collect();
    assert_eq!(lines, expected(0..20));
}

#[test]
fn a_restart_at_every_row_loses_and_doubles_nothing() {
    for format in FORMATS {
        let root = tempfile::tempdir().unwrap();
        export(root.path(), &[25], &[format, &[("flush.size", "10")]].concat());
        let config = config(root.path(), &[("batch.max.rows", "1")]);
        let (mut stored, mut read) = (Stored::new(), Vec::new());
        for _ in 0..200 {
            let mut task = started(&config, &stored);
            let seen = read_for(&mut task, 1);
            assert!(seen.error.is_none(), "{:?}", seen.error);
            read.extend(seen.values());
            stored = seen.offsets(&stored);
        }
        assert_eq!(comparable(format, read), comparable(format, expected(0..25)), "{format:?}");
    }
}

#[test]
fn partitions_are_kept_and_tasks_share_them_in_order() {
    let root = tempfile::tempdir().unwrap();
    let ends = [40, 0, 25, 60, 1];
    let by_field = [
        ("partitioner.class", "io.confluent.connect.storage.partitioner.FieldPartitioner"),
        ("partition.field.name", "ok"),
    ];
    export(root.path(), &ends, &[&by_field[..], &[("flush.size", "7")]].concat());
    for tasks in [1, 2, 3] {
        let keys =
            [("topic", "re-{topic}"), ("keep.partition", "true"), ("key.field", "id"), ("timestamp.field", "at")];
        let mut config = config(root.path(), &keys);
        config.insert("object.store.source.tasks".into(), tasks.to_string());
        let mut of_partition: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
        for task in 0..tasks {
            let context = super::reading::context(task, &Stored::new());
            let mut task = ObjectStoreSourceTask::start(context, &config).unwrap();
            let seen = read_for(&mut task, 100_000);
            assert!(seen.error.is_none(), "{:?}", seen.error);
            for batch in &seen.batches {
                assert_eq!(&*batch.records.topic, "re-orders");
                let ids = values_of(batch).into_iter().map(|value| value["id"].as_i64().unwrap());
                of_partition.entry(batch.records.kafka_partition.unwrap()).or_default().extend(ids);
            }
            task.stop();
        }
        for (number, end) in ends.iter().enumerate().filter(|(_, end)| **end > 0) {
            let ids = &of_partition[&(number as i32)];
            // the directories of the fields come one after the other; within each, the order is that of the topic
            let directory = |id: &i64| (id % 5 != 0).then_some(id % 2 == 0);
            for wanted in [None, Some(false), Some(true)] {
                let of_directory =
                    |ids: &[i64]| ids.iter().copied().filter(|id| directory(id) == wanted).collect::<Vec<_>>();
                assert_eq!(of_directory(ids), of_directory(&(0..*end).collect::<Vec<_>>()), "{number} {wanted:?}");
            }
        }
    }
}

#[test]
fn an_export_by_fields_comes_back_as_it_was_with_the_columns_of_its_directories() {
    let by_fields =
        [("partitioner.class", "FieldPartitioner"), ("partition.field.name", "name,ok,inner.x"), ("flush.size", "7")];
    for format in FORMATS {
        let root = tempfile::tempdir().unwrap();
        export(root.path(), &[25], &[format, &by_fields].concat());
        let by_id = |mut values: Vec<Value>| {
            values.sort_by_key(|value| value["id"].as_i64());
            values
        };
        let read = |columns: &str| by_id(values(&config(root.path(), &[("partition.columns", columns)])));
        let plain = read("");
        assert_eq!(comparable(format, plain.clone()).len(), 25);
        // where a file has nothing but nulls in a column, the directory says so too
        let read = read("*");
        assert_eq!(read.iter().map(bare).collect::<Vec<_>>(), plain.iter().map(bare).collect::<Vec<_>>(), "{format:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_export_is_replayed_whatever_the_sizes_and_wherever_it_is_cut(
        format in 0usize..FORMATS.len(),
        end in 1i64..120,
        flush_size in 1i64..60,
        batch_rows in 1usize..40,
        polls in 0usize..8,
    ) {
        let root = tempfile::tempdir().unwrap();
        let flush_size = flush_size.to_string();
        export(root.path(), &[end], &[FORMATS[format], &[("flush.size", flush_size.as_str())]].concat());
        let config = config(root.path(), &[("batch.max.rows", &batch_rows.to_string())]);
        let mut task = started(&config, &Stored::new());
        let begun = read_for(&mut task, polls);
        let ended = read_all(&config, &begun.offsets(&Stored::new()));
        prop_assert!(begun.error.is_none() && ended.error.is_none(), "{:?} {:?}", begun.error, ended.error);
        let read = comparable(FORMATS[format], [begun.values(), ended.values()].concat());
        prop_assert_eq!(read, comparable(FORMATS[format], expected(0..end)));
    }
}
