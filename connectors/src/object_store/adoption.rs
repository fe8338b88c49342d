//! Where a stream's chain of files ends: found when its first row arrives after the partition was opened.

use super::file_name::StreamFiles;
use super::identity::FileIdentity;
use super::storage::{Storage, StorageError};

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
    /// What its footer says.
    pub(crate) identity: FileIdentity,
}

/// The last file of the stream, `None` where it has none. `offset`: of the first row that has arrived.
///
/// Since a file is created only after the one before it, all rows of the stream before the last file's end are in files.
///
/// # Cancellation
/// Safe at any point; nothing is changed.
pub(crate) async fn find_last_file(
    storage: &dyn Storage,
    files: &StreamFiles,
    offset: i64,
) -> Result<Option<AdoptedFile>, StorageError> {
    let recent = last_file_from(storage, files, offset - WINDOW).await?;
    if recent.is_some() || offset <= WINDOW {
        return Ok(recent);
    }
    last_file_from(storage, files, 0).await
}

async fn last_file_from(
    storage: &dyn Storage,
    files: &StreamFiles,
    offset: i64,
) -> Result<Option<AdoptedFile>, StorageError> {
    let names = storage.list(&files.directory, &files.name_before(offset)).await?;
    let mut candidates: Vec<_> =
        names.into_iter().filter_map(|name| Some((files.first_offset(&name)?, name))).collect();
    candidates.sort_unstable_by(|one, other| other.cmp(one));
    for chunk in candidates.chunks(PARALLEL_READS) {
        let reads = chunk.iter().map(|(start, name)| read_own(storage, files, *start, name));
        if let Some(adopted) = futures::future::try_join_all(reads).await?.into_iter().flatten().next() {
            return Ok(Some(adopted));
        }
    }
    Ok(None)
}

async fn read_own(
    storage: &dyn Storage,
    files: &StreamFiles,
    start: i64,
    name: &str,
) -> Result<Option<AdoptedFile>, StorageError> {
    let path = format!("{}/{name}", files.directory);
    let identity = match FileIdentity::read(storage, &path).await {
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
