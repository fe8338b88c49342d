//! What the answers of object stores mean, where object_store's own errors do not say it.

/// Where machines in a cloud ask for credentials: asked when none are given, answers only there.
const INSTANCE_METADATA: [&str; 2] = ["169.254.169.254", "metadata.google.internal"];
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

/// Whether an answer says that there is no such bucket or container.
pub(crate) fn has_no_bucket(answer: &str) -> bool {
    NO_BUCKET.iter().any(|code| answer.contains(code))
}

/// Whether an answer says that the credentials do not do.
pub(crate) fn has_no_access(answer: &str) -> bool {
    NO_ACCESS.iter().any(|code| answer.contains(code))
}

/// Whether an error is about looking for credentials, since none were given.
pub(crate) fn has_no_credentials(answer: &str) -> bool {
    INSTANCE_METADATA.iter().any(|host| answer.contains(host))
}
