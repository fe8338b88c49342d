//! Connect's default header converter: text whose form shows the type of the value.

use std::sync::Arc;

use volley_api::{ConfigMap, Header, HeaderConverter, RawHeader, Result, Value};

use crate::header::literal::parse_literal;
use crate::value_display::header_text;

/// `org.apache.kafka.connect.storage.SimpleHeaderConverter`: writes values as text and infers types when reading, so
/// `7` is INT8, `1.5` FLOAT32, `[1,2]` an array. A header that is not UTF-8 becomes bytes.
#[derive(Debug)]
pub struct SimpleHeaderConverter;

impl SimpleHeaderConverter {
    /// Java class name.
    pub const CLASS: &'static str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";

    /// A converter; it has no settings.
    ///
    /// # Errors
    /// None.
    pub fn new(_config: &ConfigMap) -> Result<Self> {
        Ok(Self)
    }
}

impl HeaderConverter for SimpleHeaderConverter {
    fn to_connect(&mut self, _topic: &str, header: &RawHeader) -> Result<Header> {
        let name = Arc::clone(&header.name);
        let Some(bytes) = &header.value else { return Ok(Header::new(name, Value::Null)) };
        let Ok(text) = std::str::from_utf8(bytes) else { return Ok(Header::new(name, Value::Bytes(bytes.clone()))) };
        let value = parse_literal(text);
        let is_the_text = matches!(&value, Value::String(value) if value == text);
        Ok(Header { name, value, text: (!is_the_text).then(|| text.into()) })
    }

    fn from_connect(&mut self, _topic: &str, header: &Header) -> Result<RawHeader> {
        let value = match &header.value {
            Value::Null => None,
            value => Some(header_text(value).into_bytes()),
        };
        Ok(RawHeader { name: Arc::clone(&header.name), value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(value: Value) -> Value {
        let mut converter = SimpleHeaderConverter::new(&ConfigMap::new()).unwrap();
        let raw = converter.from_connect("t", &Header::new("h", value)).unwrap();
        converter.to_connect("t", &raw).unwrap().value
    }

    #[test]
    fn values_that_look_like_themselves_round_trip() {
        let text = |text: &str| Value::String(text.into());
        let values = [
            Value::Null,
            Value::Boolean(true),
            Value::Int8(7),
            Value::Int64(i64::MIN),
            Value::Float32(1.5),
            text("plain text"),
            text(""),
            Value::Array(vec![text("a\"\\b"), text("c")]),
            Value::Map(vec![(text("k"), Value::Int8(1))]),
            Value::Timestamp(1_700_000_000_123),
        ];
        for value in values {
            assert_eq!(round_trip(value.clone()), value);
        }
    }

    #[test]
    fn what_looks_like_something_else_is_known_as_text_too() {
        let mut converter = SimpleHeaderConverter::new(&ConfigMap::new()).unwrap();
        for text in ["007", "1.10", "null", " true", "[1 ,2]", "\"quoted\"", "{\"a\": 1}", "2024-05-06"] {
            let raw = RawHeader { name: "h".into(), value: Some(text.into()) };
            let header = converter.to_connect("t", &raw).unwrap();
            assert!(header.text.as_deref() == Some(text) || header.value == Value::String(text.into()), "{header:?}");
        }
        let raw = RawHeader { name: "h".into(), value: Some("007".into()) };
        assert_eq!(converter.to_connect("t", &raw).unwrap().value, Value::Int8(7));
        assert_eq!(converter.to_connect("t", &RawHeader { name: "h".into(), value: None }).unwrap().text, None);
    }

    #[test]
    fn bytes_that_are_no_text_stay_bytes() {
        let mut converter = SimpleHeaderConverter::new(&ConfigMap::new()).unwrap();
        let raw = RawHeader { name: "h".into(), value: Some(vec![0xFF, 0xFE]) };
        assert_eq!(converter.to_connect("t", &raw).unwrap().value, Value::Bytes(vec![0xFF, 0xFE]));
    }
}
