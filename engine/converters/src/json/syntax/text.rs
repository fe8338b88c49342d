//! Strings: copied as a whole unless they contain escapes.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::failure::Decoded;

/// Reads a string whose opening quote is next, and appends it to `out`.
///
/// A surrogate without its partner, which UTF-8 cannot represent, becomes U+FFFD.
#[inline]
pub(crate) fn read_string(cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Decoded<()> {
    if !cursor.take(b'"') {
        return Err(cursor.syntax("expected a string"));
    }
    let end = cursor.find_string_end();
    let start = cursor.pos();
    cursor.seek(end);
    out.extend_from_slice(cursor.since(start));
    if cursor.take(b'"') { Ok(()) } else { read_rest(cursor, out) }
}

/// Reads a string; borrows it if it has no escapes.
pub(crate) fn read_text<'a>(cursor: &mut Cursor<'a>) -> Decoded<Cow<'a, [u8]>> {
    let start = cursor.pos();
    if !cursor.take(b'"') {
        return Err(cursor.syntax("expected a string"));
    }
    cursor.seek(cursor.find_string_end());
    let plain = cursor.since(start + 1);
    if cursor.take(b'"') {
        return Ok(Cow::Borrowed(plain));
    }
    let mut text = plain.to_vec();
    read_rest(cursor, &mut text)?;
    Ok(Cow::Owned(text))
}

/// Skips a string.
#[inline]
pub(crate) fn skip_string(cursor: &mut Cursor<'_>) -> Decoded<()> {
    if !cursor.take(b'"') {
        return Err(cursor.syntax("expected a string"));
    }
    loop {
        cursor.seek(cursor.find_string_end());
        if cursor.take(b'"') {
            return Ok(());
        }
        read_escape(cursor)?;
    }
}

/// The part of a string from its first escape on.
#[cold]
fn read_rest(cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Decoded<()> {
    loop {
        let char = read_escape(cursor)?;
        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        let start = cursor.pos();
        cursor.seek(cursor.find_string_end());
        out.extend_from_slice(cursor.since(start));
        if cursor.take(b'"') {
            return Ok(());
        }
    }
}

fn read_escape(cursor: &mut Cursor<'_>) -> Decoded<char> {
    if !cursor.take(b'\\') {
        return Err(cursor.syntax("control character in a string"));
    }
    let char = match cursor.peek() {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{C}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            cursor.advance(1);
            return read_unicode(cursor);
        }
        _ => return Err(cursor.syntax("unknown escape in a string")),
    };
    cursor.advance(1);
    Ok(char)
}

fn read_unicode(cursor: &mut Cursor<'_>) -> Decoded<char> {
    let unit = read_unit(cursor)?;
    if (0xD800..0xDC00).contains(&unit) {
        let after = cursor.clone();
        if cursor.take_text(b"\\u") {
            let low = read_unit(cursor)?;
            if (0xDC00..0xE000).contains(&low) {
                let code = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            *cursor = after;
        }
    }
    Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn read_unit(cursor: &mut Cursor<'_>) -> Decoded<u32> {
    let mut unit = 0;
    for _ in 0..4 {
        let digit = cursor.peek().and_then(|byte| char::from(byte).to_digit(16));
        let Some(digit) = digit else { return Err(cursor.syntax("expected four hex digits")) };
        unit = unit * 16 + digit;
        cursor.advance(1);
    }
    Ok(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<String> {
        let mut out = Vec::new();
        let mut cursor = Cursor::new(json.as_bytes());
        read_string(&mut cursor, &mut out).ok()?;
        let mut skipping = Cursor::new(json.as_bytes());
        assert!(skip_string(&mut skipping).is_ok());
        assert_eq!(skipping.pos(), cursor.pos());
        assert_eq!(read_text(&mut Cursor::new(json.as_bytes())).ok().as_deref(), Some(out.as_slice()));
        String::from_utf8(out).ok()
    }

    #[test]
    fn escapes_and_surrogate_pairs_are_decoded() {
        assert_eq!(read(r#""a\"\\\/\b\f\n\r\tz""#).as_deref(), Some("a\"\\/\u{8}\u{C}\n\r\tz"));
        assert_eq!(read(r#""\u00e9\uD83D\ude00!""#).as_deref(), Some("é😀!"));
        assert_eq!(read(r#""""#).as_deref(), Some(""));
    }

    #[test]
    fn a_lone_surrogate_becomes_the_replacement_character() {
        assert_eq!(read(r#""a\ud83dz""#).as_deref(), Some("a\u{FFFD}z"));
        assert_eq!(read(r#""\ude00""#).as_deref(), Some("\u{FFFD}"));
        assert_eq!(read(r#""\ud83d\u0041""#).as_deref(), Some("\u{FFFD}A"));
        assert_eq!(read(r#""\ud83d\ud83d\ude00""#).as_deref(), Some("\u{FFFD}😀"));
    }

    #[test]
    fn malformed_strings_are_refused() {
        for json in ["\"abc", "\"\\x\"", "\"\\u12G4\"", "\"\\u12", "\"a\nb\"", "\"\\", "abc"] {
            let mut cursor = Cursor::new(json.as_bytes());
            assert!(read_string(&mut cursor, &mut Vec::new()).is_err(), "{json}");
            assert!(skip_string(&mut Cursor::new(json.as_bytes())).is_err(), "{json}");
        }
    }
}
