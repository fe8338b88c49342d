//! Parts of records in lines and in JSON, byte for byte as Aiven's sinks write them.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Int32Array, Int64Array, MapArray, NullArray, StringArray, StructArray,
};
use arrow::datatypes::{DataType, Field, Int64Type};
use volley_api::{Column, Header, SinkBatch, SinkTask, Value};

use super::started_task::{deliver, files, local_config, names, partition, put, read, started, struct_of};
use crate::test_records::{batch, unframed_snappy};

/// 2023-11-14T22:13:20Z.
const FIRST_MS: i64 = 1_700_000_000_000;

fn column(array: ArrayRef) -> Column {
    Column::new(Arc::new(Field::new("value", array.data_type().clone(), true)), array)
}

/// Three records: with everything, without a timestamp and headers, and with nothing but that.
fn batch_of(key: ArrayRef, value: ArrayRef) -> SinkBatch {
    let mut batch = batch(&partition(), 7, value);
    let records = &mut batch.records[0];
    records.key = column(key);
    records.timestamps = vec![FIRST_MS, -1, FIRST_MS + 120].into();
    let bytes = |name: &str, value: &[u8]| Header::new(name, Value::Bytes(value.to_vec()));
    records.headers =
        Some(Arc::new(vec![vec![bytes("k1", b"v1"), bytes("k2", b"")], Vec::new(), vec![bytes("ä", b"\xff")]]));
    batch
}

fn bytes(values: [Option<&[u8]>; 3]) -> ArrayRef {
    Arc::new(BinaryArray::from(values.to_vec()))
}

fn texts(values: [Option<&str>; 3]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// The only file that these entries of a configuration make of a batch.
fn file(entries: &[(&str, &str)], batch: &SinkBatch) -> Vec<u8> {
    let root = tempfile::tempdir().unwrap();
    file_in(root.path(), entries, batch)
}

fn file_in(root: &Path, entries: &[(&str, &str)], batch: &SinkBatch) -> Vec<u8> {
    let entries = [&[("behavior.on.null.values", "keep")], entries].concat();
    let mut task = started(&local_config(root, &entries), 0);
    put(&mut task, batch);
    deliver(&mut task, 10);
    assert_eq!(files(root).len(), 1);
    fs::read(&files(root)[0]).unwrap()
}

fn text(entries: &[(&str, &str)], batch: &SinkBatch) -> String {
    String::from_utf8(file(entries, batch)).unwrap()
}

#[test]
fn csv_has_the_parts_in_the_order_given_and_base64_of_keys_and_values_and_no_line_feed_at_the_end() {
    let batch = batch_of(
        texts([Some("key"), None, Some("ö")]),
        bytes([Some(b"Lorem ipsum dolor sit amet"), Some(b"a,\"b\"\n"), None]),
    );
    let csv = |fields: &str, encoding: &str| {
        let entries = [
            ("format.class", "RecordCsv"),
            ("format.output.fields", fields),
            ("format.output.fields.value.encoding", encoding),
        ];
        text(&entries, &batch)
    };
    assert_eq!(csv("value", "base64"), "TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQ=\nYSwiYiIK\n");
    assert_eq!(
        csv("key,value,offset,timestamp", "base64"),
        "a2V5,TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQ=,7,1700000000000\n,YSwiYiIK,8,\nw7Y=,,9,1700000000120"
    );
    assert_eq!(csv("offset,value", "none"), "7,Lorem ipsum dolor sit amet\n8,a,\"b\"\n\n9,");
    assert_eq!(csv("headers,offset", "base64"), "azE=:djE=;azI=:;,7\n,8\nw6Q=:/w==;,9");
}

#[test]
fn json_is_an_array_and_jsonl_has_lines_with_the_parts_in_java_s_order() {
    let value = struct_of(vec![
        ("name", texts([Some("Jöhn \"x\"\u{1}"), None, Some("")])),
        ("n", Arc::new(Int32Array::from(vec![1, 2, 3]))),
    ]);
    let mut batch = batch_of(texts([Some("user1"), None, Some("user3")]), value);
    batch.records[0].headers =
        Some(Arc::new(vec![vec![Header::new("h", Value::Int64(5)), Header::new("h", Value::Null)], vec![], vec![]]));
    let json = |class: &str, fields: &str, envelope: &str| {
        let entries = [("format.class", class), ("format.output.fields", fields), ("format.output.envelope", envelope)];
        text(&entries, &batch)
    };
    let values = [r#"{"name":"Jöhn \"x\"\u0001","n":1}"#, r#"{"name":null,"n":2}"#, r#"{"name":"","n":3}"#];
    assert_eq!(
        json("RecordJson", "key,value,offset,timestamp,headers", "true"),
        format!(
            "[\n{{\"headers\":[{{\"key\":\"h\",\"value\":5}},{{\"key\":\"h\",\"value\":null}}],\"offset\":7,\"value\":{},\
             \"key\":\"user1\",\"timestamp\":\"2023-11-14T22:13:20Z\"}},\n\
             {{\"headers\":[],\"offset\":8,\"value\":{},\"key\":null,\"timestamp\":null}},\n\
             {{\"headers\":[],\"offset\":9,\"value\":{},\"key\":\"user3\",\"timestamp\":\"2023-11-14T22:13:20.120Z\"}}\n]",
            values[0], values[1], values[2]
        )
    );
    let lines = values.map(|value| format!(r#"{{"value":{value}}}"#)).join("\n");
    assert_eq!(json("RecordJsonLines", "value", "true"), lines);
    assert_eq!(json("RecordJsonLines", "value", "false"), values.join("\n"));
    assert_eq!(json("RecordJson", "key", "false"), "[\n\"user1\",\nnull,\n\"user3\"\n]");
}

#[test]
fn records_without_a_value_have_a_null_in_every_format() {
    let nulls: ArrayRef = Arc::new(NullArray::new(3));
    let batch = batch_of(texts([Some("a"), None, Some("c")]), nulls);
    let fields = ("format.output.fields", "value,offset");
    assert_eq!(text(&[("format.class", "RecordCsv"), fields], &batch), ",7\n,8\n,9");
    let expected = r#"{"offset":7,"value":null}"#;
    assert!(text(&[("format.class", "RecordJsonLines"), fields], &batch).starts_with(expected));
    let envelope = ("format.output.envelope", "false");
    assert_eq!(text(&[("format.class", "RecordJsonLines"), envelope], &batch), "null\nnull\nnull");
    let root = tempfile::tempdir().unwrap();
    file_in(root.path(), &[fields], &batch);
    assert_eq!(
        read(&files(root.path())[0]).column_by_name("offset").unwrap().as_primitive::<Int64Type>().values(),
        &[7, 8, 9]
    );
    for fields in ["value", "value,offset"] {
        let entries = [("format.class", "Avro"), ("format.output.fields", fields), ("format.output.envelope", "true")];
        assert!(file(&entries, &batch).starts_with(b"Obj\x01"));
    }
    let root = tempfile::tempdir().unwrap();
    file_in(root.path(), &[("format.output.envelope", "true")], &batch);
    assert_eq!(read(&files(root.path())[0]).column_by_name("value").unwrap().null_count(), 3);
}

#[test]
fn columns_of_records_are_numbers_and_a_map_of_headers() {
    let mut batch = batch_of(texts([Some("a"), None, Some("c")]), texts([Some("x"), None, Some("z")]));
    let root = tempfile::tempdir().unwrap();
    file_in(root.path(), &[("format.output.fields", "key,offset,timestamp,headers,value")], &batch);
    let rows = read(&files(root.path())[0]);
    assert_eq!(
        rows.schema().fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(),
        ["key", "offset", "timestamp", "headers", "value"]
    );
    let times = rows.column_by_name("timestamp").unwrap().as_primitive::<Int64Type>().clone();
    assert_eq!(times.iter().collect::<Vec<_>>(), [Some(FIRST_MS), None, Some(FIRST_MS + 120)]);
    let headers = |rows: &arrow::array::RecordBatch| rows.column_by_name("headers").unwrap().as_map().clone();
    let entries = |maps: &MapArray, row: usize| -> StructArray { maps.value(row) };
    let found = headers(&rows);
    assert_eq!(found.value_type(), &DataType::Binary);
    assert_eq!((0..3).map(|row| entries(&found, row).len()).collect::<Vec<_>>(), [2, 0, 1]);
    // values of different types are texts, and of several of one name the last stays
    batch.records[0].headers = Some(Arc::new(vec![
        vec![Header::new("h", Value::Int64(5)), Header::new("h", Value::Boolean(true))],
        vec![Header::new("i", Value::Int32(6))],
        Vec::new(),
    ]));
    let root = tempfile::tempdir().unwrap();
    file_in(root.path(), &[("format.output.fields", "headers")], &batch);
    let found = headers(&read(&files(root.path())[0]));
    let first = entries(&found, 0);
    assert_eq!(
        (first.column(0).as_string::<i32>().value(0), first.column(1).as_string::<i32>().value(0)),
        ("h", "true")
    );
    assert_eq!(first.len(), 1);
}

#[test]
fn whole_files_are_compressed_as_their_names_say() {
    let batch = batch_of(texts([None; 3]), bytes([Some(b"a"), Some(b"b"), Some(b"c")]));
    let plain = file(&[("format.class", "RecordCsv")], &batch);
    for (class, name) in [("RecordCsv", "csv"), ("RecordJson", "json"), ("RecordJsonLines", "json"), ("Avro", "avro")] {
        for (compression, extension) in [("gzip", ".gz"), ("zstd", ".zst"), ("snappy", ".snappy"), ("none", "")] {
            let root = tempfile::tempdir().unwrap();
            let entries =
                [("format.class", class), ("file.compression.type", compression), ("format.output.envelope", "true")];
            let contents = file_in(root.path(), &entries, &batch);
            assert_eq!(names(root.path()), [format!("orders+2+0000000007.{name}{extension}")]);
            let contents = match compression {
                "gzip" => {
                    let mut plain = Vec::new();
                    flate2::read::MultiGzDecoder::new(contents.as_slice()).read_to_end(&mut plain).unwrap();
                    plain
                }
                "zstd" => zstd::decode_all(contents.as_slice()).unwrap(),
                "snappy" => unframed_snappy(&contents),
                _ => contents,
            };
            match class {
                "RecordCsv" => assert_eq!(contents, plain),
                "Avro" => assert!(contents.starts_with(b"Obj\x01")),
                "RecordJson" => assert!(contents.ends_with(b"{\"value\":\"Yw==\"}\n]")),
                _ => assert!(contents.ends_with(b"\n{\"value\":\"Yw==\"}")),
            }
        }
    }
}

#[test]
fn what_csv_cannot_hold_is_rejected_and_takes_no_other_record_along() {
    let root = tempfile::tempdir().unwrap();
    let entries = [
        ("format.class", "RecordCsv"),
        ("format.output.fields", "offset,headers,value"),
        ("behavior.on.null.values", "keep"),
    ];
    let batch = batch_of(texts([None; 3]), texts([Some("x"), None, None]));
    let rejected = started(&local_config(root.path(), &entries), 0).put(&batch).unwrap();
    assert_eq!(rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(rejected[0].error.to_string().contains("the value is not bytes but Utf8"), "{:?}", rejected[0]);
    let mut task = started(&local_config(root.path(), &entries), 0);
    let mut batch = batch_of(texts([None; 3]), bytes([Some(b"x"), Some(b"y"), Some(b"z")]));
    batch.records[0].headers =
        Some(Arc::new(vec![vec![], vec![Header::new("h", Value::String("text".into()))], vec![]]));
    let rejected = task.put(&batch).unwrap();
    assert_eq!(rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [1]);
    assert!(rejected[0].error.to_string().contains("set `header.converter`"), "{:?}", rejected[0]);
    deliver(&mut task, 10);
    assert_eq!(fs::read_to_string(&files(root.path())[0]).unwrap(), "7,,eA==\n9,,eg==");
    let keys: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    let entries = [("format.class", "RecordCsv"), ("format.output.fields", "key")];
    let mut task = started(&local_config(tempfile::tempdir().unwrap().path(), &entries), 0);
    let rejected = task.put(&batch_of(keys, bytes([Some(b"x"); 3]))).unwrap();
    assert!(
        rejected.len() == 3 && rejected[0].error.to_string().contains("not bytes or text but Int64"),
        "{rejected:?}"
    );
}
