//! Rows of simulations, and what is found of them in files.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Int64Type};
use volley_api::TopicPartition;

use crate::chain::uploads::Upload;
use crate::test_records::read_rows;

/// A row of the result: partition, offset, and which of the rows made from that record.
pub(crate) type RowId = (String, i64, i64);

pub(crate) fn key_of(partition: &str, offset: i64, copy: i64) -> String {
    format!("{partition} {offset} {copy}")
}

/// The version of a record's schema: 2 has a further field, in 3 it is required.
pub(crate) fn version_of(offset: i64) -> i64 {
    match offset {
        _ if offset % 13 == 0 => 3,
        _ if offset % 5 == 0 => 2,
        _ => 1,
    }
}

pub(crate) fn values(
    partition: &TopicPartition,
    offsets: impl Iterator<Item = i64> + Clone,
    copies: &[i64],
    version: i64,
    has_nulls: bool,
) -> ArrayRef {
    let field = |name: &str, data_type| Arc::new(Field::new(name, data_type, true));
    let origins = StringArray::from_iter_values(offsets.clone().map(|_| partition.to_string()));
    let places = offsets.clone().zip(copies).map(|(offset, copy)| ((offset * 7 + copy) % 30).isqrt());
    let mut columns: Vec<(_, ArrayRef)> = vec![
        (field("origin", DataType::Utf8), Arc::new(origins)),
        (field("offset", DataType::Int64), Arc::new(Int64Array::from_iter_values(offsets.clone()))),
        (field("copy", DataType::Int64), Arc::new(Int64Array::from(copies.to_vec()))),
        // rare and frequent ones; the rows of one record may go to several
        (field("place", DataType::Int64), Arc::new(Int64Array::from_iter_values(places))),
    ];
    if version > 1 {
        // older records do not fit where it is required
        let extra = Arc::new(Field::new("extra", DataType::Int64, version == 2));
        columns.insert(0, (extra, Arc::new(Int64Array::from_iter_values(offsets.clone()))));
    }
    let is_valid = offsets.map(|offset| !has_nulls || offset % 4 != 1);
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    Arc::new(StructArray::new(fields.into(), arrays, Some(is_valid.collect())))
}

/// The rows of a file, after checking that its name and footer are true.
pub(crate) fn row_ids(upload: &Upload) -> Vec<RowId> {
    let ids = match upload.files.path(upload.rows()).ends_with(".parquet") {
        true => ids_of_values(upload),
        false => ids_of_keys(upload),
    };
    let identity = &upload.identity;
    assert_eq!(identity.rows as usize, ids.len());
    assert_eq!(identity.start, ids[0].1);
    assert!(identity.end > ids[ids.len() - 1].1);
    assert!(ids.is_sorted_by_key(|id| (id.1, id.2)), "{ids:?}");
    assert!(ids.iter().all(|id| id.0 == identity.origin.to_string()));
    ids
}

fn ids_of_keys(upload: &Upload) -> Vec<RowId> {
    let text = String::from_utf8(upload.contents.bytes().to_vec()).unwrap();
    let id = |line: &str| {
        let parts: Vec<_> = line.trim_matches('"').split(' ').collect();
        (parts[0].to_owned(), parts[1].parse().unwrap(), parts[2].parse().unwrap())
    };
    text.lines().map(id).collect()
}

fn ids_of_values(upload: &Upload) -> Vec<RowId> {
    let rows = read_rows(upload.contents.bytes());
    let column = |name: &str| rows.column_by_name(name).unwrap();
    let (origins, offsets) = (column("origin").as_string::<i32>(), column("offset").as_primitive::<Int64Type>());
    let copies = column("copy").as_primitive::<Int64Type>();
    let id = |row| (origins.value(row).to_owned(), offsets.value(row), copies.value(row));
    (0..rows.num_rows()).map(id).collect()
}
