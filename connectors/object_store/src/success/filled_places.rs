//! Which directories have files of a connector.

use std::collections::BTreeMap;

use crate::chain::{FileNaming, read_identity};
use crate::store::{Storage, StorageError};

/// Files of a topic that are read to find out who wrote them: others may have put theirs beside them.
const READS: usize = 16;

/// Directories of files, by the directory of their topic; paths without a slash at either end.
pub(super) type FilledPlaces = BTreeMap<String, Vec<String>>;

/// All directories with files that `connector` has written.
///
/// # Cancellation
/// Safe at any point; nothing is changed.
pub(super) async fn filled_places(
    storage: &dyn Storage,
    naming: &FileNaming,
    connector: &str,
) -> Result<FilledPlaces, StorageError> {
    let Some(topics_dir) = naming.topics_dir() else { return Ok(FilledPlaces::new()) };
    let mut topics: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in storage.list_below(topics_dir).await? {
        if let Some(stream) = naming.stream_of(&path) {
            topics.entry(stream.key.topic.to_string()).or_default().push(path);
        }
    }
    let mut places = FilledPlaces::new();
    for (topic, mut paths) in topics {
        // the last ones are of the run that has just ended, or of one like it
        paths.sort_unstable();
        if !is_written_by(storage, naming, &paths, connector).await? {
            continue;
        }
        let mut directories: Vec<_> =
            paths.iter().filter_map(|path| Some(path.rsplit_once('/')?.0.to_owned())).collect();
        directories.dedup();
        let directory = if topics_dir.is_empty() { topic } else { format!("{topics_dir}/{topic}") };
        places.insert(directory, directories);
    }
    Ok(places)
}

/// A place has one connector, so that any file that says who wrote it will do.
async fn is_written_by(
    storage: &dyn Storage,
    naming: &FileNaming,
    paths: &[String],
    connector: &str,
) -> Result<bool, StorageError> {
    for path in paths.iter().rev().take(READS) {
        let Some(files) = naming.stream_of(path) else { continue };
        match read_identity(storage, &files, path).await {
            Ok(Some(identity)) => return Ok(identity.connector == connector),
            Ok(None) | Err(StorageError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}
