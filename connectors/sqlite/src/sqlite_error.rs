//! What SQLite has against something.

use rusqlite::ErrorCode;
use volley_api::{Error, ErrorKind};

/// An error while `doing` something, such as "could not open the file".
pub(crate) fn sqlite_error(doing: &str, error: rusqlite::Error) -> Error {
    let kind = match &error {
        rusqlite::Error::SqliteFailure(failure, _) => kind_of(failure.code),
        _ => ErrorKind::Config,
    };
    Error::new(kind, format!("{doing}: {error}")).with_source(error)
}

/// An error while a row is written: what a constraint refuses is the row's fault.
pub(crate) fn write_error(doing: &str, error: rusqlite::Error) -> Error {
    match &error {
        rusqlite::Error::SqliteFailure(failure, _) if failure.code == ErrorCode::ConstraintViolation => {
            Error::data(format!("{doing}: {error}")).with_source(error)
        }
        rusqlite::Error::SqliteFailure(failure, _) if failure.code == ErrorCode::DiskFull => {
            Error::retriable(format!("{doing}: {error}")).with_source(error)
        }
        _ => sqlite_error(doing, error),
    }
}

/// What can be done about it.
fn kind_of(code: ErrorCode) -> ErrorKind {
    match code {
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::SchemaChanged
        | ErrorCode::SystemIoFailure
        | ErrorCode::OutOfMemory
        | ErrorCode::OperationInterrupted => ErrorKind::Retriable,
        ErrorCode::TooBig | ErrorCode::TypeMismatch => ErrorKind::Data,
        ErrorCode::DatabaseCorrupt | ErrorCode::InternalMalfunction | ErrorCode::ApiMisuse => ErrorKind::Fatal,
        // names, permissions, files and SQL
        _ => ErrorKind::Config,
    }
}
