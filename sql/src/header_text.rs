//! A header as text: its original text if there is one, otherwise its value; containers as by Connect's
//! SimpleHeaderConverter.

use std::borrow::Cow;
use std::fmt::Write;

use arrow::temporal_conversions::{date32_to_datetime, time32ms_to_time, timestamp_ms_to_datetime};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use volley_api::{Header, Value};

/// The text of a header; `None` if it is null.
pub(crate) fn header_text(header: &Header) -> Option<Cow<'_, str>> {
    match (&header.text, &header.value) {
        (Some(text), _) => Some(Cow::Borrowed(text)),
        (None, Value::Null) => None,
        (None, Value::String(text)) => Some(Cow::Borrowed(text)),
        (None, other) => {
            let mut out = String::new();
            write_nested(&mut out, other);
            Some(Cow::Owned(out))
        }
    }
}

fn write_nested(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(value) => push(out, value),
        Value::Int8(value) => push(out, value),
        Value::Int16(value) => push(out, value),
        Value::Int32(value) => push(out, value),
        Value::Int64(value) => push(out, value),
        Value::Float32(value) => push(out, value),
        Value::Float64(value) => push(out, value),
        Value::String(text) => write_quoted(out, text),
        Value::Bytes(bytes) => out.push_str(&STANDARD.encode(bytes)),
        Value::Decimal { unscaled, scale } => out.push_str(&decimal_text(unscaled, *scale)),
        Value::Date(days) => push_some(out, date32_to_datetime(*days).map(|date| date.format("%Y-%m-%d").to_string())),
        Value::Time(millis) => {
            push_some(out, time32ms_to_time(*millis).map(|time| time.format("%H:%M:%S%.3fZ").to_string()));
        }
        Value::Timestamp(millis) => {
            let text = timestamp_ms_to_datetime(*millis).map(|time| time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
            push_some(out, text);
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(out, index);
                write_nested(out, item);
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                separate(out, index);
                write_nested(out, key);
                out.push(':');
                write_nested(out, value);
            }
            out.push('}');
        }
        Value::Struct(fields) => {
            out.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                separate(out, index);
                write_quoted(out, name);
                out.push(':');
                write_nested(out, value);
            }
            out.push('}');
        }
    }
}

fn push(out: &mut String, value: &impl std::fmt::Display) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{value}");
}

fn push_some(out: &mut String, text: Option<String>) {
    out.push_str(text.as_deref().unwrap_or("null"));
}

fn separate(out: &mut String, index: usize) {
    if index > 0 {
        out.push(',');
    }
}

fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

/// `("-12345", 2)` → `-123.45`.
fn decimal_text(unscaled: &str, scale: i32) -> String {
    let (sign, digits) = match unscaled.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", unscaled),
    };
    let Ok(scale) = usize::try_from(scale) else {
        return format!("{unscaled}E+{}", scale.unsigned_abs());
    };
    if scale == 0 {
        return unscaled.to_owned();
    }
    if scale > 1_000 {
        return format!("{unscaled}E-{scale}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_as_text_stays_that_text() {
        for (value, text) in [(Value::Int8(7), "007"), (Value::Null, "null")] {
            let header = Header { text: Some(text.into()), ..Header::new("h", value) };
            assert_eq!(header_text(&header).as_deref(), Some(text));
        }
        assert_eq!(header_text(&Header::new("h", Value::Null)), None);
    }

    #[test]
    fn values_are_written_as_connect_writes_them() {
        for (value, text) in [
            (Value::String("a\"b".into()), "a\"b"),
            (Value::Int64(-7), "-7"),
            (Value::Bytes(vec![1, 2]), "AQI="),
            (Value::Decimal { unscaled: "-5".into(), scale: 2 }, "-0.05"),
            (Value::Decimal { unscaled: "5".into(), scale: -2 }, "5E+2"),
            (Value::Date(1), "1970-01-02"),
            (Value::Time(1), "00:00:00.001Z"),
            (Value::Timestamp(86_400_001), "1970-01-02T00:00:00.001Z"),
            (Value::Array(vec![Value::String("a\"b".into()), Value::Null]), "[\"a\\\"b\",null]"),
            (Value::Map(vec![(Value::String("k".into()), Value::Boolean(true))]), "{\"k\":true}"),
            (Value::Struct(vec![("f".into(), Value::Float64(1.5))]), "{\"f\":1.5}"),
        ] {
            assert_eq!(header_text(&Header::new("h", value)).as_deref(), Some(text));
        }
    }
}
