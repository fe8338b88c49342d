//! Java property files, as `java.util.Properties.load(InputStream)` reads them.
//!
//! ISO-8859-1; `#` and `!` comments; `=`, `:` or blanks between key and value; a `\` at the end of a line continues it;
//! `\t \n \r \f \uXXXX` escapes, any other `\x` is `x`. Of two equal keys the later one counts.

use std::path::Path;

use volley_api::{ConfigMap, Error, Result};

/// Reads a property file.
///
/// # Errors
/// `Config` if it cannot be read or has a malformed `\u` escape, naming the file and the line.
pub fn read_properties(path: &Path) -> Result<ConfigMap> {
    let bytes = std::fs::read(path).map_err(|error| {
        Error::config(format!("Could not read properties from file {}", path.display())).with_source(error)
    })?;
    parse_properties(&bytes, &path.display().to_string())
}

/// Parses the content of a property file; `name` is its name in errors.
///
/// # Errors
/// See [`read_properties`].
pub fn parse_properties(bytes: &[u8], name: &str) -> Result<ConfigMap> {
    let mut properties = ConfigMap::new();
    for line in logical_lines(bytes) {
        let (key, value) = split(&line.text);
        let text = |part: &[u8]| unescape(part).map_err(|escape| malformed(name, line.number, &escape));
        properties.insert(text(key)?, text(value)?);
    }
    Ok(properties)
}

fn malformed(name: &str, line: usize, escape: &str) -> Error {
    Error::config(format!(
        "could not parse `{name}`, line {line}: malformed escape `{escape}`, which must be \\u and four hexadecimal digits"
    ))
}

/// A key and its value, continuations joined.
struct LogicalLine {
    number: usize,
    text: Vec<u8>,
}

fn logical_lines(bytes: &[u8]) -> Vec<LogicalLine> {
    let mut lines: Vec<LogicalLine> = Vec::new();
    let mut continues = false;
    for (index, natural) in natural_lines(bytes).enumerate() {
        let line = skip_blanks(natural);
        if !continues && matches!(line.first(), None | Some(b'#' | b'!')) {
            continue;
        }
        let is_continued = line.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1;
        let text = if is_continued { &line[..line.len() - 1] } else { line };
        match lines.last_mut().filter(|_| continues) {
            Some(last) => last.text.extend(text),
            None => lines.push(LogicalLine { number: index + 1, text: text.to_vec() }),
        }
        continues = is_continued;
    }
    lines
}

fn natural_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let current = rest?;
        let Some(end) = current.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            rest = None;
            return Some(current);
        };
        let terminator = if current[end..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = Some(&current[end + terminator..]);
        Some(&current[..end])
    })
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0C)
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_blank(*byte)).unwrap_or(text.len());
    &text[start..]
}

fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let mut escaped = false;
    let end = line.iter().position(|byte| {
        let ends = !escaped && (matches!(byte, b'=' | b':') || is_blank(*byte));
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    let Some(end) = end else { return (line, &[]) };
    let value = skip_blanks(&line[end..]);
    match value.split_first() {
        Some((b'=' | b':', rest)) => (&line[..end], skip_blanks(rest)),
        _ => (&line[..end], value),
    }
}

/// The text of escaped ISO-8859-1 bytes, or the escape that is malformed.
fn unescape(bytes: &[u8]) -> std::result::Result<String, String> {
    let mut units: Vec<u16> = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            units.push(u16::from(*byte));
            continue;
        }
        let Some((escape, after)) = rest.split_first() else { break };
        rest = after;
        units.push(match escape {
            b't' => 0x09,
            b'n' => 0x0A,
            b'r' => 0x0D,
            b'f' => 0x0C,
            b'u' => {
                let digits = rest.get(..4).unwrap_or(rest);
                rest = &rest[digits.len()..];
                hexadecimal(digits).ok_or_else(|| format!("\\u{}", digits.escape_ascii()))?
            }
            other => u16::from(*other),
        });
    }
    Ok(String::from_utf16_lossy(&units))
}

fn hexadecimal(digits: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.len() == 4)?;
    text.chars().all(|c| c.is_ascii_hexdigit()).then(|| u16::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Vec<(String, String)> {
        parse_properties(text.as_bytes(), "test").unwrap().into_iter().collect()
    }

    fn one(text: &str) -> (String, String) {
        let mut all = parse(text);
        assert_eq!(all.len(), 1, "{text:?}");
        all.remove(0)
    }

    #[test]
    fn all_separators_are_known() {
        for text in ["k=v", "k:v", "k v", "  k =  v", "k\t:\tv", "k  v\n", "\u{c}k = v\r\n"] {
            assert_eq!(one(text), ("k".into(), "v".into()), "{text:?}");
        }
        assert_eq!(one("k"), ("k".into(), String::new()));
        assert_eq!(one("k = = v "), ("k".into(), "= v ".into()));
        assert_eq!(one("= v"), (String::new(), "v".into()));
        assert_eq!(one(r"a\=b\:c\ d = v"), ("a=b:c d".into(), "v".into()));
    }

    #[test]
    fn lines_continue_and_comments_do_not() {
        assert_eq!(one("topics = a,\\\n   b,\\\r\n\tc"), ("topics".into(), "a,b,c".into()));
        assert_eq!(one("# comment \\\nk=v"), ("k".into(), "v".into()));
        assert_eq!(one("k=a\\\n# b"), ("k".into(), "a# b".into()));
        assert_eq!(one("k=a\\\\\n"), ("k".into(), "a\\".into()));
        assert_eq!(one("k=a\\"), ("k".into(), "a".into()));
        assert_eq!(parse("! c\n\n   \n# d"), []);
        assert_eq!(parse("a=1\\\n\nb=2"), [("a".into(), "1".into()), ("b".into(), "2".into())]);
    }

    #[test]
    fn escapes_and_latin_1_are_decoded() {
        assert_eq!(one(r"k=a\tb\nc\u00e4\zq"), ("k".into(), "a\tb\ncäzq".into()));
        assert_eq!(one(r"k=\uD83D\uDE00"), ("k".into(), "😀".into()));
        assert_eq!(parse_properties(b"k=\xE4", "t").unwrap()["k"], "ä");
    }

    #[test]
    fn a_malformed_escape_is_named_with_file_and_line() {
        for text in [r"k=\u12", r"k=\u12zz", r"k=\u+123", r"k=\u"] {
            let error = parse_properties(format!("a=b\n{text}").as_bytes(), "worker.properties").unwrap_err();
            assert!(error.to_string().contains("`worker.properties`, line 2"), "{error}");
        }
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        assert_eq!(one("k=1\nk=2"), ("k".into(), "2".into()));
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes in any::<Vec<u8>>()) {
            let _ = parse_properties(&bytes, "test");
        }

        #[test]
        fn plain_pairs_are_read_back(pairs in prop::collection::btree_map("[a-z.]{1,9}", "[a-z0-9/][a-z0-9 =:/]{0,9}", 0..9)) {
            let text: String = pairs.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
            let parsed: std::collections::BTreeMap<_, _> = parse(&text).into_iter().collect();
            prop_assert_eq!(parsed, pairs);
        }
    }
}
