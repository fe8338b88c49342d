//! The files of a directory of HDFS.

use volley_api::{Error, Result};

use super::found_file::{FileVersion, FoundFile};
use super::search::Search;
use super::store_trouble::trouble_of_hdfs;
use crate::source::trouble::{FileTrouble, Read};
use crate::store::{HdfsEntry, HdfsFiles, runtime};

/// Files below the URL that match.
pub(super) fn list_hdfs(files: &HdfsFiles, search: &Search) -> Result<Vec<FoundFile>> {
    let shown = files.shown("");
    let (files, wanted) = (files.clone(), search.clone());
    match runtime::wait(async move { walk(&files, &wanted).await }, search.limit)? {
        Some(Ok(found)) => Ok(found),
        Some(Err(FileTrouble::Store(error) | FileTrouble::Corrupt(error))) => Err(error),
        Some(Err(FileTrouble::Gone | FileTrouble::Changed | FileTrouble::Unfinished)) => Err(Error::config(format!(
            "directory {shown} of `store.url` does not exist; create it, or correct `store.url`"
        ))),
        None => Err(search.too_long(&shown)),
    }
}

async fn walk(files: &HdfsFiles, Search { pattern, most, .. }: &Search) -> Read<Vec<FoundFile>> {
    let root = files.status("").await.map_err(trouble_of_hdfs)?;
    if !root.ok_or(FileTrouble::Gone)?.is_directory {
        let shown = files.shown("");
        let error = Error::config(format!("{shown} of `store.url` is no directory; correct `store.url`"));
        return Err(FileTrouble::Store(error));
    }
    let mut found = Vec::new();
    let mut directories = vec![pattern.directory()];
    while let Some(directory) = directories.pop() {
        for HdfsEntry { name, status } in files.entries(&directory).await.map_err(trouble_of_hdfs)? {
            let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            if status.is_directory {
                directories.extend(pattern.may_match_below(&path).then_some(path));
            } else if pattern.matches(&path) {
                found.push(FoundFile { path, version: FileVersion::of_hdfs(&status) });
                if found.len() >= *most {
                    return Ok(found);
                }
            }
        }
    }
    Ok(found)
}
