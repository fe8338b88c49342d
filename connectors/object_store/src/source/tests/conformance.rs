//! What every source has to do, for each format.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::ipc::writer::FileWriter;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use volley_api::testing::{column, resumes_from_every_offset};
use volley_api::{Column, ConfigMap};
use volley_converters::{AvroCodec, AvroContainerWriter, AvroRows};

use super::reading::{Stored, config, read_all, values, write};
use crate::source::task::ObjectStoreSourceTask;

const ROWS: i64 = 40;

fn batch(range: std::ops::Range<i64>) -> RecordBatch {
    let names = range.clone().map(|id| (id % 3 != 0).then(|| format!("name \"{id}\" ü")));
    let columns: [(&str, ArrayRef); 2] =
        [("id", Arc::new(Int64Array::from_iter_values(range))), ("name", Arc::new(names.collect::<StringArray>()))];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

/// Row groups of seven rows.
pub(super) fn parquet(range: std::ops::Range<i64>) -> Bytes {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(7)).build();
    let batch = batch(range);
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap().into()
}

fn arrow_file() -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &batch(0..1).schema()).unwrap();
    writer.write(&batch(0..25)).unwrap();
    writer.write(&batch(25..ROWS)).unwrap();
    writer.into_inner().unwrap()
}

fn avro() -> Vec<u8> {
    let structs: Column = column(arrow::array::StructArray::from(batch(0..ROWS)));
    let rows = AvroRows::new(&ConfigMap::new()).unwrap().write(&structs).unwrap();
    let mut writer = AvroContainerWriter::new(&rows.schema, AvroCodec::Snappy, *b"0123456789abcdef", &[]).unwrap();
    rows.values.iter().flatten().for_each(|value| writer.append(value).unwrap());
    writer.finish().unwrap()
}

fn csv() -> Vec<u8> {
    let mut writer = arrow::csv::WriterBuilder::new().with_header(true).build(Vec::new());
    writer.write(&batch(0..ROWS)).unwrap();
    writer.into_inner()
}

/// With blank lines, a byte order mark, and a last line without its end.
fn json() -> Vec<u8> {
    let lines = (0..ROWS).map(|id| match id % 5 {
        0 => format!("{{\"id\":{id},\"name\":\"\"}}\r"),
        1 => format!("\n{{\"id\":{id},\"name\":\"ü\"}}"),
        2 => format!("{{\"id\":{id}, \"name\":\"n\" }}\n  "),
        3 => format!("\"text {id}\""),
        _ => "null".to_owned(),
    });
    let lines: Vec<String> = lines.collect();
    [b"\xEF\xBB\xBF", lines.join("\n").as_bytes()].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    // two members, as where files were put together
    let (one, other) = bytes.split_at(bytes.len() / 3);
    let member = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    [member(one), member(other)].concat()
}

/// A file of each format, all with the same rows.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("x.parquet", parquet(0..ROWS).to_vec()),
        ("x.arrow", arrow_file()),
        ("x.avro", avro()),
        ("x.csv", csv()),
        ("x.csv.gz", gzip(&csv())),
        ("x.json", json()),
        ("x.jsonl.gz", gzip(&json())),
        ("x.json.zst", zstd::encode_all(&json()[..], 3).unwrap()),
        ("x.bin", csv()),
    ]
}

#[test]
fn a_source_goes_on_behind_any_of_its_offsets_in_every_format() {
    for (name, contents) in files() {
        for batch_rows in ["1", "3", "11"] {
            let root = tempfile::tempdir().unwrap();
            write(root.path(), name, &contents);
            let config = config(root.path(), &[("batch.max.rows", batch_rows)]);
            resumes_from_every_offset(1_000, |context| ObjectStoreSourceTask::start(context, &config));
        }
    }
}

#[test]
fn a_source_of_many_files_goes_on_behind_any_of_its_offsets() {
    let root = tempfile::tempdir().unwrap();
    for (name, contents) in files() {
        write(root.path(), &format!("dir {name}/{name}"), contents);
    }
    let config = config(root.path(), &[("batch.max.rows", "9")]);
    resumes_from_every_offset(10_000, |context| ObjectStoreSourceTask::start(context, &config));
}

#[test]
fn the_rows_of_every_format_are_the_same() {
    let expected: Vec<_> = (0..ROWS)
        .map(|id| serde_json::json!({"id": id, "name": (id % 3 != 0).then(|| format!("name \"{id}\" ü"))}))
        .collect();
    for (name, contents) in files() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), name, contents);
        let mut read = values(&config(root.path(), &[("batch.max.rows", "16")]));
        match name.split_once('.').unwrap().1 {
            "csv" | "csv.gz" => {
                for value in &mut read {
                    value["id"] = value["id"].as_str().unwrap().parse::<i64>().unwrap().into();
                }
                assert_eq!(read, expected, "{name}");
            }
            "parquet" | "arrow" | "avro" => assert_eq!(read, expected, "{name}"),
            "bin" => assert_eq!(read.len() as i64, ROWS + 1),
            _ => {
                assert_eq!(read.len() as i64, ROWS, "{name}");
                assert_eq!(read[5]["id"], 5, "{name}");
                assert_eq!(
                    (&read[6]["name"], &read[8], read[9].is_null()),
                    (&"ü".into(), &"text 8".into(), true),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn a_format_that_is_named_holds_for_every_file() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "part-0", "{\"a\":1}\n");
    write(root.path(), "part-1.data.gz", gzip(b"{\"a\":2}\n{\"a\":3}"));
    assert!(values(&config(root.path(), &[])).is_empty());
    let read = values(&config(root.path(), &[("format.class", "io.confluent.connect.s3.format.json.JsonFormat")]));
    assert_eq!(read, [1, 2, 3].map(|a| serde_json::json!({ "a": a })));
}

#[test]
fn files_without_rows_are_done_at_once() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "a.json", "");
    write(root.path(), "b.csv", "");
    write(root.path(), "c.csv", "id,name\n");
    write(root.path(), "d.parquet", parquet(0..0));
    write(root.path(), "e.json", "\n\n");
    let seen = read_all(&config(root.path(), &[]), &Stored::new());
    assert!(seen.error.is_none() && seen.values().is_empty(), "{:?}", seen.error);
    let stored = seen.offsets(&Stored::new());
    assert_eq!(stored.len(), 5);
    assert!(stored.values().all(|offset| offset["done"] == true), "{stored:?}");
    assert!(read_all(&config(root.path(), &[]), &stored).batches.is_empty());
}

#[test]
fn many_lines_of_json_come_back_as_they_are() {
    let root = tempfile::tempdir().unwrap();
    let value = |number: i64| {
        serde_json::json!({
            "id": number,
            "name": format!("näme \"{number}\""),
            "price": number as f64 / 8.0,
            "ok": number % 3 == 0,
            "tags": [number, number + 1],
            "at": { "x": -number },
        })
    };
    let expected: Vec<_> = (0..20_000).map(value).collect();
    for (name, lines) in ["a.json", "b.json"].iter().zip(expected.chunks(15_000)) {
        write(root.path(), name, lines.iter().map(|value| format!("{value}\n")).collect::<String>());
    }
    let read = values(&config(root.path(), &[]));
    assert_eq!(read.len(), expected.len());
    let other = read.iter().zip(&expected).find(|(read, expected)| read != expected);
    assert_eq!(other, None);
}

/// Types that pandas, Polars, Spark and DuckDB write, and this sink does not.
fn foreign_columns() -> Vec<(&'static str, ArrayRef)> {
    use arrow::array::*;
    use arrow::datatypes::*;
    let list = LargeListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]);
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    map.keys().append_value("k");
    map.values().append_value(1);
    map.append(true).unwrap();
    map.append(false).unwrap();
    vec![
        ("large_text", Arc::new(LargeStringArray::from(vec![Some("a"), None]))),
        ("text_view", Arc::new(StringViewArray::from(vec![Some("a text that is longer than twelve"), None]))),
        ("category", Arc::new(DictionaryArray::<Int8Type>::from_iter([Some("x"), None]))),
        ("large_bytes", Arc::new(LargeBinaryArray::from_iter([Some(b"ab"), None]))),
        ("bytes_view", Arc::new(BinaryViewArray::from_iter([Some(b"ab"), None]))),
        (
            "fixed",
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size([Some(b"ab"), None].into_iter(), 2).unwrap()),
        ),
        ("u8", Arc::new(UInt8Array::from(vec![Some(200), None]))),
        ("u16", Arc::new(UInt16Array::from(vec![Some(60_000), None]))),
        ("u32", Arc::new(UInt32Array::from(vec![Some(4_000_000_000), None]))),
        ("u64", Arc::new(UInt64Array::from(vec![Some(7), None]))),
        ("i8", Arc::new(Int8Array::from(vec![Some(-7), None]))),
        ("nanos", Arc::new(TimestampNanosecondArray::from(vec![Some(1_000_000_001), None]))),
        ("micros", Arc::new(TimestampMicrosecondArray::from(vec![Some(1_500_000), None]).with_timezone("+02:00"))),
        ("seconds", Arc::new(TimestampSecondArray::from(vec![Some(5), None]))),
        ("date", Arc::new(Date32Array::from(vec![Some(20_787), None]))),
        ("date64", Arc::new(Date64Array::from(vec![Some(86_400_000), None]))),
        ("time32", Arc::new(Time32MillisecondArray::from(vec![Some(5), None]))),
        ("time64", Arc::new(Time64NanosecondArray::from(vec![Some(5_000_000), None]))),
        ("decimal", Arc::new(Decimal128Array::from(vec![Some(1234), None]).with_precision_and_scale(10, 2).unwrap())),
        (
            "small_decimal",
            Arc::new(Decimal32Array::from(vec![Some(1234), None]).with_precision_and_scale(6, 2).unwrap()),
        ),
        (
            "large_decimal",
            Arc::new(
                Decimal256Array::from(vec![Some(i256::from(1234)), None]).with_precision_and_scale(50, 2).unwrap(),
            ),
        ),
        ("list", Arc::new(list)),
        ("map", Arc::new(map.finish())),
        ("nothing", Arc::new(NullArray::new(2))),
    ]
}

#[test]
fn types_that_others_write_become_records() {
    let mut wrong = Vec::new();
    for (name, array) in foreign_columns() {
        let batch = RecordBatch::try_from_iter_with_nullable([(name, array, true)]).unwrap();
        for extension in ["parquet", "arrow"] {
            let contents = match extension {
                "parquet" => {
                    let Ok(mut writer) = ArrowWriter::try_new(Vec::new(), batch.schema(), None) else { continue };
                    writer.write(&batch).unwrap();
                    writer.into_inner().unwrap()
                }
                _ => {
                    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
                    writer.write(&batch).unwrap();
                    writer.into_inner().unwrap()
                }
            };
            let root = tempfile::tempdir().unwrap();
            write(root.path(), &format!("x.{extension}"), contents);
            let outcome = std::panic::catch_unwind(|| values(&config(root.path(), &[])));
            match outcome {
                Ok(values) if values.len() == 2 && values[1][name].is_null() => {}
                other => wrong.push(format!("{name} {extension}: {other:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
