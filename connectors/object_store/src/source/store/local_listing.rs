//! The files of a directory. Links to files are followed, links to directories are not: they may lead in circles.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Instant;

use volley_api::{Error, Result};

use super::found_file::{FileVersion, FoundFile};
use super::search::Search;
use crate::source::path_pattern::PathPattern;

/// Files below `root` that match.
pub(super) fn list_local(root: &Path, search: &Search) -> Result<Vec<FoundFile>> {
    let metadata = fs::metadata(root).map_err(|error| unreadable(root, &error))?;
    if !metadata.is_dir() {
        return Err(Error::config(format!("`{}` of `store.url` is no directory; correct `store.url`", root.display())));
    }
    let mut found = Vec::new();
    let mut directories = vec![search.pattern.directory()];
    let began = Instant::now();
    while let Some(directory) = directories.pop().filter(|_| found.len() < search.most) {
        if began.elapsed() > search.limit {
            return Err(search.too_long(&root.display().to_string()));
        }
        list_directory(root, &directory, &search.pattern, &mut directories, &mut found)?;
    }
    Ok(found)
}

fn list_directory(
    root: &Path,
    directory: &str,
    pattern: &PathPattern,
    directories: &mut Vec<String>,
    found: &mut Vec<FoundFile>,
) -> Result<()> {
    let place = root.join(directory);
    let entries = match fs::read_dir(&place) {
        Ok(entries) => entries,
        Err(error) if is_gone(&error) => return Ok(()),
        Err(error) => return Err(unreadable(&place, &error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(&place, &error))?;
        let Ok(name) = entry.file_name().into_string() else {
            tracing::warn!(file = %entry.path().display(), "a file whose name is not UTF-8 is passed over");
            continue;
        };
        let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
        let kind = entry.file_type().map_err(|error| unreadable(&place, &error))?;
        if kind.is_dir() {
            if pattern.may_match_below(&path) {
                directories.push(path);
            }
        } else if pattern.matches(&path)
            // it may be gone by now, or be a link that leads nowhere
            && let Ok(metadata) = fs::metadata(entry.path())
            && metadata.is_file()
        {
            found.push(FoundFile { path, version: FileVersion::of_local(&metadata) });
        }
    }
    Ok(())
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn unreadable(place: &Path, error: &io::Error) -> Error {
    let what = match error.kind() {
        io::ErrorKind::NotFound => "create it, or correct `store.url`",
        io::ErrorKind::PermissionDenied => "give the worker's user the right to list and read it",
        _ => return Error::retriable(format!("could not list directory `{}`: {error}", place.display())),
    };
    Error::config(format!("could not list directory `{}` of `store.url`: {error}; {what}", place.display()))
}
