//! Connect's schemas to JSON Schemas. The way back is [`to_connect_schema`](super::to_connect_schema), where the types stand.

use serde_json::{Map, Value, json};
use volley_api::schema::JSON_EXTENSION;

use super::keys::JsonSchemaSettings;
use super::names::{CONNECT_INDEX, CONNECT_PARAMETERS, CONNECT_TYPE, CONNECT_VERSION, ENUM};

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
                put("enum", Value::Array(symbols));
            }
        }
        "array" => {
            put("type", json!("array"));
            put("items", from_connect_schema(part("items")?, settings)?);
        }
        "map" => {
            let keys = part("keys")?;
            if keys.get("type").is_none_or(|name| name != "string") {
                return Err("a map has keys that are no strings".to_owned());
            }
            put("type", json!("object"));
            put("additionalProperties", from_connect_schema(part("values")?, settings)?);
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
        let is_symbol = |name: &str| name.starts_with(ENUM);
        let parameters: Map<_, _> = parameters.clone().into_iter().filter(|(name, _)| !is_symbol(name)).collect();
        if !parameters.is_empty() {
            put(CONNECT_PARAMETERS, Value::Object(parameters));
        }
    }
    let is_optional = schema.get("optional").and_then(Value::as_bool).unwrap_or(false);
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

fn symbols_of(schema: &Value) -> Vec<Value> {
    let prefix = format!("{ENUM}.");
    let parameters = schema.get("parameters").and_then(Value::as_object);
    let symbols = parameters.into_iter().flatten().filter(|(name, _)| name.starts_with(&prefix));
    symbols.map(|(_, symbol)| symbol.clone()).collect()
}
