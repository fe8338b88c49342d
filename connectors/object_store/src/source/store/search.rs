//! What is looked for in a store.

use std::time::Duration;

use volley_api::Error;

use crate::source::path_pattern::PathPattern;

/// A listing of millions of files takes this long; each of its requests has a time-out of its own.
const LISTING_LIMIT: Duration = Duration::from_secs(1800);

/// What to say where nothing is found.
pub(in crate::source) const NO_FILE: &str = "no file below `store.url` matches `path` and has an extension that is known; for files without \
                                             one, set `format.class`";

/// Files to be found.
#[derive(Clone, Debug)]
pub(in crate::source) struct Search {
    /// Which ones.
    pub(super) pattern: PathPattern,
    /// How many are enough.
    pub(super) most: usize,
    /// How long it may take.
    pub(super) limit: Duration,
}

impl Search {
    /// All files that match.
    pub(in crate::source) fn all(pattern: &PathPattern) -> Self {
        Self { pattern: pattern.clone(), most: usize::MAX, limit: LISTING_LIMIT }
    }

    /// One file that matches, found within `limit`.
    pub(in crate::source) fn any(pattern: &PathPattern, limit: Duration) -> Self {
        Self { pattern: pattern.clone(), most: 1, limit }
    }

    /// It has taken too long.
    pub(super) fn too_long(&self, place: &str) -> Error {
        Error::retriable(format!("could not list {place}: not done within {} s", self.limit.as_secs()))
    }
}
