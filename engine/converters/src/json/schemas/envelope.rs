//! Splits envelopes `{"schema":…,"payload":…}`.

use crate::json::syntax::{Cursor, Decoded, Failure, pass_colon, read_text, skip_value};

/// The raw text of the two members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    pub(crate) schema: &'a [u8],
    pub(crate) payload: &'a [u8],
}

/// Splits a message, and validates every byte of it.
///
/// # Errors
/// It is not JSON, or not an envelope.
pub(crate) fn split(message: &[u8]) -> Decoded<Envelope<'_>> {
    let mut cursor = Cursor::new(message);
    cursor.skip_space();
    let (mut schema, mut payload, mut other) = (None, None, false);
    if cursor.take(b'{') {
        cursor.skip_space();
        while !cursor.take(b'}') {
            let name = read_text(&mut cursor)?;
            pass_colon(&mut cursor)?;
            let start = cursor.pos();
            skip_value(&mut cursor)?;
            match name.as_ref() {
                b"schema" => schema = Some(cursor.since(start)),
                b"payload" => payload = Some(cursor.since(start)),
                _ => other = true,
            }
            cursor.skip_space();
            if cursor.take(b',') {
                cursor.skip_space();
                if cursor.peek() != Some(b'"') {
                    return Err(cursor.syntax("expected a string"));
                }
            } else if cursor.peek() != Some(b'}') {
                return Err(cursor.syntax("expected a comma or the end of the object"));
            }
        }
    } else {
        skip_value(&mut cursor)?;
    }
    cursor.expect_end()?;
    match (schema, payload) {
        (Some(schema), Some(payload)) if !other => Ok(Envelope { schema, payload }),
        _ => Err(Failure::unfit(
            "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not contain additional \
             fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter \
             configuration.",
        )),
    }
}

/// The common beginning of a producer's messages with the same schema: `{"schema":…,"payload":`.
#[derive(Debug, Default)]
pub(crate) struct Prefix(Vec<u8>);

impl Prefix {
    /// The most common prefix of messages with this raw schema.
    pub(crate) fn of(schema: &[u8]) -> Self {
        Self([b"{\"schema\":", schema, b",\"payload\":"].concat())
    }

    /// The payload of a message with this prefix that ends in `}`; not validated yet.
    #[inline]
    pub(crate) fn payload_of<'a>(&self, message: &'a [u8]) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        message.strip_prefix(self.0.as_slice())?.strip_suffix(b"}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(message: &str) -> Option<(String, String)> {
        let envelope = split(message.as_bytes()).ok()?;
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Some((text(envelope.schema), text(envelope.payload)))
    }

    #[test]
    fn both_members_are_found_in_any_order() {
        let expected = Some(("null".to_owned(), "{\"a\":1}".to_owned()));
        assert_eq!(parts(r#"{"schema":null,"payload":{"a":1}}"#), expected);
        assert_eq!(parts(r#" { "payload" : {"a":1} , "schema" : null } "#), expected);
    }

    #[test]
    fn anything_else_is_refused() {
        for message in [
            "",
            "1",
            "{}",
            r#"{"schema":null}"#,
            r#"{"schema":null,"payload":1,"x":1}"#,
            r#"{"schema":null,"payload":1"#,
            r#"{"schema":null,"payload":1}}"#,
            r#"{"schema":null,"payload":1,}"#,
            r#"{"schema":null "payload":1}"#,
        ] {
            assert_eq!(parts(message), None, "{message}");
        }
    }

    #[test]
    fn the_prefix_leaves_the_payload() {
        let prefix = Prefix::of(b"{\"type\":\"int8\"}");
        assert_eq!(prefix.payload_of(br#"{"schema":{"type":"int8"},"payload":5}"#), Some(&b"5"[..]));
        assert_eq!(prefix.payload_of(br#"{"schema":{"type":"int16"},"payload":5}"#), None);
        assert_eq!(Prefix::default().payload_of(b"{}"), None);
    }
}
