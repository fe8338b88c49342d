//! What a file says about itself in its Parquet footer: which rows of which partition it holds.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use parquet::file::metadata::{KeyValue, ParquetMetaDataReader};
use volley_api::TopicPartition;

use crate::clock::since_epoch;
use crate::store::{Storage, StorageError};

const FILE_ID: &str = "volley.file.id";
const CONNECTOR: &str = "volley.connector";
const ORIGIN_TOPIC: &str = "volley.origin.topic";
const ORIGIN_PARTITION: &str = "volley.origin.partition";
const START_OFFSET: &str = "volley.start.offset";
const END_OFFSET: &str = "volley.end.offset";
const ROWS: &str = "volley.rows";
const START_TIMESTAMP: &str = "volley.start.timestamp";

/// Length of what ends a Parquet file: four bytes with the length of the metadata before it, and the magic `PAR1`.
const TRAILER: usize = 8;
const MAGIC: &[u8] = b"PAR1";
/// Read from the end of a file at first; holds the metadata of most.
const TAIL: u64 = 64 * 1024;

/// The `volley.*` key-values of a file's footer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    /// Unique among all files ever written: tells a repeated attempt to create this file from another file.
    pub(crate) file_id: String,
    /// Connector that wrote the file.
    pub(crate) connector: String,
    /// Partition that the rows were consumed from.
    pub(crate) origin: TopicPartition,
    /// Offset of the first row.
    pub(crate) start: i64,
    /// The file holds all rows of its stream from `start` to before this offset.
    pub(crate) end: i64,
    /// Number of rows.
    pub(crate) rows: u64,
    /// Kafka's timestamp of the first row, ms, -1 = none: tells a topic from a later one of the same name.
    pub(crate) start_timestamp: i64,
}

impl FileIdentity {
    /// The footer's key-values.
    pub(crate) fn to_key_values(&self) -> Vec<KeyValue> {
        let entry = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
        vec![
            entry(FILE_ID, self.file_id.clone()),
            entry(CONNECTOR, self.connector.clone()),
            entry(ORIGIN_TOPIC, self.origin.topic.to_string()),
            entry(ORIGIN_PARTITION, self.origin.partition.to_string()),
            entry(START_OFFSET, self.start.to_string()),
            entry(END_OFFSET, self.end.to_string()),
            entry(ROWS, self.rows.to_string()),
            entry(START_TIMESTAMP, self.start_timestamp.to_string()),
        ]
    }

    /// Reads them; `None` where one is missing: then this sink did not write the file.
    pub(crate) fn from_key_values(entries: &[KeyValue]) -> Option<Self> {
        let text = |key: &str| entries.iter().find(|entry| entry.key == key)?.value.as_deref();
        Some(Self {
            file_id: text(FILE_ID)?.to_owned(),
            connector: text(CONNECTOR)?.to_owned(),
            origin: TopicPartition::new(text(ORIGIN_TOPIC)?, text(ORIGIN_PARTITION)?.parse().ok()?),
            start: text(START_OFFSET)?.parse().ok()?,
            end: text(END_OFFSET)?.parse().ok()?,
            rows: text(ROWS)?.parse().ok()?,
            start_timestamp: text(START_TIMESTAMP)?.parse().ok()?,
        })
    }

    /// Reads the identity of the file at `path`, from its end only. `None`: not a file of this sink.
    ///
    /// # Cancellation
    /// Safe at any point; nothing is changed.
    pub(crate) async fn read(storage: &dyn Storage, path: &str) -> Result<Option<Self>, StorageError> {
        let mut tail = storage.read_tail(path, TAIL).await?;
        let Some(length) = metadata_length(&tail) else { return Ok(None) };
        if tail.len() < length + TRAILER {
            tail = storage.read_tail(path, (length + TRAILER) as u64).await?;
        }
        let Some(start) = tail.len().checked_sub(length + TRAILER) else { return Ok(None) };
        let metadata = ParquetMetaDataReader::decode_metadata(&tail[start..tail.len() - TRAILER]);
        let metadata = metadata.ok();
        let entries = metadata.as_ref().and_then(|metadata| metadata.file_metadata().key_value_metadata());
        Ok(entries.and_then(|entries| Self::from_key_values(entries)))
    }
}

fn metadata_length(tail: &[u8]) -> Option<usize> {
    let (rest, magic) = tail.split_last_chunk::<4>()?;
    let (_, length) = rest.split_last_chunk::<4>()?;
    (magic == MAGIC).then(|| u32::from_le_bytes(*length) as usize)
}

/// A new unique [`FileIdentity::file_id`]: 32 hexadecimal digits.
pub(crate) fn new_file_id() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let now = since_epoch();
    let random = || {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(count);
        hasher.write_u128(now.as_nanos());
        hasher.write_u32(std::process::id());
        hasher.finish()
    };
    format!("{:016x}{:016x}", random(), random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let identity = FileIdentity {
            file_id: new_file_id(),
            connector: "orders".into(),
            origin: TopicPartition::new("t", 7),
            start: 10,
            end: 20,
            rows: 9,
            start_timestamp: -1,
        };
        let mut entries = identity.to_key_values();
        assert_eq!(FileIdentity::from_key_values(&entries), Some(identity));
        entries.pop();
        assert_eq!(FileIdentity::from_key_values(&entries), None);
    }

    #[test]
    fn file_ids_differ() {
        let ids: std::collections::HashSet<_> = (0..1000).map(|_| new_file_id()).collect();
        assert_eq!(ids.len(), 1000);
    }
}
