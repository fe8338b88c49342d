//! Any Connect schema and its values there and back.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use volley_api::schema::{DATE, DECIMAL, TIME, TIMESTAMP};

use super::converter_tests::{columns_of, converter, read, schema, settings, values, written};
use super::names::{ENUM, TAG, UNION, simple_name};

/// How fields that may be null are written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    /// As plain fields: a scalar that is null comes back as zero.
    Plain,
    /// With the label `optional`; names keep their packages too.
    Optional,
    /// As google.protobuf.StringValue and the like.
    Wrappers,
}

impl Mode {
    fn settings(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::Plain => vec![],
            Self::Optional => vec![("optional.for.nullables", "true"), ("enhanced.protobuf.schema.support", "true")],
            Self::Wrappers => vec![("wrapper.for.nullables", "true")],
        }
    }
}

fn leaf() -> impl Strategy<Value = Value> {
    let plain = ["boolean", "int8", "int16", "int32", "int64", "float", "double", "string", "bytes"];
    let plain = prop::sample::select(plain.to_vec()).prop_map(|kind| json!({"type": kind}));
    let logical = |kind: &str, name: &str| json!({"type": kind, "name": name, "version": 1});
    let color = json!({"type": "string", "parameters": {
        ENUM: "Color", format!("{ENUM}.RED"): "0", format!("{ENUM}.BLUE"): "5", format!("{ENUM}.GREY"): "-1",
    }});
    prop_oneof![
        6 => plain,
        1 => Just(logical("int32", DATE)),
        1 => Just(logical("int32", TIME)),
        1 => Just(logical("int64", TIMESTAMP)),
        1 => (0..10).prop_map(move |scale: i32| {
            json!({"type": "bytes", "name": DECIMAL, "version": 1, "parameters": {"scale": scale.to_string()}})
        }),
        1 => Just(color),
    ]
}

/// What Protobuf has no word for.
fn annotated(schema: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let attributes = (
        prop::option::weighted(
            0.2,
            prop::sample::select(vec!["a doc", "\"quoted\"\\ and\nbroken", "Grüße 🦀", "\u{1}"]),
        ),
        prop::option::weighted(0.2, (prop::sample::select(vec!["k", "a.b", "precision", "Ä"]), "[a-z]{0,3}")),
        prop::option::weighted(0.2, 1..9),
        prop::option::weighted(0.2, prop::sample::select(vec!["io.debezium.time.X", "Named"])),
    );
    (schema, attributes).prop_map(|(mut schema, (doc, parameter, version, name))| {
        if let Some(doc) = doc {
            schema["doc"] = json!(doc);
        }
        // a decimal's precision is another parameter
        if let Some((name, value)) = parameter.filter(|(name, _)| *name != "precision" || schema["name"] != DECIMAL) {
            schema["parameters"][name] = json!(value);
        }
        if schema.get("name").is_none() && schema["type"] != "struct" {
            if let Some(version) = version {
                schema["version"] = json!(version);
            }
            if let Some(name) = name {
                schema["name"] = json!(name);
            }
        }
        schema
    })
}

pub(crate) fn any_schema() -> impl Strategy<Value = Value> {
    annotated(leaf()).prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            annotated(inner.clone().prop_map(|items| json!({"type": "array", "items": items}))),
            annotated(
                (inner.clone(), inner.clone())
                    .prop_map(|(keys, values)| { json!({"type": "map", "keys": keys, "values": values}) })
            ),
            annotated(
                (Just(json!({"type": "string"})), inner.clone())
                    .prop_map(|(keys, values)| { json!({"type": "map", "keys": keys, "values": values}) })
            ),
            any_struct(inner),
        ]
    })
}

fn any_struct(field: impl Strategy<Value = Value> + Clone + 'static) -> impl Strategy<Value = Value> {
    let names = ["a", "b_c", "value", "Name", "google", "string", "message", "_x", "A"];
    let plain = prop::collection::vec((field.clone(), any::<bool>()), 0..4);
    let union = prop::option::weighted(0.3, prop::collection::vec(field, 1..3));
    let name =
        prop::option::weighted(0.7, prop::sample::select(vec!["A", "x.y.A", "string", "io.confluent.Z", "value"]));
    let names = Just(names.map(str::to_owned).to_vec()).prop_shuffle();
    (plain, union, name, prop::option::weighted(0.3, 1..5), names).prop_map(|(plain, union, name, version, names)| {
        let mut names = names.into_iter();
        let mut named = |mut schema: Value, optional: bool| {
            schema["field"] = json!(names.next().unwrap());
            schema["optional"] = json!(optional);
            schema
        };
        // oneofs come back before the others
        let mut fields = Vec::new();
        if let Some(branches) = union {
            let branches: Vec<_> = branches.into_iter().map(|branch| named(branch, true)).collect();
            fields.push(json!({
                "type": "struct", "fields": branches, "name": format!("{UNION}.one"), "field": "one_0", "optional": true,
            }));
        }
        fields.extend(plain.into_iter().map(|(schema, optional)| named(schema, optional)));
        let mut schema = json!({"type": "struct", "fields": fields});
        if let Some(name) = name {
            schema["name"] = json!(name);
        }
        if let Some(version) = version {
            schema["version"] = json!(version);
        }
        schema
    })
}

fn is_optional(schema: &Value) -> bool {
    schema["optional"] == true
}

/// A value of a schema.
pub(crate) fn value_of(schema: &Value) -> BoxedStrategy<Value> {
    let some = some_value_of(schema);
    if is_optional(schema) { prop_oneof![1 => Just(Value::Null), 3 => some].boxed() } else { some }
}

fn some_value_of(schema: &Value) -> BoxedStrategy<Value> {
    let base64 = |bytes: Vec<u8>| {
        use base64::Engine as _;
        json!(base64::engine::general_purpose::STANDARD.encode(bytes))
    };
    let kind = schema["type"].as_str().unwrap();
    match (kind, schema["name"].as_str()) {
        ("int32", Some(DATE)) => (-700_000i32..2_000_000).prop_map(Value::from).boxed(),
        ("int32", Some(TIME)) => (0i32..86_400_000).prop_map(Value::from).boxed(),
        ("int64", Some(TIMESTAMP)) => any::<i64>().prop_map(Value::from).boxed(),
        ("bytes", Some(DECIMAL)) => any::<i64>()
            .prop_map(move |unscaled| {
                base64(crate::decimal::to_be_bytes(arrow::datatypes::i256::from_i128(unscaled.into())))
            })
            .boxed(),
        ("boolean", _) => any::<bool>().prop_map(Value::from).boxed(),
        ("int8", _) => any::<i8>().prop_map(Value::from).boxed(),
        ("int16", _) => any::<i16>().prop_map(Value::from).boxed(),
        ("int32", _) => any::<i32>().prop_map(Value::from).boxed(),
        ("int64", _) => any::<i64>().prop_map(Value::from).boxed(),
        ("float", _) => (-1e6f32..1e6).prop_map(Value::from).boxed(),
        ("double", _) => (-1e300..1e300).prop_map(Value::from).boxed(),
        ("string", _) if schema["parameters"].get(ENUM).is_some() => {
            prop::sample::select(vec!["RED", "BLUE", "GREY"]).prop_map(Value::from).boxed()
        }
        ("string", _) => prop_oneof!["[a-z]{0,5}", ".{0,3}"].prop_map(Value::from).boxed(),
        ("bytes", _) => prop::collection::vec(any::<u8>(), 0..200).prop_map(base64).boxed(),
        ("array", _) => prop::collection::vec(value_of(&schema["items"]), 0..5).prop_map(Value::from).boxed(),
        ("map", _) => {
            let entries = prop::collection::vec((value_of(&schema["keys"]), value_of(&schema["values"])), 0..4);
            let is_text = schema["keys"]["type"] == "string";
            entries.prop_map(move |entries| entries_as_json(entries, is_text)).boxed()
        }
        ("struct", Some(name)) if name.starts_with(UNION) => {
            let branches = schema["fields"].as_array().unwrap().clone();
            let names: Vec<_> = branches.iter().map(|branch| branch["field"].as_str().unwrap().to_owned()).collect();
            (0..branches.len())
                .prop_flat_map(move |branch| (Just(branch), some_value_of(&branches[branch])))
                .prop_map(move |(chosen, value)| {
                    let fields = names.iter().enumerate();
                    let value = |branch| if branch == chosen { value.clone() } else { Value::Null };
                    Value::Object(fields.map(|(branch, name)| (name.clone(), value(branch))).collect())
                })
                .boxed()
        }
        _ => {
            let fields = schema["fields"].as_array().unwrap();
            let names: Vec<_> = fields.iter().map(|field| field["field"].as_str().unwrap().to_owned()).collect();
            let values: Vec<_> = fields.iter().map(value_of).collect();
            values.prop_map(move |values| Value::Object(names.iter().cloned().zip(values).collect())).boxed()
        }
    }
}

/// A map without a key twice.
fn entries_as_json(entries: Vec<(Value, Value)>, is_text: bool) -> Value {
    let unique: BTreeMap<String, (Value, Value)> =
        entries.into_iter().map(|(key, value)| (key.to_string(), (key, value))).collect();
    let entries = unique.into_values();
    if is_text {
        let text = |key: Value| key.as_str().unwrap().to_owned();
        Value::Object(entries.map(|(key, value)| (text(key), value)).collect())
    } else {
        Value::from(entries.map(|(key, value)| json!([key, value])).collect::<Vec<_>>())
    }
}

fn is_enum(schema: &Value) -> bool {
    schema["parameters"].get(ENUM).is_some()
}

/// Whether a value is a message by itself.
fn is_message(schema: &Value) -> bool {
    matches!(schema["name"].as_str(), Some(DATE | TIME | TIMESTAMP | DECIMAL)) || schema["type"] == "struct"
}

fn is_collection(schema: &Value) -> bool {
    matches!(schema["type"].as_str(), Some("array" | "map"))
}

/// What comes back of a field's value.
fn value_back(schema: &Value, value: &Value, mode: Mode) -> Value {
    match (schema["type"].as_str().unwrap(), value) {
        ("array", Value::Null) => json!([]),
        ("map", Value::Null) if schema["keys"]["type"] == "string" => json!({}),
        ("map", Value::Null) => json!([]),
        (kind, Value::Null) => {
            let stays = is_message(schema)
                || match mode {
                    Mode::Plain => false,
                    Mode::Optional => true,
                    Mode::Wrappers => !is_enum(schema),
                };
            match kind {
                _ if stays => Value::Null,
                "string" if is_enum(schema) => json!("RED"),
                "boolean" => json!(false),
                "string" | "bytes" => json!(""),
                "float" | "double" => json!(0.0),
                _ => json!(0),
            }
        }
        ("struct", Value::Object(members)) => {
            // the fields of a oneof that have no value stay null
            let is_union = schema["name"].as_str().is_some_and(|name| name.starts_with(UNION));
            let back = schema["fields"].as_array().unwrap().iter().map(|field| {
                let name = field["field"].as_str().unwrap();
                let member = &members[name];
                let back = if is_union && member.is_null() { Value::Null } else { value_back(field, member, mode) };
                (name.to_owned(), back)
            });
            Value::Object(back.collect())
        }
        ("array", Value::Array(items)) => items.iter().map(|item| value_back(&schema["items"], item, mode)).collect(),
        ("map", Value::Object(entries)) => {
            let back = |value| value_back(&schema["values"], value, mode);
            Value::Object(entries.iter().map(|(key, value)| (key.clone(), back(value))).collect())
        }
        ("map", Value::Array(pairs)) => {
            let back = |pair: &Value| {
                json!([value_back(&schema["keys"], &pair[0], mode), value_back(&schema["values"], &pair[1], mode)])
            };
            pairs.iter().map(back).collect()
        }
        (_, value) => value.clone(),
    }
}

/// What comes back of a schema, whose values may be null if `optional`.
fn schema_back(schema: &Value, mode: Mode, optional: bool) -> Value {
    let mut back = schema.clone();
    back["optional"] = json!(optional);
    match schema["type"].as_str().unwrap() {
        "array" => back["items"] = schema_back(&schema["items"], mode, false),
        "map" => {
            back["keys"] = schema_back(&schema["keys"], mode, false);
            let values = &schema["values"];
            // arrays and maps stand in a message, which is not the value
            let is_nullable = mode != Mode::Plain && is_message(values);
            back["values"] = schema_back(values, mode, is_nullable);
        }
        "struct" => {
            let is_union = schema["name"].as_str().is_some_and(|name| name.starts_with(UNION));
            if let Some(name) = schema["name"].as_str().filter(|_| mode != Mode::Optional && !is_union) {
                back["name"] = json!(simple_name(name));
            }
            let mut number = 0;
            back["fields"] = fields_back(schema, mode, is_union, &mut number);
        }
        _ => {}
    }
    back
}

fn fields_back(schema: &Value, mode: Mode, is_union: bool, number: &mut u32) -> Value {
    let back = |field: &Value| {
        if field["name"].as_str().is_some_and(|name| name.starts_with(UNION)) {
            let mut union = field.clone();
            union["fields"] = fields_back(field, mode, true, number);
            return union;
        }
        let optional = match mode {
            _ if is_union => true,
            Mode::Plain => true,
            _ if is_collection(field) => false,
            Mode::Optional => is_optional(field),
            Mode::Wrappers => is_message(field) || (is_optional(field) && !is_enum(field)),
        };
        let mut back = schema_back(field, mode, optional);
        *number += 1;
        let mut parameters = back.get("parameters").and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
        parameters.insert(TAG.to_owned(), json!(number.to_string()));
        back["parameters"] = Value::Object(parameters);
        back
    };
    schema["fields"].as_array().unwrap().iter().map(back).collect()
}

fn there_and_back(scope: &str, mode: Mode, schema_given: &Value, payloads: &[Value]) -> Result<(), TestCaseError> {
    let config = settings(scope, &mode.settings());
    let mut converter = converter(&config);
    let column = columns_of(schema_given, payloads);
    let given = schema(&column);
    let bytes = written(&mut converter, &column);
    let messages: Vec<_> = bytes.iter().map(|message| message.map(<[u8]>::to_vec)).collect();
    let mut converted = read(&mut converter, &messages);
    prop_assert!(converted.rejected.is_empty(), "{}", converted.rejected[0].error.trace());
    let back = converted.runs.remove(0).column;
    let expected: Vec<_> = values(&column).iter().map(|value| value_back(&given, value, mode)).collect();
    prop_assert_eq!(values(&back), expected);
    let mut expected = schema_back(&given, mode, false);
    let mut found = schema(&back);
    if given.get("version").is_none() && given["type"] == "struct" {
        // that of the registry, under which many schemas have been registered by now
        prop_assert!(found["version"].is_i64());
        found.as_object_mut().unwrap().remove("version");
    }
    expected.as_object_mut().unwrap().remove("optional");
    found.as_object_mut().unwrap().remove("optional");
    prop_assert_eq!(found, expected);
    Ok(())
}

fn schema_and_values() -> impl Strategy<Value = (Value, Vec<Value>)> {
    let schema = prop_oneof![3 => any_struct(any_schema().boxed()).boxed(), 1 => any_schema().boxed()];
    schema.prop_flat_map(|schema| {
        let payloads = prop::collection::vec(some_value_of(&schema), 1..4);
        (Just(schema), payloads)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_value_and_schema_come_back_with_the_label_optional((schema, payloads) in schema_and_values()) {
        there_and_back("label", Mode::Optional, &schema, &payloads)?;
    }

    #[test]
    fn any_value_and_schema_come_back_but_for_nulls_of_scalars((schema, payloads) in schema_and_values()) {
        there_and_back("plain", Mode::Plain, &schema, &payloads)?;
    }

    #[test]
    fn any_value_and_schema_come_back_with_wrappers((schema, payloads) in schema_and_values()) {
        there_and_back("wrappers", Mode::Wrappers, &schema, &payloads)?;
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_take_no_other_row_along(bytes: Vec<u8>, indexes in prop::collection::vec(0u8..9, 0..3)) {
        let config = settings("arbitrary", &[]);
        let text = include_str!("testdata/legacy.proto");
        let id = super::converter_tests::register(&config, text);
        let good = super::converter_tests::message(id, &[8, 1]);
        let bad = [&[0], &id.to_be_bytes()[..], &indexes, &bytes].concat();
        let converted = read(&mut converter(&config), &[Some(good.clone()), Some(bad), Some(good)]);
        let read: usize = converted.runs.iter().map(|run| run.column.len()).sum();
        prop_assert_eq!(read + converted.rejected.len(), 3);
        prop_assert!(converted.rejected.iter().all(|row| row.row == 1));
    }
}
