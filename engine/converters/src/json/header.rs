//! JsonConverter for headers: one value at a time.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value as Json, json};
use volley_api::schema::{DATE, DECIMAL, TIME, TIMESTAMP};
use volley_api::{ConfigMap, Error, Header, HeaderConverter, RawHeader, Result, Value};
use volley_java::double_text;

use super::inferred::is_blank;
use super::schemas::{SchemaCache, SchemaReader, split};
use super::syntax::{Failure, strict};
use crate::cell::value_at;
use crate::decimal;
use crate::json::config::{DecimalFormat, JsonConfig};

/// JsonConverter for headers. Plain JSON values keep their type: integers become INT64, objects become maps.
#[derive(Debug)]
pub struct JsonHeaderConverter {
    config: JsonConfig,
    schemas: SchemaCache,
}

impl JsonHeaderConverter {
    /// A converter.
    ///
    /// # Errors
    /// An invalid setting.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        let config = JsonConfig::parse(config)?;
        let reader = SchemaReader { replace_null_with_default: config.replace_null_with_default };
        Ok(Self { schemas: SchemaCache::new(reader, config.cache_size), config })
    }

    fn read(&mut self, bytes: &[u8]) -> Result<Value> {
        if !self.config.schemas_enable {
            return plain(bytes);
        }
        let fixed = self.config.schema_content.clone();
        let (schema, payload) = match &fixed {
            Some(schema) => (schema.as_bytes(), bytes),
            None => {
                let envelope = split(bytes).map_err(Failure::into_error)?;
                (envelope.schema, envelope.payload)
            }
        };
        if schema == b"null" {
            return plain(payload);
        }
        std::str::from_utf8(payload).map_err(|error| Error::data("invalid UTF-8").with_source(error))?;
        let mut refused = None;
        let column = self.schemas.get(schema).decode(&[Some(payload)], |_, failure| refused = Some(failure))?;
        match (refused, column) {
            (None, Some(column)) => value_at(&column.field, &column.array, 0),
            (Some(failure), _) => Err(failure.into_error()),
            (None, None) => Ok(Value::Null),
        }
    }
}

impl HeaderConverter for JsonHeaderConverter {
    fn to_connect(&mut self, _topic: &str, header: &RawHeader) -> Result<Header> {
        let value = match &header.value {
            None => Value::Null,
            Some(bytes) => self.read(bytes)?,
        };
        Ok(Header::new(Arc::clone(&header.name), value))
    }

    fn from_connect(&mut self, _topic: &str, header: &Header) -> Result<RawHeader> {
        let value = match &header.value {
            Value::Null => None,
            value => {
                let payload = payload_of(value, self.config.decimal_format);
                let message = match self.config.schemas_enable {
                    true => json!({ "schema": schema_of(value), "payload": payload }),
                    false => payload,
                };
                Some(message.to_string().into_bytes())
            }
        };
        Ok(RawHeader { name: Arc::clone(&header.name), value })
    }
}

fn plain(bytes: &[u8]) -> Result<Value> {
    if is_blank(bytes) {
        return Ok(Value::Null);
    }
    let json: Json = serde_json::from_slice(bytes)
        .or_else(|error| strict(bytes).map_or(Err(error), |strict| serde_json::from_slice(&strict)))
        .map_err(|error| Error::data("could not parse a header as JSON").with_source(error))?;
    Ok(value_of(json))
}

fn value_of(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(value),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int64(number),
            None => Value::Float64(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::String(text),
        Json::Array(items) => Value::Array(items.into_iter().map(value_of).collect()),
        Json::Object(members) => {
            Value::Map(members.into_iter().map(|(name, value)| (Value::String(name), value_of(value))).collect())
        }
    }
}

fn payload_of(value: &Value, decimals: DecimalFormat) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => json!(value),
        Value::Int8(number) => json!(number),
        Value::Int16(number) => json!(number),
        Value::Int32(number) | Value::Date(number) | Value::Time(number) => json!(number),
        Value::Int64(number) | Value::Timestamp(number) => json!(number),
        // Written with the float's shortest digits, so that 0.1 does not become the nearest double.
        Value::Float32(number) => {
            number.to_string().parse().map_or_else(|_| json!(double_text(f64::from(*number))), double)
        }
        Value::Float64(number) => double(*number),
        Value::String(text) => json!(text),
        Value::Bytes(bytes) => json!(STANDARD.encode(bytes)),
        Value::Decimal { unscaled, scale } => decimal_payload(unscaled, *scale, decimals),
        Value::Array(items) => Json::Array(items.iter().map(|item| payload_of(item, decimals)).collect()),
        Value::Map(entries) => match entries.iter().map(|(key, value)| Some((text(key)?, value))).collect() {
            Some(entries) => {
                let entries: Vec<(&String, &Value)> = entries;
                let members = entries.into_iter().map(|(key, value)| (key.clone(), payload_of(value, decimals)));
                Json::Object(members.collect())
            }
            None => {
                let pairs =
                    entries.iter().map(|(key, value)| json!([payload_of(key, decimals), payload_of(value, decimals)]));
                Json::Array(pairs.collect())
            }
        },
        Value::Struct(fields) => {
            Json::Object(fields.iter().map(|(name, value)| (name.clone(), payload_of(value, decimals))).collect())
        }
    }
}

fn text(value: &Value) -> Option<&String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn double(number: f64) -> Json {
    Number::from_f64(number).map_or_else(|| json!(double_text(number)), Json::Number)
}

fn decimal_payload(unscaled: &str, scale: i32, format: DecimalFormat) -> Json {
    let bytes = arrow::datatypes::i256::from_string(unscaled).map(decimal::to_be_bytes);
    match (format, bytes) {
        (DecimalFormat::Base64, Some(bytes)) => json!(STANDARD.encode(bytes)),
        _ => {
            let text = decimal::plain_text(unscaled, scale);
            serde_json::from_str(&text).unwrap_or(Json::String(text))
        }
    }
}

/// Connect's inferred schema of a value.
fn schema_of(value: &Value) -> Json {
    let mut schema = Map::new();
    let mut logical = None;
    let type_name = match value {
        Value::Null | Value::String(_) => "string",
        Value::Boolean(_) => "boolean",
        Value::Int8(_) => "int8",
        Value::Int16(_) => "int16",
        Value::Int32(_) => "int32",
        Value::Int64(_) => "int64",
        Value::Float32(_) => "float",
        Value::Float64(_) => "double",
        Value::Bytes(_) => "bytes",
        Value::Decimal { scale, .. } => {
            logical = Some((DECIMAL, Some(scale.to_string())));
            "bytes"
        }
        Value::Date(_) => {
            logical = Some((DATE, None));
            "int32"
        }
        Value::Time(_) => {
            logical = Some((TIME, None));
            "int32"
        }
        Value::Timestamp(_) => {
            logical = Some((TIMESTAMP, None));
            "int64"
        }
        Value::Array(_) => "array",
        Value::Map(_) => "map",
        Value::Struct(_) => "struct",
    };
    schema.insert("type".into(), json!(type_name));
    match value {
        Value::Array(items) => {
            schema.insert("items".into(), common_schema(items.iter()));
        }
        Value::Map(entries) => {
            schema.insert("keys".into(), common_schema(entries.iter().map(|(key, _)| key)));
            schema.insert("values".into(), common_schema(entries.iter().map(|(_, value)| value)));
        }
        Value::Struct(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let mut field = schema_of(value);
                field["field"] = json!(name);
                field
            });
            schema.insert("fields".into(), fields.collect());
        }
        _ => {}
    }
    schema.insert("optional".into(), json!(true));
    if let Some((name, scale)) = logical {
        schema.insert("name".into(), json!(name));
        schema.insert("version".into(), json!(1));
        if let Some(scale) = scale {
            schema.insert("parameters".into(), json!({ "scale": scale }));
        }
    }
    Json::Object(schema)
}

/// The schema of the first value that is not null. All values of a container share one schema.
fn common_schema<'a>(mut values: impl Iterator<Item = &'a Value>) -> Json {
    values.find(|value| **value != Value::Null).map_or_else(|| schema_of(&Value::Null), schema_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(config: &[(&str, &str)], value: &Value) -> Value {
        let config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut converter = JsonHeaderConverter::new(&config).unwrap();
        let raw = converter.from_connect("t", &Header::new("h", value.clone())).unwrap();
        converter.to_connect("t", &raw).unwrap().value
    }

    #[test]
    fn values_round_trip_with_their_types() {
        let values = [
            Value::Null,
            Value::Int8(7),
            Value::Float32(0.1),
            Value::Bytes(vec![1, 2]),
            Value::Decimal { unscaled: "-12345".into(), scale: 2 },
            Value::Timestamp(5),
            Value::Array(vec![Value::Int32(1), Value::Null]),
            Value::Map(vec![(Value::Int32(1), Value::String("x".into()))]),
            Value::Struct(vec![("a".into(), Value::Boolean(true))]),
        ];
        for value in values {
            assert_eq!(round_trip(&[], &value), value);
        }
    }

    #[test]
    fn plain_json_is_read_as_it_is() {
        let plain = [("schemas.enable", "false")];
        assert_eq!(round_trip(&plain, &Value::Int8(7)), Value::Int64(7));
        let map = Value::Map(vec![(Value::String("k".into()), Value::Array(vec![Value::Boolean(true)]))]);
        assert_eq!(round_trip(&plain, &map), map);
    }
}
