//! Laws of JSON with schemas.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int32Type, Int64Type};
use proptest::prelude::*;
use serde_json::{Value, json};
use volley_api::schema::{DEFAULT, DOC, NAME, VERSION, has_schema};
use volley_api::{Column, ConfigMap, Converted, Converter, Side, Unserialized};

use crate::JsonConverter;
use crate::rejections::raw_batch_of;

fn converter(settings: &[(&str, &str)]) -> JsonConverter {
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    JsonConverter::new(&settings.collect::<ConfigMap>(), Side::Value).unwrap()
}

fn convert(converter: &mut JsonConverter, messages: &[Option<&str>]) -> Converted {
    let messages: Vec<Option<&[u8]>> = messages.iter().map(|message| message.map(str::as_bytes)).collect();
    converter.to_connect(&raw_batch_of(&messages), Side::Value).unwrap()
}

fn envelope(schema: &Value, payload: &Value) -> String {
    json!({ "schema": schema, "payload": payload }).to_string()
}

/// Decodes one payload, or returns the reason for its rejection.
fn decode(schema: &Value, payload: &Value) -> Result<Column, String> {
    let converted = convert(&mut converter(&[]), &[Some(&envelope(schema, payload))]);
    match converted.rejected.first() {
        Some(rejected) => Err(rejected.error.to_string()),
        None => Ok(converted.runs.into_iter().next().unwrap().column),
    }
}

fn encode(settings: &[(&str, &str)], column: &Column) -> Vec<Option<String>> {
    let encoded = converter(settings).from_connect(&Unserialized::new("topic", column)).unwrap();
    assert!(encoded.rejected.is_empty(), "{:?}", encoded.rejected);
    encoded.bytes.iter().map(|bytes| bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())).collect()
}

fn order_schema() -> Value {
    json!({
        "type": "struct",
        "fields": [
            {"type": "int64", "optional": false, "field": "id"},
            {"type": "string", "optional": true, "doc": "who", "field": "name"},
            {"type": "bytes", "optional": true, "name": "org.apache.kafka.connect.data.Decimal", "version": 1,
             "parameters": {"scale": "2"}, "field": "price"},
            {"type": "int64", "optional": true, "name": "org.apache.kafka.connect.data.Timestamp", "version": 1, "field": "at"},
            {"type": "int32", "optional": true, "name": "org.apache.kafka.connect.data.Date", "version": 1, "field": "day"},
            {"type": "int32", "optional": true, "name": "org.apache.kafka.connect.data.Time", "version": 1, "field": "clock"},
            {"type": "array", "items": {"type": "float", "optional": true}, "optional": true, "field": "scores"},
            {"type": "map", "keys": {"type": "string", "optional": false}, "values": {"type": "int8", "optional": true},
             "optional": true, "field": "counts"},
            {"type": "map", "keys": {"type": "int32", "optional": false}, "values": {"type": "string", "optional": true},
             "optional": true, "field": "labels"},
            {"type": "int16", "optional": true, "default": 7, "field": "level"},
            {"type": "bytes", "optional": true, "field": "raw"}
        ],
        "optional": false,
        "name": "shop.Order",
        "version": 3,
        "doc": "an order",
        "parameters": {"owner": "sales"}
    })
}

fn order() -> Value {
    json!({
        "id": 1, "name": "é\n", "price": "AN4=", "at": 1_700_000_000_000i64, "day": -1, "clock": 5,
        "scores": [1.5, null], "counts": {"a": 1, "b": null}, "labels": [[1, "one"], [2, null]], "level": 3, "raw": "AQI="
    })
}

#[test]
fn every_type_round_trips_byte_for_byte() {
    let message = envelope(&order_schema(), &order());
    let column = decode(&order_schema(), &order()).unwrap();
    assert_eq!(encode(&[], &column), [Some(message)]);
}

#[test]
fn schema_attributes_become_metadata() {
    let column = decode(&order_schema(), &order()).unwrap();
    assert!(has_schema(&column.field));
    assert!(!column.field.is_nullable());
    let metadata = column.field.metadata();
    assert_eq!(
        (metadata[NAME].as_str(), metadata[VERSION].as_str(), metadata[DOC].as_str()),
        ("shop.Order", "3", "an order")
    );
    assert_eq!(metadata["connect.parameters.owner"], "sales");
    let DataType::Struct(fields) = column.field.data_type() else { panic!() };
    let field = |name: &str| fields.find(name).unwrap().1;
    assert_eq!(field("price").data_type(), &DataType::Decimal128(38, 2));
    assert_eq!(field("level").metadata()[DEFAULT], "7");
    assert!(!field("id").is_nullable() && field("name").is_nullable());
    assert!(field("at").metadata().is_empty());
}

#[test]
fn decimals_are_read_as_numbers_and_as_base64_and_written_as_configured() {
    let schema = json!({"type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "version": 1, "parameters": {"scale": "2"}});
    for payload in [json!("AN4="), json!(2.22), json!(2.220)] {
        let column = decode(&schema, &payload).unwrap();
        assert_eq!(column.array.as_primitive::<Decimal128Type>().value(0), 222);
        assert!(encode(&[("decimal.format", "numeric")], &column)[0].as_ref().unwrap().ends_with("\"payload\":2.22}"));
        assert!(encode(&[], &column)[0].as_ref().unwrap().ends_with("\"payload\":\"AN4=\"}"));
    }
    assert!(decode(&schema, &json!(2.225)).is_err());
    assert!(decode(&schema, &json!("")).is_err());
    assert!(decode(&schema, &json!(true)).is_err());
}

#[test]
fn a_decimal_that_outgrows_its_column_gets_a_larger_one() {
    let schema = r#"{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"0"}}"#;
    let big = "9".repeat(60);
    let messages =
        [format!(r#"{{"schema":{schema},"payload":1}}"#), format!(r#"{{"schema":{schema},"payload":{big}}}"#)];
    let mut converter = converter(&[("decimal.format", "NUMERIC")]);
    let converted = convert(&mut converter, &[Some(&messages[0]), Some(&messages[1])]);
    assert!(converted.rejected.is_empty());
    assert_eq!(converted.runs[0].column.field.data_type(), &DataType::Decimal256(76, 0));
    let encoded = converter.from_connect(&Unserialized::new("topic", &converted.runs[0].column)).unwrap();
    assert!(encoded.bytes.value(1).ends_with(format!("\"payload\":{big}}}").as_bytes()));
    let too_big = format!(r#"{{"schema":{schema},"payload":{}}}"#, "9".repeat(77));
    assert_eq!(convert(&mut converter, &[Some(&too_big), Some(&messages[0])]).rejected.len(), 1);
}

#[test]
fn nulls_become_defaults_only_if_wanted() {
    let schema = json!({"type": "struct", "fields": [
        {"type": "int32", "optional": true, "default": 5, "field": "a"},
        {"type": "int32", "optional": false, "default": 6, "field": "b"}
    ]});
    let payload = json!({"a": null});
    let column = decode(&schema, &payload).unwrap();
    let child = |index: usize| column.array.as_struct().column(index).as_primitive::<Int32Type>().value(0);
    assert_eq!((child(0), child(1)), (5, 6));
    let mut keeping = converter(&[("replace.null.with.default", "false")]);
    let converted =
        convert(&mut keeping, &[Some(&envelope(&schema, &payload)), Some(&envelope(&schema, &json!({"b": 1})))]);
    assert_eq!(converted.rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [0]);
    let column = &converted.runs[0].column;
    assert!(column.array.as_struct().column(0).is_null(0));
    let payload_of =
        |message: &Option<String>| serde_json::from_str::<Value>(message.as_ref().unwrap()).unwrap()["payload"].clone();
    assert_eq!(payload_of(&encode(&[], column)[0]), json!({"a": 5, "b": 1}));
    assert_eq!(payload_of(&encode(&[("replace.null.with.default", "false")], column)[0]), json!({"a": null, "b": 1}));
}

#[test]
fn required_values_must_be_there() {
    let schema = json!({"type": "struct", "fields": [{"type": "int32", "field": "a"}, {"type": "string", "optional": true, "field": "b"}]});
    assert_eq!(
        decode(&schema, &json!({"b": "x"})).unwrap_err(),
        "field `a`: null for a required value that has no default"
    );
    assert!(decode(&schema, &json!({"a": null})).is_err());
    assert!(decode(&schema, &Value::Null).is_err());
    assert!(decode(&schema, &json!({"a": 1, "unknown": {"x": 1}})).is_ok());
}

#[test]
fn values_that_do_not_fit_their_schema_are_rejected() {
    let of = |type_name: &str| json!({"type": type_name});
    for (type_name, payload) in [
        ("int8", json!(128)),
        ("int16", json!(-32769)),
        ("int32", json!(2_147_483_648i64)),
        ("int64", json!(9_223_372_036_854_775_808u64)),
        ("int32", json!(1.5)),
        ("int32", json!("1")),
        ("boolean", json!(1)),
        ("string", json!(1)),
        ("double", json!("1")),
        ("float", json!(1e300)),
        ("bytes", json!("not base64!")),
        ("array", json!([])),
        ("struct", json!({})),
        ("nonsense", json!(1)),
    ] {
        assert!(decode(&of(type_name), &payload).is_err(), "{type_name} {payload}");
    }
    assert!(decode(&of("int32"), &json!(1.0)).is_ok());
    assert!(decode(&of("double"), &json!(1)).is_ok());
    assert!(decode(&of("double"), &json!("NaN")).is_ok());
    let column = decode(&of("double"), &json!(u64::MAX)).unwrap();
    assert_eq!(column.array.as_primitive::<Float64Type>().value(0), u64::MAX as f64);
}

#[test]
fn what_is_no_envelope_is_rejected_with_a_hint() {
    let mut converter = converter(&[]);
    let converted = convert(&mut converter, &[Some(r#"{"id":1}"#), Some("5"), Some(""), Some(r#"{"schema":null}"#)]);
    assert_eq!(converted.rejected.len(), 4);
    assert!(converted.rejected[0].error.to_string().contains("schemas.enable=false"));
    let bad_schema = convert(&mut converter, &[Some(r#"{"schema":{"type":"int33"},"payload":1}"#)]);
    assert!(bad_schema.rejected[0].error.to_string().contains("int33"));
}

#[test]
fn each_schema_of_a_batch_gives_a_run_and_nulls_go_along() {
    let int = r#"{"schema":{"type":"int64","optional":false},"payload":1}"#;
    let text = r#"{"schema":{"type":"string","optional":true},"payload":"x"}"#;
    let none = r#"{"schema":null,"payload":{"a":1}}"#;
    let messages =
        [None, Some(int), Some(int), None, Some("broken"), Some(int), Some(text), Some(none), Some(none), Some(int)];
    let converted = convert(&mut converter(&[]), &messages);
    assert_eq!(converted.rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [4]);
    let rows: Vec<Vec<usize>> = converted.runs.iter().map(|run| run.rows.iter().collect()).collect();
    assert_eq!(rows, [vec![0, 1, 2, 3, 5, 9], vec![6], vec![7, 8]]);
    let first = &converted.runs[0].column;
    assert!(first.field.is_nullable() && first.is_null(0) && first.is_null(3));
    assert_eq!(first.array.as_primitive::<Int64Type>().value(4), 1);
    assert!(!has_schema(&converted.runs[2].column.field));
}

#[test]
fn the_field_of_a_schema_is_shared_by_its_batches() {
    let mut converter = converter(&[]);
    let message = envelope(&order_schema(), &order());
    let first = convert(&mut converter, &[Some(&message)]);
    let second = convert(&mut converter, &[Some(&message)]);
    assert!(Arc::ptr_eq(&first.runs[0].column.field, &second.runs[0].column.field));
}

#[test]
fn a_null_batch_has_no_schema() {
    let converted = convert(&mut converter(&[]), &[None, None]);
    assert_eq!(converted.runs[0].column.field.data_type(), &DataType::Null);
    assert_eq!(encode(&[], &converted.runs[0].column), [None, None]);
}

#[test]
fn null_with_an_optional_schema_is_an_envelope_or_the_text_null() {
    let column = decode(&json!({"type": "int32", "optional": true}), &Value::Null).unwrap();
    assert_eq!(
        encode(&[], &column),
        [Some(r#"{"schema":{"type":"int32","optional":true},"payload":null}"#.to_owned())]
    );
    assert_eq!(encode(&[("schemas.enable", "false")], &column), [Some("null".to_owned())]);
}

#[test]
fn values_without_schema_are_written_with_a_null_schema() {
    let message = r#"{"schema":null,"payload":{"a":[1,{"b":"x"}]}}"#;
    let converted = convert(&mut converter(&[]), &[Some(message)]);
    assert_eq!(encode(&[], &converted.runs[0].column), [Some(message.to_owned())]);
}

#[test]
fn schema_content_is_the_schema_of_bare_payloads() {
    let schema = r#"{"type":"struct","fields":[{"type":"int32","field":"a"}]}"#;
    let mut converter = converter(&[("schema.content", schema)]);
    let converted = convert(&mut converter, &[Some(r#"{"a":1}"#), None, Some(r#"{"a":"x"}"#), Some("{")]);
    assert_eq!(converted.rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(converted.runs[0].rows.iter().collect::<Vec<_>>(), [0, 1]);
    let config = ConfigMap::from_iter([("schema.content".to_owned(), "{}".to_owned())]);
    assert!(JsonConverter::new(&config, Side::Value).unwrap_err().to_string().contains("schema.content"));
}

#[test]
fn equal_keys_of_a_map_count_once() {
    let schema = r#"{"type":"map","keys":{"type":"string"},"values":{"type":"int32"}}"#;
    let message = format!(r#"{{"schema":{schema},"payload":{{"a":1,"b":2,"a":3}}}}"#);
    let converted = convert(&mut converter(&[]), &[Some(&message)]);
    let encoded = encode(&[("schemas.enable", "false")], &converted.runs[0].column);
    assert_eq!(encoded, [Some(r#"{"a":3,"b":2}"#.to_owned())]);
}

#[test]
fn columns_of_types_that_connect_does_not_have_are_written_as_the_nearest() {
    use arrow::array::{
        ArrayRef, DictionaryArray, IntervalYearMonthArray, LargeStringArray, TimestampNanosecondArray, UInt64Array,
    };
    use arrow::datatypes::Field;
    let column = |array: ArrayRef| Column::new(Arc::new(Field::new("value", array.data_type().clone(), true)), array);
    let plain = [("schemas.enable", "false"), ("decimal.format", "NUMERIC")];
    let text = |array: ArrayRef| encode(&plain, &column(array))[0].clone().unwrap();
    assert_eq!(text(Arc::new(UInt64Array::from(vec![u64::MAX]))), u64::MAX.to_string());
    assert_eq!(text(Arc::new(LargeStringArray::from(vec!["x"]))), "\"x\"");
    assert_eq!(text(Arc::new(TimestampNanosecondArray::from(vec![5_000_000]))), "5");
    assert_eq!(text(Arc::new(DictionaryArray::<Int32Type>::from_iter(["d"]))), "\"d\"");
    let interval = column(Arc::new(IntervalYearMonthArray::from(vec![Some(1), None])));
    let encoded = converter(&plain).from_connect(&Unserialized::new("topic", &interval)).unwrap();
    assert_eq!(encoded.rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [0]);
}

proptest! {
    #[test]
    fn payloads_of_a_schema_round_trip(
        rows in proptest::collection::vec((any::<i64>(), proptest::option::of(any::<String>()), proptest::option::of(any::<i128>()), any::<f32>()), 1..10),
    ) {
        let schema = json!({"type": "struct", "fields": [
            {"type": "int64", "optional": false, "field": "id"},
            {"type": "string", "optional": true, "field": "name"},
            {"type": "bytes", "optional": true, "name": "org.apache.kafka.connect.data.Decimal", "version": 1,
             "parameters": {"scale": "3"}, "field": "price"},
            {"type": "float", "optional": false, "field": "score"}
        ], "optional": false});
        let messages: Vec<String> = rows.iter().map(|(id, name, price, score)| {
            use base64::Engine;
            let price = price.map(|price| base64::engine::general_purpose::STANDARD.encode(crate::decimal::to_be_bytes(arrow::datatypes::i256::from_i128(price))));
            let score = if score.is_finite() { Value::from(*score) } else { json!(0.5) };
            envelope(&schema, &json!({"id": id, "name": name, "price": price, "score": score}))
        }).collect();
        let messages: Vec<Option<&str>> = messages.iter().map(|message| Some(message.as_str())).collect();
        let converted = convert(&mut converter(&[]), &messages);
        prop_assert!(converted.rejected.is_empty());
        let column = &converted.runs[0].column;
        let encoded = encode(&[], column);
        let encoded: Vec<Option<&str>> = encoded.iter().map(|message| message.as_deref()).collect();
        let again = convert(&mut converter(&[]), &encoded);
        prop_assert_eq!(&again.runs[0].column.array, &column.array);
        prop_assert_eq!(&again.runs[0].column.field, &column.field);
    }
}

#[test]
fn schemas_in_turns_are_a_run_each() {
    let message = |row: usize| match row % 3 {
        0 => envelope(&json!({"type": "int16"}), &json!(row)),
        1 => envelope(&json!({"type": "string"}), &json!(row.to_string())),
        _ => envelope(&Value::Null, &json!({ "row": row })),
    };
    let messages: Vec<String> = (0..300).map(message).collect();
    let mut messages: Vec<Option<&str>> = messages.iter().map(|message| Some(message.as_str())).collect();
    messages[7] = None;
    let converted = convert(&mut converter(&[]), &messages);
    assert!(converted.rejected.is_empty());
    let rows: Vec<Vec<usize>> = converted.runs.iter().map(|run| run.rows.iter().collect()).collect();
    // a null goes with the message before it
    let expected = |first: usize| (0..300).filter(move |row| if *row == 7 { first == 0 } else { row % 3 == first });
    assert_eq!(rows, [0, 1, 2].map(|first| expected(first).collect::<Vec<_>>()));
}
