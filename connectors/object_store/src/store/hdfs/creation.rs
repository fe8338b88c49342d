//! How a file comes into being: complete, once, and with its label.

use bytes::Bytes;

use super::file_system::{FileSystem, Outcome, parent};
use super::label_claim::{Claimed, LabelClaim, settle};
use crate::store::storage::StorageError;

/// A file to be created.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewFile<'a> {
    /// The name that it shall have.
    pub(super) target: &'a str,
    /// A name that is used for nothing else, ever.
    pub(super) temporary: &'a str,
    /// What is kept beside it.
    pub(super) label: Option<&'a str>,
}

/// Creates a file, or fails with `AlreadyExists` if there is one of that name.
///
/// # Cancellation
/// The file may come into being nevertheless. The temporary one may stay.
pub(super) async fn create(files: &impl FileSystem, file: NewFile<'_>, contents: Bytes) -> Outcome<()> {
    let NewFile { target, temporary, label } = file;
    let claimed = match label {
        Some(_) => settle(files, target).await?,
        None if files.entry(target).await?.is_some() => Claimed::Taken,
        None => Claimed::Free(0),
    };
    let Claimed::Free(number) = claimed else { return Err(taken(files, target)) };
    let length = contents.len();
    files.make_directory(parent(target)).await?;
    files.write(temporary, contents).await?;
    if let Some(label) = label {
        let claim = LabelClaim { temporary: temporary.to_owned(), length, label: label.to_owned() };
        match claim.make(files, target, number).await {
            // another writer was first, and may be gone before it has ended
            Err(StorageError::AlreadyExists { .. }) => return Err(claimed_by_another(files, target).await?),
            outcome => outcome?,
        }
    }
    let Err(error) = files.rename(temporary, target).await else { return Ok(()) };
    // another was first, or the answer to us was lost
    match files.entry(target).await? {
        Some(_) => Err(taken(files, target)),
        None => Err(error),
    }
}

async fn claimed_by_another(files: &impl FileSystem, target: &str) -> Outcome<StorageError> {
    match settle(files, target).await? {
        Claimed::Taken => Ok(taken(files, target)),
        Claimed::Free(_) => {
            let reason = "another writer of this file has given it up; it has to be written again".to_owned();
            Ok(StorageError::Unavailable { path: files.shown(target), reason })
        }
    }
}

fn taken(files: &impl FileSystem, target: &str) -> StorageError {
    StorageError::AlreadyExists { path: files.shown(target) }
}
