//! What holds for all of them, beyond what Java says.

use std::sync::Arc;

use arrow::array::{Array, AsArray, UInt32Array};
use volley_api::testing::{config_map, keeps_filters_or_rejects_every_row};
use volley_api::{Records, Transformation};

use super::case_transform::CaseTransform;
use super::concat_fields::ConcatFields;
use super::extract_timestamp::ExtractTimestamp;
use super::extract_topic::ExtractTopic;
use super::extract_topic_from_schema_name::ExtractTopicFromSchemaName;
use super::filter_by_field_value::FilterByFieldValue;
use super::hash::Hash;
use super::key_to_value::KeyToValue;
use crate::conformance_tests::{conforms, maps, mixed, orders};
use crate::test_records::{outcome, plain};

#[test]
fn every_row_is_treated_for_itself() {
    for field in ["name", "id", ""] {
        conforms(ExtractTopic::new, &[("field.name", field)]);
        conforms(ExtractTopic::new, &[("field.name", field), ("skip.missing.or.null", "true")]);
        conforms(Hash::new, &[("field.name", field), ("function", "md5")]);
        conforms(FilterByFieldValue::new, &[("field.name", field), ("field.value.pattern", "a|1")]);
        conforms(FilterByFieldValue::new, &[("field.name", field), ("field.value", "a")]);
    }
    conforms(ExtractTimestamp::new, &[("field.name", "id")]);
    conforms(CaseTransform::new, &[("field.names", "name,id"), ("case", "upper")]);
    conforms(ConcatFields::new, &[("field.names", "name,id"), ("output.field.name", "o")]);
    conforms(|config, _| ExtractTopicFromSchemaName::new(config), &[]);
}

#[test]
fn keys_of_all_kinds_become_fields_row_by_row() {
    let keyed = |keys: Records, values: Records| Records { key: keys.value, ..values };
    let some = |records: Records| records.take(&UInt32Array::from_iter_values(0..6)).unwrap();
    let batches =
        [keyed(orders(), orders()), keyed(maps(), orders()), keyed(orders(), maps()), keyed(some(mixed()), maps())];
    for fields in ["id", "*", "name,*"] {
        let config = config_map(&[("key.fields", fields)]);
        for batch in &batches {
            let mut all = KeyToValue::new(&config).unwrap();
            let transformed = all.apply(batch.clone()).unwrap();
            let kept: usize = transformed.records.iter().map(Records::len).sum();
            assert_eq!(kept + transformed.rejected.len(), batch.len());
        }
        keeps_filters_or_rejects_every_row(|| KeyToValue::new(&config), &batches[..2]);
    }
}

#[test]
fn one_odd_record_among_thousands_is_rejected_alone() {
    let mut values: Vec<String> = (0..3000).map(|number| format!(r#"{{"name":"topic-{}"}}"#, number % 3)).collect();
    values[1234] = r#"{"name":[1,"a"]}"#.to_owned();
    let values: Vec<Option<&str>> = values.iter().map(|value| Some(value.as_str())).collect();
    let class = "io.aiven.kafka.connect.transforms.ExtractTopic$Value";
    let found = outcome(class, &[("field.name", "name")], vec![plain(&values)]);
    for (row, topic, _) in &found {
        let expected = if *row == 1234 { "rejected".to_owned() } else { format!("topic-{}", row % 3) };
        assert_eq!(*topic, expected);
    }
    assert_eq!(found.len(), 3000);
}

#[test]
fn a_slice_of_a_batch_is_hashed_as_the_whole() {
    let all = orders();
    let hash = |records: Records| {
        let mut hash = Hash::new(
            &config_map(&[("field.name", "name"), ("function", "sha1"), ("skip.missing.or.null", "true")]),
            volley_api::Side::Value,
        )
        .unwrap();
        hash.apply(records).unwrap().records.remove(0).value.array
    };
    let part = Records {
        value: volley_api::Column::new(Arc::clone(&all.value.field), all.value.array.slice(3, 3)),
        ..all.slice(3, 3)
    };
    let (whole, part) = (hash(all), hash(part));
    let names = |array: &dyn Array| {
        array.as_struct().column(1).as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(names(&whole)[2..], names(&part));
}
