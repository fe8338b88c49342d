//! The files of an object store.

use std::time::Duration;

use futures::TryStreamExt;
use volley_api::{Error, Result};

use super::file_store::RemoteStore;
use super::found_file::{FileVersion, FoundFile};
use super::store_trouble::trouble_of;
use crate::source::path_pattern::PathPattern;
use crate::source::trouble::FileTrouble;
use crate::store::runtime;

/// A listing of millions of files takes this long; each of its requests has a time-out of its own.
const LISTING_LIMIT: Duration = Duration::from_secs(1800);

/// The files below the URL that match.
pub(super) fn list_remote(store: &RemoteStore, pattern: &PathPattern) -> Result<Vec<FoundFile>> {
    let directory = store
        .location(&pattern.directory())
        .map_err(|error| Error::config(format!("`path` is no path of an object store: {error}")))?;
    let (remote, prefix, pattern) = (store.clone(), store.prefix.clone(), pattern.clone());
    let listing = async move {
        let files = remote.store.list(Some(&directory)).try_filter_map(|meta| {
            // prefixes match whole names, and what comes is below the directory
            let path = below(prefix.as_ref(), meta.location.as_ref());
            let file = path.filter(|path| pattern.matches(path));
            let file = file.map(|path| FoundFile { path: path.to_owned(), version: FileVersion::of_object(&meta) });
            std::future::ready(Ok(file))
        });
        files.try_collect::<Vec<_>>().await
    };
    match runtime::wait(listing, LISTING_LIMIT)? {
        Some(Ok(files)) => Ok(files),
        Some(Err(error)) => Err(match trouble_of(&store.url, error) {
            FileTrouble::Store(error) | FileTrouble::Corrupt(error) => error,
            FileTrouble::Gone | FileTrouble::Changed => no_bucket(&store.url),
        }),
        None => Err(Error::retriable(format!(
            "could not list {}: not done within {} s",
            store.url,
            LISTING_LIMIT.as_secs()
        ))),
    }
}

fn no_bucket(url: &str) -> Error {
    Error::config(format!("the bucket or container of `store.url` {url} does not exist; correct `store.url`"))
}

fn below<'a>(prefix: &str, path: &'a str) -> Option<&'a str> {
    match prefix {
        "" => Some(path),
        prefix => path.strip_prefix(prefix)?.strip_prefix('/'),
    }
}
