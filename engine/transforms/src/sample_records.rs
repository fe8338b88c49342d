//! Records and configurations for this crate's tests.

use std::sync::Arc;

use arrow::array::StringArray;
use arrow::datatypes::{DataType, Field};
use volley_api::{Column, ConfigMap, Records, RowIndex};

/// Records of `topic` with these strings as values and null keys, without an origin.
pub(crate) fn records(topic: &str, values: &[Option<&str>]) -> Records {
    let field = Arc::new(Field::new("value", DataType::Utf8, true));
    Records {
        topic: topic.into(),
        kafka_partition: None,
        key: Column::nulls(values.len()),
        value: Column::new(field, Arc::new(StringArray::from(values.to_vec()))),
        timestamps: vec![-1; values.len()].into(),
        headers: None,
        rows: RowIndex::all(values.len()),
        origin: None,
    }
}

/// A configuration of these entries.
pub(crate) fn config(entries: &[(&str, &str)]) -> ConfigMap {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}
