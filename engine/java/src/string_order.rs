//! The order of Java's strings: by UTF-16 code units, which for characters beyond U+FFFF is not Rust's.

use std::cmp::Ordering;

/// As `String.compareTo`.
pub fn compare_strings(left: &str, right: &str) -> Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_surrogate_pair_comes_before_the_last_characters_of_the_basic_plane() {
        assert_eq!(compare_strings("\u{1F600}", "\u{FF5E}"), Ordering::Less);
        assert_eq!("\u{1F600}".cmp("\u{FF5E}"), Ordering::Greater);
        assert_eq!(compare_strings("a", "ab"), Ordering::Less);
    }
}
