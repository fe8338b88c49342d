//! A syntax error and its place.

use std::fmt;

/// A place in a text; columns count bytes, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// An error in a text or in its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) place: Place,
    /// The path to it, outermost first: `java.util.ArrayList[0]`, `java.util.LinkedHashMap["a"]`.
    chain: Vec<String>,
}

/// `Result` of reading.
pub(crate) type Read<T> = Result<T, Problem>;

impl Place {
    pub(crate) fn source(self) -> String {
        format!(
            "at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {}, column: {}]",
            self.line, self.column
        )
    }
}

impl Problem {
    /// A problem at `place`.
    pub(crate) fn new(message: impl Into<String>, place: Place) -> Self {
        Self { message: message.into(), place, chain: Vec::new() }
    }

    /// The same problem, seen from the container.
    pub(crate) fn within(mut self, link: impl Into<String>) -> Self {
        self.chain.insert(0, link.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n {}", self.message, self.place.source())?;
        match self.chain.is_empty() {
            true => Ok(()),
            false => write!(f, " (through reference chain: {})", self.chain.join("->")),
        }
    }
}
