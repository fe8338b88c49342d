//! Files of columns other than Parquet: CSV and Arrow.

use std::fs;
use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BinaryArray, Float64Array, Int64Array, ListArray, StringArray};
use arrow::compute::concat_batches;
use arrow::datatypes::Int64Type;
use arrow::ipc::reader::FileReader;

use super::started_task::{deliver, files, ids, local_config, names, partition, put, started, struct_of};
use crate::test_records::batch;

#[test]
fn csv_has_a_line_of_names_and_json_for_what_is_nested() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(&local_config(root.path(), &[("format.class", "Csv")]), 0);
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None]), None]);
    let value = struct_of(vec![
        ("id", Arc::new(Int64Array::from(vec![Some(1), None]))),
        ("text", Arc::new(StringArray::from(vec!["a,\"b\"\nc", ""]))),
        ("price", Arc::new(Float64Array::from(vec![1.5, 2.0]))),
        ("list", Arc::new(lists)),
        ("bytes", Arc::new(BinaryArray::from(vec![b"\xff\x00".as_slice(), b""]))),
        ("inner", struct_of(vec![("x", Arc::new(Int64Array::from(vec![7, 8])))])),
    ]);
    put(&mut task, &batch(&partition(), 0, value));
    deliver(&mut task, 2);
    let expected = "id,text,price,list,bytes,inner\n\
                    1,\"a,\"\"b\"\"\nc\",1.5,\"[1,null]\",/wA=,\"{\"\"x\"\":7}\"\n\
                    ,,2.0,,,\"{\"\"x\"\":8}\"\n";
    assert_eq!(fs::read_to_string(&files(root.path())[0]).unwrap(), expected);
}

#[test]
fn a_csv_file_has_one_line_of_names_and_a_wider_schema_begins_another_file() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(&local_config(root.path(), &[("format.class", "Csv")]), 0);
    put(&mut task, &batch(&partition(), 0, ids(0..2)));
    put(&mut task, &batch(&partition(), 2, ids(2..3)));
    let wide =
        struct_of(vec![("id", Arc::new(Int64Array::from(vec![3]))), ("b", Arc::new(StringArray::from(vec!["x"])))]);
    put(&mut task, &batch(&partition(), 3, wide));
    put(&mut task, &batch(&partition(), 4, ids(4..5)));
    deliver(&mut task, 5);
    assert_eq!(names(root.path()), ["orders+2+0000000000.csv", "orders+2+0000000003.csv"]);
    let texts: Vec<_> = files(root.path()).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert_eq!(texts, ["id\n0\n1\n2\n", "id,b\n3,x\n4,\n"]);
}

#[test]
fn arrow_files_are_read_back_in_every_compression() {
    for compression in ["none", "lz4", "zstd"] {
        let root = tempfile::tempdir().unwrap();
        let entries = [("format.class", "Arrow"), ("file.compression.type", compression), ("flush.size", "1500")];
        let mut task = started(&local_config(root.path(), &entries), 0);
        put(&mut task, &batch(&partition(), 0, ids(0..1000)));
        put(&mut task, &batch(&partition(), 1000, ids(1000..2000)));
        deliver(&mut task, 2000);
        assert_eq!(names(root.path()), ["orders+2+0000000000.arrow", "orders+2+0000001500.arrow"]);
        let read = |path: &std::path::PathBuf| {
            let reader = FileReader::try_new(Cursor::new(fs::read(path).unwrap()), None).unwrap();
            reader.map(|batch| batch.unwrap()).collect::<Vec<_>>()
        };
        let batches: Vec<_> = files(root.path()).iter().flat_map(read).collect();
        assert_eq!(batches.len(), 2, "small batches are put together");
        let rows = concat_batches(batches[0].schema_ref(), &batches).unwrap();
        let ids = rows.column(0).as_primitive::<Int64Type>();
        assert!(ids.null_count() == 0 && ids.values().iter().copied().eq(0..2000));
    }
}
