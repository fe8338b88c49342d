//! The text of files that people write.

use std::borrow::Cow;

const UTF_8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The text of a file: UTF-8 where the bytes are that, else ISO-8859-1. A byte order mark is no part of it.
///
/// Kafka Connect takes all as ISO-8859-1, so that a name with an umlaut, typed into an editor of today, is another one.
///
/// # Errors
/// What is wrong with the file, and what to do.
pub fn file_text(bytes: &[u8]) -> Result<Cow<'_, str>, &'static str> {
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err("it is UTF-16; save it as UTF-8");
    }
    let bytes = without_mark(bytes);
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    })
}

/// The bytes without the byte order mark of UTF-8.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(UTF_8_MARK).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_utf_8_is_read_so_and_all_else_as_latin_1() {
        for (bytes, text) in [
            ("Köln €".as_bytes(), "Köln €"),
            (b"K\xF6ln", "Köln"),
            (b"\xEF\xBB\xBFa=b", "a=b"),
            (b"\xEF\xBB\xBFK\xF6ln", "Köln"),
            (b"", ""),
        ] {
            assert_eq!(file_text(bytes).as_deref(), Ok(text));
        }
        assert!(file_text(b"\xFF\xFEa\0").is_err());
        assert!(file_text(b"\xFE\xFF\0a").is_err());
    }
}
