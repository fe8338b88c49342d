//! The converter with a registry inside the process.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};
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
            r#"{"id":1,"price":1.5,"state":"open","tags":["a"],"more":[1,"x"],"to":{"zip":"1"}}"#,
            r#"{"id":2,"price":null,"unknown":true}"#,
        ],
    );
    let order = column(&converted).array.as_struct();
    assert_eq!(column(&converted).field.metadata()[volley_api::schema::NAME], "Order");
    assert_eq!(order.column_by_name("id").unwrap().as_primitive::<Int64Type>().values(), &[1, 2]);
    let price = order.column_by_name("price").unwrap();
    assert_eq!((price.as_primitive::<Float64Type>().value(0), price.is_null(1)), (1.5, true));
    assert_eq!(order.column_by_name("more").unwrap().as_string::<i32>().value(0), r#"[1,"x"]"#);
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
