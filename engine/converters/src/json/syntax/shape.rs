//! Messages that are alike. Most topics hold messages of one program, which differ in their scalars only: the text between those
//! need not be looked at byte by byte again.

use super::cursor::{Cursor, Pattern};
use super::number::skip_plain_number;
use super::skip::validate;
use super::text::skip_string;

/// After this many messages of other shapes in a row the last one is learned.
const PATIENCE: u32 = 8;
/// A message with more scalars is not learned.
const MAX_SCALARS: usize = 512;

/// The text of a message around its scalars: `{"id":`, `,"name":"`, `}` for `{"id":7,"name":"x"}`, where names belong to it.
#[derive(Debug)]
struct Shape {
    /// Before each scalar.
    before: Vec<Pattern>,
    /// Behind the last one.
    end: Pattern,
}

/// Checks messages of one topic, one after the other.
#[derive(Debug, Default)]
pub(crate) struct AlikeMessages {
    shape: Option<Shape>,
    /// Messages of other shapes since the last one of this shape.
    others: u32,
}

impl AlikeMessages {
    /// Whether `message` is exactly one JSON value, in one line and without space around it. Does not check its UTF-8.
    pub(crate) fn is_line(&mut self, message: &[u8]) -> bool {
        if self.shape.as_ref().is_some_and(|shape| shape.fits(message)) {
            self.others = 0;
            return true;
        }
        if !is_framed(message) || validate(message).is_err() || memchr::memchr2(b'\n', b'\r', message).is_some() {
            return false;
        }
        self.others += 1;
        if self.shape.is_none() || self.others >= PATIENCE {
            self.shape = Shape::of(message);
            self.others = 0;
        }
        true
    }
}

impl Shape {
    /// The shape of a valid message.
    fn of(message: &[u8]) -> Option<Self> {
        let mut before = Vec::new();
        let mut cursor = Cursor::new(message);
        let mut start = 0;
        while let Some(byte) = cursor.peek() {
            let at = cursor.pos();
            match byte {
                b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\t' => {
                    cursor.advance(1);
                    continue;
                }
                b'"' => {
                    skip_string(&mut cursor).ok()?;
                    if is_name(&cursor) {
                        continue;
                    }
                }
                _ => skip_scalar(&mut cursor)?,
            }
            before.push(Pattern::new(message[start..at].to_vec()));
            start = cursor.pos();
            if before.len() > MAX_SCALARS {
                return None;
            }
        }
        Some(Self { before, end: Pattern::new(message[start..].to_vec()) })
    }

    /// Whether it is this text, with a scalar in each gap.
    fn fits(&self, message: &[u8]) -> bool {
        let mut cursor = Cursor::new(message);
        for before in &self.before {
            if !cursor.take_pattern(before) || skip_scalar(&mut cursor).is_none() {
                return false;
            }
        }
        cursor.take_pattern(&self.end) && cursor.peek().is_none()
    }
}

#[inline]
fn skip_scalar(cursor: &mut Cursor<'_>) -> Option<()> {
    let is_one = match cursor.peek()? {
        b'"' => skip_string(cursor).is_ok(),
        b't' => cursor.take_text(b"true"),
        b'f' => cursor.take_text(b"false"),
        b'n' => cursor.take_text(b"null"),
        _ => skip_plain_number(cursor),
    };
    is_one.then_some(())
}

/// Whether the string that has just been skipped is the name of a member.
fn is_name(behind: &Cursor<'_>) -> bool {
    let mut cursor = behind.clone();
    cursor.skip_space();
    cursor.peek() == Some(b':')
}

fn is_framed(message: &[u8]) -> bool {
    let is_letter = |byte: &u8| !byte.is_ascii_whitespace();
    message.first().is_some_and(is_letter) && message.last().is_some_and(is_letter)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn is_line(message: &str) -> bool {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(message).is_ok();
        is_json
            && !message.contains(['\n', '\r'])
            && message.trim_matches(|letter: char| letter.is_ascii_whitespace()) == message
    }

    #[test]
    fn messages_of_one_shape_differ_in_their_scalars_and_their_kinds() {
        let shape = Shape::of(br#"{"a":1,"b": "x","c":[null,true]}"#).unwrap();
        for alike in [r#"{"a":"z\"","b": -1.5e7,"c":[7,false]}"#, r#"{"a":null,"b": "","c":["","\u00e9"]}"#] {
            assert!(shape.fits(alike.as_bytes()), "{alike}");
        }
        for other in [
            r#"{"a":1,"b": "x","c":[null,true]} "#,
            r#"{"a":1,"b": "x","c":[null]}"#,
            r#"{"a":01,"b": "x","c":[null,true]}"#,
            r#"{"a":1,"b":"x","c":[null,true]}"#,
            r#"{"a":{},"b": "x","c":[null,true]}"#,
            r#"{"a":1,"b": "x","c":[null,tru]}"#,
            r#"{"a":1,"b": "x","c":[null,true]"#,
            r#"{"a":1,"b": "x"#,
            "",
        ] {
            assert!(!shape.fits(other.as_bytes()), "{other}");
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,9}".prop_map(Value::from),
        ];
        scalar.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-c\"\\\\]{0,2}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// A message like another one, with one byte put, left out or in its place.
    fn bent(message: &str, at: prop::sample::Index, byte: u8, how: u8) -> Vec<u8> {
        let mut bytes = message.as_bytes().to_vec();
        if bytes.is_empty() {
            return bytes;
        }
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => drop(bytes.remove(at)),
        }
        bytes
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_message_is_a_line_whatever_came_before_exactly_if_serde_json_says_so(
            values in prop::collection::vec(json(), 1..4),
            bends in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}:,\" 0-9\\\\ntr.eE+\n-]", 0..3_u8), 0..6),
        ) {
            let mut alike = AlikeMessages::default();
            for value in values {
                let message = value.to_string();
                for _ in 0..2 {
                    prop_assert!(alike.is_line(message.as_bytes()), "{}", message);
                }
                for (at, byte, how) in &bends {
                    let bent = bent(&message, *at, byte.as_bytes()[0], *how);
                    if let Ok(text) = std::str::from_utf8(&bent) {
                        prop_assert_eq!(alike.is_line(&bent), is_line(text), "{} after {}", text, message);
                    }
                }
            }
        }
    }
}
