//! Every case, compared.

use serde_json::Value as Json;

use super::batches;
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
        (Some(class), Some(found_class)) => {
            class == found_class && (is_of_the_runtime(&expected) || without_record(&expected) == found["message"])
        }
        _ => is_equal(&expected, &found),
    };
    (!is_same).then(|| format!("  Java  {expected}\n  found {found}"))
}

/// Whether Java's runtime has made the message, or Debezium one of a configuration, which it says the reason of in a log: ours
/// says what is wrong.
fn is_of_the_runtime(answer: &Json) -> bool {
    let Some(message) = answer["message"].as_str() else { return true };
    let of_debezium = message == "Unable to validate config." || message.contains("' value is invalid: ");
    let is_runtime = [
        "java.lang.NullPointerException",
        "java.lang.ClassCastException",
        "java.time.DateTimeException",
        "java.time.format.DateTimeParseException",
        "io.debezium.DebeziumException",
        "java.lang.IllegalStateException",
        "org.bson.BsonInvalidOperationException",
        "org.bson.json.JsonParseException",
        "java.nio.charset.UnsupportedCharsetException",
        "java.util.regex.PatternSyntaxException",
    ]
    .map(|class| answer["error"] == class);
    of_debezium || is_runtime.contains(&true) || message.starts_with("fromIndex(")
}

/// The message without the whole record that some of Java's end with: it may be secret, and the offset says which it is.
fn without_record(answer: &Json) -> Json {
    let message = answer["message"].as_str();
    let record = ["SinkRecord{", "SourceRecord{"].iter().find_map(|record| message?.find(record));
    match (message, record) {
        (Some(message), Some(record)) => message[..record].trim_end_matches(": ").into(),
        _ => answer["message"].clone(),
    }
}

/// Numbers are equal whose values are.
pub(super) fn is_equal(one: &Json, other: &Json) -> bool {
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

const FILES: [&str; 33] = [
    include_str!("../aiven/testdata/extract_timestamp.tsv"),
    include_str!("../aiven/testdata/extract_topic.tsv"),
    include_str!("../aiven/testdata/fields.tsv"),
    include_str!("../aiven/testdata/filter_by_field_value.tsv"),
    include_str!("../aiven/testdata/hash.tsv"),
    include_str!("../aiven/testdata/key_to_value.tsv"),
    include_str!("../aiven/testdata/routing.tsv"),
    include_str!("../jcustenborder/testdata/case.tsv"),
    include_str!("../jcustenborder/testdata/fields.tsv"),
    include_str!("../jcustenborder/testdata/patterns.tsv"),
    include_str!("../jcustenborder/testdata/records.tsv"),
    include_str!("../debezium/testdata/by_logical_table_router.tsv"),
    include_str!("../debezium/testdata/event_router.tsv"),
    include_str!("../debezium/testdata/extract_changed_record_state.tsv"),
    include_str!("../debezium/testdata/extract_new_document_state.tsv"),
    include_str!("../debezium/testdata/extract_new_record_state.tsv"),
    include_str!("../debezium/testdata/extract_new_record_state_2_7.tsv"),
    include_str!("../debezium/testdata/header_to_value.tsv"),
    include_str!("../debezium/testdata/timezone_converter.tsv"),
    include_str!("testdata/cast.tsv"),
    include_str!("testdata/date_formats.tsv"),
    include_str!("testdata/extract_field.tsv"),
    include_str!("testdata/flatten.tsv"),
    include_str!("testdata/headers.tsv"),
    include_str!("testdata/hoist_field.tsv"),
    include_str!("testdata/insert_field.tsv"),
    include_str!("testdata/mask_field.tsv"),
    include_str!("testdata/random.tsv"),
    include_str!("testdata/replace_field.tsv"),
    include_str!("testdata/routers.tsv"),
    include_str!("testdata/set_schema_metadata.tsv"),
    include_str!("testdata/timestamp_converter.tsv"),
    include_str!("testdata/value_to_key.tsv"),
];

#[test]
fn a_row_fares_in_a_batch_as_it_does_alone() {
    let (mut found, mut compared) = (Vec::new(), 0);
    for cases in FILES {
        let (differences, rows) = batches::differences(cases);
        found.extend(differences);
        compared += rows;
    }
    assert!(found.is_empty(), "{} differences of {compared}\n{}", found.len(), found.join("\n"));
    assert!(compared > 2000, "{compared}");
}

macro_rules! compared {
    ($($name:ident: $file:literal,)*) => {$(
        #[test]
        fn $name() {
            let found = differences($file, include_str!(concat!("testdata/", $file)));
            assert!(found.is_empty(), "{} differences\n{}", found.len(), found.join("\n"));
        }
    )*};
}

compared! {
    aiven_times_are_extracted_as_in_java: "../../aiven/testdata/extract_timestamp.tsv",
    aiven_topics_are_extracted_as_in_java: "../../aiven/testdata/extract_topic.tsv",
    aiven_fields_are_changed_as_in_java: "../../aiven/testdata/fields.tsv",
    aiven_records_are_filtered_as_in_java: "../../aiven/testdata/filter_by_field_value.tsv",
    aiven_texts_are_hashed_as_in_java: "../../aiven/testdata/hash.tsv",
    aiven_keys_become_fields_as_in_java: "../../aiven/testdata/key_to_value.tsv",
    aiven_records_are_routed_as_in_java: "../../aiven/testdata/routing.tsv",
    cast_is_that_of_java: "cast.tsv",
    custenborder_cases_are_changed_as_in_java: "../../jcustenborder/testdata/case.tsv",
    custenborder_fields_are_changed_as_in_java: "../../jcustenborder/testdata/fields.tsv",
    custenborder_patterns_are_found_as_in_java: "../../jcustenborder/testdata/patterns.tsv",
    custenborder_records_fare_as_in_java: "../../jcustenborder/testdata/records.tsv",
    date_formats_are_those_of_java: "date_formats.tsv",
    debezium_changes_are_found_as_in_java: "../../debezium/testdata/extract_changed_record_state.tsv",
    debezium_documents_are_extracted_as_in_java: "../../debezium/testdata/extract_new_document_state.tsv",
    debezium_headers_become_fields_as_in_java: "../../debezium/testdata/header_to_value.tsv",
    debezium_outboxes_are_routed_as_in_java: "../../debezium/testdata/event_router.tsv",
    debezium_states_are_extracted_as_in_java: "../../debezium/testdata/extract_new_record_state.tsv",
    debezium_states_are_extracted_as_in_older_releases: "../../debezium/testdata/extract_new_record_state_2_7.tsv",
    debezium_times_are_converted_as_in_java: "../../debezium/testdata/timezone_converter.tsv",
    debezium_tables_are_joined_as_in_java: "../../debezium/testdata/by_logical_table_router.tsv",
    extract_field_is_that_of_java: "extract_field.tsv",
    flatten_is_that_of_java: "flatten.tsv",
    headers_are_changed_as_in_java: "headers.tsv",
    hoist_field_is_that_of_java: "hoist_field.tsv",
    insert_field_is_that_of_java: "insert_field.tsv",
    mask_field_is_that_of_java: "mask_field.tsv",
    random_records_fare_as_in_java: "random.tsv",
    replace_field_is_that_of_java: "replace_field.tsv",
    routers_are_those_of_java: "routers.tsv",
    set_schema_metadata_is_that_of_java: "set_schema_metadata.tsv",
    timestamp_converter_is_that_of_java: "timestamp_converter.tsv",
    value_to_key_is_that_of_java: "value_to_key.tsv",
}
