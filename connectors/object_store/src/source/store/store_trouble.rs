//! What an answer of an object store or of HDFS means.

use volley_api::Error;
use volley_store::error_text;

use crate::source::trouble::FileTrouble;
use crate::store::{StorageError, has_no_access, has_no_bucket};

/// The trouble behind an error. `place`: the URL that was asked for.
pub(super) fn trouble_of(place: &str, error: object_store::Error) -> FileTrouble {
    let text = error_text(&error);
    let is_refused =
        matches!(error, object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. });
    if is_refused || has_no_access(&text) {
        return FileTrouble::Store(Error::config(format!(
            "the store refuses to read {place}: {text}; set the credentials of the store (`store.*`), with the right to list \
             and read"
        )));
    }
    if has_no_bucket(&text) {
        return FileTrouble::Store(Error::config(format!(
            "the bucket or container of {place} does not exist: {text}; correct `store.url` or the endpoint"
        )));
    }
    match error {
        object_store::Error::NotFound { .. } => FileTrouble::Gone,
        object_store::Error::Precondition { .. } => FileTrouble::Changed,
        // the client gives up a listing that has one of them
        object_store::Error::InvalidPath { .. } => FileTrouble::Store(Error::config(format!(
            "an object of {place} has a key that is no path: {text}; rename or remove it, or begin `path` or `store.url` with a directory \
             that is not above it"
        ))),
        error => FileTrouble::Store(Error::retriable(format!("could not read {place}: {text}")).with_source(error)),
    }
}

/// The trouble behind an error of HDFS.
pub(super) fn trouble_of_hdfs(error: StorageError) -> FileTrouble {
    FileTrouble::Store(match error {
        StorageError::NotFound { .. } => return FileTrouble::Gone,
        StorageError::Denied { path, reason } => Error::config(format!(
            "HDFS refuses to read {path}: {reason}; give the user the right to list and read it, or name another in \
             `store.hdfs.user`, or with Kerberos in `store.hdfs.kerberos.principal` and `store.hdfs.kerberos.keytab`"
        )),
        StorageError::Unavailable { path, reason } => Error::retriable(format!("could not read {path}: {reason}")),
        error @ StorageError::AlreadyExists { .. } => Error::retriable(error.to_string()),
    })
}
