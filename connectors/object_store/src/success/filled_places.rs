//! Which directories have files of a connector.

use std::collections::BTreeMap;

use crate::chain::FileNaming;
use crate::format::FileIdentity;
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
        if let Some(topic) = naming.topic_of(&path) {
            topics.entry(topic.to_owned()).or_default().push(path);
        }
    }
    let mut places = FilledPlaces::new();
    for (topic, mut paths) in topics {
        // the last ones are of the run that has just ended, or of one like it
        paths.sort_unstable();
        if !is_written_by(storage, &paths, connector).await? {
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
async fn is_written_by(storage: &dyn Storage, paths: &[String], connector: &str) -> Result<bool, StorageError> {
    for path in paths.iter().rev().take(READS) {
        match FileIdentity::read(storage, path).await {
            Ok(Some(identity)) => return Ok(identity.connector == connector),
            Ok(None) | Err(StorageError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}
