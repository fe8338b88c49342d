//! Java's regular expressions, as far as topic names need them, on fancy-regex.
//!
//! fancy-regex knows look-around, back references, possessive quantifiers and atomic groups. What Java writes in another
//! way is translated: `\Q…\E` and the POSIX classes `\p{Alpha}`, `\p{Alnum}` ….
//!
//! Not translated, since topic names are ASCII: `\p{java…}` classes, and that Java's `\d`, `\w`, `\s` are ASCII only.

use std::fmt;

use fancy_regex::{Captures, Regex};
use volley_api::ConfigValue;

/// Why an expression could not be compiled or matched.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct JavaRegexError(String);

impl From<fancy_regex::Error> for JavaRegexError {
    fn from(error: fancy_regex::Error) -> Self {
        Self(error.to_string())
    }
}

/// A compiled expression, with Java's two ways of matching. `Display` gives it as it was written.
#[derive(Clone, Debug)]
pub struct JavaRegex {
    pattern: String,
    whole: Regex,
    anywhere: Regex,
}

impl JavaRegex {
    /// Compiles a Java regular expression.
    ///
    /// # Errors
    /// If it is malformed, or uses what this module says is not translated.
    pub fn compile(pattern: &str) -> Result<Self, JavaRegexError> {
        let translated = translate(pattern);
        let anywhere = Regex::new(&translated)?;
        let whole = Regex::new(&format!("\\A(?:{translated})\\z"))?;
        Ok(Self { pattern: pattern.to_owned(), whole, anywhere })
    }

    /// Whether the whole of `text` matches (Java: `Matcher.matches`).
    ///
    /// # Errors
    /// If the expression backtracks without end.
    pub fn matches(&self, text: &str) -> Result<bool, JavaRegexError> {
        Ok(self.whole.is_match(text)?)
    }

    /// The first occurrence in `text` (Java: `Matcher.find`).
    ///
    /// # Errors
    /// If the expression backtracks without end.
    pub fn first<'t>(&self, text: &'t str) -> Result<Option<Captures<'t>>, JavaRegexError> {
        Ok(self.anywhere.captures(text)?)
    }

    /// All occurrences in `text`, one behind the other. One that cannot be found, since the expression backtracks without end, is
    /// the last.
    pub(crate) fn all<'t>(&self, text: &'t str) -> impl Iterator<Item = Result<Captures<'t>, JavaRegexError>> {
        self.anywhere.captures_iter(text).map(|found| found.map_err(JavaRegexError::from))
    }

    /// Number of capturing groups, without group 0.
    pub fn groups(&self) -> usize {
        self.anywhere.captures_len() - 1
    }

    /// The number of the group `name`.
    pub fn group(&self, name: &str) -> Option<usize> {
        self.anywhere.capture_names().position(|known| known == Some(name))
    }
}

impl fmt::Display for JavaRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pattern)
    }
}

/// A validator of `ConfigDef` keys, with Kafka's wording.
///
/// # Errors
/// If the value is no regular expression.
pub fn validate_java_regex(value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::String(pattern) => {
            JavaRegex::compile(pattern).map(drop).map_err(|error| format!("Invalid regex: {error}"))
        }
        // what Java's pattern says of a null
        _ => Err("Invalid regex: Cannot invoke \"String.isEmpty()\" because \"this.pattern\" is null".to_owned()),
    }
}

/// Java's syntax to fancy-regex's.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at..];
        if let Some(quoted) = escape.strip_prefix("\\Q") {
            let (literal, after) = quoted.split_once("\\E").unwrap_or((quoted, ""));
            out.push_str(&fancy_regex::escape(literal));
            rest = after;
        } else if let Some((class, after)) = posix_class(escape) {
            out.push_str(&class);
            rest = after;
        } else {
            let end = 1 + escape[1..].chars().next().map_or(0, char::len_utf8);
            out.push_str(&escape[..end]);
            rest = &escape[end..];
        }
    }
    out.push_str(rest);
    out
}

/// `\p{Alpha}…` → (`[[:alpha:]]`, `…`).
fn posix_class(escape: &str) -> Option<(String, &str)> {
    const CLASSES: [&str; 13] = [
        "Lower", "Upper", "ASCII", "Alpha", "Digit", "Alnum", "Punct", "Graph", "Print", "Blank", "Cntrl", "XDigit",
        "Space",
    ];
    let (negated, braced) = match escape.strip_prefix("\\p{") {
        Some(braced) => (false, braced),
        None => (true, escape.strip_prefix("\\P{")?),
    };
    let (name, after) = braced.split_once('}')?;
    let class = CLASSES.iter().find(|class| **class == name)?.to_lowercase();
    Some((format!("[[:{}{class}:]]", if negated { "^" } else { "" }), after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn java_only_syntax_is_translated() {
        for (pattern, text, expected) in [
            ("\\Qa+b\\E", "a+b", true),
            ("\\Qa+b", "a+b", true),
            ("x\\Q.\\E.y", "x.zy", true),
            ("\\p{Alpha}+", "abc", true),
            ("\\p{Alpha}+", "ab1", false),
            ("[\\p{Digit}_]+", "1_2", true),
            ("\\P{Digit}+", "ab", true),
            ("\\p{L}+", "äb", true),
            ("(?<!x)a", "a", true),
            ("(a)\\1", "aa", true),
            ("a++b", "aab", true),
            ("(?i)ORDERS", "orders", true),
        ] {
            assert_eq!(JavaRegex::compile(pattern).unwrap().matches(text).unwrap(), expected, "{pattern} on {text}");
        }
    }

    proptest! {
        #[test]
        fn no_pattern_and_no_text_panics(pattern in "\\PC{0,20}", text in "\\PC{0,20}") {
            if let Ok(regex) = JavaRegex::compile(&pattern) {
                let _ = regex.matches(&text);
                let _ = regex.first(&text);
            }
        }

        #[test]
        fn a_quoted_text_matches_itself_only(text in "[^\\\\]{1,12}", other in "[^\\\\]{1,12}") {
            let regex = JavaRegex::compile(&format!("\\Q{text}\\E")).unwrap();
            prop_assert!(regex.matches(&text).unwrap());
            prop_assert_eq!(regex.matches(&other).unwrap(), text == other);
        }
    }
}
