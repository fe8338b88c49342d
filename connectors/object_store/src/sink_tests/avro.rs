//! Avro container files.

use std::fs;
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, StringArray};
use arrow::datatypes::Int64Type;
use volley_api::ConfigMap;
use volley_converters::AvroContainerReader;

use super::started_task::{deliver, files, ids, local_config, names, partition, put, started, struct_of};
use crate::test_records::batch;

#[test]
fn avro_files_are_read_back_in_every_codec_and_a_new_schema_begins_a_file() {
    for codec in ["null", "deflate", "snappy", "zstandard", "bzip2"] {
        let root = tempfile::tempdir().unwrap();
        let entries = [("format.class", "io.confluent.connect.s3.format.avro.AvroFormat"), ("avro.codec", codec)];
        let mut task = started(&local_config(root.path(), &entries), 0);
        put(&mut task, &batch(&partition(), 0, ids(0..1000)));
        put(&mut task, &batch(&partition(), 1000, ids(1000..1500)));
        let wide = struct_of(vec![
            ("id", Arc::new(Int64Array::from(vec![1500]))),
            ("name", Arc::new(StringArray::from(vec!["x"]))),
        ]);
        put(&mut task, &batch(&partition(), 1500, wide));
        deliver(&mut task, 1501);
        assert_eq!(names(root.path()), ["orders+2+0000000000.avro", "orders+2+0000001500.avro"], "{codec}");
        let mut read = Vec::new();
        for path in files(root.path()) {
            let mut reader = AvroContainerReader::new(fs::read(path).unwrap(), &ConfigMap::new()).unwrap();
            assert_eq!(reader.codec().name(), codec);
            for block in &mut reader {
                for run in block.unwrap().runs {
                    let ids = run.column.array.as_struct().column_by_name("id").unwrap();
                    read.extend(ids.as_primitive::<Int64Type>().values().iter().copied());
                }
            }
        }
        assert_eq!(read, (0..1501).collect::<Vec<_>>(), "{codec}");
    }
}

#[test]
fn what_avro_cannot_express_is_rejected() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(&local_config(root.path(), &[("format.class", "Avro")]), 0);
    put(&mut task, &batch(&partition(), 0, ids(0..2)));
    let twice = struct_of(vec![("a", Arc::new(Int64Array::from(vec![1]))), ("a", Arc::new(Int64Array::from(vec![2])))]);
    let rejected = volley_api::SinkTask::put(&mut task, &batch(&partition(), 2, twice)).unwrap();
    assert_eq!(rejected.len(), 1);
    deliver(&mut task, 3);
    assert_eq!(names(root.path()), ["orders+2+0000000000.avro"]);
}
