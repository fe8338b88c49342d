//! The order of Java's strings: by UTF-16 code units, which for characters beyond U+FFFF is not Rust's.

use std::cmp::Ordering;

use crate::connector_task_id::ConnectorTaskId;

/// As `String.compareTo`.
pub(super) fn compare_strings(left: &str, right: &str) -> Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}

/// As `ConnectorTaskId.compareTo`: by connector, then by number.
pub(super) fn compare_tasks(left: &ConnectorTaskId, right: &ConnectorTaskId) -> Ordering {
    compare_strings(&left.connector, &right.connector).then(left.task.cmp(&right.task))
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
