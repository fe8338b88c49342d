//! Versions of plug-ins and Maven's version ranges (KIP-891): `4.3.0`, `[4.0,5.0)`, `[4.3.0]`, `(,4.0],[4.2,)`.
//!
//! A version without brackets matches only itself. Versions are compared part by part: numbers by value, words by
//! meaning (`alpha` < `beta` < `milestone` < `rc` < `snapshot` < release < `sp` < other words). Trailing zeros do not
//! count.

use std::cmp::Ordering;
use std::fmt;

/// The versions that match.
#[derive(Clone, Debug)]
pub(crate) struct VersionRange(Vec<Restriction>);

#[derive(Clone, Debug)]
struct Restriction {
    /// Lowest version, and whether it is included.
    low: Option<(String, bool)>,
    /// Highest version, and whether it is included.
    high: Option<(String, bool)>,
}

impl VersionRange {
    /// Parses a range.
    ///
    /// # Errors
    /// Maven's message for a malformed range.
    pub(crate) fn parse(spec: &str) -> Result<Self, String> {
        let enclosed = match spec.starts_with(['[', '(']) {
            true => spec.to_owned(),
            false => format!("[{spec}]"),
        };
        let (mut restrictions, mut rest) = (Vec::new(), enclosed.as_str());
        while rest.starts_with(['[', '(']) {
            let end = rest.find([')', ']']).ok_or_else(|| format!("Unbounded range: {enclosed}"))?;
            restrictions.push(Restriction::parse(&rest[..=end])?);
            rest = rest[end + 1..].trim();
            rest = rest.strip_prefix(',').map_or(rest, str::trim);
        }
        if !rest.is_empty() {
            return Err(format!("Only fully-qualified sets allowed in multiple set scenario: {enclosed}"));
        }
        Ok(Self(restrictions))
    }

    /// Whether a version is within the range.
    pub(crate) fn contains(&self, version: &str) -> bool {
        self.0.iter().any(|restriction| restriction.contains(version))
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let restrictions: Vec<String> = self.0.iter().map(Restriction::to_string).collect();
        f.write_str(&restrictions.join(","))
    }
}

impl Restriction {
    /// Parses a range with its brackets.
    fn parse(spec: &str) -> Result<Self, String> {
        let (includes_low, includes_high) = (spec.starts_with('['), spec.ends_with(']'));
        let inner = spec[1..spec.len() - 1].trim();
        let Some((low, high)) = inner.split_once(',') else {
            if !includes_low || !includes_high {
                return Err(format!("Single version must be surrounded by []: {spec}"));
            }
            // even if it is empty: no plug-in has an empty version
            let version = Some((inner.to_owned(), true));
            return Ok(Self { low: version.clone(), high: version });
        };
        let (low, high) = (bound(low.trim(), includes_low), bound(high.trim(), includes_high));
        if let (Some((low, _)), Some((high, _))) = (&low, &high) {
            match compare(low, high) {
                Ordering::Greater => return Err(format!("Range defies version ordering: {spec}")),
                Ordering::Equal if !(includes_low && includes_high) => {
                    return Err(format!("Range cannot have identical boundaries: {spec}"));
                }
                _ => {}
            }
        }
        Ok(Self { low, high })
    }

    fn contains(&self, version: &str) -> bool {
        let above = self.low.as_ref().is_none_or(|(low, included)| match compare(version, low) {
            Ordering::Less => false,
            Ordering::Equal => *included,
            Ordering::Greater => true,
        });
        let below = self.high.as_ref().is_none_or(|(high, included)| match compare(version, high) {
            Ordering::Greater => false,
            Ordering::Equal => *included,
            Ordering::Less => true,
        });
        above && below
    }
}

fn bound(version: &str, is_included: bool) -> Option<(String, bool)> {
    (!version.is_empty()).then(|| (version.to_owned(), is_included))
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = |bound: &Option<(String, bool)>| bound.as_ref().map(|(version, _)| version.clone());
        let includes = |bound: &Option<(String, bool)>, other: &Option<(String, bool)>| match bound {
            Some((_, included)) => *included,
            None => other.is_none(),
        };
        let open = if includes(&self.low, &self.high) { '[' } else { '(' };
        let close = if includes(&self.high, &self.low) { ']' } else { ')' };
        let (low, high) = (version(&self.low).unwrap_or_default(), version(&self.high).unwrap_or_default());
        write!(f, "{open}{low},{high}{close}")
    }
}

/// A part of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Number(u128),
    Word(String),
}

impl Part {
    /// The rank of the part in comparisons: a missing part is the number 0.
    fn rank(&self) -> (u8, u128, &str) {
        match self {
            Self::Number(0) => (6, 0, ""),
            Self::Number(number) => (9, *number, ""),
            Self::Word(word) => match word.as_str() {
                "alpha" | "a" => (1, 0, ""),
                "beta" | "b" => (2, 0, ""),
                "milestone" | "m" => (3, 0, ""),
                "rc" | "cr" => (4, 0, ""),
                "snapshot" => (5, 0, ""),
                "" | "ga" | "final" | "release" => (6, 0, ""),
                "sp" => (7, 0, ""),
                other => (8, 0, other),
            },
        }
    }
}

pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (parts(left), parts(right));
    let nothing = Part::Number(0);
    (0..left.len().max(right.len()))
        .map(|at| left.get(at).unwrap_or(&nothing).rank().cmp(&right.get(at).unwrap_or(&nothing).rank()))
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn parts(version: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut part = String::new();
    for character in version.to_lowercase().chars() {
        let is_separator = matches!(character, '.' | '-' | '_' | '+');
        let changes = part.chars().next_back().is_some_and(|last| last.is_ascii_digit() != character.is_ascii_digit());
        if (is_separator || changes) && !part.is_empty() {
            parts.push(as_part(&std::mem::take(&mut part)));
        }
        if !is_separator {
            part.push(character);
        }
    }
    if !part.is_empty() {
        parts.push(as_part(&part));
    }
    parts
}

fn as_part(text: &str) -> Part {
    text.parse().map_or_else(|_| Part::Word(text.to_owned()), Part::Number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn contains(spec: &str, version: &str) -> bool {
        VersionRange::parse(spec).unwrap().contains(version)
    }

    #[test]
    fn ranges_are_those_of_maven() {
        for spec in
            ["4.3.0", "4.3", "[4.3.0]", "[4.0,5.0)", "[4.3.0,)", "[4.0,4.3.0),[4.3.0]", "[4.3.0-rc1,4.3.0]", "(,9)"]
        {
            assert!(contains(spec, "4.3.0"), "{spec}");
        }
        for spec in ["", "[]", "9.0", "[9.0]", "(4.3.0,)", "(,4.0]", "nonsense", "[4.3.1,)", "[4.0,4.3.0)"] {
            assert!(!contains(spec, "4.3.0"), "{spec}");
        }
    }

    #[test]
    fn ranges_are_shown_as_maven_shows_them() {
        for (spec, shown) in
            [("[9.0]", "[9.0,9.0]"), ("9.0", "[9.0,9.0]"), ("(,4.0]", "(,4.0]"), ("(4.3.0,)", "(4.3.0,)"), ("", "[,]")]
        {
            assert_eq!(VersionRange::parse(spec).unwrap().to_string(), shown, "{spec}");
        }
    }

    #[test]
    fn what_is_no_range_is_said_in_maven_s_words() {
        for (spec, message) in [
            ("[[[", "Unbounded range: [[["),
            ("[4.3.0", "Unbounded range: [4.3.0"),
            ("[5,4]", "Range defies version ordering: [5,4]"),
            ("(4.3.0)", "Single version must be surrounded by []: (4.3.0)"),
            ("[4,4)", "Range cannot have identical boundaries: [4,4)"),
            ("4]", "Only fully-qualified sets allowed in multiple set scenario: [4]]"),
            ("[4]5", "Only fully-qualified sets allowed in multiple set scenario: [4]5"),
        ] {
            assert_eq!(VersionRange::parse(spec).unwrap_err(), message);
        }
    }

    #[test]
    fn versions_are_ordered_by_what_their_words_mean() {
        let ascending = ["4.2", "4.3-alpha1", "4.3-beta", "4.3-rc2", "4.3-SNAPSHOT", "4.3", "4.3-sp1", "4.3.1", "4.10"];
        for pair in ascending.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
        assert_eq!(compare("4.3", "4.3.0-ga"), Ordering::Equal);
    }

    proptest! {
        #[test]
        fn no_text_panics(spec in "[\\[\\](),0-9a-z. -]{0,16}", version in "\\PC{0,8}") {
            if let Ok(range) = VersionRange::parse(&spec) {
                range.contains(&version);
                range.to_string();
            }
        }
    }
}
