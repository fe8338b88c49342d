//! Values of directories as fields of the records in them.

use serde_json::{Value, json};
use volley_api::ErrorKind;
use volley_api::testing::row_text;

use super::conformance::parquet;
use super::reading::{Stored, config, read_all, values, write};

#[test]
fn files_of_spark_are_read_with_the_columns_of_their_directories() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "t/day=2026-11-30/country=CH/part-0.snappy.parquet", parquet(0..2));
    write(root.path(), "t/day=2026-11-30/country=__HIVE_DEFAULT_PARTITION__/part-0.parquet", parquet(2..3));
    write(root.path(), "t/day=2026-12-01/country=a%2Fb/x.json", "{\"id\":3}\n\"text\"\nnull\n");
    write(root.path(), "t/day=2026-12-01/country=a%2Fb/_SUCCESS", "");
    let keys = [("partition.columns", "*"), ("key.field", "country"), ("timestamp.field", "day")];
    let seen = read_all(&config(root.path(), &keys), &Stored::new());
    assert!(seen.error.is_none(), "{:?}", seen.error);
    let expected = [
        json!({"id": 0, "name": null, "day": "2026-11-30", "country": "CH"}),
        json!({"id": 1, "name": "name \"1\" ü", "day": "2026-11-30", "country": "CH"}),
        json!({"id": 2, "name": "name \"2\" ü", "day": "2026-11-30", "country": null}),
        json!({"id": 3, "day": "2026-12-01", "country": "a/b"}),
        json!("text"),
        Value::Null,
    ];
    assert_eq!(seen.values(), expected);
    let of_ch = &seen.batches.iter().find(|batch| batch.records.len() == 2).unwrap().records;
    assert_eq!((row_text(&of_ch.key, 1).as_str(), of_ch.timestamps[1]), ("Utf8 CH", 1_795_996_800_000));
    // only those that are named, and none unless they are
    let read = values(&config(root.path(), &[("partition.columns", "country"), ("path", "t/day=2026-12-01")]));
    assert_eq!(read[0], json!({"id": 3, "country": "a/b"}));
    assert_eq!(values(&config(root.path(), &[("path", "t/day=2026-12-01")]))[0], json!({"id": 3}));
}

#[test]
fn a_column_of_the_file_wins_and_one_that_is_nowhere_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "id=77/x.parquet", parquet(0..2));
    assert_eq!(values(&config(root.path(), &[("partition.columns", "*")]))[1]["id"], 1);
    let seen = read_all(&config(root.path(), &[("partition.columns", "id,day")]), &Stored::new());
    let error = seen.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("`day`") && error.to_string().contains("`id=77/x.parquet`"), "{error}");
}
