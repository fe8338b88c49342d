//! What holds for all of them, beyond what Java says.

use arrow::array::AsArray;
use arrow::datatypes::{DataType, TimestampMillisecondType};

use super::fields::bytes_to_string::BytesToString;
use super::fields::extract_nested_field::ExtractNestedField;
use super::fields::header_to_field::HeaderToField;
use super::fields::pattern_map_string::PatternMapString;
use super::fields::to_json::ToJson;
use super::fields::to_long::ToLong;
use super::fields::topic_name_to_field::TopicNameToField;
use super::names::change_case::ChangeCase;
use super::names::pattern_rename::PatternRename;
use super::topics::extract_timestamp::ExtractTimestamp;
use super::topics::pattern_filter::PatternFilter;
use crate::clock::now_ms;
use crate::conformance_tests::{conforms, maps, mixed, orders};
use crate::test_records::transformation;

const PACKAGE: &str = "com.github.jcustenborder.kafka.connect.transform.common";

#[test]
fn every_row_is_treated_for_itself() {
    conforms(BytesToString::new, &[("fields", "name")]);
    conforms(ChangeCase::new, &[("from", "LOWER_CAMEL"), ("to", "UPPER_CAMEL")]);
    conforms(ExtractTimestamp::new, &[("field.name", "id")]);
    conforms(HeaderToField::new, &[("header.mappings", "row:INT32:r,row:STRING:s")]);
    conforms(PatternFilter::new, &[("fields", "name,id"), ("pattern", "[ax]")]);
    conforms(PatternRename::new, &[("field.pattern", "n"), ("field.replacement", "m")]);
    conforms(PatternRename::new, &[("field.pattern", "name|id"), ("field.replacement", "same")]);
    conforms(ToLong::new, &[("fields", "id")]);
    conforms(TopicNameToField::new, &[("field", "topic")]);
    let outer = [("input.outer.field.name", "name"), ("input.inner.field.name", "a"), ("output.field.name", "o")];
    conforms(ExtractNestedField::new, &outer);
    let map =
        [("value.pattern", "a"), ("value.replacement", "b"), ("src.field.name", "name"), ("dest.field.name", "out")];
    conforms(PatternMapString::new, &map);
    conforms(ToJson::new, &[]);
}

#[test]
fn records_get_the_time_of_the_clock() {
    let start = now_ms();
    let mut now = transformation(&format!("{PACKAGE}.TimestampNow"), &[]).unwrap();
    let records = now.apply(orders()).unwrap().records.remove(0);
    assert!(records.timestamps.iter().all(|time| (start..=now_ms()).contains(time)));
}

#[test]
fn fields_get_the_time_of_the_clock_as_timestamps() {
    let start = now_ms();
    for batch in [orders(), maps()] {
        let config = [("fields", "name,seen,seen")];
        let mut now = transformation(&format!("{PACKAGE}.TimestampNowField$Value"), &config).unwrap();
        let value = now.apply(batch).unwrap().records.remove(0).value;
        let structs = value.array.as_struct();
        assert!(value.is_null(2) && !value.is_null(1));
        for name in ["name", "seen"] {
            let times = structs.column_by_name(name).unwrap().as_primitive::<TimestampMillisecondType>();
            assert!((start..=now_ms()).contains(&times.value(0)), "{name}");
        }
        assert_eq!(structs.num_columns(), 3);
    }
}

#[test]
fn a_log_of_records_changes_none() {
    let mut debug = transformation(&format!("{PACKAGE}.Debug"), &[]).unwrap();
    let records = debug.apply(mixed()).unwrap().records.remove(0);
    assert_eq!(&records.value.array, &mixed().value.array);
    assert_eq!(records.value.field.data_type(), &DataType::Utf8);
}
