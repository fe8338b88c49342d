//! The calls on a file system from which everything that must be right whatever happens is made.

use bytes::Bytes;

use crate::store::Contents;
use crate::store::storage::StorageError;

/// What a call has given.
pub(crate) type Outcome<T> = std::result::Result<T, StorageError>;

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A file of so many bytes.
    File(u64),
    /// A directory.
    Directory,
}

/// A file system whose renames are atomic. Paths are absolute. After an error other than `AlreadyExists`, a call may have
/// had its effect, or may have it later.
pub(crate) trait FileSystem: Sync {
    /// What is at `path`; `None` if nothing is.
    fn entry(&self, path: &str) -> impl Future<Output = Outcome<Option<Entry>>> + Send;

    /// All of a file; `None` if there is no such file.
    fn read(&self, path: &str) -> impl Future<Output = Outcome<Option<Bytes>>> + Send;

    /// Creates a directory and its parents, unless they are there.
    fn make_directory(&self, path: &str) -> impl Future<Output = Outcome<()>> + Send;

    /// Writes a file whose name nobody else has. It can be seen before it is complete.
    fn write(&self, path: &str, contents: Contents) -> impl Future<Output = Outcome<()>> + Send;

    /// Gives a file a name that is free, or fails with `AlreadyExists`; with `NotFound` if there is no such file.
    fn rename(&self, from: &str, to: &str) -> impl Future<Output = Outcome<()>> + Send;

    /// Removes a file, if it is there.
    fn remove(&self, path: &str) -> impl Future<Output = Outcome<()>> + Send;

    /// The path in messages.
    fn shown(&self, path: &str) -> String;
}

/// The directory of a file.
pub(crate) fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        None | Some(("", _)) => "/",
        Some((directory, _)) => directory,
    }
}
