//! JSON bytes as Kafka Connect's JsonConverter writes them: compact, members in the given order, text as UTF-8, and
//! escapes and floating point numbers as in Java.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};
use volley_api::{Error, Result};
use volley_java::double_text;

/// The bytes of `value`.
///
/// # Errors
/// If it cannot be JSON, for example a map with keys that are not text.
pub(super) fn json_bytes(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, JacksonFormatter);
    value
        .serialize(&mut serializer)
        .map_err(|error| Error::fatal("could not write a stored value as JSON").with_source(error))?;
    Ok(bytes)
}

struct JacksonFormatter;

impl Formatter for JacksonFormatter {
    fn write_char_escape<W: ?Sized + io::Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::AsciiControl(byte) => write!(writer, "\\u{byte:04X}"),
            other => CompactFormatter.write_char_escape(writer, other),
        }
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(double_text(value).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn text(value: &Value) -> String {
        String::from_utf8(json_bytes(value).unwrap()).unwrap()
    }

    #[test]
    fn numbers_and_escapes_are_java_s() {
        assert_eq!(
            text(&json!([1, -1.5, 1.0, 1e7, 1.25e10, 0.001, 1e-4, -0.0])),
            "[1,-1.5,1.0,1.0E7,1.25E10,0.001,1.0E-4,-0.0]"
        );
        assert_eq!(text(&json!({"b": "ä\u{1f}\n\"/", "a": null})), r#"{"b":"ä\u001F\n\"/","a":null}"#);
    }

    proptest! {
        #[test]
        fn a_number_that_is_written_is_the_same_number(number in any::<f64>().prop_filter("JSON has no others", |n| n.is_finite())) {
            let written = text(&json!(number));
            prop_assert_eq!(written.parse(), Ok(number), "{}", written);
        }
    }
}
