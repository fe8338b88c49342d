//! Laws of JSON without schemas.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use proptest::prelude::*;
use serde_json::{Value, json};
use volley_api::schema::{has_schema, is_json_text, is_mixed};
use volley_api::{Column, ConfigMap, Converted, Converter, Side, Unserialized};

use super::inferred::is_blank;
use super::syntax::strict;
use crate::JsonConverter;
use crate::json::agreement::{agrees, any_event, any_json, any_object, without_untyped};
use crate::rejections::raw_batch_of;

fn converter(settings: &[(&str, &str)]) -> JsonConverter {
    let plain = [("schemas.enable", "false")];
    let settings = plain.iter().chain(settings).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    JsonConverter::new(&settings.collect::<ConfigMap>(), Side::Value).unwrap()
}

fn convert(converter: &mut JsonConverter, messages: &[&[u8]]) -> Converted {
    let messages: Vec<Option<&[u8]>> = messages.iter().map(|message| Some(*message)).collect();
    converter.to_connect(&raw_batch_of(&messages), Side::Value).unwrap()
}

fn convert_texts(converter: &mut JsonConverter, messages: &[&str]) -> Converted {
    convert(converter, &messages.iter().map(|message| message.as_bytes()).collect::<Vec<_>>())
}

/// Whether every row is in exactly one run, with the value of its message.
fn agree(converted: &Converted, values: &[Value]) -> Result<(), String> {
    let mut seen = vec![0; values.len()];
    for run in &converted.runs {
        for (index, row) in run.rows.iter().enumerate() {
            seen[row] += 1;
            if !agrees(&run.column.field, &run.column.array, index, &values[row]) {
                return Err(format!("{} in {:?}", values[row], run.column.field));
            }
        }
    }
    if seen.iter().all(|times| *times == 1) { Ok(()) } else { Err(format!("rows came {seen:?} times")) }
}

fn column_of(messages: &[&str]) -> Column {
    let converted = convert_texts(&mut converter(&[]), messages);
    assert!(converted.rejected.is_empty(), "{:?}", converted.rejected);
    assert_eq!(converted.runs.len(), 1);
    converted.runs.into_iter().next().unwrap().column
}

fn child<'a>(column: &'a Column, name: &str) -> (&'a FieldRef, &'a arrow::array::ArrayRef) {
    let DataType::Struct(fields) = column.field.data_type() else { panic!("{:?} is no struct", column.field) };
    let (index, field) = fields.find(name).unwrap_or_else(|| panic!("no column {name} in {fields:?}"));
    (field, column.array.as_struct().column(index))
}

fn child_names(column: &Column) -> Vec<String> {
    column.array.as_struct().column_names().into_iter().map(str::to_owned).collect()
}

fn texts(values: &[Value]) -> Vec<String> {
    values.iter().map(Value::to_string).collect()
}

/// The schema that a converter has inferred for each kind of value.
fn final_fields(converter: &mut JsonConverter) -> Vec<FieldRef> {
    let kinds = ["{}", "[]", "\"\"", "true", "0"];
    let converted = convert_texts(converter, &kinds);
    converted.runs.iter().map(|run| Arc::clone(&run.column.field)).collect()
}

fn is_number(column: &Column) -> bool {
    let texts = column.array.as_string::<i32>();
    texts.iter().flatten().all(|text| text.starts_with(|char: char| char == '-' || char.is_ascii_digit()))
}

/// Whether every value that fits `old` fits `new`, too.
fn widens(old: &Field, new: &Field) -> bool {
    match (old.data_type(), new.data_type()) {
        (DataType::Null, _) => true,
        _ if is_json_text(new) => true,
        _ if is_json_text(old) => false,
        (DataType::Int64, DataType::Float64) => true,
        (DataType::List(old), DataType::List(new)) => widens(old, new),
        (DataType::Struct(old), DataType::Struct(new)) => {
            old.iter().all(|old| new.find(old.name()).is_some_and(|(_, new)| widens(old, new)))
        }
        (old, new) => old == new,
    }
}

/// A type without the order of its fields.
fn unordered(field: &Field) -> String {
    match field.data_type() {
        DataType::Struct(fields) => {
            let mut fields: Vec<String> =
                fields.iter().map(|field| format!("{:?}:{}", field.name(), unordered(field))).collect();
            fields.sort();
            format!("{{{}}}", fields.join(","))
        }
        DataType::List(element) => format!("[{}]", unordered(element)),
        _ if is_json_text(field) => "json".to_owned(),
        other => other.to_string(),
    }
}

proptest! {
    #[test]
    fn every_cell_is_what_serde_json_says(values in proptest::collection::vec(any_json(), 1..12)) {
        let messages = texts(&values);
        let converted =
            convert_texts(&mut converter(&[]), &messages.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert!(converted.rejected.is_empty());
        prop_assert_eq!(agree(&converted, &values), Ok(()));
        // Values of one kind do not change the schema of another.
        prop_assert!(converted.runs.iter().all(|run| !is_mixed(&run.column.field) || is_number(&run.column)));
    }

    #[test]
    fn every_cell_of_objects_is_what_serde_json_says(values in proptest::collection::vec(any_object(), 1..12)) {
        let messages = texts(&values);
        let column = column_of(&messages.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert!(!has_schema(&column.field));
        for (row, value) in values.iter().enumerate() {
            prop_assert!(agrees(&column.field, &column.array, row, value), "{value} in {:?}", column.field);
        }
    }

    #[test]
    fn encoding_and_decoding_again_changes_nothing(values in proptest::collection::vec(any_object(), 1..8)) {
        let messages = texts(&values);
        let column = column_of(&messages.iter().map(String::as_str).collect::<Vec<_>>());
        let encoded = converter(&[]).from_connect(&Unserialized::new("topic", &column)).unwrap();
        prop_assert!(encoded.rejected.is_empty());
        let encoded: Vec<&[u8]> = encoded.bytes.iter().map(Option::unwrap).collect();
        let again = convert(&mut converter(&[]), &encoded);
        prop_assert!(again.rejected.is_empty());
        let column = &again.runs[0].column;
        for (row, value) in values.iter().enumerate() {
            prop_assert!(agrees(&column.field, &column.array, row, value), "{value} in {:?}", column.field);
        }
    }

    #[test]
    fn the_schema_only_ever_widens_and_does_not_depend_on_batches(
        values in proptest::collection::vec(prop_oneof![4 => any_event(), 1 => any_object()], 1..20),
        size in 1usize..8,
    ) {
        let messages = texts(&values);
        let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
        let mut at_once = converter(&[]);
        convert_texts(&mut at_once, &messages);
        let mut in_parts = converter(&[]);
        let mut before = Arc::new(Field::new("value", DataType::Null, true));
        for (index, part) in messages.chunks(size).enumerate() {
            let converted = convert_texts(&mut in_parts, part);
            let column = &converted.runs[0].column;
            prop_assert!(widens(&before, &column.field), "{before:?} to {:?}", column.field);
            before = Arc::clone(&column.field);
            for (row, value) in values[index * size..].iter().take(part.len()).enumerate() {
                prop_assert!(agrees(&column.field, &column.array, row, value));
            }
        }
        prop_assert_eq!(final_fields(&mut at_once), final_fields(&mut in_parts));
    }

    #[test]
    fn the_schema_does_not_depend_on_the_order_of_messages(
        values in proptest::collection::vec(any_json(), 1..8).prop_flat_map(|values| (Just(values.clone()), Just(values).prop_shuffle())),
    ) {
        let field_of = |values: &[Value]| {
            let mut converter = converter(&[]);
            convert_texts(&mut converter, &texts(values).iter().map(String::as_str).collect::<Vec<_>>());
            final_fields(&mut converter).iter().map(|field| unordered(field)).collect::<Vec<_>>()
        };
        prop_assert_eq!(field_of(&values.0), field_of(&values.1));
    }

    #[test]
    fn bad_rows_never_take_good_ones(
        rows in proptest::collection::vec((any_event(), any::<prop::sample::Index>(), prop::bool::weighted(0.3)), 1..20),
    ) {
        // A truncated object is not JSON; an empty message is null.
        let messages: Vec<Vec<u8>> = rows.iter().map(|(value, cut, bad)| {
            let text = value.to_string().into_bytes();
            if *bad { text[..1 + cut.index(text.len() - 1)].to_vec() } else { text }
        }).collect();
        let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let converted = convert(&mut converter(&[]), &messages);
        let bad: Vec<usize> = rows.iter().enumerate().filter(|(_, row)| row.2).map(|(row, _)| row).collect();
        prop_assert_eq!(converted.rejected.iter().map(|row| row.row).collect::<Vec<_>>(), bad);
        let good: Vec<&Value> = rows.iter().filter(|row| !row.2).map(|row| &row.0).collect();
        let texts: Vec<String> = good.iter().map(ToString::to_string).collect();
        let alone = convert_texts(&mut converter(&[]), &texts.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(converted.runs.len(), alone.runs.len());
        if let (Some(run), Some(alone)) = (converted.runs.first(), alone.runs.first()) {
            prop_assert_eq!(&run.column.field, &alone.column.field);
            prop_assert_eq!(&run.column.array, &alone.column.array);
            prop_assert_eq!(run.rows.len(), good.len());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_are_valid_exactly_if_serde_json_says_so(
        messages in proptest::collection::vec(any_bytes(), 1..6),
    ) {
        let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let converted = convert(&mut converter(&[]), &slices);
        let rejected: Vec<usize> = converted.rejected.iter().map(|row| row.row).collect();
        let invalid = messages.iter().enumerate().filter(|(_, message)| !is_valid(message)).map(|(row, _)| row);
        prop_assert_eq!(rejected, invalid.collect::<Vec<_>>());
        for row in &converted.rejected {
            prop_assert_eq!(row.error.exception(), "org.apache.kafka.connect.errors.DataException");
        }
        let enveloped = ConfigMap::new();
        convert(&mut JsonConverter::new(&enveloped, Side::Value).unwrap(), &slices);
    }
}

/// Numbers beyond f64 and single surrogates are valid, although serde_json refuses them. So are the texts that Connect
/// accepts beyond JSON.
fn is_valid(message: &[u8]) -> bool {
    let strict = strict(message);
    let message = strict.as_deref().unwrap_or(message);
    is_blank(message)
        || std::str::from_utf8(message).is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let edited = (any_json(), proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3));
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..30),
        "[\\[\\]{}:,\" 0-9a\\\\ntrue.eE+-]{0,16}".prop_map(String::into_bytes),
        "\\{\"a\":[\\[\\]{}:,\" 0-9a\\\\ntrue.eE+-]{0,12}\\}".prop_map(String::into_bytes),
        edited.prop_map(|(value, edits)| {
            let mut bytes = value.to_string().into_bytes();
            for (at, byte) in edits {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        }),
    ]
}

#[test]
fn integers_and_floats_meet_as_floats_and_anything_else_as_json_text() {
    let column = column_of(&[r#"{"a":1,"b":1,"c":true}"#, r#"{"a":1.5,"b":"x","c":{"d":1}}"#, r#"{"a":-0,"b":null}"#]);
    assert_eq!(child(&column, "a").0.data_type(), &DataType::Float64);
    for (name, expected) in [("b", [Some("1"), Some("\"x\""), None]), ("c", [Some("true"), Some("{\"d\":1}"), None])] {
        let (field, array) = child(&column, name);
        assert!(is_json_text(field));
        assert_eq!(array.as_string::<i32>().iter().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn numbers_never_lose_digits() {
    let column = column_of(&[
        r#"{"i":9223372036854775807,"big":9223372036854775808,"wide":9007199254740993,"f":1e400}"#,
        r#"{"i":-9223372036854775808,"big":1,"wide":0.5,"f":1}"#,
    ]);
    assert_eq!(child(&column, "i").1.as_primitive::<Int64Type>().values(), &[i64::MAX, i64::MIN]);
    for (name, expected) in
        [("big", ["9223372036854775808", "1"]), ("wide", ["9007199254740993", "0.5"]), ("f", ["1e400", "1"])]
    {
        let (field, array) = child(&column, name);
        assert!(is_json_text(field), "{name}");
        assert_eq!(array.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_field_that_is_only_null_or_empty_has_no_column_until_it_has_a_type() {
    let mut converter = converter(&[]);
    let converted = convert_texts(&mut converter, &[r#"{"n":null,"e":[],"o":{},"x":1}"#]);
    assert_eq!(child_names(&converted.runs[0].column), ["x"]);
    let converted = convert_texts(&mut converter, &[r#"{"n":1,"e":["s"],"o":{"p":true}}"#]);
    assert_eq!(child_names(&converted.runs[0].column), ["n", "e", "o", "x"]);
}

#[test]
fn of_two_members_of_one_name_the_last_counts() {
    let column =
        column_of(&[r#"{"a":1,"a":2}"#, r#"{"a":"x","a":3}"#, r#"{"a":[1],"\u0061":4}"#, r#"{"a":7,"a":null}"#]);
    let values = child(&column, "a").1.as_primitive::<Int64Type>();
    assert_eq!(values.iter().collect::<Vec<_>>(), [Some(2), Some(3), Some(4), None]);
    // The same with a known schema.
    let mut converter = converter(&[]);
    convert_texts(&mut converter, &[r#"{"a":1,"b":{"c":1}}"#]);
    let converted = convert_texts(&mut converter, &[r#"{"a":true,"b":{"c":"x","c":2},"a":2}"#]);
    assert!(converted.rejected.is_empty());
    assert_eq!(child(&converted.runs[0].column, "a").1.as_primitive::<Int64Type>().value(0), 2);
}

#[test]
fn values_that_are_no_objects_work_too() {
    assert_eq!(
        column_of(&["1", "null", " 2 "]).array.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(),
        [Some(1), None, Some(2)]
    );
    assert_eq!(column_of(&["\"a\"", "\"\""]).array.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["a", ""]);
    assert_eq!(column_of(&["[]", "[[1]]"]).array.as_list::<i32>().value(1).len(), 1);
    let empty = column_of(&["[]", "[null]"]);
    assert!(empty.array.is_valid(0));
    let column = column_of(&["{}", "{}"]);
    assert_eq!((column.array.null_count(), column.array.as_struct().num_columns()), (0, 0));
    assert!(is_mixed(&column_of(&["1", "1e400"]).field));
}

#[test]
fn a_value_of_another_kind_changes_nothing_for_the_others() {
    let mut converter = converter(&[]);
    let messages = [r#"{"i":1}"#, "\"heartbeat\"", "null", r#"{"i":2}"#, "42", "[]", "true", r#"{"i":3}"#];
    let converted = convert_texts(&mut converter, &messages);
    assert!(converted.rejected.is_empty());
    let rows_of = |kind: fn(&DataType) -> bool| {
        let mut runs = converted.runs.iter().filter(|run| kind(run.column.field.data_type()));
        let rows: Vec<usize> = runs.next().unwrap().rows.iter().collect();
        assert!(runs.next().is_none());
        rows
    };
    assert_eq!(rows_of(|kind| matches!(kind, DataType::Struct(_))), [0, 2, 3, 7]);
    assert_eq!(rows_of(|kind| matches!(kind, DataType::Utf8)), [1]);
    assert_eq!(rows_of(|kind| matches!(kind, DataType::Int64)), [4]);
    assert_eq!(rows_of(|kind| matches!(kind, DataType::List(_))), [5]);
    assert_eq!(rows_of(|kind| matches!(kind, DataType::Boolean)), [6]);
    // If there were objects, a tombstone belongs to them.
    let converted = convert_texts(&mut converter, &["null", "7"]);
    let tombstone = converted.runs.iter().find(|run| run.rows.iter().eq([0])).unwrap();
    assert_eq!(child_names(&tombstone.column), ["i"]);
}

/// Compares with the results of Kafka Connect's own converter for bytes that are almost JSON, as written by
/// `tests/java/JsonReference.java`.
#[test]
fn bytes_that_are_not_quite_json_are_taken_as_java_takes_them() {
    let mut rows = 0;
    for line in include_str!("testdata/not_quite_json.tsv").lines().filter(|line| !line.starts_with('#')) {
        let [hex, java] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let message: Vec<u8> =
            (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
        let converted = convert(&mut converter(&[]), &[&message]);
        let ours = match converted.runs.first() {
            None => "rejected".to_owned(),
            Some(run) if run.column.is_null(0) => "null".to_owned(),
            Some(run) => {
                let again = converter(&[]).from_connect(&Unserialized::new("topic", &run.column)).unwrap();
                String::from_utf8(again.bytes.value(0).to_vec()).unwrap()
            }
        };
        // Text after the value, which Java drops, and numbers that Java changes: the documentation describes both.
        let deliberate = java.strip_prefix("differs ");
        match deliberate {
            Some(expected) => assert_eq!(ours, expected, "{line}"),
            None if java == "rejected" || java == "null" => assert_eq!(ours, java, "{line}"),
            None => {
                let (ours, java): (Value, Value) =
                    (serde_json::from_str(&ours).unwrap(), serde_json::from_str(java).unwrap());
                // A member that is always null has no column.
                assert_eq!(ours, without_untyped(java), "{line}");
            }
        }
        rows += 1;
    }
    assert!(rows > 60);
}

#[test]
fn null_messages_and_the_text_null_are_null() {
    let mut converter = converter(&[]);
    let batch = raw_batch_of(&[None, Some(b"null")]);
    let converted = converter.to_connect(&batch, Side::Value).unwrap();
    assert_eq!(converted.runs[0].column.field.data_type(), &DataType::Null);
    assert_eq!(converted.runs[0].column.len(), 2);
    let batch = raw_batch_of(&[None, Some(br#"{"a":1}"#), None]);
    let converted = converter.to_connect(&batch, Side::Value).unwrap();
    let array = &converted.runs[0].column.array;
    assert_eq!((0..3).map(|row| array.is_null(row)).collect::<Vec<_>>(), [true, false, true]);
    let back = converter.from_connect(&Unserialized::new("topic", &converted.runs[0].column)).unwrap();
    assert_eq!(back.bytes.iter().collect::<Vec<_>>(), [None, Some(&br#"{"a":1}"#[..]), None]);
}

#[test]
fn what_is_no_json_is_rejected() {
    let bad: [&[u8]; 7] = [b".", b"{\"a\":1", b"{\"a\":1} x", b"{\"a\":\"\xC3\"}", b"\xFF", b"{'a':1}", b"nul"];
    let converted = convert(&mut converter(&[]), &bad);
    assert_eq!(converted.rejected.len(), bad.len());
    assert!(converted.runs.is_empty());
    // A character that the end of a message cuts in two is not completed by the next message.
    let converted = convert(&mut converter(&[]), &[b"{\"a\":\"x\xC3", b"\xA9\"}", b"{\"a\":\"y\"}"]);
    assert_eq!(converted.rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn surrogate_pairs_are_joined_and_lone_surrogates_replaced() {
    let column = column_of(&[r#"{"\u0061":"\ud83d\ude00 \u00e9"}"#, r#"{"a":"\ud83d"}"#]);
    let values = child(&column, "a").1.as_string::<i32>();
    assert_eq!(values.iter().flatten().collect::<Vec<_>>(), ["😀 é", "\u{FFFD}"]);
}

#[test]
fn ten_thousand_columns_are_fine() {
    let object = |from: usize| {
        let members = (from..from + 10_000).map(|index| (format!("column_{index}"), json!(index)));
        Value::Object(members.collect()).to_string()
    };
    let (first, second) = (object(0), object(5_000));
    let column = column_of(&[&first, &second, &first]);
    assert_eq!(column.array.as_struct().num_columns(), 15_000);
    let (_, last) = child(&column, "column_14999");
    assert_eq!((last.null_count(), last.as_primitive::<Int64Type>().value(1)), (2, 14_999));
}

#[test]
fn an_object_with_too_many_names_is_json_text() {
    let members = (0..20_001).map(|index| (format!("key_{index}"), json!(1)));
    let message = json!({ "id": 1, "by_key": Value::Object(members.collect()) }).to_string();
    let column = column_of(&[&message]);
    assert!(is_mixed(child(&column, "by_key").0));
    assert_eq!(child(&column, "id").0.data_type(), &DataType::Int64);
}

#[test]
fn depth_beyond_the_limit_is_json_text_and_never_overflows() {
    for depth in [10, 47, 48, 60, 100_000] {
        let objects = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        let arrays = format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        let column = column_of(&[&objects, "{}"]);
        let encoded = converter(&[]).from_connect(&Unserialized::new("topic", &column)).unwrap();
        assert_eq!(encoded.bytes.value(0), objects.as_bytes());
        let column = column_of(&[&arrays]);
        let encoded = converter(&[]).from_connect(&Unserialized::new("topic", &column)).unwrap();
        assert_eq!(encoded.bytes.value(0), arrays.as_bytes());
        let truncated = &objects[..objects.len() - 1];
        assert_eq!(convert_texts(&mut converter(&[]), &[truncated]).rejected.len(), 1);
    }
}

#[test]
fn pinned_columns_are_always_there_and_reject_what_does_not_fit() {
    let pins = "id BIGINT, coupon VARCHAR, at TIMESTAMP, any JSON, price DECIMAL(10,2), day DATE, small SMALLINT";
    let mut converter = converter(&[("volley.schema", pins)]);
    let messages = [
        r#"{"other":1}"#,
        r#"{"id":1.0,"coupon":"A","at":"1970-01-01T00:00:01Z","any":{"x":[1]},"price":1.5,"day":"1970-01-02","small":7}"#,
        r#"{"id":"1","new":"must not be a column"}"#,
        r#"{"coupon":5}"#,
        r#"{"at":5,"day":-1,"price":12345678901.00}"#,
        r#"{"id":"x","id":2,"at":"soon"}"#,
        r#"{"id":"x","id":2,"at":2}"#,
        r#"{"small":40000}"#,
        r#"[1]"#,
        "null",
    ];
    let converted = convert_texts(&mut converter, &messages);
    assert_eq!(converted.rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [2, 3, 4, 5, 7, 8]);
    assert_eq!(converted.rejected[0].error.to_string(), "field `id`: expected a 64-bit integer, found \"1\"");
    let column = &converted.runs[0].column;
    assert_eq!(child_names(column), ["id", "coupon", "at", "any", "price", "day", "small", "other"]);
    let ids = child(column, "id").1.as_primitive::<Int64Type>();
    assert_eq!(ids.iter().collect::<Vec<_>>(), [None, Some(1), Some(2), None]);
    assert!(is_json_text(child(column, "any").0));
    assert_eq!(child(column, "any").1.as_string::<i32>().value(1), "{\"x\":[1]}");
    assert_eq!(child(column, "price").0.data_type(), &DataType::Decimal128(10, 2));
    let encoded = converter.from_connect(&Unserialized::new("topic", column)).unwrap();
    let again: Value = serde_json::from_slice(encoded.bytes.value(1)).unwrap();
    assert_eq!(again, json!({"id":1,"coupon":"A","at":1000,"any":{"x":[1]},"price":1.5,"day":1,"small":7}));
}

#[test]
fn a_text_that_is_a_number_is_that_number_in_a_pinned_decimal_and_any_other_is_rejected() {
    let mut converter = converter(&[("volley.schema", "price DECIMAL(12,2), wide DECIMAL(60,1), exact DECIMAL(38,0)")]);
    let messages = [
        r#"{"price":"1234"}"#,
        r#"{"price":"paid"}"#,
        r#"{"price":"-12.5"}"#,
        r#"{"price":"007.10"}"#,
        r#"{"price":"1e3"}"#,
        r#"{"price":"1.234"}"#,
        r#"{"price":12345678901.00}"#,
        r#"{"price":""}"#,
        r#"{"price":"12 EUR"}"#,
        r#"{"price":true}"#,
        r#"{"wide":"0.5"}"#,
        r#"{"wide":"AQ=="}"#,
        r#"{"exact":123456789012345678901234567890123456789}"#,
    ];
    let converted = convert_texts(&mut converter, &messages);
    assert_eq!(converted.rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [1, 5, 6, 7, 8, 9, 11, 12]);
    let reason = |index: usize| converted.rejected[index].error.to_string();
    assert_eq!(reason(0), "field `price`: expected a number that fits DECIMAL(12,2), found \"paid\"");
    assert_eq!(reason(2), "field `price`: expected a number that fits DECIMAL(12,2), found 12345678901.00");
    assert!(reason(7).starts_with("field `exact`: expected a number that fits DECIMAL(38,0)"), "{}", reason(7));
    let (_, prices) = child(&converted.runs[0].column, "price");
    let prices = prices.as_primitive::<arrow::datatypes::Decimal128Type>();
    let expected = [Some(123_400), Some(-1250), Some(710), Some(100_000), None];
    assert_eq!(prices.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn members_of_objects_are_pinned_by_their_path() {
    let mut converter = converter(&[("volley.schema", "address.city VARCHAR, address.geo.lat DOUBLE, \"a.b\" BIGINT")]);
    let messages = [
        r#"{"id":1}"#,
        r#"{"address":{"zip":"5","geo":{"lat":1,"lon":2}},"a.b":3}"#,
        r#"{"address":"none"}"#,
        r#"{"address":{"city":5}}"#,
        r#"{"address":{"geo":[1]}}"#,
        r#"{"address":null}"#,
    ];
    let converted = convert_texts(&mut converter, &messages);
    assert_eq!(converted.rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(converted.rejected[0].error.to_string(), "field `address`: expected an object, found \"none\"");
    assert_eq!(converted.rejected[1].error.to_string(), "field `address.city`: expected a string, found 5");
    let column = &converted.runs[0].column;
    assert_eq!(child_names(column), ["address", "a.b", "id"]);
    let (address, _) = child(column, "address");
    let DataType::Struct(members) = address.data_type() else { panic!("{address}") };
    assert_eq!(members.iter().map(|member| member.name().as_str()).collect::<Vec<_>>(), ["city", "geo", "zip"]);
    assert_eq!(members[0].data_type(), &DataType::Utf8);
    let encoded = converter.from_connect(&Unserialized::new("topic", column)).unwrap();
    let again: Value = serde_json::from_slice(encoded.bytes.value(1)).unwrap();
    assert_eq!(again, json!({"address":{"zip":"5","geo":{"lat":1.0,"lon":2}},"a.b":3}));
}

#[test]
fn a_mistake_in_pinned_columns_is_a_config_error_that_names_the_key() {
    let config = ConfigMap::from_iter([("volley.schema".to_owned(), "id BIGNUM".to_owned())]);
    let error = JsonConverter::new(&config, Side::Value).unwrap_err();
    assert!(error.to_string().contains("volley.schema") && error.to_string().contains("BIGNUM"), "{error}");
}

#[test]
fn the_field_of_a_topic_is_shared_by_its_batches() {
    let mut converter = converter(&[]);
    let first = convert_texts(&mut converter, &[r#"{"a":1}"#]);
    let second = convert_texts(&mut converter, &[r#"{"a":2}"#]);
    assert!(Arc::ptr_eq(&first.runs[0].column.field, &second.runs[0].column.field));
}

#[test]
fn sliced_batches_are_decoded_within_their_bounds() {
    let mut batch = raw_batch_of(&[Some(b"\xFF"), Some(br#"{"a":1}"#), None, Some(b"{")]);
    batch.values = batch.values.slice(1, 2);
    let converted = converter(&[]).to_connect(&batch, Side::Value).unwrap();
    assert!(converted.rejected.is_empty());
    assert_eq!(converted.runs[0].column.len(), 2);
}

#[test]
fn keys_of_a_batch_are_converted_on_the_key_side() {
    let mut batch = raw_batch_of(&[Some(b"{")]);
    batch.keys = raw_batch_of(&[Some(b"5")]).values;
    let config = ConfigMap::from_iter([("schemas.enable".to_owned(), "false".to_owned())]);
    let mut converter = JsonConverter::new(&config, Side::Key).unwrap();
    let converted = converter.to_connect(&batch, Side::Key).unwrap();
    assert_eq!(converted.runs[0].column.array.as_primitive::<Int64Type>().value(0), 5);
    let rejected = converter.to_connect(&batch, Side::Value).unwrap().rejected;
    assert_eq!(rejected[0].stage.to_string(), "VALUE_CONVERTER");
}
