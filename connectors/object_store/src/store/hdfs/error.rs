//! Errors of HDFS by what they mean to the sink.

use hdfs_native::HdfsError;

use crate::store::storage::StorageError;

/// Exceptions of the name node, by the end of their names.
const NO_RIGHT: [&str; 3] = ["AccessControlException", "AuthorizationException", "InvalidToken"];
const NO_FILE: [&str; 2] = ["FileNotFoundException", "ParentNotDirectoryException"];
/// What MIT's Kerberos says when a ticket could not be asked for.
const NO_KDC: &str = "Cannot contact any KDC";
/// What the client says when the name node has closed a connection. Its reason is in the log only.
const CLOSED: &str = "RPC listener disconnected";
/// An exception comes with its stack, in further lines.
const LONGEST_REASON: usize = 400;

/// What `error` about `path` means.
pub(super) fn storage_error(path: String, error: &HdfsError) -> StorageError {
    let reason = reason(error);
    let is_one_of = |names: &[&str], class: &str| names.iter().any(|name| class.ends_with(name));
    match error {
        HdfsError::AlreadyExists(_) => StorageError::AlreadyExists { path },
        HdfsError::FileNotFound(_) | HdfsError::IsADirectoryError(_) => StorageError::NotFound { path, reason },
        HdfsError::RPCError(class, _) | HdfsError::FatalRPCError(class, _) if is_one_of(&NO_RIGHT, class) => {
            StorageError::Denied { path, reason }
        }
        HdfsError::RPCError(class, _) if is_one_of(&NO_FILE, class) => StorageError::NotFound { path, reason },
        HdfsError::GSSAPIError(..) if reason.contains(NO_KDC) => StorageError::Unavailable { path, reason },
        // also an encryption zone, of whose keys the client knows nothing
        HdfsError::SASLError(_)
        | HdfsError::GSSAPIError(..)
        | HdfsError::NoSASLMechanism
        | HdfsError::UnsupportedFeature(_) => StorageError::Denied { path, reason },
        _ => StorageError::Unavailable { path, reason },
    }
}

/// What HDFS says, in one line.
fn reason(error: &HdfsError) -> String {
    let text = error.to_string();
    if text.contains(CLOSED) {
        return "the name node has closed the connection (if it always does: it may want a login, see \
                `store.hdfs.kerberos.principal`)"
            .to_owned();
    }
    text.lines().next().unwrap_or_default().chars().take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn of(error: HdfsError) -> StorageError {
        storage_error("hdfs://n/p".to_owned(), &error)
    }

    fn exception(class: &str) -> StorageError {
        of(HdfsError::RPCError(class.to_owned(), "it went wrong\n\tat java.lang.Thread.run".to_owned()))
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_needs_the_user_is_not() {
        assert!(matches!(of(HdfsError::AlreadyExists(String::new())), StorageError::AlreadyExists { .. }));
        assert!(matches!(exception("org.apache.hadoop.security.AccessControlException"), StorageError::Denied { .. }));
        assert!(matches!(exception("java.io.FileNotFoundException"), StorageError::NotFound { .. }));
        assert!(matches!(of(HdfsError::NoSASLMechanism), StorageError::Denied { .. }));
        assert!(matches!(of(HdfsError::UnsupportedFeature("kms".to_owned())), StorageError::Denied { .. }));
        assert!(matches!(
            exception("org.apache.hadoop.hdfs.server.namenode.SafeModeException"),
            StorageError::Unavailable { .. }
        ));
        let refused = HdfsError::IOError(io::Error::from(io::ErrorKind::ConnectionRefused));
        assert!(matches!(of(refused), StorageError::Unavailable { .. }));
    }

    #[test]
    fn a_name_node_that_wants_a_login_is_told_as_one() {
        let closed = io::Error::new(io::ErrorKind::ConnectionAborted, CLOSED);
        assert!(of(HdfsError::IOError(closed)).to_string().contains("`store.hdfs.kerberos.principal`"));
    }

    #[test]
    fn a_reason_is_one_line_without_java_s_stack() {
        let shown = exception("org.apache.hadoop.hdfs.protocol.DSQuotaExceededException").to_string();
        assert!(shown.ends_with("DSQuotaExceededException it went wrong"), "{shown}");
        assert!(shown.starts_with("hdfs://n/p: "), "{shown}");
    }
}
