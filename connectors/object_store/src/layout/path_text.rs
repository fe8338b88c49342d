//! Values as texts in a path, and which texts are paths.
//!
//! Confluent's partitioners put a value into the path as it is. A `/` in it makes a directory, and `..` leads out of
//! it. Here a value is always one name:
//!
//! | in the value | in the path |
//! |---|---|
//! | `/`, `\`, `%` and control characters | `%` and two hexadecimal digits for each byte of UTF-8, as Hive does |
//! | anything else | itself, so that the names are Confluent's |
//!
//! A value without its field's name in front, as `partition.field.format.path=false` wants it, is a whole name. There
//! `.` becomes `%2E`, `..` becomes `%2E%2E`, and the empty text becomes `__HIVE_DEFAULT_PARTITION__`.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The most bytes a name may have: file systems take no longer ones.
pub(crate) const MAX_NAME_LENGTH: usize = 255;

/// Stands for the empty text where a name must not be empty.
const EMPTY_NAME: &str = "__HIVE_DEFAULT_PARTITION__";

/// A value in a name that has more in it than the value.
pub(crate) fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for character in value.chars() {
        if matches!(character, '/' | '\\' | '%') || character.is_control() {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                // writing to a string does not fail
                let _ = write!(text, "%{byte:02X}");
            }
        } else {
            text.push(character);
        }
    }
    text
}

/// The text that has become this one in a path, by [`escaped`] or by Hive. A `%` that begins no such sequence is itself.
pub(crate) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let escaped = digits.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &behind[2..] } else { behind };
    }
    // what is no text was no sequence
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// A value that is a name by itself.
pub(crate) fn whole_name(value: &str) -> String {
    match value {
        "" => EMPTY_NAME.to_owned(),
        "." | ".." => value.replace('.', "%2E"),
        _ => escaped(value),
    }
}

/// Whether a text is a path of plain names below where it starts.
pub(crate) fn is_plain_path(text: &str) -> bool {
    let is_plain = |name: &str| {
        !matches!(name, "" | "." | "..")
            && name.len() <= MAX_NAME_LENGTH
            && !name.contains(|character: char| character == '\\' || character.is_control())
    };
    text.split('/').all(is_plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_leads_elsewhere_is_escaped() {
        let cases = [
            ("DE", "DE"),
            ("a b:c=d+e,'\"?*", "a b:c=d+e,'\"?*"),
            ("Köln 東京", "Köln 東京"),
            ("a/b", "a%2Fb"),
            ("..\\x", "..%5Cx"),
            ("100%", "100%25"),
            ("%2F", "%252F"),
            ("a\0\n\u{7f}\u{85}", "a%00%0A%7F%C2%85"),
            ("", ""),
            ("..", ".."),
        ];
        for (value, expected) in cases {
            assert_eq!(escaped(value), expected);
        }
        assert_eq!([whole_name("."), whole_name(".."), whole_name("...")], ["%2E", "%2E%2E", "..."]);
        assert_eq!(whole_name(""), "__HIVE_DEFAULT_PARTITION__");
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_not_plain() {
        for path in ["", "/a", "a/", "a//b", "../a", "a/./b", "a\\b", "a\nb"] {
            assert!(!is_plain_path(path), "{path:?}");
        }
        assert!(is_plain_path("year=2026/month=11/..."));
    }

    #[test]
    fn what_is_no_sequence_is_read_as_it_is() {
        for text in ["100%", "%", "%4", "%zz", "%+1", "a%F", "%FF", "%ü"] {
            assert_eq!(unescaped(text), text);
        }
        assert_eq!([unescaped("%2f%2F"), unescaped("%C3%BC%"), unescaped("%25%32%35")], ["//", "ü%", "%25"]);
    }

    proptest! {
        #[test]
        fn an_escaped_value_can_be_read_back_and_is_one_plain_name(
            value in prop_oneof![any::<String>(), "[./%\\\\a2EF]{0,4}"],
        ) {
            let in_path = escaped(&value);
            prop_assert_eq!(unescaped(&in_path), value.as_str());
            prop_assume!(value.len() < 60);
            for name in [whole_name(&value), format!("f={}", escaped(&value))] {
                prop_assert!(is_plain_path(&name) && !name.contains('/'), "{}", name);
            }
            if !value.is_empty() {
                let in_path = whole_name(&value);
                prop_assert_eq!(unescaped(&in_path), value.as_str());
            }
        }
    }
}
