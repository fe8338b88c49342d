//! The files of an object store.

use futures::{StreamExt, TryStreamExt};
use volley_api::{Error, Result};

use super::file_store::RemoteStore;
use super::found_file::{FileVersion, FoundFile};
use super::search::Search;
use super::store_trouble::trouble_of;
use crate::source::trouble::FileTrouble;
use crate::store::runtime;

/// Files below the URL that match.
pub(super) fn list_remote(store: &RemoteStore, search: &Search) -> Result<Vec<FoundFile>> {
    let directory = store
        .location(&search.pattern.directory())
        .map_err(|error| Error::config(format!("`path` is no path of an object store: {error}")))?;
    let (remote, prefix, Search { pattern, most, .. }) = (store.clone(), store.prefix.clone(), search.clone());
    let listing = async move {
        let files = remote.store.list(Some(&directory)).try_filter_map(|meta| {
            // prefixes match whole names, and what comes is below the directory
            let path = below(prefix.as_ref(), meta.location.as_ref());
            let file = path.filter(|path| pattern.matches(path));
            let file = file.map(|path| FoundFile { path: path.to_owned(), version: FileVersion::of_object(&meta) });
            std::future::ready(Ok(file))
        });
        files.take(most).try_collect::<Vec<_>>().await
    };
    match runtime::wait(listing, search.limit)? {
        Some(Ok(files)) => Ok(files),
        Some(Err(error)) => Err(match trouble_of(&store.url, error) {
            FileTrouble::Store(error) | FileTrouble::Corrupt(error) => error,
            FileTrouble::Gone | FileTrouble::Changed | FileTrouble::Unfinished => no_bucket(&store.url),
        }),
        None => Err(search.too_long(&store.url)),
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
