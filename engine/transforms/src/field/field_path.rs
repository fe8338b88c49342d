//! The way to a field, as users write it.
//!
//! | version | text | steps |
//! |---|---|---|
//! | V1 | `a.b` | `a.b` |
//! | V2 | `a.b` | `a`, `b` |
//! | V2 | `` `a.b`.c `` | `a.b`, `c` |
//! | V2 | `` `a\`.b` `` | `` a`.b `` |

use volley_api::{Error, Result};

/// Names of fields from the root on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldPath {
    pub(crate) steps: Vec<String>,
}

impl FieldPath {
    /// A field of the root, whatever its name has in it.
    pub(crate) fn of_root(name: &str) -> Self {
        Self { steps: vec![name.to_owned()] }
    }

    /// Steps with dots between them.
    ///
    /// # Errors
    /// `Config` if a backtick at the start of a step has none that ends it.
    pub(crate) fn dotted(text: &str) -> Result<Self> {
        let mut steps = Vec::new();
        let mut rest = (!text.is_empty()).then_some(text);
        while let Some(open) = rest {
            let (step, behind) = match open.strip_prefix('`') {
                Some(quoted) => quoted_step(quoted).ok_or_else(|| incomplete(text, open))?,
                None => match open.split_once('.') {
                    Some((step, behind)) => (step.to_owned(), Some(behind)),
                    None => (open.to_owned(), None),
                },
            };
            steps.push(step);
            rest = behind;
        }
        Ok(Self { steps })
    }
}

/// The step up to the backtick that a dot or the end follows, and what is behind the dot. A backslash before such a backtick
/// makes it a part of the name.
fn quoted_step(quoted: &str) -> Option<(String, Option<&str>)> {
    let mut step = String::new();
    let mut start = 0;
    for (at, _) in quoted.match_indices('`') {
        let behind = &quoted[at + 1..];
        if !behind.is_empty() && !behind.starts_with('.') {
            continue;
        }
        match quoted[start..at].strip_suffix('\\') {
            Some(escaped) => {
                step.push_str(escaped);
                start = at;
            }
            None => {
                step.push_str(&quoted[start..at]);
                return Some((step, behind.strip_prefix('.')));
            }
        }
    }
    None
}

fn incomplete(text: &str, open: &str) -> Error {
    let position = text[..text.len() - open.len()].encode_utf16().count();
    Error::config(format!(
        "Incomplete backtick pair in path: [{text}], consider adding a backslash before backtick at position {position} to escape it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_the_steps_that_kafka_finds_in_them() {
        for (text, steps) in [
            ("a.b", vec!["a", "b"]),
            ("`a.b`.c", vec!["a.b", "c"]),
            ("`a`b`.c", vec!["a`b", "c"]),
            ("a..b", vec!["a", "", "b"]),
            ("", vec![]),
            ("a\\`b", vec!["a\\`b"]),
            ("`a\\`.b`", vec!["a`.b"]),
            ("`a`.", vec!["a", ""]),
            (".a", vec!["", "a"]),
            ("`a``", vec!["a`"]),
            ("a`b.c", vec!["a`b", "c"]),
            ("``", vec![""]),
            ("`.`", vec!["."]),
            ("a.`b`c`.d", vec!["a", "b`c", "d"]),
            ("a.b`", vec!["a", "b`"]),
            ("`a\\`b`", vec!["a\\`b"]),
            ("`a\\\\`.b`", vec!["a\\`.b"]),
            ("é.日本", vec!["é", "日本"]),
            ("..", vec!["", "", ""]),
        ] {
            assert_eq!(FieldPath::dotted(text).unwrap().steps, steps, "{text}");
        }
    }

    #[test]
    fn a_backtick_that_nothing_ends_is_named_with_its_place() {
        let message = FieldPath::dotted("é.`b.c").unwrap_err().to_string();
        let expected = "Incomplete backtick pair in path: [é.`b.c], consider adding a backslash before backtick at position 2 to escape it";
        assert_eq!(message, expected);
        assert!(FieldPath::dotted("`a`x.b").is_err());
    }
}
