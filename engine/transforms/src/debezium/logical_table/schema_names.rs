//! `schema.name.adjustment.mode`: names of schemas as Avro allows them.

use std::fmt::Write;

/// How names are made fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SchemaNames {
    /// As they are.
    AsTheyAre,
    /// `_` in place of what Avro does not allow.
    Avro,
    /// `_uxxxx` in place of what Avro does not allow, and of `_`.
    AvroUnicode,
}

impl SchemaNames {
    pub(super) const MODES: [&str; 3] = ["none", "avro", "avro_unicode"];

    pub(super) fn of(mode: &str) -> Self {
        match mode.to_ascii_lowercase().as_str() {
            "avro" => Self::Avro,
            "avro_unicode" => Self::AvroUnicode,
            _ => Self::AsTheyAre,
        }
    }

    pub(super) fn adjust(self, name: &str) -> String {
        if self == Self::AsTheyAre {
            return name.to_owned();
        }
        let mut adjusted = String::with_capacity(name.len());
        for (place, unit) in name.encode_utf16().enumerate() {
            let found = char::from_u32(u32::from(unit)).filter(|found| self.allows(*found, place == 0));
            match found.or_else(|| first_digit(unit).filter(|_| self == Self::Avro)) {
                Some(allowed) => {
                    if place == 0 && allowed.is_ascii_digit() {
                        adjusted.push('_');
                    }
                    adjusted.push(allowed);
                }
                None if self == Self::Avro => adjusted.push('_'),
                None => {
                    let _ = write!(adjusted, "_u{unit:04x}");
                }
            }
        }
        adjusted
    }

    fn allows(self, found: char, is_first: bool) -> bool {
        let is_inner = found.is_ascii_digit() || found == '.';
        found.is_ascii_alphabetic() || (found == '_' && self == Self::Avro) || (is_inner && !is_first)
    }
}

/// A digit where none may stand, which stays behind a `_`.
fn first_digit(unit: u16) -> Option<char> {
    char::from_u32(u32::from(unit)).filter(char::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_fit_for_avro() {
        assert_eq!(SchemaNames::of("none").adjust("1-a"), "1-a");
        assert_eq!(SchemaNames::of("AVRO").adjust("1-a.2_b"), "_1_a.2_b");
        assert_eq!(SchemaNames::of("avro_unicode").adjust("a-b_c"), "a_u002db_u005fc");
    }
}
