//! What a file says about itself: which rows of which partition it holds. In the footer of formats that have one, else in
//! a label beside the file.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use url::form_urlencoded;
use volley_api::TopicPartition;

use super::parquet::read_footer;
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

/// The `volley.*` key-values of a file.
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
    /// The key-values.
    pub(crate) fn to_entries(&self) -> [(&'static str, String); 8] {
        [
            (FILE_ID, self.file_id.clone()),
            (CONNECTOR, self.connector.clone()),
            (ORIGIN_TOPIC, self.origin.topic.to_string()),
            (ORIGIN_PARTITION, self.origin.partition.to_string()),
            (START_OFFSET, self.start.to_string()),
            (END_OFFSET, self.end.to_string()),
            (ROWS, self.rows.to_string()),
            (START_TIMESTAMP, self.start_timestamp.to_string()),
        ]
    }

    /// Reads them; `None` where one is missing: then this sink did not write the file.
    pub(crate) fn from_entries<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        Some(Self {
            file_id: value(FILE_ID)?.to_owned(),
            connector: value(CONNECTOR)?.to_owned(),
            origin: TopicPartition::new(value(ORIGIN_TOPIC)?, value(ORIGIN_PARTITION)?.parse().ok()?),
            start: value(START_OFFSET)?.parse().ok()?,
            end: value(END_OFFSET)?.parse().ok()?,
            rows: value(ROWS)?.parse().ok()?,
            start_timestamp: value(START_TIMESTAMP)?.parse().ok()?,
        })
    }

    /// The key-values as one text: `key=value` joined by `&`, with `%` escapes, all of it ASCII.
    pub(crate) fn to_label(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(self.to_entries()).finish()
    }

    /// Reads such a text.
    pub(crate) fn from_label(label: &str) -> Option<Self> {
        let entries: Vec<_> = form_urlencoded::parse(label.as_bytes()).collect();
        Self::from_entries(|key| entries.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_ref()))
    }

    /// Whether the file at `path` has its identity in a footer.
    pub(crate) fn is_in_footer(path: &str) -> bool {
        path.ends_with(".parquet")
    }

    /// Reads the identity of the file at `path`, without its rows. `None`: not a file of this sink.
    ///
    /// # Cancellation
    /// Safe at any point; nothing is changed.
    pub(crate) async fn read(storage: &dyn Storage, path: &str) -> Result<Option<Self>, StorageError> {
        if Self::is_in_footer(path) {
            return read_footer(storage, path).await;
        }
        let label = storage.read_label(path).await?;
        Ok(label.and_then(|label| Self::from_label(&label)))
    }
}

/// A new unique [`FileIdentity::file_id`]: 32 hexadecimal digits.
pub(crate) fn new_file_id() -> String {
    format!("{:032x}", u128::from_be_bytes(random_bytes()))
}

/// Bytes that are not given twice.
pub(crate) fn random_bytes() -> [u8; 16] {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let now = since_epoch();
    let random = || {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(count);
        hasher.write_u128(now.as_nanos());
        hasher.write_u32(std::process::id());
        u128::from(hasher.finish())
    };
    (random() << 64 | random()).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let identity = FileIdentity {
            file_id: new_file_id(),
            connector: "orders & \"söns\"=%".into(),
            origin: TopicPartition::new("t", 7),
            start: 10,
            end: 20,
            rows: 9,
            start_timestamp: -1,
        };
        let label = identity.to_label();
        assert!(label.is_ascii());
        assert_eq!(FileIdentity::from_label(&label), Some(identity));
        let cut = label.rsplit_once('&').unwrap().0;
        assert_eq!(FileIdentity::from_label(cut), None);
    }

    #[test]
    fn file_ids_differ() {
        let ids: std::collections::HashSet<_> = (0..1000).map(|_| new_file_id()).collect();
        assert_eq!(ids.len(), 1000);
    }
}
