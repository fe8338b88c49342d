//! Files of keys and of headers beside the others.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::Field;
use volley_api::{Column, ConfigMap, Header, SinkBatch, SinkTask, Value};
use volley_converters::AvroContainerReader;

use super::started_task::{deliver, files, ids, local_config, names, partition, put, read, started};
use crate::test_records::batch;

const BOTH: [(&str, &str); 3] =
    [("format.class", "JsonLines"), ("store.kafka.keys", "true"), ("store.kafka.headers", "true")];

/// Records with keys `k<id>` and the header `n` with the id, from `first` on.
fn keyed(first: i64, count: i64) -> SinkBatch {
    let mut batch = batch(&partition(), first, ids(first..first + count));
    let records = &mut batch.records[0];
    let keys: ArrayRef = Arc::new(StringArray::from_iter_values((first..first + count).map(|id| format!("k{id}"))));
    records.key = Column::new(Arc::new(Field::new("key", keys.data_type().clone(), true)), keys);
    let headers = (first..first + count)
        .map(|id| vec![Header::new("n", Value::Int64(id)), Header::new("t", Value::String("x".into()))]);
    records.headers = Some(Arc::new(headers.collect()));
    batch
}

fn text(root: &tempfile::TempDir, name: &str) -> String {
    fs::read_to_string(root.path().join("topics/orders/partition=2").join(name)).unwrap()
}

fn avro_texts(root: &tempfile::TempDir, name: &str) -> Vec<String> {
    let contents = fs::read(root.path().join("topics/orders/partition=2").join(name)).unwrap();
    let mut reader = AvroContainerReader::new(contents, &ConfigMap::new()).unwrap();
    let runs = (&mut reader).flat_map(|block| block.unwrap().runs).collect::<Vec<_>>();
    runs.iter().flat_map(|run| run.column.array.as_string::<i32>().iter().map(|key| key.unwrap().to_owned())).collect()
}

#[test]
fn each_file_has_its_keys_and_headers_beside_it_row_for_row() {
    let root = tempfile::tempdir().unwrap();
    let json = ("headers.format.class", "io.confluent.connect.s3.format.json.JsonFormat");
    let entries = [&BOTH[..], &[json, ("flush.size", "2")]].concat();
    let mut task = started(&local_config(root.path(), &entries), 0);
    put(&mut task, &keyed(0, 3));
    deliver(&mut task, 3);
    let stem = |start: i64| format!("orders+2+{start:010}");
    let expected =
        [0, 2].map(|start| ["headers.json", "json", "keys.avro"].map(|end| format!("{}.{end}", stem(start)))).concat();
    assert_eq!(names(root.path()), expected);
    assert_eq!(text(&root, &format!("{}.json", stem(0))), "{\"id\":0}\n{\"id\":1}\n");
    assert_eq!(avro_texts(&root, &format!("{}.keys.avro", stem(0))), ["k0", "k1"]);
    assert_eq!(avro_texts(&root, &format!("{}.keys.avro", stem(2))), ["k2"]);
    let headers = r#"{"headers":[{"key":"n","value":"2"},{"key":"t","value":"x"}]}"#;
    assert_eq!(text(&root, &format!("{}.headers.json", stem(2))), format!("{headers}\n"));
}

#[test]
fn files_of_parquet_have_an_envelope_and_texts_have_none() {
    let root = tempfile::tempdir().unwrap();
    let parquet = [
        ("store.kafka.keys", "true"),
        ("store.kafka.headers", "true"),
        ("keys.format.class", "io.confluent.connect.s3.format.parquet.ParquetFormat"),
        ("headers.format.class", "Parquet"),
        ("file.extension", ".snappy.parquet"),
    ];
    let mut task = started(&local_config(root.path(), &parquet), 0);
    put(&mut task, &keyed(0, 2));
    deliver(&mut task, 2);
    let stem = "orders+2+0000000000";
    let expected =
        ["headers.snappy.parquet", "keys.snappy.parquet", "snappy.parquet"].map(|end| format!("{stem}.{end}"));
    assert_eq!(names(root.path()), expected);
    let [headers, keys] = [0, 1].map(|index| read(&files(root.path())[index]));
    assert_eq!(keys.column_by_name("key").unwrap().as_string::<i32>(), &StringArray::from(vec!["k0", "k1"]));
    let pairs = headers.column_by_name("headers").unwrap().as_list::<i32>().value(1);
    let values = pairs.as_struct().column_by_name("value").unwrap().as_string::<i32>().clone();
    assert_eq!(values, StringArray::from(vec!["1", "x"]));

    let root = tempfile::tempdir().unwrap();
    let keys = [("format.class", "JsonLines"), ("store.kafka.keys", "true"), ("keys.format.class", "StringFormat")];
    let mut task = started(&local_config(root.path(), &keys), 0);
    put(&mut task, &keyed(0, 2));
    deliver(&mut task, 2);
    assert_eq!(text(&root, &format!("{stem}.keys.txt")), "k0\nk1\n");
}

#[test]
fn records_without_what_is_stored_are_rejected_and_take_no_other_along() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(&local_config(root.path(), &BOTH), 0);
    let mut odd = keyed(0, 4);
    let records = &mut odd.records[0];
    records.key.array = Arc::new(StringArray::from(vec![Some("k0"), None, Some("k2"), Some("k3")]));
    let mut headers = records.headers.as_ref().unwrap().to_vec();
    headers[2].clear();
    headers[3][1].value = Value::Null;
    records.headers = Some(Arc::new(headers));
    let rejected = task.put(&odd).unwrap();
    let said: Vec<_> = rejected.iter().map(|row| (row.row, row.error.to_string())).collect();
    assert_eq!(said.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 2, 3]);
    for (said, expected) in said.iter().zip([
        "the record has no key at offset 1, so that it has no row in the files of keys: set `store.kafka.keys` to false",
        "the record has no headers at offset 2, so that it has no row in the files of headers: set `store.kafka.headers`",
        "the value of header `t` is null at offset 3",
    ]) {
        assert!(said.1.starts_with(expected), "{}", said.1);
    }
    deliver(&mut task, 4);
    assert_eq!(avro_texts(&root, "orders+2+0000000000.keys.avro"), ["k0"]);
}

#[test]
fn what_stands_beside_the_last_file_is_written_by_whoever_goes_on_behind_it() {
    let root = tempfile::tempdir().unwrap();
    let entries =
        [&BOTH[..], &[("keys.format.class", "Json"), ("headers.format.class", "Json"), ("flush.size", "3")]].concat();
    let config = local_config(root.path(), &entries);
    let mut task = started(&config, 0);
    put(&mut task, &keyed(0, 3));
    deliver(&mut task, 3);
    let path = |name: &str| root.path().join("topics/orders/partition=2").join(name);
    let before =
        ["orders+2+0000000000.keys.json", "orders+2+0000000000.headers.json"].map(|name| (name, text(&root, name)));
    fs::remove_file(path(before[0].0)).unwrap();
    let mut task = started(&config, 0);
    put(&mut task, &keyed(0, 2));
    let vouched = task.pre_commit(&volley_api::Offsets::from([(partition(), 2)])).unwrap();
    assert_eq!(vouched[&partition()], 0, "nothing is committed while a file lacks its keys");
    put(&mut task, &keyed(2, 5));
    deliver(&mut task, 7);
    for (name, text_before) in before {
        assert_eq!(text(&root, name), text_before);
    }
    assert_eq!(text(&root, "orders+2+0000000003.keys.json"), "\"k3\"\n\"k4\"\n\"k5\"\n");
    assert_eq!(names(root.path()).len(), 9);
}

#[test]
fn keys_of_records_without_values_go_to_files_of_their_own_directory() {
    let root = tempfile::tempdir().unwrap();
    let entries =
        [&BOTH[..], &[("headers.format.class", "Json"), ("behavior.on.null.values", "write"), ("flush.size", "2")]]
            .concat();
    let config = local_config(root.path(), &entries);
    let mut task = started(&config, 0);
    let mut with_nulls = keyed(0, 4);
    let value = &mut with_nulls.records[0].value;
    let structs = value.array.as_struct().clone();
    let (fields, columns, _) = structs.into_parts();
    let is_valid = [true, false, true, false].into_iter().collect();
    value.array = Arc::new(arrow::array::StructArray::new(fields, columns, Some(is_valid)));
    put(&mut task, &with_nulls);
    let mut only_nulls = keyed(4, 1);
    only_nulls.records[0].value = Column::nulls(1);
    put(&mut task, &only_nulls);
    deliver(&mut task, 5);
    let expected = ["headers.json", "json", "keys.avro"].map(|end| format!("orders+2+0000000000.{end}"));
    assert_eq!(names(root.path()), expected);
    assert_eq!(text(&root, &expected[1]), "{\"id\":0}\n{\"id\":2}\n");
    assert_eq!(avro_texts(&root, &expected[2]), ["k0", "k2"]);
    let tombstones = root.path().join("topics/orders/tombstone");
    let in_tombstones = || {
        let mut names: Vec<_> =
            fs::read_dir(&tombstones).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let beside = |start: i64| ["headers.json", "keys.avro"].map(|end| format!("orders+2+{start:010}.{end}"));
    assert_eq!(in_tombstones(), [beside(1), beside(4)].concat());
    assert_eq!(avro_texts(&root, "../tombstone/orders+2+0000000001.keys.avro"), ["k1", "k3"]);
    assert_eq!(avro_texts(&root, "../tombstone/orders+2+0000000004.keys.avro"), ["k4"]);
    // a task that begins again finds the chain there
    let mut task = started(&config, 0);
    put(&mut task, &with_nulls);
    put(&mut task, &only_nulls);
    deliver(&mut task, 5);
    assert_eq!(in_tombstones().len(), 4);
}
