//! Ranges of versions as Maven writes them: `1.2` (that one), `[1.0,2.0)`, `(,3]`, several joined by commas.

use std::cmp::Ordering;
use std::fmt;

/// A range of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VersionRange {
    text: String,
    restrictions: Vec<Restriction>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Restriction {
    from: Option<(String, bool)>,
    to: Option<(String, bool)>,
}

impl VersionRange {
    /// A text that is no range stands for the one version of that name.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        match restrictions(text) {
            Some(restrictions) => Self { text: text.to_owned(), restrictions },
            None => {
                let only = Some((text.to_owned(), true));
                Self {
                    text: format!("[{text},{text}]"),
                    restrictions: vec![Restriction { from: only.clone(), to: only }],
                }
            }
        }
    }

    /// Whether a version is in the range.
    pub(super) fn contains(&self, version: &str) -> bool {
        self.restrictions.iter().any(|restriction| restriction.contains(version))
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Restriction {
    fn contains(&self, version: &str) -> bool {
        let is_in = |bound: &Option<(String, bool)>, beyond: Ordering| match bound {
            None => true,
            Some((bound, is_inclusive)) => match compare(version, bound) {
                Ordering::Equal => *is_inclusive,
                other => other == beyond,
            },
        };
        is_in(&self.from, Ordering::Greater) && is_in(&self.to, Ordering::Less)
    }
}

fn restrictions(text: &str) -> Option<Vec<Restriction>> {
    let mut rest = text;
    let mut restrictions = Vec::new();
    while !rest.is_empty() {
        let inner = rest.strip_prefix(['[', '('])?;
        let end = inner.find([']', ')'])?;
        let (from_inclusive, to_inclusive) = (rest.starts_with('['), inner[end..].starts_with(']'));
        let bound = |text: &str, is_inclusive| {
            let text = text.trim();
            (!text.is_empty()).then(|| (text.to_owned(), is_inclusive))
        };
        restrictions.push(match inner[..end].split_once(',') {
            Some((from, to)) => Restriction { from: bound(from, from_inclusive), to: bound(to, to_inclusive) },
            None => Restriction { from: bound(&inner[..end], true), to: bound(&inner[..end], true) },
        });
        rest = inner[end + 1..].trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    (!restrictions.is_empty()).then_some(restrictions)
}

/// Numbers by value, words after numbers' absence: `1.0-rc1` is before `1.0`, and `1.0` is `1`.
fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (parts(a), parts(b));
    let nothing = Part::Number(0);
    for index in 0..a.len().max(b.len()) {
        let order = a.get(index).unwrap_or(&nothing).cmp(b.get(index).unwrap_or(&nothing));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Word(String),
    Number(u64),
}

fn parts(version: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for piece in version.to_ascii_lowercase().split(['.', '-', '_', '+']) {
        let letters = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
        let (number, word) = piece.split_at(letters);
        parts.extend(number.parse().ok().map(Part::Number));
        if !word.is_empty() {
            parts.push(Part::Word(word.to_owned()));
        }
    }
    parts
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_range_contains_what_is_between_its_bounds() {
        for (range, version, is_in) in [
            ("4.3.0", "4.3.0", true),
            ("4.3", "4.3.0", true),
            ("9.9", "4.3.0", false),
            ("[4.0,5.0)", "4.3.0", true),
            ("[4.0,4.3.0)", "4.3.0", false),
            ("(4.3.0,)", "4.3.0", false),
            ("[4.3.0]", "4.3.0", true),
            ("(,4.3]", "4.3.0", true),
            ("(,1],[4,)", "4.3.0", true),
            ("[4.10,)", "4.9", false),
            ("[1.0,)", "1.0-rc1", false),
            ("", "4.3.0", false),
            ("bogus[", "4.3.0", false),
        ] {
            assert_eq!(VersionRange::parse(range).contains(version), is_in, "{range} {version}");
        }
        assert_eq!(VersionRange::parse("9.9").to_string(), "[9.9,9.9]");
        assert_eq!(VersionRange::parse("").to_string(), "[,]");
        assert_eq!(VersionRange::parse("bogus[").to_string(), "[bogus[,bogus[]");
    }

    proptest! {
        #[test]
        fn a_version_is_in_the_range_of_itself_alone(version in "[0-9]{1,3}(\\.[0-9]{1,3}){0,3}", text: String) {
            prop_assert!(VersionRange::parse(&version).contains(&version));
            let _ = VersionRange::parse(&text).contains(&version);
        }
    }
}
