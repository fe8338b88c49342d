//! Files of lines: JSON, and values that are bytes already.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Decimal128Array, Int64Array, StringArray};
use volley_api::{ErrorKind, SinkTask};

use super::started_task::{deliver, files, ids, local_config, names, partition, put, started, struct_of};
use crate::test_records::batch;

fn text(path: &Path) -> String {
    let mut text = String::new();
    let bytes = fs::read(path).unwrap();
    match path.extension().unwrap().to_str().unwrap() {
        "gz" => flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap(),
        "zst" => zstd::stream::read::Decoder::new(bytes.as_slice()).unwrap().read_to_string(&mut text).unwrap(),
        _ => bytes.as_slice().read_to_string(&mut text).unwrap(),
    };
    text
}

fn all_lines(root: &Path) -> Vec<String> {
    files(root).iter().flat_map(|path| text(path).lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn id_lines(range: std::ops::Range<i64>) -> Vec<String> {
    range.map(|id| format!(r#"{{"id":{id}}}"#)).collect()
}

#[test]
fn each_value_is_a_line_of_json_in_every_compression() {
    let cases = [("none", "json"), ("gzip", "json.gz"), ("zstd", "json.zst")];
    for (compression, extension) in cases {
        let root = tempfile::tempdir().unwrap();
        let entries = [("format.class", "JsonLines"), ("file.compression.type", compression), ("flush.size", "60")];
        let mut task = started(&local_config(root.path(), &entries), 0);
        put(&mut task, &batch(&partition(), 0, ids(0..100)));
        deliver(&mut task, 100);
        let expected = ["orders+2+0000000000", "orders+2+0000000060"].map(|stem| format!("{stem}.{extension}"));
        assert_eq!(names(root.path()), expected);
        assert_eq!(all_lines(root.path()), id_lines(0..100), "{compression}");
    }
}

#[test]
fn a_chain_of_lines_goes_on_after_a_restart_and_behind_files_of_another_format() {
    let root = tempfile::tempdir().unwrap();
    let lines = [("format.class", "io.confluent.connect.s3.format.json.JsonFormat"), ("flush.size", "4")];
    let mut task = started(&local_config(root.path(), &[("flush.size", "3")]), 0);
    put(&mut task, &batch(&partition(), 0, ids(0..5)));
    deliver(&mut task, 5);
    task.stop();
    for end in [11, 17] {
        // nothing was committed, and the batches fall differently
        let mut task = started(&local_config(root.path(), &lines), 0);
        put(&mut task, &batch(&partition(), 0, ids(0..end)));
        deliver(&mut task, end);
        task.stop();
    }
    let mut found = names(root.path());
    let json = found.split_off(2);
    assert_eq!(found, ["orders+2+0000000000.parquet", "orders+2+0000000003.parquet"]);
    assert_eq!(json.len(), 4, "{json:?}");
    fs::remove_file(&files(root.path())[0]).unwrap();
    fs::remove_file(&files(root.path())[0]).unwrap();
    assert_eq!(all_lines(root.path()), id_lines(5..17));
}

#[test]
fn a_foreign_file_of_lines_fails_the_task_and_stays() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("topics/orders/partition=2");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("orders+2+0000000000.json"), "mine").unwrap();
    let mut task = started(&local_config(root.path(), &[("format.class", "JsonLines")]), 0);
    put(&mut task, &batch(&partition(), 0, ids(0..5)));
    let error = super::started_task::failure(&mut task);
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("was not written by this sink"), "{error}");
    assert_eq!(fs::read(&files(root.path())[0]).unwrap(), b"mine");
}

#[test]
fn values_of_every_schema_share_a_file_of_lines() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(&local_config(root.path(), &[("format.class", "JsonLines")]), 0);
    put(&mut task, &batch(&partition(), 0, ids(0..2)));
    put(&mut task, &batch(&partition(), 2, Arc::new(StringArray::from(vec!["a \"b\"", "c\nd"]))));
    put(&mut task, &batch(&partition(), 4, struct_of(vec![("x", Arc::new(StringArray::from(vec![None, Some("y")])))])));
    put(&mut task, &batch(&partition(), 6, Arc::new(Int64Array::from(vec![7]))));
    deliver(&mut task, 7);
    assert_eq!(names(root.path()), ["orders+2+0000000000.json"]);
    let expected = [r#"{"id":0}"#, r#"{"id":1}"#, r#""a \"b\"""#, r#""c\nd""#, r#"{"x":null}"#, r#"{"x":"y"}"#, "7"];
    assert_eq!(all_lines(root.path()), expected);
}

#[test]
fn decimals_are_written_as_configured() {
    for (format, expected) in [("BASE64", r#"{"d":"MDk="}"#), ("NUMERIC", r#"{"d":123.45}"#)] {
        let root = tempfile::tempdir().unwrap();
        let entries = [("format.class", "JsonLines"), ("json.decimal.format", format)];
        let mut task = started(&local_config(root.path(), &entries), 0);
        let decimals = Decimal128Array::from(vec![12_345]).with_precision_and_scale(10, 2).unwrap();
        put(&mut task, &batch(&partition(), 0, struct_of(vec![("d", Arc::new(decimals))])));
        deliver(&mut task, 1);
        assert_eq!(all_lines(root.path()), [expected]);
    }
}

#[test]
fn bytes_are_followed_by_a_line_end_unless_another_separator_is_given() {
    for (separator, expected) in [(None, "a\nb\n"), (Some(";"), "a;b;"), (Some(""), "ab")] {
        let root = tempfile::tempdir().unwrap();
        let mut entries = vec![("format.class", "ByteArray")];
        entries.extend(separator.map(|separator| ("format.bytearray.separator", separator)));
        let mut task = started(&local_config(root.path(), &entries), 0);
        put(&mut task, &batch(&partition(), 0, Arc::new(StringArray::from(vec!["a", "b"]))));
        deliver(&mut task, 2);
        assert_eq!(text(&files(root.path())[0]), expected);
    }
}

#[test]
fn bytes_are_written_as_they_are_and_other_values_are_rejected_without_taking_a_row_along() {
    let root = tempfile::tempdir().unwrap();
    let entries = [("format.class", "ByteArray"), ("format.bytearray.separator", "|"), ("flush.size", "3")];
    let mut task = started(&local_config(root.path(), &entries), 0);
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![b"\xff\x00".as_slice(), b"", b"|", b"x"]));
    put(&mut task, &batch(&partition(), 0, Arc::clone(&bytes)));
    let rejected = task.put(&batch(&partition(), 4, ids(0..2))).unwrap();
    assert_eq!(rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [0, 1]);
    assert!(rejected[0].error.to_string().contains("use ByteArrayConverter"), "{:?}", rejected[0]);
    put(&mut task, &batch(&partition(), 6, Arc::new(StringArray::from(vec!["text"]))));
    deliver(&mut task, 7);
    assert_eq!(names(root.path()), ["orders+2+0000000000.bin", "orders+2+0000000003.bin"]);
    let contents: Vec<_> = files(root.path()).iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!(contents, [b"\xff\x00||||".to_vec(), b"x|text|".to_vec()]);
}
