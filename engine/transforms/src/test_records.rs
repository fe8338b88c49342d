//! Records from JSON, for tests.

use std::sync::Arc;

use arrow::array::{Array, BinaryArray, UInt32Array};
use volley_api::testing::{config_map, consumed, origin};
use volley_api::{Converter, PluginFactory, RawBatch, Records, Side, Transformation, TransformationContext, schema};
use volley_converters::JsonConverter;

use crate::columns::json_texts;
use crate::plugins;

/// Records of topic `t` with these values, as JsonConverter reads them; `None` for tombstones. A record for each schema.
pub(crate) fn json_records(has_schema: bool, values: &[Option<&str>]) -> Vec<Records> {
    let values: BinaryArray = values.iter().map(|value| value.map(str::as_bytes)).collect();
    let len = values.len();
    let raw = RawBatch { origin: origin("t", 0, 0, len), keys: BinaryArray::new_null(len), values, headers: None };
    let config = config_map(&[
        ("schemas.enable", if has_schema { "true" } else { "false" }),
        ("replace.null.with.default", "false"),
    ]);
    let converted = JsonConverter::new(&config, Side::Value).unwrap().to_connect(&raw, Side::Value).unwrap();
    assert!(converted.rejected.is_empty(), "{:?}", converted.rejected);
    let of_run = |run: volley_api::Run| {
        let rows = UInt32Array::from_iter_values(run.rows.iter().map(|row| row as u32));
        let all = consumed("t", 0, 0, volley_api::Column::nulls(len));
        Records { value: run.column, ..all.take(&rows).unwrap() }
    };
    converted.runs.into_iter().map(of_run).collect()
}

/// Schemaless records as one.
pub(crate) fn plain(values: &[Option<&str>]) -> Records {
    let mut records = json_records(false, values);
    match records.len() {
        1 => records.remove(0),
        _ => {
            // Values of several kinds, as mixed ones.
            let texts = arrow::array::StringArray::from(values.to_vec());
            let field = schema::without_schema(schema::mixed_field("value"));
            consumed("t", 0, 0, volley_api::Column::new(Arc::new(field), Arc::new(texts)))
        }
    }
}

pub(crate) fn transformation(class: &str, config: &[(&str, &str)]) -> volley_api::Result<Box<dyn Transformation>> {
    let plugin = plugins().into_iter().find(|plugin| plugin.class == class).expect("a class that there is");
    match &plugin.factory {
        PluginFactory::Transformation(new) => new(TransformationContext::default(), &config_map(config)),
        _ => panic!("{class} is no transformation"),
    }
}

/// What comes out: for each row its topic and its value as JSON, or why it is rejected; in the order of rows.
pub(crate) fn outcome(class: &str, config: &[(&str, &str)], records: Vec<Records>) -> Vec<(usize, String, String)> {
    let mut transformation = transformation(class, config).unwrap();
    let mut found = Vec::new();
    for records in records {
        let transformed = transformation.apply(records).unwrap();
        for records in transformed.records {
            let texts = json_texts(&records.value).unwrap();
            let texts = arrow::array::AsArray::as_string::<i32>(&texts).clone();
            for row in 0..records.len() {
                let text = if texts.is_valid(row) { texts.value(row) } else { "null" };
                found.push((records.rows.input_row(row), records.topic.to_string(), text.to_owned()));
            }
        }
        for rejected in transformed.rejected {
            found.push((rejected.row, "rejected".to_owned(), rejected.error.to_string()));
        }
    }
    found.sort();
    found
}

/// The rows that are kept, and those that are rejected.
pub(crate) fn rows(class: &str, config: &[(&str, &str)], records: Vec<Records>) -> (Vec<usize>, Vec<usize>) {
    let (rejected, kept): (Vec<_>, Vec<_>) =
        outcome(class, config, records).into_iter().partition(|(_, topic, _)| topic == "rejected");
    let rows = |found: Vec<(usize, String, String)>| found.into_iter().map(|(row, ..)| row).collect();
    (rows(kept), rows(rejected))
}

#[test]
fn records_of_one_schema_are_one() {
    let all = plain(&[Some(r#"{"a":1}"#), None, Some(r#"{"a":2}"#)]);
    assert_eq!(all.rows.iter().collect::<Vec<_>>(), [0, 1, 2]);
}
