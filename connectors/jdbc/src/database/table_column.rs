//! A column of a table, as the catalog has it.

use super::KeyKind;

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Whether it may be null.
    pub is_nullable: bool,
    /// Whether the database counts it up by itself.
    pub is_autoincrement: bool,
    /// Its place in the primary key, if it is in it: the smallest is the first.
    pub primary_key_place: Option<i32>,
    /// What its values are as keys that divide a table into ranges; `None` if they cannot.
    pub key_kind: Option<KeyKind>,
}
