//! Why a record cannot have the schema of a file.

use std::fmt;

/// A part of a value that does not go over from one schema to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// Names of the fields that lead there, outermost first; none: the value itself.
    path: Vec<String>,
    /// What is wrong there.
    reason: String,
}

impl Mismatch {
    /// Of the part that is looked at.
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { path: Vec::new(), reason: reason.into() }
    }

    /// The same, seen from the struct around it.
    #[must_use]
    pub(crate) fn within(mut self, field: &str) -> Self {
        self.path.insert(0, field.to_owned());
        self
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_slice() {
            [] => write!(f, "the value: {}", self.reason),
            path => write!(f, "field `{}`: {}", path.join("."), self.reason),
        }
    }
}
