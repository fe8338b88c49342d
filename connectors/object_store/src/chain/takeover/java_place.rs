//! Where Confluent's sink for HDFS would go on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};
use volley_api::TopicPartition;

use super::java_log::JavaLog;
use super::topic_files::{JavaFile, TopicFiles};
use crate::chain::checkpoint::Checkpoint;
use crate::chain::names::{FileNaming, joined};
use crate::store::{Storage, StorageError, look_within};

/// How long looking at all directories of a topic may take.
const LISTING_LIMIT: Duration = Duration::from_secs(60);
/// Java's sink takes a Parquet file with fewer bytes for one that its end has interrupted.
const SMALLEST_PARQUET: u64 = 8;

/// Where the files of Java's sink end, in one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct JavaPlace {
    /// Rows before this offset are in its files; 0 if it has none.
    pub(crate) covered: i64,
    /// Nobody has written the rows from here on, though the group has committed them.
    pub(crate) begins_at: Option<i64>,
    /// A file that it has begun to commit.
    pub(crate) unfinished: Option<String>,
}

/// Where Java's sink has its files.
#[derive(Clone, Debug)]
pub(super) struct JavaDirectories {
    /// Whose rows these are now.
    connector: Arc<str>,
    topics_dir: Arc<str>,
    logs_dir: Option<Arc<str>>,
}

/// Looks for the places of partitions. What lies in the directories of a topic is listed once for all partitions that
/// are opened together.
#[derive(Debug)]
pub(crate) struct JavaPlaces {
    storage: Arc<dyn Storage>,
    directories: JavaDirectories,
    topics: HashMap<Arc<str>, Arc<TopicFiles>>,
}

impl JavaPlaces {
    /// For files that are named as Java names them; `None` for others. `logs_dir`: where Java's sink has its logs.
    pub(crate) fn new(
        storage: &Arc<dyn Storage>,
        connector: &str,
        naming: &FileNaming,
        logs_dir: Option<&Arc<str>>,
    ) -> Option<Self> {
        let FileNaming::Directories { topics_dir, has_last_offset: true, .. } = naming else { return None };
        let (topics_dir, logs_dir) = (Arc::clone(topics_dir), logs_dir.cloned());
        let directories = JavaDirectories { connector: Arc::from(connector), topics_dir, logs_dir };
        Some(Self { storage: Arc::clone(storage), directories, topics: HashMap::new() })
    }

    /// Forgets what lies there: others may have written since.
    pub(crate) fn forget(&mut self) {
        self.topics.clear();
    }

    /// The place of a partition that is opened at `offset`.
    pub(crate) fn find(&mut self, partition: &TopicPartition, offset: i64) -> Result<JavaPlace, StorageError> {
        let directory = self.directories.of(&[&partition.topic]);
        let files = match self.topics.get(&partition.topic) {
            Some(files) => Arc::clone(files),
            None => {
                let shared = directory.clone();
                let paths = look_within(LISTING_LIMIT, &directory, Arc::clone(&self.storage), move |storage| {
                    Box::pin(async move { storage.list_below(&shared).await })
                })?;
                let files = Arc::new(TopicFiles::of(&partition.topic, &paths));
                self.topics.insert(Arc::clone(&partition.topic), Arc::clone(&files));
                files
            }
        };
        let (directories, partition) = (self.directories.clone(), partition.clone());
        look_within(LISTING_LIMIT, &directory, Arc::clone(&self.storage), move |storage| {
            Box::pin(async move { find_place(storage, &directories, &files, &partition, offset).await })
        })
    }
}

impl JavaDirectories {
    /// A directory below that of the topics.
    pub(super) fn of(&self, parts: &[&str]) -> String {
        joined(&[&[&*self.topics_dir][..], parts].concat())
    }

    /// Where a gap behind the files is noted.
    fn of_gap(&self, partition: &TopicPartition) -> String {
        format!("{}.java", Checkpoint::path(&self.connector, partition))
    }

    /// The directory with the log of a partition.
    pub(super) fn of_log(&self, partition: &TopicPartition) -> Option<String> {
        let logs_dir = self.logs_dir.as_ref()?.replace("${topic}", &partition.topic);
        Some(joined(&[logs_dir.trim_matches('/'), &partition.topic, &partition.partition.to_string()]))
    }
}

/// # Cancellation
/// Safe at any point.
async fn find_place(
    storage: &dyn Storage,
    directories: &JavaDirectories,
    files: &TopicFiles,
    partition: &TopicPartition,
    offset: i64,
) -> Result<JavaPlace, StorageError> {
    let last = last_of_java(storage, files.javas(partition.partition)).await?;
    let covered = last.map_or(0, |file| file.last.saturating_add(1));
    // a place of long ago: what was unfinished then has been decided
    let is_passed = files.has_ours_from(partition.partition, covered);
    let log = JavaLog::find(storage, directories, partition).await?;
    let mut place = JavaPlace { covered, ..JavaPlace::default() };
    if let Some(file) = last.filter(|_| covered > offset) {
        info!(
            %partition, file = file.path, offset = covered,
            "records before this offset are in files of Java's sink and are skipped"
        );
    }
    if let [path, ..] = log.paths() {
        info!(
            %partition, path,
            "Java's sink has left its log: remove it before you give the export back, or Java goes on where it ends"
        );
    }
    if !is_passed {
        place.unfinished = log.unfinished().await?;
    }
    if place.unfinished.is_none() && 0 < covered && covered < offset {
        let gap = Gap { from: covered, to: offset };
        let path = directories.of_gap(partition);
        if gap.is_open(storage, &path, &log, is_passed).await? {
            place.begins_at = Some(covered);
        }
    }
    Ok(place)
}

/// Records that the group has committed, behind the files of Java's sink. Versions of it before 2019 commit what they
/// have read, and find their place by the names alone.
///
/// It is noted before its first records are written. Until something behind it has been committed, whoever opens the
/// partition begins with it: files of ours alone do not tell that all of it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gap {
    from: i64,
    /// Committed when it was found.
    to: i64,
}

impl Gap {
    /// Whether its records may not be written yet. Notes it if so.
    async fn is_open(
        self,
        storage: &dyn Storage,
        path: &str,
        log: &JavaLog<'_>,
        is_passed: bool,
    ) -> Result<bool, StorageError> {
        let noted = storage.read_all(path).await?.and_then(|text| Self::parse(&text));
        if let Some(noted) = noted.filter(|noted| noted.from == self.from) {
            return Ok(self.to <= noted.to);
        }
        // where the log names later files, these have been moved away since
        if is_passed || log.last_offset().await?.is_some_and(|last| last >= self.from) {
            return Ok(false);
        }
        storage.write_over(path, format!("{} {}", self.from, self.to).into()).await?;
        Ok(true)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let (from, to) = str::from_utf8(text).ok()?.split_once(' ')?;
        Some(Self { from: from.parse().ok()?, to: to.parse().ok()? })
    }
}

/// The last of these files, given in their order, that is Java's indeed.
async fn last_of_java<'a>(storage: &dyn Storage, files: &'a [JavaFile]) -> Result<Option<&'a JavaFile>, StorageError> {
    for file in files.iter().rev() {
        // the claim of a file that has come into being just now may not have been listed
        if storage.read_claim(&file.claim).await?.is_some_and(|claimed| claimed.path == file.path) {
            continue;
        }
        if !file.path.ends_with(".parquet") {
            return Ok(Some(file));
        }
        match storage.read_tail(&file.path, SMALLEST_PARQUET).await {
            Ok(tail) if tail.len() as u64 == SMALLEST_PARQUET => return Ok(Some(file)),
            Ok(_) => {
                warn!(path = file.path, "passing over an empty file, which an interrupted Java has left: remove it")
            }
            // removed since it was listed
            Err(StorageError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
