//! What comes out of a case, as the Java program tells it, and what of it is compared.

use arrow::datatypes::DataType;
use serde_json::{Map, Value as Json, json};
use volley_api::{
    Column, ConfigMap, Converter, Error, Header, HeaderConverter, Records, Transformed, Unserialized, Value, schema,
};
use volley_converters::SimpleHeaderConverter;

use super::case::{Carrier, Case, converter};
use crate::columns::value_at;

/// What our class answers.
pub(super) fn answer(case: &Case, carrier: Carrier) -> Json {
    let transformed = case.transformation().and_then(|mut class| class.apply(case.records(carrier)));
    match transformed {
        Err(error) => refused(&error),
        Ok(Transformed { records, rejected }) => match (records.first(), rejected.first()) {
            (Some(records), None) => told(records, case.partition()),
            (None, Some(rejected)) => refused(&rejected.error),
            (None, None) => json!({"dropped": true}),
            (Some(_), Some(_)) => json!({"error": "kept and rejected"}),
        },
    }
}

pub(super) fn refused(error: &Error) -> Json {
    json!({"error": error.exception(), "message": error.to_string()})
}

/// The partition only where it is not the one given.
pub(super) fn told(records: &Records, partition: i32) -> Json {
    let headers = records.headers.as_ref().map(|headers| headers[0].iter().map(header).collect::<Vec<_>>());
    let mut told = json!({
        "topic": &*records.topic,
        "timestamp": Some(records.timestamps[0]).filter(|time| *time != -1),
        "headers": headers.unwrap_or_default(),
        "key": written(&records.key),
        "value": written(&records.value),
    });
    if records.kafka_partition != Some(partition) {
        told["partition"] = json!(records.kafka_partition);
    }
    told
}

fn header(header: &Header) -> Json {
    let raw = SimpleHeaderConverter::new(&ConfigMap::new()).unwrap().from_connect("t", header).unwrap();
    let text = raw.value.map(|bytes| String::from_utf8(bytes).unwrap());
    json!([&*header.name, class(&header.value), text])
}

fn class(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Boolean(_) => "Boolean",
        Value::Int8(_) => "Byte",
        Value::Int16(_) => "Short",
        Value::Int32(_) => "Integer",
        Value::Int64(_) => "Long",
        Value::Float32(_) => "Float",
        Value::Float64(_) => "Double",
        Value::String(_) => "String",
        Value::Bytes(_) => "HeapByteBuffer",
        Value::Decimal { .. } => "BigDecimal",
        Value::Date(_) | Value::Time(_) | Value::Timestamp(_) => "Date",
        Value::Array(_) => "ArrayList",
        Value::Map(_) => "HashMap",
        Value::Struct(_) => "Struct",
    }
}

fn written(column: &Column) -> Json {
    let has_schema = schema::has_schema(&column.field);
    if !has_schema && has_times(column.field.data_type()) {
        let value = value_at(&column.field, &column.array, 0, false).unwrap();
        return json!({"schema": null, "payload": with_millis(&value)});
    }
    let written = converter(has_schema).from_connect(&Unserialized::new("t", column)).unwrap();
    if let Some(rejected) = written.rejected.first() {
        return json!({"unwritable": rejected.error.to_string()});
    }
    let json = written.bytes.iter().next().unwrap().map(|bytes| serde_json::from_slice(bytes).unwrap());
    match json {
        None => Json::Null,
        Some(json) if has_schema => json,
        Some(json) => json!({"schema": null, "payload": json}),
    }
}

fn has_times(data_type: &DataType) -> bool {
    match data_type {
        DataType::Struct(fields) => fields.iter().any(|field| has_times(field.data_type())),
        other => matches!(other, DataType::Date32 | DataType::Time32(_) | DataType::Timestamp(..)),
    }
}

/// Times as Java's `Date.getTime` tells them.
fn with_millis(value: &Value) -> Json {
    match value {
        Value::Date(days) => json!(i64::from(*days) * 86_400_000),
        Value::Time(millis) => json!(millis),
        Value::Timestamp(millis) | Value::Int64(millis) => json!(millis),
        Value::String(text) => json!(text),
        Value::Boolean(flag) => json!(flag),
        Value::Float64(number) => json!(number),
        Value::Array(items) => items.iter().map(with_millis).collect(),
        Value::Map(entries) => {
            let entry = |(name, value): &(Value, Value)| match name {
                Value::String(name) => (name.clone(), with_millis(value)),
                other => panic!("{other:?} is no name"),
            };
            Json::Object(entries.iter().map(entry).collect())
        }
        Value::Null => Json::Null,
        other => panic!("{other:?} beside times"),
    }
}

/// Without what columns do not tell: whether a root may be null, and entries of maps that are null.
pub(super) fn comparable(answer: &Json) -> Json {
    let mut answer = answer.clone();
    for header in answer.get_mut("headers").and_then(Json::as_array_mut).into_iter().flatten() {
        header[1] = match header[1].as_str() {
            Some("LinkedHashMap") => json!("HashMap"),
            Some("byte[]") => json!("HeapByteBuffer"),
            _ => header[1].clone(),
        };
    }
    for side in ["key", "value"] {
        let Some(data) = answer.get_mut(side).filter(|data| data.is_object()) else { continue };
        if let Some(root) = data.get_mut("schema").and_then(Json::as_object_mut) {
            root.remove("optional");
        }
        if data.get("schema").is_some_and(Json::is_null) {
            data["payload"] = without_nulls(&data["payload"]);
        }
        if data.get("payload").is_some_and(Json::is_null) {
            *data = Json::Null;
        }
        if data.get("unwritable").is_some() {
            *data = json!({"unwritable": true});
        }
    }
    answer
}

fn without_nulls(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let members = members.iter().filter(|(_, member)| !member.is_null());
            Json::Object(members.map(|(name, member)| (name.clone(), without_nulls(member))).collect::<Map<_, _>>())
        }
        Json::Array(items) => Json::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}
