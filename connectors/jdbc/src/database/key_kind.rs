//! Keys by whose values a table can be divided into ranges.

/// What the values of a column are when they stand in SQL. The database compares them, never we.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Exact numbers: two are equal exactly if their texts are.
    Number,
    /// Anything that a text stands for. Two may be equal whose texts are not.
    Text,
    /// Bytes: their text is in base 16.
    Bytes,
}
