//! Keys and values of records as they are stored in a topic.

use std::borrow::Cow;

use serde_json::{Deserializer, Value};
use tracing::warn;
use volley_kafka::LogRecord;

/// The key and the value of a record of the config or status topic; `None` if the value cannot be parsed, which is
/// logged once for each record. The rules are those of Java workers, since all have to agree on their position. Bytes
/// of a key that are not UTF-8 are replaced. Only the first JSON value counts. An empty value or a JSON null is a
/// tombstone, too.
pub(super) fn stored_json<'a>(topic: &str, record: &LogRecord<'a>) -> Option<(Cow<'a, str>, Option<Value>)> {
    let key = String::from_utf8_lossy(record.key.unwrap_or_default());
    match record.value.map(first_value).transpose() {
        Ok(value) => Some((key, value.filter(|value| !value.is_null()))),
        Err(error) => {
            // The error says where the JSON is wrong, but contains no part of it.
            let (partition, offset) = (record.partition, record.offset);
            warn!(topic, partition, offset, %error, "could not read the value of a record, skipping it");
            None
        }
    }
}

fn first_value(bytes: &[u8]) -> serde_json::Result<Value> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    Deserializer::from_slice(bytes).into_iter().next().unwrap_or(Ok(Value::Null))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_java_reads_is_read() {
        for (text, value) in [
            ("", Value::Null),
            (" ", Value::Null),
            ("null null", Value::Null),
            ("{} x", json!({})),
            ("{}{}", json!({})),
            ("{\"a\":1}garbage", json!({"a": 1})),
            ("1 2", json!(1)),
            ("\u{feff}{}", json!({})),
        ] {
            assert_eq!(first_value(text.as_bytes()).unwrap(), value, "{text}");
        }
    }

    #[test]
    fn what_java_does_not_read_is_not_read() {
        for bytes in
            [&b"x"[..], b"NaN", b"{'a':1}", b"{\"a\":1,}", b"\"\xff\"", b"\xff", b"truex", b"12x", b"\"\n\"", b"\0"]
        {
            assert!(first_value(bytes).is_err(), "{bytes:?}");
        }
    }
}
