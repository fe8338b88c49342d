//! The converter with a registry inside the process.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};
use proptest::prelude::*;
use serde_json::{Value, json};
use volley_api::{Column, ConfigMap, Converted, Converter as _, Side, Unserialized};
use volley_registry::{Reference, RegistryClient, RegistryConfig, Schema, SchemaKind};

use super::JsonSchemaConverter;
use crate::JsonConverter;
use crate::rejections::raw_batch_of;

fn settings(scope: &str, more: &[(&str, &str)]) -> ConfigMap {
    let url = format!("mock://json-schema-{scope}");
    let url = ("schema.registry.url", url.as_str());
    [url].iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn register(config: &ConfigMap, schema: &Value, references: Vec<Reference>) -> i32 {
    let client = RegistryClient::shared(&RegistryConfig::parse(config).unwrap()).unwrap();
    let schema = Schema { references, ..Schema::new(SchemaKind::Json, schema.to_string()) };
    client.register("topic-value", &schema).unwrap().id
}

fn read(config: &ConfigMap, id: i32, messages: &[&str]) -> Converted {
    let messages: Vec<_> =
        messages.iter().map(|text| [&[0], &id.to_be_bytes()[..], text.as_bytes()].concat()).collect();
    let messages: Vec<_> = messages.iter().map(|message| Some(message.as_slice())).collect();
    let mut converter = JsonSchemaConverter::new(config, Side::Value).unwrap();
    converter.to_connect(&raw_batch_of(&messages), Side::Value).unwrap()
}

fn column(converted: &Converted) -> &Column {
    assert!(converted.rejected.is_empty(), "{:?}", converted.rejected);
    &converted.runs[0].column
}

#[test]
fn a_plain_json_schema_becomes_columns() {
    let config = settings("plain", &[("use.optional.for.nonrequired", "true")]);
    let schema = json!({
        "type": "object", "title": "Order", "required": ["id"],
        "properties": {
            "id": {"type": "integer"},
            "price": {"type": ["number", "null"]},
            "state": {"enum": ["open", "closed"]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "more": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
            "to": {"$ref": "#/definitions/Address"},
        },
        "definitions": {"Address": {"type": "object", "properties": {"zip": {"type": "string"}}}},
    });
    let id = register(&config, &schema, Vec::new());
    let converted = read(
        &config,
        id,
        &[
            r#"{"id":1,"price":1.5,"state":"open","tags":["a"],"more":"x","to":{"zip":"1"}}"#,
            r#"{"id":2,"price":null,"unknown":true}"#,
        ],
    );
    let order = column(&converted).array.as_struct();
    assert_eq!(column(&converted).field.metadata()[volley_api::schema::NAME], "Order");
    assert_eq!(order.column_by_name("id").unwrap().as_primitive::<Int64Type>().values(), &[1, 2]);
    let price = order.column_by_name("price").unwrap();
    assert_eq!((price.as_primitive::<Float64Type>().value(0), price.is_null(1)), (1.5, true));
    let more = order.column_by_name("more").unwrap().as_struct();
    let (number, text) = (more.column(0), more.column_by_name("io.confluent.connect.json.OneOf.field.1").unwrap());
    assert_eq!((number.is_null(0), text.as_string::<i32>().value(0), more.is_null(1)), (true, "x", true));
    let to = order.column_by_name("to").unwrap().as_struct();
    assert_eq!(to.column(0).as_string::<i32>().value(0), "1");
}

#[test]
fn what_connect_writes_comes_back_with_its_schema() {
    let config = settings("back", &[]);
    let envelope = r#"{"schema":{"type":"struct","name":"x.R","version":3,"optional":false,"fields":[
        {"type":"int8","optional":false,"field":"z"},{"type":"float","optional":true,"field":"f"},
        {"type":"bytes","optional":false,"field":"b"},{"type":"int64","optional":true,"field":"t",
         "name":"org.apache.kafka.connect.data.Timestamp","version":1},
        {"type":"bytes","optional":false,"field":"d","name":"org.apache.kafka.connect.data.Decimal","version":1,
         "parameters":{"scale":"2"}},
        {"type":"map","keys":{"type":"string","optional":false},"values":{"type":"int32","optional":true},
         "optional":false,"field":"m"},
        {"type":"array","items":{"type":"string","optional":false},"optional":true,"field":"a"}]},
        "payload":{"z":1,"f":null,"b":"AQI=","t":5,"d":"BQ==","m":{"k":null},"a":["x"]}}"#;
    let mut json = JsonConverter::new(&ConfigMap::new(), Side::Value).unwrap();
    let given = json.to_connect(&raw_batch_of(&[Some(envelope.as_bytes())]), Side::Value).unwrap();
    let mut converter = JsonSchemaConverter::new(&config, Side::Value).unwrap();
    for formats in [&[][..], &[("decimal.format", "NUMERIC")]] {
        let config = settings("back", formats);
        let mut writing = JsonSchemaConverter::new(&config, Side::Value).unwrap();
        let written = writing.from_connect(&Unserialized::new("topic", column(&given))).unwrap();
        assert!(written.rejected.is_empty(), "{:?}", written.rejected);
        let back = converter.to_connect(&raw_batch_of(&[Some(written.bytes.value(0))]), Side::Value).unwrap();
        let mut envelope_of = |column: &Column| -> Value {
            let bytes = json.from_connect(&Unserialized::new("topic", column)).unwrap().bytes;
            serde_json::from_slice(bytes.value(0)).unwrap()
        };
        assert_eq!(envelope_of(column(&back)), envelope_of(column(&given)));
    }
}

#[test]
fn a_message_that_does_not_fit_its_schema_is_rejected_alone() {
    let config = settings("misfit", &[]);
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let id = register(&config, &schema, Vec::new());
    let converted = read(&config, id, &[r#"{"a":1}"#, r#"{"a":"x"}"#, "{", "{}", r#"{"a":2}"#]);
    assert_eq!(converted.rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(converted.runs[0].column.len(), 2);
}

#[test]
fn a_schema_that_contains_itself_ends_in_json() {
    let config = settings("recursion", &[]);
    let schema = json!({
        "type": "object", "title": "N",
        "properties": {"v": {"type": "integer"}, "next": {"oneOf": [{"type": "null"}, {"$ref": "#"}]}},
    });
    let id = register(&config, &schema, Vec::new());
    let converted = read(&config, id, &[r#"{"v":1,"next":{"v":2,"next":{"v":3,"next":null}}}"#]);
    let next = column(&converted).array.as_struct().column_by_name("next").unwrap().as_struct();
    assert_eq!(next.column_by_name("next").unwrap().as_string::<i32>().value(0), r#"{"v":3,"next":null}"#);
}

#[test]
fn a_schema_may_refer_to_others() {
    let config = settings("references", &[]);
    let client = RegistryClient::shared(&RegistryConfig::parse(&config).unwrap()).unwrap();
    let other = json!({"type": "object", "properties": {"zip": {"type": "string"}}});
    client.register("address", &Schema::new(SchemaKind::Json, other.to_string())).unwrap();
    let reference = Reference { name: "address.json".to_owned(), subject: "address".to_owned(), version: 1 };
    let schema = json!({"type": "object", "properties": {"to": {"$ref": "address.json"}}});
    let id = register(&config, &schema, vec![reference]);
    let converted = read(&config, id, &[r#"{"to":{"zip":"1"}}"#]);
    assert_eq!(column(&converted).array.as_struct().column(0).as_struct().column(0).as_string::<i32>().value(0), "1");
}

/// What is written comes back as it was, with its schema.
fn assert_comes_back(config: &ConfigMap, envelope: &Value) {
    let mut json = JsonConverter::new(&ConfigMap::new(), Side::Value).unwrap();
    let given = json.to_connect(&raw_batch_of(&[Some(envelope.to_string().as_bytes())]), Side::Value).unwrap();
    let mut converter = JsonSchemaConverter::new(config, Side::Value).unwrap();
    let written = converter.from_connect(&Unserialized::new("topic", column(&given))).unwrap();
    assert!(written.rejected.is_empty(), "{envelope}: {:?}", written.rejected);
    let message = written.bytes.value(0);
    let back = converter.to_connect(&raw_batch_of(&[Some(message)]), Side::Value).unwrap();
    let mut envelope_of = |column: &Column| -> Value {
        let bytes = json.from_connect(&Unserialized::new("topic", column)).unwrap().bytes;
        serde_json::from_slice(bytes.value(0)).unwrap()
    };
    let text = String::from_utf8_lossy(&message[5..]).into_owned();
    assert_eq!(envelope_of(column(&back)), envelope_of(column(&given)), "{envelope} as {text}");
}

#[test]
fn unions_and_maps_with_other_keys_are_written_as_confluent_documents_it_and_come_back() {
    let config = settings("unions", &[]);
    let name = "io.confluent.connect.json.OneOf";
    let schema = json!({"type": "struct", "optional": false, "fields": [
        {"field": "u", "type": "struct", "optional": true, "name": name, "fields": [
            {"field": format!("{name}.field.0"), "type": "int32", "optional": true},
            {"field": format!("{name}.field.1"), "type": "string", "optional": true},
        ]},
        {"field": "m", "type": "map", "optional": false, "keys": {"type": "int32", "optional": false},
         "values": {"type": "string", "optional": true}},
    ]});
    let payload =
        json!({"u": {format!("{name}.field.0"): null, format!("{name}.field.1"): "x"}, "m": [[1, "a"], [2, null]]});
    assert_comes_back(&config, &json!({"schema": schema, "payload": payload}));
    assert_comes_back(&config, &json!({"schema": schema, "payload": {"u": null, "m": []}}));
    let client = RegistryClient::shared(&RegistryConfig::parse(&config).unwrap()).unwrap();
    let written: Value = serde_json::from_str(&client.latest("topic-value").unwrap().schema.text).unwrap();
    let branches = json!([
        {"type": "null"}, {"type": "integer", "connect.type": "int32", "connect.index": 0},
        {"type": "string", "connect.index": 1},
    ]);
    assert_eq!(written["properties"]["u"]["oneOf"], branches);
    let map = &written["properties"]["m"];
    assert_eq!((&map["type"], &map["connect.type"]), (&json!("array"), &json!("map")));
    assert_eq!(
        map["items"]["properties"]["key"],
        json!({"type": "integer", "connect.type": "int32", "connect.index": 0})
    );
}

#[test]
fn sum_types_have_general_names_if_wanted() {
    let config = settings("general", &[("generalized.sum.type.support", "true")]);
    let schema = json!({"type": "object", "properties": {
        "u": {"type": ["string", "integer"]}, "e": {"enum": ["b", "a"]},
    }});
    let id = register(&config, &schema, Vec::new());
    let converted = read(&config, id, &[r#"{"u":5,"e":"a"}"#]);
    let fields = match column(&converted).field.data_type() {
        arrow::datatypes::DataType::Struct(fields) => fields.clone(),
        other => panic!("{other}"),
    };
    let metadata = fields[0].metadata();
    let parameter = |name: &str| format!("{}{name}", volley_api::schema::PARAMETER_PREFIX);
    assert_eq!(metadata[&parameter("org.apache.kafka.connect.data.Union")], "connect_union_0");
    assert_eq!(fields[1].metadata()[&parameter("org.apache.kafka.connect.data.Enum.a")], "1");
    let union = column(&converted).array.as_struct().column(0).as_struct();
    assert_eq!(union.column_by_name("connect_union_field_1").unwrap().as_primitive::<Int64Type>().value(0), 5);
}

#[test]
fn a_value_of_none_of_its_types_is_rejected_alone() {
    let config = settings("none", &[]);
    let schema = json!({"type": "object", "properties": {"u": {"oneOf": [{"type": "integer"}, {"type": "boolean"}]}}});
    let id = register(&config, &schema, Vec::new());
    let converted = read(&config, id, &[r#"{"u":1}"#, r#"{"u":"x"}"#, r#"{"u":true}"#, r#"{"u":"#]);
    assert_eq!(converted.rejected.iter().map(|row| row.row).collect::<Vec<_>>(), [1, 3]);
    assert!(
        converted.rejected[0].error.trace().contains("none of the types"),
        "{}",
        converted.rejected[0].error.trace()
    );
}

#[test]
fn what_must_be_all_of_several_objects_has_the_properties_of_all() {
    let config = settings("all", &[("use.optional.for.nonrequired", "true")]);
    let schema = json!({
        "title": "T", "definitions": {"Base": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}},
        "allOf": [{"$ref": "#/definitions/Base"}, {"properties": {"more": {"type": "string"}}}, {"minProperties": 1}],
    });
    let id = register(&config, &schema, Vec::new());
    let converted = read(&config, id, &[r#"{"id":1,"more":"x"}"#, r#"{"id":2}"#]);
    let all = column(&converted).array.as_struct();
    assert_eq!(column(&converted).field.metadata()[volley_api::schema::NAME], "T");
    assert_eq!(all.column_by_name("id").unwrap().as_primitive::<Int64Type>().values(), &[1, 2]);
    assert_eq!(all.column_by_name("more").unwrap().as_string::<i32>().value(0), "x");
}

/// A Connect schema with a value, of types that JSON tells apart.
fn typed_value(depth: u32) -> impl Strategy<Value = (Value, Value)> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(|number| (json!({"type": "int64"}), json!(number))),
        any::<bool>().prop_map(|flag| (json!({"type": "boolean"}), json!(flag))),
        ".{0,5}".prop_map(|text| (json!({"type": "string"}), json!(text))),
        (-100..100_i8).prop_map(|number| (json!({"type": "int8"}), json!(number))),
    ];
    leaf.prop_recursive(depth, 20, 4, |inner| {
        let struct_of = prop::collection::vec((inner.clone(), any::<bool>()), 1..4).prop_map(|fields| {
            let (mut schemas, mut values) = (Vec::new(), serde_json::Map::new());
            for (place, ((mut schema, value), is_null)) in fields.into_iter().enumerate() {
                schema["field"] = json!(format!("f{place}"));
                schema["optional"] = json!(is_null);
                values.insert(format!("f{place}"), if is_null { Value::Null } else { value });
                schemas.push(schema);
            }
            (json!({"type": "struct", "fields": schemas}), Value::Object(values))
        });
        let list_of = inner
            .clone()
            .prop_map(|(schema, value)| (json!({"type": "array", "items": schema}), json!([value, value])));
        let map_of = (inner.clone(), any::<i32>()).prop_map(|((schema, value), key)| {
            (json!({"type": "map", "keys": {"type": "int32"}, "values": schema}), json!([[key, value]]))
        });
        let text_map_of = inner.clone().prop_map(|(schema, value)| {
            (json!({"type": "map", "keys": {"type": "string"}, "values": schema}), json!({"k": value}))
        });
        let union_of =
            (inner, any::<bool>()).prop_map(|((schema, value), is_first)| union_with(schema, value, is_first));
        prop_oneof![struct_of, list_of, map_of, text_map_of, union_of]
    })
}

/// A union of a type and one that JSON tells from it.
fn union_with(mut schema: Value, value: Value, is_first: bool) -> (Value, Value) {
    let field = |place: usize| format!("io.confluent.connect.json.OneOf.field.{place}");
    let other = if schema["type"] == "boolean" { "string" } else { "boolean" };
    let mut other = json!({"type": other, "optional": true});
    schema["optional"] = json!(true);
    let (own, others) = if is_first { (0, 1) } else { (1, 0) };
    schema["field"] = json!(field(own));
    other["field"] = json!(field(others));
    let fields = if is_first { [schema, other] } else { [other, schema] };
    let mut values = serde_json::Map::new();
    values.insert(field(0), Value::Null);
    values.insert(field(1), Value::Null);
    values.insert(field(own), value);
    (json!({"type": "struct", "name": "io.confluent.connect.json.OneOf", "fields": fields}), Value::Object(values))
}

proptest! {
    #[test]
    fn whatever_is_written_comes_back((schema, payload) in typed_value(4)) {
        let config = settings("property", &[]);
        // a union within a union has no type of its own in JSON
        prop_assume!(!has_nested_union(&schema, false));
        assert_comes_back(&config, &json!({"schema": schema, "payload": payload}));
    }
}

fn has_nested_union(schema: &Value, is_within: bool) -> bool {
    let is_union = schema.get("name").is_some();
    let fields = schema.get("fields").and_then(Value::as_array).into_iter().flatten();
    (is_union && is_within)
        || fields.into_iter().any(|field| has_nested_union(field, is_union))
        || ["items", "values"].iter().any(|part| schema.get(*part).is_some_and(|part| has_nested_union(part, false)))
}
