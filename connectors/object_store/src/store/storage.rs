//! Where files go: what the sink needs of a store.

use std::fmt;

use bytes::Bytes;
use futures::future::BoxFuture;

use super::contents::Contents;
use super::spool::SpoolPlace;

/// Why a call on a store failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StorageError {
    /// The file to be created is there already.
    #[error("{path} exists already")]
    AlreadyExists {
        /// Path as the store shows it.
        path: String,
    },
    /// There is no such file (in a check: no such bucket or container, no such place for a directory).
    #[error("{path} was not found: {reason}")]
    NotFound {
        /// Path as the store shows it.
        path: String,
        /// What the store says.
        reason: String,
    },
    /// The credentials are wrong or do not allow it.
    #[error("access to {path} was denied: {reason}")]
    Denied {
        /// Path as the store shows it.
        path: String,
        /// What the store says.
        reason: String,
    },
    /// Anything else: the network, a server error, a full disk. May pass.
    #[error("{path}: {reason}")]
    Unavailable {
        /// Path as the store shows it.
        path: String,
        /// What the store says.
        reason: String,
    },
}

/// A file that has come into being by a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClaimedFile {
    /// Its path.
    pub(crate) path: String,
    /// Its label.
    pub(crate) label: String,
}

/// What a call on a store will give.
pub(crate) type Answer<'a, T> = BoxFuture<'a, std::result::Result<T, StorageError>>;

/// A place for files. Paths are relative to its root, parted by `/`. Calls may run at the same time.
pub(crate) trait Storage: fmt::Debug + Send + Sync {
    /// The names of the files directly in `directory` that sort after `after`, in no order. A directory that does not
    /// exist has none.
    fn list<'a>(&'a self, directory: &'a str, after: &'a str) -> Answer<'a, Vec<String>>;

    /// The last `length` bytes of a file, or all of a shorter one.
    fn read_tail<'a>(&'a self, path: &'a str, length: u64) -> Answer<'a, Bytes>;

    /// Creates the file with these contents, at once and durably, or fails with `AlreadyExists` and changes nothing.
    /// After any other error the file may or may not be there. `file_id` is the file's own. `label`: a short ASCII text that
    /// is kept beside the contents.
    fn create<'a>(
        &'a self,
        path: &'a str,
        contents: Contents,
        file_id: &'a str,
        label: Option<&'a str>,
    ) -> Answer<'a, ()>;

    /// The same as [`Storage::create`], with tags where the store has such.
    fn create_tagged<'a>(
        &'a self,
        path: &'a str,
        contents: Contents,
        file_id: &'a str,
        label: Option<&'a str>,
        _tags: &'a [(&'static str, String)],
    ) -> Answer<'a, ()> {
        self.create(path, contents, file_id, label)
    }

    /// Creates the file at `path`, at once and durably, unless there is one already that has come into being by the
    /// same `claim`, or one at `path` or `claim`: then it fails with `AlreadyExists` and changes nothing. After any
    /// other error the file may or may not be there. `claim` is another path in the same directory, whose name stays
    /// free. So of several writers that would call their files differently, one wins.
    fn create_claimed<'a>(
        &'a self,
        claim: &'a str,
        _path: &'a str,
        _contents: Contents,
        _file_id: &'a str,
        _label: &'a str,
    ) -> Answer<'a, ()> {
        Box::pin(async move { Err(without_claims(claim)) })
    }

    /// The file that has come into being by a claim; `None` if there is none.
    fn read_claim<'a>(&'a self, claim: &'a str) -> Answer<'a, Option<ClaimedFile>> {
        Box::pin(async move { Err(without_claims(claim)) })
    }

    /// The label that a file was created with; `None` if it has none.
    fn read_label<'a>(&'a self, path: &'a str) -> Answer<'a, Option<String>>;

    /// Writes a file in place of the one that may be there, at once.
    fn write_over<'a>(&'a self, path: &'a str, contents: Contents) -> Answer<'a, ()>;

    /// All of a small file; `None` if it does not exist.
    fn read_all<'a>(&'a self, path: &'a str) -> Answer<'a, Option<Bytes>>;

    /// The paths of all files below `directory`, at any depth, in no order. A directory that does not exist has none.
    fn list_below<'a>(&'a self, directory: &'a str) -> Answer<'a, Vec<String>>;

    /// Removes a file with its label, if it is there.
    fn remove<'a>(&'a self, path: &'a str) -> Answer<'a, ()>;

    /// Whether the store can be reached and the bucket exists. Changes nothing.
    fn check(&self) -> Answer<'_, ()>;

    /// The root, for messages.
    fn url(&self) -> &str;

    /// Where the bytes of files that are to be created may wait before these are complete; `None`: in memory, now.
    fn spool_place(&self) -> Option<SpoolPlace> {
        None
    }

    /// Removes what others have left that wanted to create a file that is there now. What cannot be removed stays.
    fn tidy<'a>(&'a self, _path: &'a str) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    /// Checks the store, makes it ready for this sink task, and removes what an earlier run of it left unfinished.
    fn prepare(&self) -> Answer<'_, ()> {
        self.check()
    }
}

fn without_claims(path: &str) -> StorageError {
    StorageError::Unavailable { path: path.to_owned(), reason: "this store has no claims to names".to_owned() }
}
