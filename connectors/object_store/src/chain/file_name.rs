//! Names of directories and files: `<topics.dir>/<topic>/partition=<n>/<topic>+<n>+<first offset>.parquet`.

use std::sync::Arc;

use volley_api::TopicPartition;

/// Longest name of a Kafka topic.
const MAX_TOPIC_LENGTH: usize = 249;
/// Offsets are padded with zeros to this many digits; longer ones stand as they are.
const OFFSET_DIGITS: usize = 10;
const EXTENSION: &str = ".parquet";

/// Names the files of one stream: the rows of one consumed partition that go to one topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StreamFiles {
    /// Directory of the files, relative to the store's root, without a slash at either end.
    pub(crate) directory: String,
    /// Topic the rows go to.
    pub(crate) topic: Arc<str>,
    /// Partition the rows were consumed from.
    pub(crate) origin: TopicPartition,
}

impl StreamFiles {
    /// The files of rows from `origin` that go to `topic`. `topics_dir` may be empty. `topic` MUST be a
    /// [legal name](is_legal_topic).
    pub(crate) fn new(topics_dir: &str, topic: &Arc<str>, origin: &TopicPartition) -> Self {
        let parent = if topics_dir.is_empty() { String::new() } else { format!("{topics_dir}/") };
        let directory = format!("{parent}{topic}/partition={}", origin.partition);
        Self { directory, topic: Arc::clone(topic), origin: origin.clone() }
    }

    /// Path of the file whose first row is at `offset`.
    pub(crate) fn path(&self, offset: i64) -> String {
        format!("{}/{}{EXTENSION}", self.directory, self.stem(offset))
    }

    /// Path of that file where the plain one belongs to another consumed topic.
    pub(crate) fn path_beside_another_origin(&self, offset: i64) -> String {
        format!("{}/{}.{}{EXTENSION}", self.directory, self.stem(offset), self.origin.topic)
    }

    /// A name that sorts before those of all files that begin at `offset` or later, and after most earlier ones.
    pub(crate) fn name_before(&self, offset: i64) -> String {
        // 11 digits sort before 10 digits that begin with a higher one: from the first offset with 10 digits on, all
        // must be looked at
        self.stem(offset.clamp(0, 10_i64.pow(OFFSET_DIGITS as u32 - 1)))
    }

    /// The first row's offset of the file `name`, if it is named as a file of this stream may be.
    pub(crate) fn first_offset(&self, name: &str) -> Option<i64> {
        let rest = name.strip_prefix(&*self.topic)?.strip_prefix('+')?;
        let rest = rest.strip_prefix(&self.origin.partition.to_string())?.strip_prefix('+')?;
        let stem = rest.strip_suffix(EXTENSION)?;
        let (digits, origin) = stem.split_once('.').map_or((stem, None), |(digits, origin)| (digits, Some(origin)));
        let is_number = digits.len() >= OFFSET_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && origin.is_none_or(|origin| origin == &*self.origin.topic)).then(|| digits.parse().ok())?
    }

    fn stem(&self, offset: i64) -> String {
        format!("{}+{}+{offset:0width$}", self.topic, self.origin.partition, width = OFFSET_DIGITS)
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

    fn files(topic: &str) -> StreamFiles {
        StreamFiles::new("topics", &Arc::from(topic), &TopicPartition::new("in.put", 3))
    }

    #[test]
    fn names_are_those_of_kafka_connect_users() {
        assert_eq!(files("out").path(42), "topics/out/partition=3/out+3+0000000042.parquet");
        assert_eq!(files("out").path(12_345_678_901), "topics/out/partition=3/out+3+12345678901.parquet");
        let bare = StreamFiles::new("", &Arc::from("t"), &TopicPartition::new("t", 0));
        assert_eq!(bare.path(0), "t/partition=0/t+0+0000000000.parquet");
    }

    #[test]
    fn names_are_read_back_and_those_of_others_are_not() {
        let files = files("out");
        assert_eq!(files.first_offset("out+3+0000000042.parquet"), Some(42));
        assert_eq!(files.first_offset("out+3+12345678901.parquet"), Some(12_345_678_901));
        let beside = files.path_beside_another_origin(7);
        assert_eq!(files.first_offset(beside.rsplit('/').next().unwrap()), Some(7));
        for other in [
            "out+3+0000000042.other.parquet",
            "out+4+0000000042.parquet",
            "in+3+0000000042.parquet",
            "out+3+42.parquet",
            "out+3+000000004x.parquet",
            "out+3+99999999999999999999.parquet",
            "out+3+0000000042.snappy",
        ] {
            assert_eq!(files.first_offset(other), None, "{other}");
        }
    }

    #[test]
    fn every_later_file_sorts_after_the_name_before_it() {
        let files = files("t");
        let name = |offset: i64| files.path(offset).rsplit('/').next().unwrap().to_owned();
        for from in [0, 7, 999_999_999, 1_000_000_000, 5_000_000_000, 20_000_000_000] {
            for later in [0, 1, 500, 999_999_999, 9_000_000_000, 90_000_000_000, 10_000_000_000] {
                assert!(name(from + later) > files.name_before(from), "{} {}", from + later, from);
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
