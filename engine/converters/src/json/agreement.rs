//! For tests: compares cells with serde_json's values, and generates random JSON.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type};
use proptest::prelude::*;
use serde_json::{Map, Number, Value};
use volley_api::schema::is_json_text;

/// Whether row `row` of a schemaless column equals `json`. A member without a column must contain only values without a
/// type.
pub(crate) fn agrees(field: &Field, array: &ArrayRef, row: usize, json: &Value) -> bool {
    if array.data_type() == &DataType::Null || array.is_null(row) {
        return json.is_null();
    }
    match (array.data_type(), json) {
        (DataType::Boolean, Value::Bool(value)) => array.as_boolean().value(row) == *value,
        (DataType::Int64, Value::Number(number)) => {
            number.as_i64() == Some(array.as_primitive::<Int64Type>().value(row))
        }
        (DataType::Float64, Value::Number(number)) => {
            let value = array.as_primitive::<Float64Type>().value(row);
            // An integer must keep all its digits, too.
            number.as_f64() == Some(value) && number.as_i64().is_none_or(|whole| value as i64 == whole)
        }
        (DataType::Utf8, json) if is_json_text(field) => {
            let text = array.as_string::<i32>().value(row);
            let written = json.to_string();
            text == written || serde_json::from_str::<Value>(text).is_ok_and(|read| same(&read, json))
        }
        (DataType::Utf8, Value::String(text)) => array.as_string::<i32>().value(row) == text,
        (DataType::List(element), Value::Array(items)) => {
            let elements = array.as_list::<i32>().value(row);
            elements.len() == items.len()
                && items.iter().enumerate().all(|(index, item)| match element.data_type() {
                    DataType::Null => is_untyped(item),
                    _ => agrees(element, &elements, index, item),
                })
        }
        (DataType::Struct(fields), Value::Object(members)) => {
            let columns = array.as_struct().columns();
            let null = Value::Null;
            fields
                .iter()
                .zip(columns)
                .all(|(field, column)| agrees(field, column, row, members.get(field.name()).unwrap_or(&null)))
                && members.iter().all(|(name, value)| fields.find(name).is_some() || is_untyped(value))
        }
        _ => false,
    }
}

/// serde_json may read a float with an error of one unit in the last place.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) if left != right => {
            let (left, right) = (left.as_f64().unwrap_or(0.0), right.as_f64().unwrap_or(0.0));
            (left - right).abs() <= left.abs() * 1e-15
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}

/// Null, or a container with only such values.
fn is_untyped(json: &Value) -> bool {
    match json {
        Value::Null => true,
        Value::Array(items) => items.iter().all(is_untyped),
        Value::Object(members) => members.values().all(is_untyped),
        _ => false,
    }
}

/// The value without members that have no type, at every depth.
pub(crate) fn without_untyped(json: Value) -> Value {
    match json {
        Value::Array(items) => Value::Array(items.into_iter().map(without_untyped).collect()),
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !is_untyped(value));
            Value::Object(members.map(|(name, value)| (name, without_untyped(value))).collect())
        }
        other => other,
    }
}

/// Any JSON value, with few names and small values, so that they collide.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    any_scalar().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec((any_name(), inner), 0..5).prop_map(object_of),
        ]
    })
}

/// Any JSON object.
pub(crate) fn any_object() -> impl Strategy<Value = Value> {
    proptest::collection::vec((any_name(), any_json()), 0..6).prop_map(object_of)
}

/// Objects whose fields mostly keep their types, as in a real topic.
pub(crate) fn any_event() -> impl Strategy<Value = Value> {
    let fields = (
        proptest::option::of(any::<i64>()),
        proptest::option::of("[a-zé\"\\\\\n]{0,12}"),
        proptest::option::of(any::<bool>()),
        proptest::option::of(-1e6..1e6f64),
        proptest::option::weighted(0.1, any_json()),
    );
    fields.prop_map(|(id, name, ok, amount, extra)| {
        let mut event = Map::new();
        event.insert("id".into(), id.into());
        if let Some(name) = name {
            event.insert("name".into(), name.into());
        }
        event.insert("ok".into(), ok.into());
        event.insert("amount".into(), amount.into());
        if let Some(extra) = extra {
            event.insert("extra".into(), extra);
        }
        Value::Object(event)
    })
}

fn object_of(members: Vec<(String, Value)>) -> Value {
    Value::Object(members.into_iter().collect())
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-e]",
        1 => Just("a longer name".to_owned()),
        1 => Just("q\"uo\\te\u{1}é".to_owned()),
        1 => Just(String::new()),
    ]
}

fn any_scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => Just(Value::Null),
        2 => any::<bool>().prop_map(Value::from),
        3 => (-100i64..100).prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        2 => any::<f64>().prop_filter_map("finite", |number| Number::from_f64(number).map(Value::Number)),
        2 => any::<String>().prop_map(Value::from),
        1 => "[a-z]{0,20}".prop_map(Value::from),
    ]
}
