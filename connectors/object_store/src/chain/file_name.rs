//! Names of directories and files: `<topics.dir>/<topic>/<directory>/<topic>+<n>+<first offset>.<extension>`.

use std::sync::Arc;

use volley_api::TopicPartition;

use super::templates::{AroundOffset, FileTemplate};
use crate::format::KNOWN_EXTENSIONS;

/// Longest name of a Kafka topic.
const MAX_TOPIC_LENGTH: usize = 249;

/// How files are named, whichever stream they are of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FileNaming {
    /// In directories of topics, as Confluent's sinks have it.
    Directories {
        /// Above the topics' directories; without slashes at its ends; may be empty.
        topics_dir: Arc<str>,
        /// Between topic, partition and offset. MUST not be empty, and hold no digit and no slash.
        delimiter: Arc<str>,
        /// Offsets are padded with zeros to this many digits; longer ones stand as they are. At least 1.
        offset_digits: usize,
        /// Behind the offset. MUST not begin with a digit, nor hold a point or a slash; may be empty.
        suffix: Arc<str>,
    },
    /// As a template says.
    Template(Arc<FileTemplate>),
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamFiles {
    /// Directory of the files, relative to the store's root, without a slash at either end; may be empty.
    pub(crate) directory: String,
    /// Topic the rows go to, and the directory below it.
    pub(crate) key: StreamKey,
    /// Partition the rows were consumed from.
    pub(crate) origin: TopicPartition,
    /// The names, around the offset and before the extension.
    names: AroundOffset,
    extension: Arc<str>,
    /// Whether files of another format may have the same names but for the extension.
    has_other_extensions: bool,
    /// Extensions of the files beside each file.
    siblings: Vec<Arc<str>>,
}

impl StreamFiles {
    /// The files of rows from `origin` that go to `key`; their names end with `extension`.
    pub(crate) fn new(naming: &FileNaming, extension: &str, key: &StreamKey, origin: &TopicPartition) -> Self {
        let (directory, names) = match naming {
            FileNaming::Directories { topics_dir, delimiter, offset_digits, suffix } => {
                let parts = [&**topics_dir, &*key.topic, &*key.directory];
                let directory = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
                let before = format!("{}{delimiter}{}{delimiter}", key.topic, origin.partition);
                (directory, AroundOffset { before, digits: *offset_digits, after: suffix.to_string() })
            }
            FileNaming::Template(template) => {
                let around = template.around_offset(key, origin);
                let (directory, before) = around.before.rsplit_once('/').unwrap_or(("", &around.before));
                (directory.to_owned(), AroundOffset { before: before.to_owned(), ..around })
            }
        };
        Self {
            directory,
            key: key.clone(),
            origin: origin.clone(),
            names,
            extension: Arc::from(extension),
            has_other_extensions: matches!(naming, FileNaming::Directories { .. }),
            siblings: Vec::new(),
        }
    }

    /// The same, with files beside each file whose names end with these extensions.
    #[must_use]
    pub(crate) fn with_siblings(self, siblings: Vec<Arc<str>>) -> Self {
        Self { siblings, ..self }
    }

    /// Path of the file with `extension` beside the one at `path`.
    pub(crate) fn sibling(&self, path: &str, extension: &str) -> String {
        let known =
            KNOWN_EXTENSIONS.into_iter().filter_map(|known| path.strip_suffix(known)).min_by_key(|stem| stem.len());
        let stem = path.strip_suffix(&*self.extension).filter(|_| !self.extension.is_empty()).or(known);
        format!("{}{extension}", stem.unwrap_or(path))
    }

    /// Paths of the files beside the one at `path`.
    pub(crate) fn siblings_of(&self, path: &str) -> Vec<String> {
        self.siblings.iter().map(|extension| self.sibling(path, extension)).collect()
    }

    /// Path of the file whose first row is at `offset`.
    pub(crate) fn path(&self, offset: i64) -> String {
        self.path_of(&format!("{}{}", self.stem(offset), self.extension))
    }

    /// Path of that file where the plain one belongs to another consumed topic.
    pub(crate) fn path_beside_another_origin(&self, offset: i64) -> String {
        self.path_of(&format!("{}.{}{}", self.stem(offset), self.origin.topic, self.extension))
    }

    /// Path of the file `name` in the stream's directory.
    pub(crate) fn path_of(&self, name: &str) -> String {
        match self.directory.as_str() {
            "" => name.to_owned(),
            directory => format!("{directory}/{name}"),
        }
    }

    /// A name that sorts before those of all files that begin at `offset` or later, and after most earlier ones.
    pub(crate) fn name_before(&self, offset: i64) -> String {
        let AroundOffset { before, digits: width, .. } = &self.names;
        // numbers with one digit more sort before those with the usual number of digits that begin with a higher one:
        // from the first offset with all digits on, all must be looked at
        let digits = u32::try_from(width - 1).unwrap_or(u32::MAX);
        match offset.min(10_i64.checked_pow(digits).unwrap_or(i64::MAX)) - 1 {
            number @ 1.. => format!("{before}{number:0width$}"),
            _ => before.clone(),
        }
    }

    /// The first row's offset of the file `name`, if it is named as a file of this stream may be.
    pub(crate) fn first_offset(&self, name: &str) -> Option<i64> {
        let rest = name.strip_prefix(&self.names.before)?;
        let (digits, end) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len()));
        let end = end.strip_prefix(&self.names.after)?;
        if self.siblings.iter().any(|sibling| end.ends_with(&**sibling)) {
            return None;
        }
        let end = end.strip_prefix('.').and_then(|end| end.strip_prefix(&*self.origin.topic)).unwrap_or(end);
        let is_known = self.has_other_extensions && KNOWN_EXTENSIONS.contains(&end);
        let is_named_so = digits.len() >= self.names.digits && (end == &*self.extension || is_known);
        is_named_so.then(|| digits.parse().ok())?
    }

    fn stem(&self, offset: i64) -> String {
        let AroundOffset { before, digits: width, after } = &self.names;
        format!("{before}{offset:0width$}{after}")
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
        FileNaming::Directories {
            topics_dir: Arc::from(topics_dir),
            delimiter: Arc::from(delimiter),
            offset_digits,
            suffix: Arc::from(""),
        }
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
    fn names_by_a_template_are_read_back_too() {
        let key = StreamKey { topic: Arc::from("out"), directory: Arc::from("2026") };
        for (template, path) in [
            ("{{topic}}-{{partition}}-{{start_offset}}", "out-3-42"),
            ("a/{{timestamp:unit=yyyy}}/{{topic}}-{{partition}}-{{start_offset}}.gz", "a/2026/out-3-42.gz"),
            ("{{topic}}/{{partition}}/{{start_offset:padding=true}}", "out/3/00000000000000000042"),
        ] {
            let naming = FileNaming::Template(Arc::new(FileTemplate::parse(template).unwrap()));
            let files = StreamFiles::new(&naming, "", &key, &TopicPartition::new("in.put", 3));
            assert_eq!(files.path(42), path);
            let name = path.rsplit('/').next().unwrap();
            assert_eq!(files.first_offset(name), Some(42));
            assert_eq!(files.first_offset(&format!("{name}.in.put")), Some(42));
            assert_eq!(files.first_offset(&format!("{name}.other")), None);
            for later in [42, 43, 50, 100, 420, 1_000_000] {
                let later = files.path(later);
                assert!(later.rsplit('/').next().unwrap() > files.name_before(42).as_str(), "{later}");
            }
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
