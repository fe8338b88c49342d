//! The write-ahead log of Confluent's sink for HDFS: `<logs.dir>/<topic>/<partition>/log`, and `log.1`, the one before.
//!
//! It names the temporary files that a commit of Java's is about to rename, and what they will be called. At its next
//! start Java's sink renames those that it did not come to. So where a temporary file is left that the log names, Java
//! has not come to an end: neither may its rows be written by somebody else, nor may they be passed over. After a stop
//! in order there is none.
//!
//! The log is not parsed. Names are looked for in its bytes, in which they stand as they are.

use std::collections::HashSet;

use tracing::warn;
use volley_api::TopicPartition;

use super::java_place::JavaDirectories;
use crate::store::{Storage, StorageError};

const LOGS: [&str; 2] = ["log", "log.1"];
/// Directory of the temporary files, below that of the topics.
const TEMPORARY_DIRECTORY: &str = "+tmp";
/// Follows the unique part of a temporary file's name, which has this length.
const TEMPORARY_MARK: &str = "_tmp";
const UNIQUE_LENGTH: usize = 36;

/// The log of a partition.
#[derive(Debug)]
pub(super) struct JavaLog<'a> {
    storage: &'a dyn Storage,
    directories: &'a JavaDirectories,
    partition: &'a TopicPartition,
    /// The paths of those that are there.
    logs: Vec<String>,
}

impl<'a> JavaLog<'a> {
    /// Looks for it.
    pub(super) async fn find(
        storage: &'a dyn Storage,
        directories: &'a JavaDirectories,
        partition: &'a TopicPartition,
    ) -> Result<Self, StorageError> {
        let mut logs = Vec::new();
        if let Some(directory) = directories.of_log(partition) {
            match storage.list(&directory, "").await {
                Ok(names) => {
                    let found = LOGS.into_iter().filter(|log| names.iter().any(|name| name == log));
                    logs.extend(found.map(|log| format!("{directory}/{log}")));
                }
                Err(error @ StorageError::Denied { .. }) => {
                    warn!(%partition, %error, "could not look whether the log of Java's sink is there");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Self { storage, directories, partition, logs })
    }

    /// Paths of the logs that are there.
    pub(super) fn paths(&self) -> &[String] {
        &self.logs
    }

    /// A temporary file that Java's next start would still make a final one of; `None`: there is none.
    pub(super) async fn unfinished(&self) -> Result<Option<String>, StorageError> {
        let Some(path) = self.logs.iter().find(|path| path.ends_with("/log")) else { return Ok(None) };
        let directory = self.directories.of(&[TEMPORARY_DIRECTORY, &self.partition.topic]);
        let temporaries = self.storage.list_below(&directory).await?;
        if temporaries.is_empty() {
            return Ok(None);
        }
        let log = self.storage.read_all(path).await?.unwrap_or_default();
        let named = temporary_names(&log);
        // one that has not been closed looks empty
        let is_named = |path: &&String| log.is_empty() || unique_part(path).is_some_and(|part| named.contains(part));
        Ok(temporaries.iter().find(is_named).cloned())
    }

    /// The largest last offset among the names of final files in it.
    pub(super) async fn last_offset(&self) -> Result<Option<i64>, StorageError> {
        let mut last = None;
        for path in &self.logs {
            let log = self.storage.read_all(path).await?.unwrap_or_default();
            last = last.max(last_offset(&log, self.partition));
        }
        Ok(last)
    }
}

/// The unique parts of all temporary names in a log.
fn temporary_names(log: &[u8]) -> HashSet<&str> {
    let ends = places(log, TEMPORARY_MARK.as_bytes());
    ends.filter_map(|end| str::from_utf8(log.get(end.checked_sub(UNIQUE_LENGTH)?..end)?).ok()).collect()
}

fn unique_part(path: &str) -> Option<&str> {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    name.split_once(TEMPORARY_MARK).map(|(part, _)| part)
}

fn last_offset(log: &[u8], partition: &TopicPartition) -> Option<i64> {
    let begin = format!("/{}+{}+", partition.topic, partition.partition);
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let last = |place: usize| {
        let rest = &log[place + begin.len()..];
        let rest = rest[digits(rest)..].strip_prefix(b"+")?;
        str::from_utf8(&rest[..digits(rest)]).ok()?.parse().ok()
    };
    places(log, begin.as_bytes()).filter_map(last).max()
}

/// Where `part` stands in `bytes`.
fn places<'a>(bytes: &'a [u8], part: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    bytes.windows(part.len()).enumerate().filter(move |(_, window)| *window == part).map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_between_the_bytes_of_a_log() {
        let unique = ["11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"];
        let mut log = b"WAL\0\x01\x02_tmp".to_vec();
        for (unique, last) in unique.into_iter().zip([9, 30]) {
            log.extend(format!("\x7fhdfs://n/topics/+tmp/t/partition=0/{unique}_tmp.avro").bytes());
            log.extend(format!("\x11hdfs://n/topics/t/partition=0/t+0+0000000000+{last:010}.avro\0").bytes());
            log.push(0xff);
        }
        assert_eq!(temporary_names(&log), HashSet::from(unique));
        assert_eq!(unique_part(&format!("topics/+tmp/t/f=a/{}_tmp.avro", unique[0])), Some(unique[0]));
        assert_eq!(last_offset(&log, &TopicPartition::new("t", 0)), Some(30));
        assert_eq!(last_offset(&log, &TopicPartition::new("t", 1)), None);
        assert_eq!(last_offset(b"/t+0+", &TopicPartition::new("t", 0)), None);
    }
}
