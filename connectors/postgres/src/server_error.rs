//! What the server or the connection has against something.

use std::error::Error as _;
use std::io;

use tokio_postgres::error::DbError;
use volley_api::{Error, ErrorKind};

/// An error while `doing` something, such as "could not connect to db:5432".
pub(crate) fn server_error(doing: &str, error: tokio_postgres::Error) -> Error {
    if let Some(refusal) = error.as_db_error() {
        return Error::new(kind_of(refusal.code().code()), format!("{doing}: {}", text_of(refusal)));
    }
    // of TLS
    if let Some(cause) = error.source().and_then(|source| source.downcast_ref::<Error>()) {
        return Error::new(cause.kind(), format!("{doing}: {cause}")).with_source(cause.clone());
    }
    let is_lost = error.is_closed()
        || error.source().is_some_and(|source| source.is::<io::Error>())
        // tokio-postgres says no more of it
        || error.to_string().contains("timeout");
    let kind = if is_lost { ErrorKind::Retriable } else { ErrorKind::Config };
    if error.is_closed() {
        // a server that is just sending rows says no more
        let text = format!("{doing}: {error}: an administrator has ended the session, or the server has stopped");
        return Error::new(kind, text).with_source(error);
    }
    Error::new(kind, format!("{doing}: {error}")).with_source(error)
}

/// What can be done about an error of this SQLSTATE.
fn kind_of(code: &str) -> ErrorKind {
    match (code.get(..2).unwrap_or_default(), code) {
        // lost, out of something, stopped by an administrator, rolled back, locked, out of order
        ("08" | "53" | "57" | "40" | "58", _) | (_, "55P03" | "55006" | "25P03" | "25P04" | "72000") => {
            ErrorKind::Retriable
        }
        // a standby that was a primary may be one again
        (_, "25006") => ErrorKind::Retriable,
        // a value that a cast or a function does not take, or a constraint, a trigger or an index
        ("22" | "23" | "21" | "44", _) | (_, "P0001" | "54000") => ErrorKind::Data,
        // who logs in, which database, names, permissions and syntax
        ("28" | "3D" | "3F" | "42" | "0A" | "2B", _) => ErrorKind::Config,
        _ => ErrorKind::Fatal,
    }
}

fn text_of(error: &DbError) -> String {
    let mut text = format!("{} (SQLSTATE {})", error.message(), error.code().code());
    // what has the whole row in it is not for logs
    let detail = error.detail().filter(|detail| !detail.starts_with("Failing row contains"));
    for more in [detail, error.hint()].into_iter().flatten() {
        text.push_str("; ");
        text.push_str(more);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_says_what_can_be_done() {
        for (code, kind) in [
            ("57P01", ErrorKind::Retriable),
            ("40001", ErrorKind::Retriable),
            ("40P01", ErrorKind::Retriable),
            ("53300", ErrorKind::Retriable),
            ("28P01", ErrorKind::Config),
            ("42P01", ErrorKind::Config),
            ("42501", ErrorKind::Config),
            ("22012", ErrorKind::Data),
            ("23505", ErrorKind::Data),
            ("25006", ErrorKind::Retriable),
            ("XX001", ErrorKind::Fatal),
        ] {
            assert_eq!(kind_of(code), kind, "{code}");
        }
    }
}
