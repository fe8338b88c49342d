//! What an answer of an object store means.

use volley_api::Error;
use volley_store::error_text;

use crate::source::trouble::FileTrouble;
use crate::store::{has_no_access, has_no_bucket};

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
        error => FileTrouble::Store(Error::retriable(format!("could not read {place}: {text}")).with_source(error)),
    }
}
