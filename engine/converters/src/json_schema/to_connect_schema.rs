//! JSON Schemas to Connect's, in the form that the envelopes of JsonConverter have.
//!
//! | JSON Schema | Connect |
//! |---|---|
//! | boolean, integer, number, string | BOOLEAN, INT64, FLOAT64, STRING, or as `connect.type` says |
//! | enum of strings | STRING, with parameters that say so |
//! | array, object | ARRAY, STRUCT; an object with `connect.type` map is a MAP |
//! | array of objects with `connect.type` map | MAP with keys other than text |
//! | one type or null | that type, optional |
//! | several types (`oneOf`, `anyOf`, a list in `type`) | STRUCT with a field for each, of which one has a value |
//! | several objects at once (`allOf`) | STRUCT with the fields of all |
//! | what may be of any type, or contains itself | STRING: the value as JSON |

use serde_json::{Map, Value, json};
use volley_api::schema::{DATE, DECIMAL, JSON_EXTENSION, TIME, TIMESTAMP};

use super::keys::JsonSchemaSettings;
use super::names::{
    CONNECT_INDEX, CONNECT_PARAMETERS, CONNECT_TYPE, CONNECT_VERSION, ENUM, GENERAL_ENUM, GENERAL_UNION,
    GENERAL_UNION_FIELD, GENERAL_UNION_NAME, ONE_OF, ONE_OF_FIELD,
};

type Refused = String;

/// A schema and what it refers to.
#[derive(Debug)]
pub(crate) struct Documents {
    pub(crate) root: Value,
    /// By the name that references have.
    pub(crate) others: Vec<(String, Value)>,
}

/// Connect's schema.
///
/// # Errors
/// What Connect has no type for.
pub(crate) fn to_connect_schema(documents: &Documents, settings: JsonSchemaSettings) -> Result<Value, Refused> {
    let mut mapping = Mapping { documents, settings, open: Vec::new(), unions: 0 };
    mapping.schema(&documents.root, &documents.root, false)
}

struct Mapping<'a> {
    documents: &'a Documents,
    settings: JsonSchemaSettings,
    /// The references that lead to the current schema.
    open: Vec<&'a Value>,
    /// How many values of several types there were.
    unions: usize,
}

/// One of several types: its schema, and which of those in its `type` is meant.
type Alternative<'a> = (&'a Value, Option<&'a str>);

impl<'a> Mapping<'a> {
    /// `document`: the one that `schema` stands in.
    fn schema(&mut self, schema: &'a Value, document: &'a Value, is_optional: bool) -> Result<Value, Refused> {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let (target, document) = self.target(reference, document)?;
            if self.open.iter().any(|open| std::ptr::eq(*open, target)) {
                return Ok(any_value(is_optional));
            }
            self.open.push(target);
            let mapped = self.schema(target, document, is_optional);
            self.open.pop();
            return mapped;
        }
        let alternatives = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(*key)?.as_array());
        if let Some(alternatives) = alternatives {
            let (nulls, others): (Vec<_>, Vec<_>) = alternatives.iter().partition(|one| is_null(one));
            let is_optional = is_optional || !nulls.is_empty();
            let mut others: Vec<_> = others.into_iter().map(|one| (one, None)).collect();
            others.sort_by_key(|(one, _)| place_of(one));
            let mut mapped = self.one_of(&others, document, is_optional)?;
            self.put_default(schema, &mut mapped);
            return Ok(mapped);
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.all_of(schema, parts, document, is_optional);
        }
        match schema.get("type") {
            Some(Value::String(name)) => self.typed(name, schema, document, is_optional),
            Some(Value::Array(names)) => {
                let names: Vec<_> = names.iter().filter_map(Value::as_str).collect();
                let others: Vec<_> =
                    names.iter().filter(|name| **name != "null").map(|name| (schema, Some(*name))).collect();
                let is_optional = is_optional || others.len() < names.len();
                self.one_of(&others, document, is_optional)
            }
            _ if schema.get("enum").is_some() => self.typed("string", schema, document, is_optional),
            _ if schema.get("properties").is_some() => self.typed("object", schema, document, is_optional),
            _ if schema.get("const").and_then(Value::as_str).is_some() => {
                self.typed("string", schema, document, is_optional)
            }
            _ => Ok(any_value(is_optional)),
        }
    }

    /// A value that is of one of these types.
    fn one_of(&mut self, types: &[Alternative<'a>], document: &'a Value, is_optional: bool) -> Result<Value, Refused> {
        let map = |mapping: &mut Self, (schema, name): Alternative<'a>, is_optional| match name {
            Some(name) => mapping.typed(name, schema, document, is_optional),
            None => mapping.schema(schema, document, is_optional),
        };
        match types {
            [] => return Ok(any_value(is_optional)),
            [only] => return map(self, *only, is_optional),
            _ => {}
        }
        let number = self.unions;
        self.unions += 1;
        let prefix = if self.settings.generalizes { GENERAL_UNION_FIELD } else { ONE_OF_FIELD };
        let mut fields = Vec::with_capacity(types.len());
        for (place, alternative) in types.iter().enumerate() {
            let mut field = map(self, *alternative, true).map_err(|reason| format!("type {place}: {reason}"))?;
            field["field"] = json!(format!("{prefix}{place}"));
            fields.push(field);
        }
        let mut union = json!({"type": "struct", "fields": fields, "optional": is_optional});
        if self.settings.generalizes {
            let name = format!("{GENERAL_UNION_NAME}{number}");
            union["parameters"] = json!({GENERAL_UNION: name});
            union["name"] = json!(name);
        } else {
            union["name"] = json!(ONE_OF);
        }
        Ok(union)
    }

    /// A value that is all of these at once: an object with the properties of all.
    fn all_of(
        &mut self,
        schema: &'a Value,
        parts: &'a [Value],
        document: &'a Value,
        is_optional: bool,
    ) -> Result<Value, Refused> {
        let mut merged: Option<Value> = None;
        if schema.get("properties").is_some() {
            merged = Some(self.typed("object", schema, document, is_optional)?);
        }
        for part in parts.iter().filter(|part| says_a_type(part)) {
            let part = self.schema(part, document, is_optional)?;
            merged = match merged {
                None => Some(part),
                Some(known) => match with_fields(known, &part) {
                    Some(both) => Some(both),
                    // whatever it is, it is JSON
                    None => return Ok(any_value(is_optional)),
                },
            };
        }
        let mut merged = merged.unwrap_or_else(|| any_value(is_optional));
        if let Some(title) = schema.get("title").filter(|title| title.is_string()) {
            merged["name"] = title.clone();
        }
        self.put_default(schema, &mut merged);
        Ok(merged)
    }

    fn typed(
        &mut self,
        name: &str,
        schema: &'a Value,
        document: &'a Value,
        is_optional: bool,
    ) -> Result<Value, Refused> {
        let mut connect = Map::new();
        let mut put = |name: &str, value: Value| connect.insert(name.to_owned(), value);
        let connect_type = schema.get(CONNECT_TYPE).and_then(Value::as_str);
        match name {
            "null" => return Err("a value that is always null has no type in Connect".to_owned()),
            "boolean" => drop(put("type", json!("boolean"))),
            "integer" => {
                let width = connect_type.filter(|given| matches!(*given, "int8" | "int16" | "int32" | "int64"));
                put("type", json!(width.unwrap_or("int64")));
            }
            "number" => match connect_type {
                Some("float32") => drop(put("type", json!("float"))),
                Some(given @ ("int8" | "int16" | "int32" | "int64" | "bytes")) => drop(put("type", json!(given))),
                _ => drop(put("type", json!("double"))),
            },
            "string" if connect_type == Some("bytes") => drop(put("type", json!("bytes"))),
            "string" => drop(put("type", json!("string"))),
            "array" if connect_type == Some("map") => {
                let part = |name: &str| {
                    let part = schema.get("items").and_then(|items| items.get("properties")?.get(name));
                    part.ok_or_else(|| format!("the entries of a map have no `{name}`"))
                };
                let (keys, values) = (part("key")?, part("value")?);
                put("type", json!("map"));
                put("keys", self.schema(keys, document, false)?);
                put("values", self.schema(values, document, false)?);
            }
            "array" => {
                let items = schema.get("items").ok_or("an array has no `items`")?;
                put("type", json!("array"));
                put("items", self.schema(items, document, false)?);
            }
            "object" if connect_type == Some("map") => {
                let values = schema.get("additionalProperties").ok_or("a map has no `additionalProperties`")?;
                put("type", json!("map"));
                put("keys", json!({"type": "string"}));
                put("values", self.schema(values, document, false)?);
            }
            "object" => {
                put("type", json!("struct"));
                put("fields", Value::Array(self.fields(schema, document)?));
            }
            other => return Err(format!("JSON Schema has no type {other}")),
        }
        put("optional", Value::Bool(is_optional));
        if let Some(title) = schema.get("title").and_then(Value::as_str) {
            put("name", json!(title));
            if matches!(title, DATE | TIME | TIMESTAMP | DECIMAL) {
                put("version", json!(1));
            }
        }
        if let Some(version) = schema.get(CONNECT_VERSION).filter(|version| version.is_i64()) {
            put("version", version.clone());
        }
        if let Some(description) = schema.get("description").and_then(Value::as_str) {
            put("doc", json!(description));
        }
        let parameters = parameters_of(schema, self.settings.generalizes);
        if !parameters.is_empty() {
            put("parameters", Value::Object(parameters));
        }
        let mut connect = Value::Object(connect);
        self.put_default(schema, &mut connect);
        Ok(connect)
    }

    fn fields(&mut self, schema: &'a Value, document: &'a Value) -> Result<Vec<Value>, Refused> {
        let Some(Value::Object(properties)) = schema.get("properties") else { return Ok(Vec::new()) };
        let required: Vec<_> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let mut ordered: Vec<_> = properties.iter().collect();
        // what has no place stays in the order of the schema, behind the others
        ordered.sort_by_key(|(_, property)| place_of(property));
        let fields = ordered.into_iter().map(|(name, property)| {
            let is_optional = self.settings.optional_unless_required && !required.contains(&name.as_str());
            let mut field = self
                .schema(property, document, is_optional)
                .map_err(|reason| format!("property `{name}`: {reason}"))?;
            field["field"] = json!(name);
            Ok(field)
        });
        fields.collect()
    }

    fn put_default(&self, schema: &Value, connect: &mut Value) {
        if let Some(default) = schema.get("default").filter(|default| !default.is_null()) {
            connect["default"] = default.clone();
        }
    }

    /// What a reference leads to, and the document that this stands in.
    fn target(&self, reference: &str, document: &'a Value) -> Result<(&'a Value, &'a Value), Refused> {
        let (name, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let document = if name.is_empty() {
            document
        } else {
            let is_named =
                |other: &&(String, Value)| other.0 == name || other.1.get("$id").is_some_and(|id| id == name);
            match self.documents.others.iter().find(is_named) {
                Some((_, other)) => other,
                None => return Err(format!("`{reference}` refers to nothing that the registry has with this schema")),
            }
        };
        let target = document.pointer(pointer);
        Ok((target.ok_or_else(|| format!("`{reference}` refers to nothing in its document"))?, document))
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|name| name == "null")
}

/// A value of which the type is not known before: its JSON.
fn any_value(is_optional: bool) -> Value {
    json!({"type": "string", "name": JSON_EXTENSION, "optional": is_optional})
}

/// A struct with the fields of another one that it does not have; `None` if one of them is none.
fn with_fields(mut known: Value, more: &Value) -> Option<Value> {
    let (fields, more) = (known.get_mut("fields")?.as_array_mut()?, more.get("fields")?.as_array()?);
    for field in more {
        if !fields.iter().any(|known| known["field"] == field["field"]) {
            fields.push(field.clone());
        }
    }
    Some(known)
}

/// Whether a part of an `allOf` says more than what values must be like.
fn says_a_type(schema: &Value) -> bool {
    ["$ref", "type", "properties", "enum", "const", "oneOf", "anyOf", "allOf"]
        .iter()
        .any(|key| schema.get(*key).is_some())
}

/// What has no place comes last.
fn place_of(schema: &Value) -> i64 {
    schema.get(CONNECT_INDEX).and_then(Value::as_i64).unwrap_or(i64::MAX)
}

fn parameters_of(schema: &Value, generalizes: bool) -> Map<String, Value> {
    let mut parameters = Map::new();
    if let Some(Value::Array(symbols)) = schema.get("enum")
        && symbols.iter().all(Value::is_string)
    {
        let prefix = if generalizes { GENERAL_ENUM } else { ENUM };
        parameters.insert(prefix.to_owned(), json!(""));
        for (place, symbol) in symbols.iter().filter_map(Value::as_str).enumerate() {
            let value = if generalizes { place.to_string() } else { symbol.to_owned() };
            parameters.insert(format!("{prefix}.{symbol}"), json!(value));
        }
    }
    if let Some(Value::Object(given)) = schema.get(CONNECT_PARAMETERS) {
        parameters.extend(
            given.iter().filter(|(_, value)| value.is_string()).map(|(name, value)| (name.clone(), value.clone())),
        );
    }
    parameters
}
