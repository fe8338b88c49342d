//! Where a stream's chain of files ends: found when its first row arrives after the partition was opened.

use super::names::StreamFiles;
use crate::format::FileIdentity;
use crate::store::{Storage, StorageError};

/// A stream's last file is looked for among those that begin at most this many offsets before the first row; only if
/// there is none, among all.
const WINDOW: i64 = 2_000_000;
/// Footers read at the same time, where files of several origins lie in one directory.
const PARALLEL_READS: usize = 8;

/// A file of the stream that is there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AdoptedFile {
    /// Its path in the store.
    pub(crate) path: String,
    /// What it says of itself.
    pub(crate) identity: FileIdentity,
}

/// The files of a stream that matter to a task that opens its partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AdoptedFiles {
    /// The one that begins last: before its end, all rows of the stream are in files.
    pub(crate) last: AdoptedFile,
    /// The one that begins first at or after the offset asked for: its first row is the first to come again.
    pub(crate) next: Option<AdoptedFile>,
    /// Whether a file that should stand beside the last one does not.
    pub(crate) lacks_siblings: bool,
}

/// The files of the stream, `None` where it has none. `offset`: where the partition was opened, or behind the files of
/// Java's sink: what ends before does not matter.
///
/// Since a file is created only after the one before it, all rows of the stream before the last file's end are in files.
///
/// # Cancellation
/// Safe at any point; nothing is changed.
pub(crate) async fn find_files(
    storage: &dyn Storage,
    files: &StreamFiles,
    offset: i64,
) -> Result<Option<AdoptedFiles>, StorageError> {
    if files.have_last_offsets() {
        // the names tell which of all there are
        return find_files_from(storage, files, 0, offset).await;
    }
    let recent = find_files_from(storage, files, offset - WINDOW, offset).await?;
    if recent.is_some() || offset <= WINDOW {
        return Ok(recent);
    }
    find_files_from(storage, files, 0, offset).await
}

async fn find_files_from(
    storage: &dyn Storage,
    files: &StreamFiles,
    from: i64,
    offset: i64,
) -> Result<Option<AdoptedFiles>, StorageError> {
    let names = storage.list(&files.directory, &files.name_before(from)).await?;
    // the names of many files tell that they end before, among them all of Java's sink
    let matters = |name: &str| files.last_offset(name).is_none_or(|last| last >= offset);
    let candidates = names.iter().filter(|name| matters(name));
    let mut candidates: Vec<_> =
        candidates.filter_map(|name| Some((files.first_offset(name)?, name.clone()))).collect();
    candidates.sort_unstable_by(|one, other| other.cmp(one));
    let Some(last) = first_own(storage, files, &candidates).await? else { return Ok(None) };
    candidates.retain(|(start, _)| (offset..last.identity.start).contains(start));
    candidates.reverse();
    let next = match last.identity.start >= offset {
        true => first_own(storage, files, &candidates).await?.or_else(|| Some(last.clone())),
        false => None,
    };
    let is_there = |path: &String| names.iter().any(|name| files.path_of(name) == *path);
    let lacks_siblings = !files.siblings_of(&last.path).iter().all(is_there);
    Ok(Some(AdoptedFiles { last, next, lacks_siblings }))
}

/// The first of these files, given with their first offsets, that belongs to the stream.
async fn first_own(
    storage: &dyn Storage,
    files: &StreamFiles,
    candidates: &[(i64, String)],
) -> Result<Option<AdoptedFile>, StorageError> {
    let mut parallel = 1;
    let mut rest = candidates;
    while !rest.is_empty() {
        // mostly the very first one is it
        let (chunk, further) = rest.split_at(parallel.min(rest.len()));
        let reads = chunk.iter().map(|(start, name)| read_own(storage, files, *start, name));
        if let Some(adopted) = futures::future::try_join_all(reads).await?.into_iter().flatten().next() {
            return Ok(Some(adopted));
        }
        (rest, parallel) = (further, PARALLEL_READS);
    }
    Ok(None)
}

async fn read_own(
    storage: &dyn Storage,
    files: &StreamFiles,
    start: i64,
    name: &str,
) -> Result<Option<AdoptedFile>, StorageError> {
    let path = files.path_of(name);
    let identity = match read_identity(storage, files, &path).await {
        // removed since it was listed
        Err(StorageError::NotFound { .. }) => return Ok(None),
        outcome => outcome?,
    };
    match identity {
        Some(identity) if identity.origin == files.origin && identity.start == start => {
            Ok(Some(AdoptedFile { path, identity }))
        }
        Some(_) => Ok(None),
        None => {
            tracing::warn!(path, "passing over a file that this sink did not write");
            Ok(None)
        }
    }
}

/// What the file at `path`, one of `files`, says of itself; `None`: not a file of this sink.
///
/// # Cancellation
/// Safe at any point; nothing is changed.
pub(crate) async fn read_identity(
    storage: &dyn Storage,
    files: &StreamFiles,
    path: &str,
) -> Result<Option<FileIdentity>, StorageError> {
    match files.claim_of(path) {
        Some(claim) if !FileIdentity::is_in_footer(path) => {
            let claimed = storage.read_claim(&claim).await?.filter(|claimed| claimed.path == path);
            Ok(claimed.and_then(|claimed| FileIdentity::from_label(&claimed.label)))
        }
        _ => FileIdentity::read(storage, path).await,
    }
}
