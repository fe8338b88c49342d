//! Messages of Apicurio's ExtJsonConverter: `{"schemaId":7,"payload":…}`.

use volley_api::Result;

use super::{Frame, SchemaId, serialization_error};

/// Takes a message apart. What its payload is, nobody looks at here, beyond where it ends.
pub(super) fn read(message: &[u8]) -> Result<Frame<'_>> {
    let (id, data) = parts(message).ok_or_else(|| {
        serialization_error(
            "the message is no JSON object with a `schemaId` and a `payload`, as ExtJsonConverter writes it",
        )
    })?;
    Ok(Frame { id: SchemaId::Global(id), data })
}

/// What stands before the payload. A `}` stands behind it.
pub(super) fn head(id: SchemaId) -> Vec<u8> {
    format!("{{\"schemaId\":{id},\"payload\":").into_bytes()
}

fn parts(message: &[u8]) -> Option<(i64, &[u8])> {
    let mut rest = message.trim_ascii().strip_prefix(b"{")?.strip_suffix(b"}")?.trim_ascii();
    let (mut id, mut payload) = (None, None);
    while !rest.is_empty() {
        let name_end = string_end(rest)?;
        let name = &rest[..name_end];
        rest = rest[name_end..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let end = value_end(rest)?;
        let value = rest[..end].trim_ascii_end();
        match name {
            b"\"schemaId\"" => id = std::str::from_utf8(value).ok()?.parse().ok(),
            b"\"payload\"" => payload = Some(value),
            _ => {}
        }
        rest = rest[end..].trim_ascii_start();
        rest = match rest {
            [] => rest,
            _ => rest.strip_prefix(b",")?.trim_ascii_start(),
        };
    }
    Some((id?, payload.filter(|payload| !payload.is_empty())?))
}

/// Where a string ends that begins here.
fn string_end(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'"') {
        return None;
    }
    let mut is_escaped = false;
    let end = text.iter().skip(1).position(|byte| match byte {
        _ if is_escaped => {
            is_escaped = false;
            false
        }
        b'\\' => {
            is_escaped = true;
            false
        }
        byte => *byte == b'"',
    });
    end.map(|end| end + 2)
}

/// Where a value ends: at a comma outside of all brackets, or with the text.
fn value_end(text: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at += string_end(&text[at..])?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
    (depth == 0).then_some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use volley_api::ErrorKind;

    use super::*;

    #[test]
    fn id_and_payload_are_found_in_any_order() {
        for (message, payload) in [
            (r#"{"schemaId":7,"payload":{"a":"},\""}}"#, r#"{"a":"},\""}"#),
            (r#" { "payload" : [1, {"b":","}] , "other":{}, "schemaId" : 7 } "#, r#"[1, {"b":","}]"#),
            (r#"{"schemaId":7,"payload":"x"}"#, "\"x\""),
            (r#"{"schemaId":7,"payload":null}"#, "null"),
        ] {
            assert_eq!(read(message.as_bytes()).unwrap(), Frame { id: SchemaId::Global(7), data: payload.as_bytes() });
        }
        assert_eq!(head(SchemaId::Global(7)), br#"{"schemaId":7,"payload":"#);
    }

    #[test]
    fn what_has_no_id_or_no_payload_is_refused() {
        for message in [
            "",
            "{}",
            "7",
            "{",
            r#"{"schemaId":7}"#,
            r#"{"payload":1}"#,
            r#"{"schemaId":"7","payload":1}"#,
            r#"{"schemaId":7,"payload":}"#,
            r#"{"schemaId":7 "payload":1}"#,
            r#"{"schemaId":7,"payload":[1}"#,
            r#"{"schemaId":7,"payload":"}"#,
        ] {
            assert_eq!(read(message.as_bytes()).unwrap_err().kind(), ErrorKind::Data, "{message}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(message in "[\\{\\}\\[\\]\",:\\\\a7 ]{0,40}", wild in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (read(message.as_bytes()).is_ok(), read(&wild).is_ok());
        }
    }
}
