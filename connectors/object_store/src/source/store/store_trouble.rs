//! What an answer of an object store means.

use volley_api::Error;
use volley_store::error_text;

use crate::source::trouble::FileTrouble;

/// Error codes of the stores, and fragments of their answers.
const NO_BUCKET: [&str; 3] = ["NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist"];
const NO_ACCESS: [&str; 8] = [
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AccessDenied",
    "AuthenticationFailed",
    "AuthorizationFailure",
    "InvalidAccountKey",
    "code: 401",
    "code: 403",
];

/// The trouble behind an error. `place`: the URL that was asked for.
pub(super) fn trouble_of(place: &str, error: object_store::Error) -> FileTrouble {
    let text = error_text(&error);
    let has = |codes: &[&str]| codes.iter().any(|code| text.contains(code));
    let is_refused =
        matches!(error, object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. });
    if is_refused || has(&NO_ACCESS) {
        return FileTrouble::Store(Error::config(format!(
            "the store refuses to read {place}: {text}; set the credentials of the store (`store.*`), with the right to list \
             and read"
        )));
    }
    if has(&NO_BUCKET) {
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
