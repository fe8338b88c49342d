//! Java's replacement texts: `$1`, `${name}`, and `\` before a character that stands for itself.

use fancy_regex::Captures;

use crate::{JavaRegex, JavaRegexError};

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Group(usize),
}

/// A replacement text, checked against the groups of its expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Replacement {
    parts: Vec<Part>,
}

impl Replacement {
    /// Parses `text`. The reasons of errors are Java's, so that users can look them up.
    pub fn parse(text: &str, regex: &JavaRegex) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            rest = &rest[first.len_utf8()..];
            match first {
                '\\' => {
                    let escaped = rest.chars().next().ok_or("character to be escaped is missing")?;
                    literal.push(escaped);
                    rest = &rest[escaped.len_utf8()..];
                }
                '$' => {
                    if !literal.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut literal)));
                    }
                    let (group, after) = parse_group(rest, regex)?;
                    parts.push(Part::Group(group));
                    rest = after;
                }
                other => literal.push(other),
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self { parts })
    }

    /// `text` with the match replaced.
    pub fn apply(&self, text: &str, captures: &Captures<'_>) -> String {
        let (start, end) = captures.get(0).map_or((0, 0), |whole| (whole.start(), whole.end()));
        let mut out = text[..start].to_owned();
        self.expand(captures, &mut out);
        out.push_str(&text[end..]);
        out
    }

    /// `text` with every match replaced (Java: `Matcher.replaceAll`).
    ///
    /// # Errors
    /// If the expression backtracks without end.
    pub fn apply_everywhere(&self, text: &str, regex: &JavaRegex) -> Result<String, JavaRegexError> {
        let (mut out, mut behind) = (String::with_capacity(text.len()), 0);
        for captures in regex.all(text) {
            let captures = captures?;
            let (start, end) = captures.get(0).map_or((behind, behind), |whole| (whole.start(), whole.end()));
            out.push_str(&text[behind..start]);
            self.expand(&captures, &mut out);
            behind = end;
        }
        out.push_str(&text[behind..]);
        Ok(out)
    }

    fn expand(&self, captures: &Captures<'_>, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(literal) => out.push_str(literal),
                Part::Group(group) => out.push_str(captures.get(*group).map_or("", |group| group.as_str())),
            }
        }
    }
}

/// What follows a `$`: the group and the text after it. A further digit belongs to the number as long as such a group exists.
fn parse_group<'t>(rest: &'t str, regex: &JavaRegex) -> Result<(usize, &'t str), String> {
    if let Some(braced) = rest.strip_prefix('{') {
        let (name, after) = braced.split_once('}').ok_or("named capturing group is missing trailing '}'")?;
        let group = regex.group(name).ok_or_else(|| format!("No group with name {{{name}}}"))?;
        return Ok((group, after));
    }
    let mut digits = rest.chars().map_while(|digit| digit.to_digit(10)).map(|digit| digit as usize);
    let mut group = digits.next().ok_or("Illegal group reference")?;
    if group > regex.groups() {
        return Err(format!("No group {group}"));
    }
    let mut length = 1;
    for digit in digits {
        let longer = group.saturating_mul(10).saturating_add(digit);
        if longer > regex.groups() {
            break;
        }
        group = longer;
        length += 1;
    }
    Ok((group, &rest[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_match_is_replaced_as_in_java() {
        let replaced = |pattern: &str, replacement: &str, text: &str| {
            let regex = JavaRegex::compile(pattern).unwrap();
            Replacement::parse(replacement, &regex).unwrap().apply_everywhere(text, &regex).unwrap()
        };
        assert_eq!(replaced("a", "<$0>", "banana"), "b<a>n<a>n<a>");
        assert_eq!(replaced("(.)a", "a$1", "banana"), "abanan");
        assert_eq!(replaced("x*", "-", "ab"), "-a-b-");
        assert_eq!(replaced("x", "y", "äöü"), "äöü");
    }

    proptest! {
        #[test]
        fn no_replacement_panics(text in "[$\\\\{}0-9a-zü]{0,12}", topic in "[a-c]{0,6}") {
            let regex = JavaRegex::compile("(?<name>a)?(b*)(.*)").unwrap();
            if let Ok(replacement) = Replacement::parse(&text, &regex)
                && let Some(captures) = regex.first(&topic).unwrap()
            {
                replacement.apply(&topic, &captures);
            }
        }

        #[test]
        fn text_without_special_characters_replaces_as_it_is(text in "[a-z.-]{0,12}") {
            let regex = JavaRegex::compile(".+").unwrap();
            let replacement = Replacement::parse(&text, &regex).unwrap();
            let captures = regex.first("orders").unwrap().unwrap();
            prop_assert_eq!(replacement.apply("orders", &captures), text);
        }
    }
}
