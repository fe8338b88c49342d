//! Java property files, as `java.util.Properties.load` reads them.
//!
//! UTF-8 or ISO-8859-1, whichever the bytes are; `#` and `!` comments; `=`, `:` or blanks between key and value; a `\` at the end of a line continues it;
//! `\t \n \r \f \uXXXX` escapes, any other `\x` is `x`. Of two equal keys the later one counts.

use std::path::Path;

use volley_api::{ConfigMap, Error, Result};

use crate::file_text;

/// Reads a property file.
///
/// # Errors
/// `Config` if it cannot be read, is UTF-16, or has a malformed `\u` escape, naming the file and the line.
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
    let text = file_text(bytes).map_err(|error| Error::config(format!("could not read `{name}`: {error}")))?;
    let mut properties = ConfigMap::new();
    for line in logical_lines(&text) {
        let (key, value) = split(&line.text);
        let text = |part: &str| unescape(part).map_err(|escape| malformed(name, line.number, &escape));
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
    text: String,
}

fn logical_lines(text: &str) -> Vec<LogicalLine> {
    let mut lines: Vec<LogicalLine> = Vec::new();
    let mut continues = false;
    for (index, natural) in natural_lines(text).enumerate() {
        let line = natural.trim_start_matches(is_blank);
        if !continues && (line.is_empty() || line.starts_with(['#', '!'])) {
            continue;
        }
        let is_continued = line.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1;
        let text = if is_continued { &line[..line.len() - 1] } else { line };
        match lines.last_mut().filter(|_| continues) {
            Some(last) => last.text.push_str(text),
            None => lines.push(LogicalLine { number: index + 1, text: text.to_owned() }),
        }
        continues = is_continued;
    }
    lines
}

fn natural_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let current = rest?;
        let Some(end) = current.find(['\n', '\r']) else {
            rest = None;
            return Some(current);
        };
        let terminator = if current[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = Some(&current[end + terminator..]);
        Some(&current[..end])
    })
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}

fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.find(|c| {
        let ends = !escaped && (matches!(c, '=' | ':') || is_blank(c));
        escaped = c == '\\' && !escaped;
        ends
    });
    let Some(end) = end else { return (line, "") };
    let value = line[end..].trim_start_matches(is_blank);
    match value.strip_prefix(['=', ':']) {
        Some(rest) => (&line[..end], rest.trim_start_matches(is_blank)),
        None => (&line[..end], value),
    }
}

/// The text without its escapes, or the escape that is malformed.
fn unescape(text: &str) -> std::result::Result<String, String> {
    // Two escapes may be one character, so it goes by UTF-16.
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let c = match c {
            '\\' => match rest.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some('u') => {
                    let digits: String = rest.by_ref().take(4).collect();
                    units.push(hexadecimal(&digits).ok_or_else(|| format!("\\u{}", digits.escape_debug()))?);
                    continue;
                }
                Some(other) => other,
                None => break,
            },
            c => c,
        };
        units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    }
    Ok(String::from_utf16_lossy(&units))
}

fn hexadecimal(digits: &str) -> Option<u16> {
    let is_whole = digits.len() == 4 && digits.chars().all(|c| c.is_ascii_hexdigit());
    is_whole.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
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
    fn escapes_utf_8_and_latin_1_are_decoded() {
        assert_eq!(one(r"k=a\tb\nc\u00e4\zq"), ("k".into(), "a\tb\ncäzq".into()));
        assert_eq!(one(r"k=\uD83D\uDE00"), ("k".into(), "😀".into()));
        assert_eq!(one(r"k=\Köln \u20ac €\😀"), ("k".into(), "Köln € €😀".into()));
        assert_eq!(one("\u{feff}# a comment\nk=v"), ("k".into(), "v".into()));
        assert_eq!(one("straße=Ä\u{85}\u{a0}\\\n b"), ("straße".into(), "Ä\u{85}\u{a0}b".into()));
        assert_eq!(parse_properties(b"k=\xE4\\\xE4", "t").unwrap()["k"], "ää");
        let error = parse_properties(b"\xFF\xFEk\0", "worker.properties").unwrap_err();
        assert_eq!(error.to_string(), "could not read `worker.properties`: it is UTF-16; save it as UTF-8");
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
