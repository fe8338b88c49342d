//! Connect's schemas to JSON Schemas. The way back is [`to_connect_schema`](super::to_connect_schema), where the types stand.

use serde_json::{Map, Value, json};
use volley_api::schema::JSON_EXTENSION;

use super::keys::JsonSchemaSettings;
use super::names::{
    CONNECT_INDEX, CONNECT_PARAMETERS, CONNECT_TYPE, CONNECT_VERSION, is_about_enum, is_union, symbols_of,
};

type Refused = String;

/// The JSON Schema of a Connect schema in its JSON form.
///
/// # Errors
/// What has no JSON Schema.
pub(crate) fn from_connect_schema(schema: &Value, settings: JsonSchemaSettings) -> Result<Value, Refused> {
    let text = |member: &str| schema.get(member).and_then(Value::as_str);
    if text("name") == Some(JSON_EXTENSION) {
        return Ok(json!({}));
    }
    let is_optional = schema.get("optional").and_then(Value::as_bool).unwrap_or(false);
    if is_union(schema) {
        return union_of(schema, is_optional, settings);
    }
    let name = text("type").ok_or("a schema has no `type`")?;
    let mut own = Map::new();
    let mut put = |name: &str, value: Value| own.insert(name.to_owned(), value);
    let part = |member: &str| schema.get(member).ok_or_else(|| format!("a schema has no `{member}`"));
    match name {
        "boolean" => drop(put("type", json!("boolean"))),
        "int8" | "int16" | "int32" | "int64" => {
            put("type", json!("integer"));
            put(CONNECT_TYPE, json!(name));
        }
        "float" | "double" => {
            put("type", json!("number"));
            put(CONNECT_TYPE, json!(if name == "float" { "float32" } else { "float64" }));
        }
        "bytes" => {
            let is_number = text("name") == Some(volley_api::schema::DECIMAL) && settings.numeric_decimals;
            put("type", json!(if is_number { "number" } else { "string" }));
            put(CONNECT_TYPE, json!("bytes"));
        }
        "string" => {
            let symbols = symbols_of(schema);
            put("type", json!("string"));
            if !symbols.is_empty() {
                put("enum", json!(symbols));
            }
        }
        "array" => {
            put("type", json!("array"));
            put("items", from_connect_schema(part("items")?, settings)?);
        }
        "map" => {
            let (keys, values) = (part("keys")?, part("values")?);
            if keys.get("type").is_some_and(|name| name == "string") {
                put("type", json!("object"));
                put("additionalProperties", from_connect_schema(values, settings)?);
            } else {
                put("type", json!("array"));
                put("items", entry_of(keys, values, settings)?);
            }
            put(CONNECT_TYPE, json!("map"));
        }
        "struct" => {
            put("type", json!("object"));
            if let Some(title) = text("name") {
                put("title", json!(title));
            }
            put("properties", properties_of(part("fields")?, settings)?);
            put("additionalProperties", json!(settings.allows_more));
        }
        other => return Err(format!("unknown schema type {other}")),
    }
    if let Some(title) = text("name") {
        put("title", json!(title));
    }
    if let Some(version) = schema.get("version").filter(|version| version.is_i64()) {
        put(CONNECT_VERSION, version.clone());
    }
    if let Some(doc) = text("doc") {
        put("description", json!(doc));
    }
    if let Some(default) = schema.get("default") {
        put("default", default.clone());
    }
    if let Some(Value::Object(parameters)) = schema.get("parameters") {
        let parameters: Map<_, _> = parameters.clone().into_iter().filter(|(name, _)| !is_about_enum(name)).collect();
        if !parameters.is_empty() {
            put(CONNECT_PARAMETERS, Value::Object(parameters));
        }
    }
    Ok(if is_optional { json!({"oneOf": [{"type": "null"}, own]}) } else { Value::Object(own) })
}

fn properties_of(fields: &Value, settings: JsonSchemaSettings) -> Result<Value, Refused> {
    let mut properties = Map::new();
    for (index, field) in fields.as_array().into_iter().flatten().enumerate() {
        let name = field.get("field").and_then(Value::as_str).ok_or("a field has no name")?;
        let mut property =
            from_connect_schema(field, settings).map_err(|reason| format!("field `{name}`: {reason}"))?;
        property[CONNECT_INDEX] = json!(index);
        properties.insert(name.to_owned(), property);
    }
    Ok(Value::Object(properties))
}

/// A value of several types: those of the fields of its struct.
fn union_of(schema: &Value, is_optional: bool, settings: JsonSchemaSettings) -> Result<Value, Refused> {
    let mut branches = Vec::from_iter(is_optional.then(|| json!({"type": "null"})));
    let fields = schema.get("fields").and_then(Value::as_array).into_iter().flatten();
    for (index, field) in fields.enumerate() {
        let mut field = field.clone();
        // which of them has a value says which type it is: none need be optional
        field["optional"] = Value::Bool(false);
        let mut branch = from_connect_schema(&field, settings).map_err(|reason| format!("in a union: {reason}"))?;
        branch[CONNECT_INDEX] = json!(index);
        branches.push(branch);
    }
    Ok(json!({"oneOf": branches}))
}

/// An entry of a map with keys other than text.
fn entry_of(keys: &Value, values: &Value, settings: JsonSchemaSettings) -> Result<Value, Refused> {
    let part = |schema: &Value, index: i32| {
        let mut part = from_connect_schema(schema, settings)?;
        part[CONNECT_INDEX] = json!(index);
        Ok::<_, Refused>(part)
    };
    let properties = json!({"key": part(keys, 0)?, "value": part(values, 1)?});
    Ok(json!({"type": "object", "properties": properties, "additionalProperties": settings.allows_more}))
}
