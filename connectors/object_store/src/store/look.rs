//! Calls on a store that are waited for.

use std::sync::Arc;
use std::time::Duration;

use super::runtime;
use super::storage::{Answer, Storage, StorageError};

/// How long a call may block on a look into the store.
const LOOK_LIMIT: Duration = Duration::from_secs(20);

/// A call on the store, waited for.
pub(crate) fn look<T: Send + 'static>(
    path: &str,
    storage: Arc<dyn Storage>,
    call: impl for<'a> FnOnce(&'a dyn Storage) -> Answer<'a, T> + Send + 'static,
) -> std::result::Result<T, StorageError> {
    look_within(LOOK_LIMIT, path, storage, call)
}

/// The same, for at most so long.
pub(crate) fn look_within<T: Send + 'static>(
    limit: Duration,
    path: &str,
    storage: Arc<dyn Storage>,
    call: impl for<'a> FnOnce(&'a dyn Storage) -> Answer<'a, T> + Send + 'static,
) -> std::result::Result<T, StorageError> {
    let unavailable = |reason: String| StorageError::Unavailable { path: path.to_owned(), reason };
    match runtime::wait(async move { call(storage.as_ref()).await }, limit) {
        Ok(Some(answer)) => answer,
        Ok(None) => Err(unavailable(format!("no answer within {} s", limit.as_secs()))),
        Err(error) => Err(unavailable(error.to_string())),
    }
}
