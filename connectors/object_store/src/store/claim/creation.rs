//! How a file comes into being: complete, once, and with its label.

use super::file_system::{FileSystem, Outcome, parent};
use super::label_claim::{Claimed, LabelClaim, settle};
use crate::store::Contents;
use crate::store::storage::StorageError;

/// A file to be created.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Creation<'a> {
    /// The name that it shall have.
    pub(crate) target: &'a str,
    /// The name that is claimed for it, in the same directory: mostly its own.
    pub(crate) claim: &'a str,
    /// A name that is used for nothing else, ever.
    pub(crate) temporary: &'a str,
    /// What is kept beside it. A file whose claim is not its own name MUST have one.
    pub(crate) label: Option<&'a str>,
}

/// Creates a file, or fails with `AlreadyExists` if there is one of that name, or one that has come into being by its
/// claim.
///
/// # Cancellation
/// The file may come into being nevertheless. The temporary one may stay.
pub(crate) async fn create(files: &impl FileSystem, file: Creation<'_>, contents: Contents) -> Outcome<()> {
    let Creation { target, claim, temporary, label } = file;
    let claimed = match label {
        Some(_) => settle(files, claim, target).await?,
        None if files.entry(target).await?.is_some() => Claimed::Taken,
        None => Claimed::Free(0),
    };
    let Claimed::Free(number) = claimed else { return Err(taken(files, target)) };
    let length = contents.len();
    files.make_directory(parent(target)).await?;
    files.write(temporary, contents).await?;
    if let Some(label) = label {
        let name = (target != claim).then(|| target.rsplit_once('/').map_or(target, |(_, name)| name).to_owned());
        let made = LabelClaim { name, temporary: temporary.to_owned(), length, label: label.to_owned() };
        match made.make(files, claim, number).await {
            // another writer was first, and may be gone before it has ended
            Err(StorageError::AlreadyExists { .. }) => return Err(claimed_by_another(files, file).await?),
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

async fn claimed_by_another(files: &impl FileSystem, file: Creation<'_>) -> Outcome<StorageError> {
    match settle(files, file.claim, file.target).await? {
        Claimed::Taken => Ok(taken(files, file.target)),
        Claimed::Free(_) => {
            let reason = "another writer of this file has given it up; it has to be written again".to_owned();
            Ok(StorageError::Unavailable { path: files.shown(file.target), reason })
        }
    }
}

fn taken(files: &impl FileSystem, target: &str) -> StorageError {
    StorageError::AlreadyExists { path: files.shown(target) }
}
