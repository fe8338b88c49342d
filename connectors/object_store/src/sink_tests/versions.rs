//! Versions of a schema that share a file, as `schema.compatibility` says.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, StringArray, StructArray};
use arrow::datatypes::{Field, Int64Type};
use volley_api::schema::{DEFAULT, NAME, VERSION};
use volley_api::{SinkBatch, SinkTask};

use super::started_task::{deliver, files, ids, local_config, names, partition, put, read, started, struct_of};
use crate::test_records::batch;

/// Orders of a version: 1 has an INT32 id, 2 an INT64 and a country that is DE by default, 3 a required place besides.
fn orders(first: i64, version: i32, count: i64) -> SinkBatch {
    let numbers = first..first + count;
    let texts = |text: &str| Arc::new(StringArray::from(vec![text; count as usize])) as ArrayRef;
    let field = |name: &str, array: &ArrayRef, is_optional| Field::new(name, array.data_type().clone(), is_optional);
    let id: ArrayRef = match version {
        1 => Arc::new(Int32Array::from_iter_values(numbers.map(|number| number as i32))),
        _ => Arc::new(Int64Array::from_iter_values(numbers)),
    };
    let mut columns = vec![(Arc::new(field("id", &id, true)), id)];
    if version >= 2 {
        let country = texts("FR");
        let default = HashMap::from([(DEFAULT.to_owned(), "\"DE\"".to_owned())]);
        columns.push((Arc::new(field("country", &country, true).with_metadata(default)), country));
    }
    if version >= 3 {
        let place = texts("Lyon");
        columns.push((Arc::new(field("place", &place, false)), place));
    }
    versioned(batch(&partition(), first, Arc::new(StructArray::from(columns))), version)
}

fn versioned(mut batch: SinkBatch, version: i32) -> SinkBatch {
    let value = &mut batch.records[0].value;
    let metadata = [(NAME, "Order".to_owned()), (VERSION, version.to_string())];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value)).into_iter().collect();
    value.field = Arc::new(value.field.as_ref().clone().with_metadata(metadata));
    batch
}

fn written(entries: &[(&str, &str)], versions: &[i32]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(&local_config(root.path(), entries), 0);
    for (first, version) in (0..).zip(versions) {
        put(&mut task, &orders(first, *version, 1));
    }
    deliver(&mut task, versions.len() as i64);
    root
}

fn starts(root: &tempfile::TempDir) -> Vec<i64> {
    let start = |name: &String| name.split(['+', '.']).nth(2).unwrap().parse().unwrap();
    names(root.path()).iter().map(start).collect()
}

#[test]
fn with_backward_and_full_older_records_are_written_as_the_newest_version() {
    for compatibility in ["BACKWARD", "full"] {
        let root = written(&[("schema.compatibility", compatibility)], &[1, 2, 1, 2, 1]);
        assert_eq!(starts(&root), [0, 1], "{compatibility}");
        let files = files(root.path());
        assert_eq!(read(&files[0]).num_columns(), 1);
        let rows = read(&files[1]);
        let country = rows.column_by_name("country").unwrap().as_string::<i32>();
        assert_eq!(country, &StringArray::from(vec!["FR", "DE", "FR", "DE"]));
        assert_eq!(rows.column_by_name("id").unwrap().as_primitive::<Int64Type>().values(), &[1, 2, 3, 4]);
    }
}

#[test]
fn with_forward_newer_records_are_written_as_the_oldest_version() {
    let root = written(&[("schema.compatibility", "FORWARD"), ("format.class", "JsonLines")], &[2, 3, 2, 3]);
    assert_eq!(starts(&root), [0]);
    let text = fs::read_to_string(&files(root.path())[0]).unwrap();
    assert_eq!(text.lines().nth(1), Some(r#"{"id":1,"country":"FR"}"#));
    // what version 1 holds as INT32 does not fit, as in Java: that begins another file each time
    assert_eq!(starts(&written(&[("schema.compatibility", "FORWARD")], &[2, 1, 2, 1])), [0, 1, 2, 3]);
}

#[test]
fn a_record_that_does_not_fit_begins_another_file_and_is_never_rejected() {
    // version 3 requires a place, which no older record has
    let root = written(&[("schema.compatibility", "BACKWARD")], &[3, 3, 2, 3, 3]);
    assert_eq!(starts(&root), [0, 2, 3]);
    assert_eq!(read(&files(root.path())[1]).num_columns(), 2);
}

#[test]
fn a_file_that_follows_a_full_one_begins_with_the_version_of_its_first_record() {
    let root = written(&[("schema.compatibility", "BACKWARD"), ("flush.size", "2")], &[2, 1, 1, 1]);
    assert_eq!(starts(&root), [0, 2]);
    let widths = files(root.path()).iter().map(|path| read(path).num_columns()).collect::<Vec<_>>();
    assert_eq!(widths, [2, 1]);
}

#[test]
fn versions_share_files_of_avro_and_csv_too() {
    for format in ["Avro", "Csv"] {
        let entries = [("schema.compatibility", "BACKWARD"), ("format.class", format)];
        assert_eq!(starts(&written(&entries, &[1, 2, 1, 2])), [0, 1], "{format}");
        assert_eq!(starts(&written(&[("format.class", "Avro")], &[1, 2, 1, 2])), [0, 1, 2, 3]);
    }
    let root = written(&[("schema.compatibility", "BACKWARD"), ("format.class", "Csv")], &[2, 1]);
    assert_eq!(fs::read_to_string(&files(root.path())[0]).unwrap(), "id,country\n0,FR\n1,DE\n");
}

#[test]
fn without_a_version_a_schema_is_rejected_where_versions_decide_and_schemaless_values_are_not() {
    let root = tempfile::tempdir().unwrap();
    let mut task = started(&local_config(root.path(), &[("schema.compatibility", "BACKWARD")]), 0);
    let rejected = task.put(&batch(&partition(), 0, ids(0..2))).unwrap();
    assert_eq!(rejected.len(), 2);
    let said = rejected[1].error.to_string();
    assert!(
        said.starts_with("Schema version required for BACKWARD compatibility: the schema of the value at offset 1"),
        "{said}"
    );
    assert!(said.contains("`schema.compatibility` to NONE"), "{said}");
    assert_eq!(rejected[1].error.exception(), "org.apache.kafka.connect.errors.SchemaProjectorException");
    let mut schemaless = batch(&partition(), 2, ids(2..3));
    let value = &mut schemaless.records[0].value;
    value.field = Arc::new(volley_api::schema::without_schema(value.field.as_ref().clone()));
    put(&mut task, &schemaless);
    put(&mut task, &orders(3, 2, 1));
    let wide = struct_of(vec![("id", Arc::new(Int64Array::from(vec![4])))]);
    put(&mut task, &versioned(batch(&partition(), 4, wide), 2));
    deliver(&mut task, 5);
    let starts = names(root.path()).len();
    assert_eq!(starts, 2, "schemaless values and those with a schema have files of their own");
}
