//! Names of directories and files: `<topics.dir>/<topic>/<directory>/<topic>+<n>+<first offset>.<extension>`.

use std::sync::Arc;

use volley_api::TopicPartition;

use crate::format::KNOWN_EXTENSIONS;

/// Longest name of a Kafka topic.
const MAX_TOPIC_LENGTH: usize = 249;

/// How files are named, whichever stream they are of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileNaming {
    /// Above the topics' directories; without slashes at its ends; may be empty.
    pub(crate) topics_dir: Arc<str>,
    /// Between topic, partition and offset. MUST not be empty, and hold no digit and no slash.
    pub(crate) delimiter: Arc<str>,
    /// Offsets are padded with zeros to this many digits; longer ones stand as they are. At least 1.
    pub(crate) offset_digits: usize,
}

/// What the rows of a stream have in common besides their origin partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct StreamKey {
    /// Topic the rows go to. MUST be a [legal name](is_legal_topic).
    pub(crate) topic: Arc<str>,
    /// Directory below the topic's, without a slash at either end.
    pub(crate) directory: Arc<str>,
}

/// Names the files of one stream: the rows of one consumed partition that go to one directory of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StreamFiles {
    naming: FileNaming,
    extension: Arc<str>,
    /// Directory of the files, relative to the store's root, without a slash at either end.
    pub(crate) directory: String,
    /// Topic the rows go to, and the directory below it.
    pub(crate) key: StreamKey,
    /// Partition the rows were consumed from.
    pub(crate) origin: TopicPartition,
}

impl StreamFiles {
    /// The files of rows from `origin` that go to `key`; their names end with `extension`.
    pub(crate) fn new(naming: &FileNaming, extension: &str, key: &StreamKey, origin: &TopicPartition) -> Self {
        let parts = [&*naming.topics_dir, &*key.topic, &*key.directory];
        let directory = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        Self {
            naming: naming.clone(),
            extension: Arc::from(extension),
            directory,
            key: key.clone(),
            origin: origin.clone(),
        }
    }

    /// Path of the file whose first row is at `offset`.
    pub(crate) fn path(&self, offset: i64) -> String {
        format!("{}/{}{}", self.directory, self.stem(offset), self.extension)
    }

    /// Path of that file where the plain one belongs to another consumed topic.
    pub(crate) fn path_beside_another_origin(&self, offset: i64) -> String {
        format!("{}/{}.{}{}", self.directory, self.stem(offset), self.origin.topic, self.extension)
    }

    /// A name that sorts before those of all files that begin at `offset` or later, and after most earlier ones.
    pub(crate) fn name_before(&self, offset: i64) -> String {
        // numbers with one digit more sort before those with the usual number of digits that begin with a higher one:
        // from the first offset with all digits on, all must be looked at
        let digits = u32::try_from(self.naming.offset_digits - 1).unwrap_or(u32::MAX);
        self.stem(offset.clamp(0, 10_i64.checked_pow(digits).unwrap_or(i64::MAX)))
    }

    /// The first row's offset of the file `name`, if it is named as a file of this stream may be.
    pub(crate) fn first_offset(&self, name: &str) -> Option<i64> {
        let delimiter = &*self.naming.delimiter;
        let rest = name.strip_prefix(&*self.key.topic)?.strip_prefix(delimiter)?;
        let rest = rest.strip_prefix(&self.origin.partition.to_string())?.strip_prefix(delimiter)?;
        let (digits, end) = rest.split_at(rest.find('.')?);
        let end = end.strip_prefix('.').and_then(|end| end.strip_prefix(&*self.origin.topic)).unwrap_or(end);
        let is_extension = end == &*self.extension || KNOWN_EXTENSIONS.contains(&end);
        let is_number = digits.len() >= self.naming.offset_digits && digits.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && is_extension).then(|| digits.parse().ok())?
    }

    fn stem(&self, offset: i64) -> String {
        let (delimiter, width) = (&self.naming.delimiter, self.naming.offset_digits);
        format!("{}{delimiter}{}{delimiter}{offset:0width$}", self.key.topic, self.origin.partition)
    }
}

/// Whether Kafka would take `name` as the name of a topic. Others could lead out of the store's directory.
pub(crate) fn is_legal_topic(name: &str) -> bool {
    (1..=MAX_TOPIC_LENGTH).contains(&name.len())
        && name != "."
        && name != ".."
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naming(topics_dir: &str, delimiter: &str, offset_digits: usize) -> FileNaming {
        FileNaming { topics_dir: Arc::from(topics_dir), delimiter: Arc::from(delimiter), offset_digits }
    }

    fn named(topic: &str, naming: &FileNaming) -> StreamFiles {
        let key = StreamKey { topic: Arc::from(topic), directory: Arc::from("partition=3") };
        StreamFiles::new(naming, ".parquet", &key, &TopicPartition::new("in.put", 3))
    }

    fn files(topic: &str) -> StreamFiles {
        named(topic, &naming("topics", "+", 10))
    }

    #[test]
    fn names_are_those_of_kafka_connect_users() {
        assert_eq!(files("out").path(42), "topics/out/partition=3/out+3+0000000042.parquet");
        assert_eq!(files("out").path(12_345_678_901), "topics/out/partition=3/out+3+12345678901.parquet");
        assert_eq!(named("t", &naming("", "+", 10)).path(0), "t/partition=3/t+3+0000000000.parquet");
        assert_eq!(named("t", &naming("a/b", "-", 1)).path(70), "a/b/t/partition=3/t-3-70.parquet");
    }

    #[test]
    fn names_are_read_back_and_those_of_others_are_not() {
        let files = files("out");
        assert_eq!(files.first_offset("out+3+0000000042.parquet"), Some(42));
        assert_eq!(files.first_offset("out+3+12345678901.parquet"), Some(12_345_678_901));
        let beside = files.path_beside_another_origin(7);
        assert_eq!(files.first_offset(beside.rsplit('/').next().unwrap()), Some(7));
        // a chain goes on when the format changes
        assert_eq!(files.first_offset("out+3+0000000042.json.gz"), Some(42));
        assert_eq!(files.first_offset("out+3+0000000042.in.put.json"), Some(42));
        for other in [
            "out+3+0000000042.other.parquet",
            "out+4+0000000042.parquet",
            "in+3+0000000042.parquet",
            "out+3+42.parquet",
            "out+3+000000004x.parquet",
            "out+3+99999999999999999999.parquet",
            "out+3+0000000042.snappy",
            "out+3+0000000042.keys.json",
            "out+3+0000000042",
        ] {
            assert_eq!(files.first_offset(other), None, "{other}");
        }
    }

    #[test]
    fn every_later_file_sorts_after_the_name_before_it() {
        for files in [files("t"), named("t", &naming("topics", "-", 1)), named("t", &naming("topics", "+", 19))] {
            let name = |offset: i64| files.path(offset).rsplit('/').next().unwrap().to_owned();
            for from in [0, 7, 999_999_999, 1_000_000_000, 5_000_000_000, 20_000_000_000] {
                for later in [0, 1, 500, 999_999_999, 9_000_000_000, 90_000_000_000, 10_000_000_000] {
                    assert!(name(from + later) > files.name_before(from), "{} {}", from + later, from);
                }
            }
        }
    }

    #[test]
    fn topics_that_lead_elsewhere_are_illegal() {
        for name in ["", ".", "..", "a/b", "../x", "a\\b", "a b", "ä", "a\0"] {
            assert!(!is_legal_topic(name), "{name}");
        }
        assert!(is_legal_topic("orders.v1_x-y"));
        assert!(!is_legal_topic(&"x".repeat(250)));
    }
}
