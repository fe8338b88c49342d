//! Every case, compared.

use serde_json::Value as Json;

use super::case::{Carrier, Case};
use super::told::{answer, comparable};

/// What is wrong with the answers to the cases of a file.
fn differences(file: &str, cases: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (line, text) in (1..).zip(cases.lines()) {
        let case = Case::read(text);
        let mut is_same = true;
        for carrier in case.carriers() {
            if let Some(difference) = difference(&case, carrier) {
                is_same = false;
                if case.differs.is_none() {
                    found.push(format!("{file}:{line} {carrier:?}\n  given {}\n{difference}", case.given));
                }
            }
        }
        if is_same && case.differs.is_some() {
            found.push(format!("{file}:{line} no longer differs"));
        }
    }
    found
}

fn difference(case: &Case, carrier: Carrier) -> Option<String> {
    let ours = answer(case, carrier);
    let (expected, found) = (comparable(&case.answer), comparable(&ours));
    let is_same = match (expected["error"].as_str(), found["error"].as_str()) {
        (Some(expected), Some(found)) => expected == found,
        _ => is_equal(&expected, &found),
    };
    (!is_same).then(|| format!("  Java  {expected}\n  found {found}"))
}

/// Numbers are equal whose values are.
fn is_equal(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => {
            one == other || (one.is_f64() || other.is_f64()) && one.as_f64() == other.as_f64()
        }
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_equal(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| is_equal(one, other)))
        }
        (one, other) => one == other,
    }
}

macro_rules! compared {
    ($($name:ident: $file:literal,)*) => {$(
        #[test]
        fn $name() {
            let found = differences($file, include_str!($file));
            assert!(found.is_empty(), "{} differences\n{}", found.len(), found.join("\n"));
        }
    )*};
}

compared! {
    cast_is_that_of_java: "testdata/cast.tsv",
    date_formats_are_those_of_java: "testdata/date_formats.tsv",
    debezium_tables_are_joined_as_in_java: "../debezium/testdata/by_logical_table_router.tsv",
    debezium_outboxes_are_routed_as_in_java: "../debezium/testdata/event_router.tsv",
    debezium_states_are_extracted_as_in_java: "../debezium/testdata/extract_new_record_state.tsv",
    debezium_states_are_extracted_as_in_older_releases: "../debezium/testdata/extract_new_record_state_2_7.tsv",
    extract_field_is_that_of_java: "testdata/extract_field.tsv",
    flatten_is_that_of_java: "testdata/flatten.tsv",
    headers_are_changed_as_in_java: "testdata/headers.tsv",
    hoist_field_is_that_of_java: "testdata/hoist_field.tsv",
    insert_field_is_that_of_java: "testdata/insert_field.tsv",
    mask_field_is_that_of_java: "testdata/mask_field.tsv",
    replace_field_is_that_of_java: "testdata/replace_field.tsv",
    routers_are_those_of_java: "testdata/routers.tsv",
    set_schema_metadata_is_that_of_java: "testdata/set_schema_metadata.tsv",
    timestamp_converter_is_that_of_java: "testdata/timestamp_converter.tsv",
    value_to_key_is_that_of_java: "testdata/value_to_key.tsv",
}
