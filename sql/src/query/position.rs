//! Places in the text of a query, and the reasons to refuse it there.

use std::fmt;

use datafusion::sql::sqlparser::tokenizer::{Location, Span};

/// A place in the text of a query, counted from 1 as in editors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u64,
    /// Character in the line, from 1.
    pub column: u64,
}

impl Position {
    /// The first character.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The place after the last character of `text`.
    pub fn end_of(text: &str) -> Self {
        let mut lines = text.split('\n');
        let last = lines.next_back().unwrap_or_default();
        Self { line: 1 + lines.count() as u64, column: 1 + last.chars().count() as u64 }
    }

    /// The start of `span`; `fallback` if the parser has no place.
    pub(crate) fn of(span: Span, fallback: Self) -> Self {
        Self::at(span.start).unwrap_or(fallback)
    }

    pub(crate) fn at(location: Location) -> Option<Self> {
        (location.line > 0).then_some(Self { line: location.line, column: location.column })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The reason why a query cannot be a transformation. `Display` begins with the position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The place in the query.
    pub position: Position,
    /// The error, and how to correct it.
    pub reason: String,
}

impl Refusal {
    pub(crate) fn new(position: Position, reason: impl Into<String>) -> Self {
        Self { position, reason: reason.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.position, self.reason)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_text_is_after_its_last_character() {
        assert_eq!(Position::end_of(""), Position::START);
        assert_eq!(Position::end_of("ab"), Position { line: 1, column: 3 });
        assert_eq!(Position::end_of("ab\nü"), Position { line: 2, column: 2 });
    }
}
