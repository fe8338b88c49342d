//! The text of single values, as by Java's `toString`, and as by SimpleHeaderConverter.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use volley_api::Value;
use volley_java::{double_text, float_text};

use crate::decimal::plain_text;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// The text that StringConverter writes: `Struct{a=1}`, `{k=v}`, `[1, 2]`.
pub(crate) fn java_text(value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Array(items) => format!("[{}]", joined(items.iter().map(java_text).collect())),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{}={}", java_text(key), java_text(value)));
            format!("{{{}}}", joined(entries.collect()))
        }
        Value::Struct(fields) => {
            let present = fields.iter().filter(|(_, value)| *value != Value::Null);
            let fields: Vec<_> = present.map(|(name, value)| format!("{name}={}", java_text(value))).collect();
            format!("Struct{{{}}}", fields.join(","))
        }
        Value::String(text) => text.clone(),
        scalar => scalar_text(scalar),
    }
}

/// The text that SimpleHeaderConverter writes: strings are quoted only within containers.
pub(crate) fn header_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => embedded(other),
    }
}

fn embedded(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        Value::Array(items) => format!("[{}]", items.iter().map(embedded).collect::<Vec<_>>().join(",")),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{}:{}", embedded(key), embedded(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Value::Struct(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{}:{}", embedded(&Value::String(name.clone())), embedded(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        scalar => scalar_text(scalar),
    }
}

fn scalar_text(value: &Value) -> String {
    match value {
        Value::Boolean(value) => value.to_string(),
        Value::Int8(number) => number.to_string(),
        Value::Int16(number) => number.to_string(),
        Value::Int32(number) => number.to_string(),
        Value::Int64(number) => number.to_string(),
        Value::Float32(number) => float_text(*number),
        Value::Float64(number) => double_text(*number),
        Value::Bytes(bytes) => STANDARD.encode(bytes),
        Value::Decimal { unscaled, scale } => plain_text(unscaled, *scale),
        Value::Date(days) => temporal_text(i64::from(*days) * MILLIS_PER_DAY),
        Value::Time(millis) => temporal_text(i64::from(*millis)),
        Value::Timestamp(millis) => temporal_text(*millis),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Map(_) | Value::Struct(_) => "null".to_owned(),
    }
}

/// ISO 8601 text in UTC. As in Connect the form depends on the value, not on its type: a time within the first day, a
/// date at midnight, otherwise both.
fn temporal_text(millis: i64) -> String {
    let format = if (0..MILLIS_PER_DAY).contains(&millis) {
        "%H:%M:%S%.3fZ"
    } else if millis % MILLIS_PER_DAY == 0 {
        "%Y-%m-%d"
    } else {
        "%Y-%m-%dT%H:%M:%S%.3fZ"
    };
    match DateTime::from_timestamp_millis(millis) {
        Some(time) => time.format(format).to_string(),
        None => millis.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    #[test]
    fn java_text_leaves_strings_bare_and_skips_null_fields_of_structs() {
        let value = Value::Struct(vec![
            ("a".into(), Value::Int32(1)),
            ("b".into(), Value::Null),
            ("c".into(), Value::Array(vec![text("x"), Value::Null])),
            ("d".into(), Value::Map(vec![(text("k"), Value::Float64(1.0))])),
        ]);
        assert_eq!(java_text(&value), "Struct{a=1,c=[x, null],d={k=1.0}}");
    }

    #[test]
    fn header_text_quotes_strings_within_containers_only() {
        assert_eq!(header_text(&text("a\"b")), "a\"b");
        let value = Value::Map(vec![(text("k\"\\"), Value::Array(vec![Value::Boolean(true), text("x")]))]);
        assert_eq!(header_text(&value), r#"{"k\"\\":[true,"x"]}"#);
    }

    #[test]
    fn times_are_written_by_their_magnitude() {
        assert_eq!(header_text(&Value::Time(3_661_001)), "01:01:01.001Z");
        assert_eq!(header_text(&Value::Date(1)), "1970-01-02");
        assert_eq!(header_text(&Value::Timestamp(86_400_001)), "1970-01-02T00:00:00.001Z");
    }
}
