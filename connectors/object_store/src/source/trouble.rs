//! Why a file could not be read on.

use volley_api::Error;

/// What is in the way, which says what follows.
#[derive(Debug)]
pub(super) enum FileTrouble {
    /// The file is not there any more.
    Gone,
    /// Another file has taken its place.
    Changed,
    /// It is still being written.
    Unfinished,
    /// What is in it cannot be read.
    Corrupt(Error),
    /// The store: `Retriable` where it may be better later.
    Store(Error),
}

/// What an attempt to read gives.
pub(super) type Read<T> = Result<T, FileTrouble>;

impl FileTrouble {
    /// A file whose content is not what it should be.
    pub(super) fn corrupt(reason: impl std::fmt::Display) -> Self {
        Self::Corrupt(Error::data(reason.to_string()))
    }
}
