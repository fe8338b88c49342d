//! Default values: Avro's JSON and Connect's differ in bytes, unions and maps.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::avro::schema::avro_schema::{AvroSchema, Kind};
use crate::avro::schema::names::{INTERNAL_TYPE, MAP_ENTRY, MAP_ENTRY_RECORD};
use crate::avro::values::input::write_long;

/// An Avro default as JsonConverter writes it; `None` if it does not fit, or Connect has no place for it.
pub(crate) fn to_connect_default(default: &Value, schema: &AvroSchema) -> Option<Value> {
    match (&schema.kind, default) {
        (Kind::Boolean, Value::Bool(_))
        | (Kind::Int | Kind::Long, Value::Number(_))
        | (Kind::String | Kind::Enum(_), Value::String(_)) => Some(default.clone()),
        (Kind::Float | Kind::Double, Value::Number(number)) => number.as_f64().map(Value::from),
        (Kind::Float | Kind::Double, Value::String(_)) => Some(default.clone()),
        (Kind::Bytes | Kind::Fixed(_), Value::String(text)) => Some(json!(STANDARD.encode(bytes_of(text)?))),
        (Kind::Array(items), Value::Array(values)) => {
            let values = values.iter().map(|value| to_connect_default(value, items));
            Some(Value::Array(values.collect::<Option<_>>()?))
        }
        (Kind::Map(of), Value::Object(values)) => {
            let values = values.iter().map(|(key, value)| Some((key.clone(), to_connect_default(value, of)?)));
            Some(Value::Object(values.collect::<Option<Map<_, _>>>()?))
        }
        // the default of a union is one of its first branch
        (Kind::Union(branches), _) => match (default, branches.first()?) {
            (Value::Null, _) => Some(Value::Null),
            (_, first) => to_connect_default(default, first),
        },
        _ => None,
    }
}

/// Connect's default in Avro's JSON; `None` if it does not fit.
pub(crate) fn to_avro_default(default: &Value, schema: &AvroSchema) -> Option<Value> {
    match (&schema.kind, default) {
        (Kind::Bytes | Kind::Fixed(_), Value::String(text)) => {
            let bytes = STANDARD.decode(text).ok()?;
            Some(Value::String(bytes.into_iter().map(char::from).collect()))
        }
        (Kind::Array(items), Value::Object(values)) if is_entry(items) => {
            let Kind::Record(entry) = &items.kind else { return None };
            let entries = values.iter().map(|(key, value)| {
                let value = to_avro_default(value, &entry.fields.get(1)?.schema)?;
                Some(json!({"key": key, "value": value}))
            });
            Some(Value::Array(entries.collect::<Option<_>>()?))
        }
        (Kind::Array(items), Value::Array(values)) if is_entry(items) => {
            let Kind::Record(entry) = &items.kind else { return None };
            let entries = values.iter().map(|pair| {
                let key = to_avro_default(pair.get(0)?, &entry.fields.first()?.schema)?;
                let value = to_avro_default(pair.get(1)?, &entry.fields.get(1)?.schema)?;
                Some(json!({"key": key, "value": value}))
            });
            Some(Value::Array(entries.collect::<Option<_>>()?))
        }
        (Kind::Array(items), Value::Array(values)) => {
            let values = values.iter().map(|value| to_avro_default(value, items));
            Some(Value::Array(values.collect::<Option<_>>()?))
        }
        (Kind::Map(of), Value::Object(values)) => {
            let values = values.iter().map(|(key, value)| Some((key.clone(), to_avro_default(value, of)?)));
            Some(Value::Object(values.collect::<Option<Map<_, _>>>()?))
        }
        (Kind::Record(record), Value::Object(values)) => {
            let values = record.fields.iter().map(|field| {
                let value = values.get(&field.name).unwrap_or(&Value::Null);
                Some((field.name.clone(), to_avro_default(value, &field.schema)?))
            });
            Some(Value::Object(values.collect::<Option<Map<_, _>>>()?))
        }
        (Kind::Union(branches), Value::Null) => {
            branches.iter().any(|branch| branch.kind == Kind::Null).then_some(Value::Null)
        }
        (Kind::Union(branches), _) => {
            let mut others = branches.iter().filter(|branch| branch.kind != Kind::Null);
            to_avro_default(default, others.next()?)
        }
        (_, Value::Null | Value::Object(_) | Value::Array(_)) => None,
        _ => Some(default.clone()),
    }
}

fn is_entry(items: &AvroSchema) -> bool {
    items.full_name() == Some(MAP_ENTRY_RECORD) || items.text(INTERNAL_TYPE) == Some(MAP_ENTRY)
}

/// Avro writes the bytes of a default as the characters of the same numbers.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}

/// Appends a default in Avro's JSON as a value of its schema. `None`, with anything appended, if it does not fit.
pub(crate) fn write_default(default: &Value, schema: &AvroSchema, out: &mut Vec<u8>) -> Option<()> {
    match (&schema.kind, default) {
        (Kind::Null, Value::Null) => {}
        (Kind::Boolean, Value::Bool(value)) => out.push(u8::from(*value)),
        (Kind::Int | Kind::Long, Value::Number(number)) => write_long(out, number.as_i64()?),
        (Kind::Float, _) => out.extend_from_slice(&(float_of(default)? as f32).to_le_bytes()),
        (Kind::Double, _) => out.extend_from_slice(&float_of(default)?.to_le_bytes()),
        (Kind::String, Value::String(text)) => write_sized(out, text.as_bytes()),
        (Kind::Bytes, Value::String(text)) => write_sized(out, &bytes_of(text)?),
        (Kind::Fixed(fixed), Value::String(text)) => {
            let bytes = bytes_of(text)?;
            (bytes.len() == fixed.size).then(|| out.extend_from_slice(&bytes))?;
        }
        (Kind::Enum(symbols), Value::String(text)) => {
            write_long(out, symbols.symbols.iter().position(|symbol| symbol == text)? as i64);
        }
        (Kind::Array(items), Value::Array(values)) => {
            if !values.is_empty() {
                write_long(out, values.len() as i64);
                values.iter().try_for_each(|value| write_default(value, items, out))?;
            }
            out.push(0);
        }
        (Kind::Map(of), Value::Object(values)) => {
            if !values.is_empty() {
                write_long(out, values.len() as i64);
                for (key, value) in values {
                    write_sized(out, key.as_bytes());
                    write_default(value, of, out)?;
                }
            }
            out.push(0);
        }
        (Kind::Record(record), Value::Object(values)) => {
            for field in &record.fields {
                write_default(values.get(&field.name)?, &field.schema, out)?;
            }
        }
        (Kind::Union(branches), _) => {
            let fits = |branch: &AvroSchema| write_default(default, branch, &mut Vec::new()).is_some();
            let branch = branches.iter().position(fits)?;
            write_long(out, branch as i64);
            write_default(default, &branches[branch], out)?;
        }
        _ => return None,
    }
    Some(())
}

fn float_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn write_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    write_long(out, bytes.len() as i64);
    out.extend_from_slice(bytes);
}
